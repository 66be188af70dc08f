import type { LiveJob } from '../job.js'
import type { JobStore } from '../state/job-store.js'

/**
 * Logs that the attempts which were in flight when the last process ended are over: their jobs are pending again and passed
 * to `returned`, or dead when they were interrupted `interruptionsMax` times before. Resolves when that is on disk.
 *
 * @throws JobError as of `JobLog.appendNow`; LogError `TIDEMARK_DISK_FULL`.
 */
export async function returnInFlight(
  store: JobStore,
  interruptionsMax: number,
  returned: (job: LiveJob) => void,
): Promise<void> {
  const { log, table } = store
  const inFlight = [...table.live.values()].filter(({ state }) => state === 'inFlight')
  await Promise.all(
    inFlight.map(
      (job) =>
        new Promise<void>((resolve, reject) => {
          log.inOrder(() => {
            const { id, attemptId } = job
            if (job.interrupted >= interruptionsMax) {
              store.transition('DEAD', id, { attemptId, reason: 'interrupted' })
            } else {
              store.transition('RETRY', id, { attemptId, delayMs: 0, reason: 'restart' })
              returned(job)
            }
            resolve()
          }, reject)
        }),
    ),
  )
  await log.waitDurable(log.tailLsn)
}
