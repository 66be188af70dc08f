import { type ErrorMessage, fromErrorMessage } from '../log/errors.js'
import { TaskThreads } from '../log/task-threads.js'
import type { BackupReport } from './backup.js'

export interface BackupTask {
  readonly source: string
  readonly target: string
  /** Up to where the log is synced. */
  readonly syncedLsn: number
}

/**
 * Copies a pool's folder in a thread of its own, so that the event loop goes on. The shards' threads are never free for
 * short work, so it gets a thread pool that lives as long as the copy.
 *
 * @throws as `backupFolder`; LogError `TIDEMARK_TOO_MANY_FILES`, `TIDEMARK_THREAD_DIED` when the thread could not start.
 */
export async function backupInThread(task: BackupTask): Promise<BackupReport> {
  const threads = new TaskThreads<BackupTask, { report: BackupReport } | { error: ErrorMessage }>({
    worker: 'archive',
    name: 'the backup',
    minThreads: 1,
    maxThreads: 1,
  })
  try {
    const outcome = await threads.run(task)
    if ('report' in outcome) return outcome.report
    throw fromErrorMessage(outcome.error)
  } finally {
    await threads.destroy()
  }
}
