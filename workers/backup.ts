import { lowerPriority } from '../src/base/low-priority.js'
import { type ErrorMessage, toErrorMessage } from '../src/log/errors.js'
import { type BackupReport, backupFolder } from '../src/pool/checkpoint/backup.js'
import type { BackupTask } from '../src/pool/checkpoint/backup-thread.js'

export default async function backup(
  task: BackupTask,
): Promise<{ report: BackupReport } | { error: ErrorMessage }> {
  lowerPriority(false)
  try {
    const { source, target, syncedLsn } = task
    return { report: await backupFolder(source, target, { syncedLsn }) }
  } catch (error) {
    return { error: toErrorMessage(error) }
  }
}
