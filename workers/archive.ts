import { type ErrorMessage, toErrorMessage } from '../src/log/errors.js'
import { type BackupReport, backupFolder } from '../src/pool/backup.js'

export default async function backup(task: {
  source: string
  target: string
}): Promise<{ report: BackupReport } | { error: ErrorMessage }> {
  try {
    return { report: await backupFolder(task.source, task.target) }
  } catch (error) {
    return { error: toErrorMessage(error) }
  }
}
