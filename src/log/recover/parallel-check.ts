import { availableParallelism } from 'node:os'
import { TaskThreads } from '../task-threads.js'
import { checkThreadsMax, type SealedCheck, type SealedSegment } from './sealed-check.js'

/** Checks sealed segments in threads of their own, one segment a task. */
export async function checkInParallel(check: SealedCheck): Promise<void> {
  const { segments } = check
  const maxThreads = Math.min(availableParallelism(), checkThreadsMax, segments.length)
  const threads = new TaskThreads<SealedSegment, boolean>({
    worker: 'check',
    name: 'the check of sealed segments',
    // A thread that the system refuses later, for a task, would be an unhandled rejection within Piscina.
    minThreads: maxThreads,
    maxThreads,
  })
  try {
    // In their order: the recovery waits for the first one first.
    await Promise.all(
      segments.map(async (sealed, i) => {
        check.note(i, await threads.run(sealed).catch(() => false))
      }),
    )
  } finally {
    await threads.destroy()
  }
}
