import { setTimeout as sleep } from 'node:timers/promises'
import type { LogError } from './errors.js'

/** How often it is looked whether a log that is to be closed is stuck. */
const lookMs = 20

/** What is used of a log. */
export interface StickingLog {
  readonly stuckError: LogError
  poison(cause: unknown): void
}

/**
 * Waits for what must settle before a log is closed. What waits for acknowledgements that do not come, since the disk has no room or
 * the replicated log takes nothing, never settles by itself: when `isStuck` says so the log is poisoned, and it is rejected.
 *
 * @param settled may reject: this resolves then too.
 * @returns the error that the log was poisoned with, if it was.
 */
export async function settleOrPoison(
  log: StickingLog,
  settled: Promise<unknown>,
  isStuck: (closingMs: number) => boolean,
): Promise<LogError | undefined> {
  const closingMs = performance.now()
  let isOver = false
  const over = settled.then(
    () => {
      isOver = true
    },
    () => {
      isOver = true
    },
  )
  while (!isOver && !isStuck(closingMs)) await Promise.race([over, sleep(lookMs)])
  if (isOver) return undefined
  const error = log.stuckError
  log.poison(error)
  await over
  return error
}
