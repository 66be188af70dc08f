import { type ErrorMessage, fromErrorMessage, TaskThreads, threadEnded } from '../../log/index.js'
import type { BackupReport } from './backup.js'

const threadName = 'the backup'

export interface BackupTask {
  readonly source: string
  readonly target: string
  /** Up to where the log is synced. */
  readonly syncedLsn: number
}

/**
 * Copies a pool's folder in a thread of its own, so that the event loop stays free. The shards' threads are never free for
 * short work, so it gets a thread pool that lives as long as the copy.
 *
 * @throws as `backupFolder`; LogError `TIDEMARK_TOO_MANY_FILES`, `TIDEMARK_THREAD_DIED` when the thread could not start, or ended.
 */
export async function backupInThread(task: BackupTask): Promise<BackupReport> {
  const threads = new TaskThreads<BackupTask, { report: BackupReport } | { error: ErrorMessage }>({
    worker: 'backup',
    name: threadName,
    minThreads: 1,
    maxThreads: 1,
  })
  try {
    // A task reports its own failures in its outcome: a rejection is the end of the thread.
    const outcome = await threads.run(task).catch((cause) => {
      throw threadEnded(threadName, cause)
    })
    if ('report' in outcome) return outcome.report
    throw fromErrorMessage(outcome.error)
  } finally {
    await threads.destroy()
  }
}
