import { Piscina } from 'piscina'
import { TidemarkError } from '../errors.js'
import type { ErrorMessage } from '../log/errors.js'
import type { BackupReport } from './backup.js'

/**
 * Copies a pool's folder in a thread of its own, so that the event loop goes on. The shards' threads are never free for
 * short work, so it gets a thread pool that lives as long as the copy.
 *
 * @throws as `backupFolder`.
 */
export async function backupInThread(source: string, target: string): Promise<BackupReport> {
  const threads = new Piscina<
    { source: string; target: string },
    { report: BackupReport } | { error: ErrorMessage }
  >({
    filename: new URL('../../workers/archive.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    recordTiming: false,
    execArgv: [],
  })
  try {
    const outcome = await threads.run({ source, target })
    if ('report' in outcome) return outcome.report
    const { code, message, details } = outcome.error
    throw new TidemarkError(code as `TIDEMARK_${string}`, message, details)
  } finally {
    await threads.destroy()
  }
}
