import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { checkThreadsMax, type SealedCheck, type SealedSegment } from './sealed-check.js'

/** Checks sealed segments in threads of their own, one segment a task. */
export async function checkInParallel(check: SealedCheck): Promise<void> {
  const { segments } = check
  const threads = new Piscina<SealedSegment, boolean>({
    filename: new URL('../../workers/check.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: Math.min(availableParallelism(), checkThreadsMax, segments.length),
    concurrentTasksPerWorker: 1,
    recordTiming: false,
    // Some may still load when all is checked, and Node 20.20 aborts when a thread ends within `require` of a module.
    execArgv: process.allowedNodeEnvironmentFlags.has('--no-experimental-require-module')
      ? ['--no-experimental-require-module']
      : [],
  })
  try {
    // The recovery asks for them from the first on.
    await Promise.all(
      segments.map(async (sealed, i) => {
        check.note(i, await threads.run(sealed).catch(() => false))
      }),
    )
  } finally {
    await threads.destroy().catch(() => {})
  }
}
