import { Piscina } from 'piscina'
import { TidemarkError } from '../errors.js'
import type { ErrorMessage } from '../log/errors.js'
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
 * @throws as `backupFolder`.
 */
export async function backupInThread(task: BackupTask): Promise<BackupReport> {
  const threads = new Piscina<BackupTask, { report: BackupReport } | { error: ErrorMessage }>({
    filename: new URL('../../workers/archive.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    recordTiming: false,
    execArgv: [],
  })
  try {
    const outcome = await threads.run(task)
    if ('report' in outcome) return outcome.report
    const { code, message, details } = outcome.error
    throw new TidemarkError(code as `TIDEMARK_${string}`, message, details)
  } finally {
    await threads.destroy()
  }
}
