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
    execArgv: [],
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
