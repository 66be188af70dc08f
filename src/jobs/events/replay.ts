import { setImmediate } from 'node:timers/promises'
import { broken } from '../../base/assert.js'
import type { Disk } from '../../log/index.js'
import { optionNames } from '../../log/index.js'
import type { JobEvent } from './event.js'
import { damageError, type JobLogDamage, overtakenError, type WalkRange, walkEvents } from './event-walk.js'

/** What `replayLog` is called with. */
export interface JobReplayOptions {
  /** Where to begin: the LSN of the last event before. Default: the beginning of the log. */
  readonly fromLsn?: number | undefined
  /** The sequence number before the first event, when it is known: another first event is then damage. */
  readonly afterSeq?: number | undefined
  /** Skips what is not valid, instead of ending with an error at the first damage. */
  readonly tolerant?: boolean | undefined
  /** Called for each damage of a tolerant replay, in order. */
  readonly onDamage?: ((damage: JobLogDamage) => void) | undefined
}

export const replayOptions = optionNames<JobReplayOptions>({
  fromLsn: true,
  afterSeq: true,
  tolerant: true,
  onDamage: true,
})

/** What a replay read. */
export interface JobReplayReport {
  /** How many events it gave. */
  readonly events: number
  /** Sequence number of the last event that was read; 0 if there was none. */
  readonly lastSeq: number
  /** What it skipped. */
  readonly damage: readonly JobLogDamage[]
  /** Events known to be missing. */
  readonly skipped: number
}

/** After this many events whose handler returned no promise, replay lets the event loop turn once. */
const replayStepEvents = 2000

/** Replays the events of a folder's files; see `JobLog.replay`. */
export async function replayEvents(
  disk: Disk,
  dir: string,
  handler: (event: JobEvent, lsn: number) => unknown,
  range: WalkRange,
  options: Pick<JobReplayOptions, 'tolerant' | 'onDamage'>,
): Promise<JobReplayReport> {
  const damage: JobLogDamage[] = []
  let events = 0
  let lastSeq = 0
  let lastLsn = 0
  for (const walked of walkEvents(disk, dir, range)) {
    if (walked.kind === 'event') {
      events++
      lastSeq = walked.event.seq
      if (walked.endLsn <= lastLsn) broken('LSNs rise', { seq: lastSeq, lsn: walked.endLsn, before: lastLsn })
      lastLsn = walked.endLsn
      const handled = handler(walked.event, walked.endLsn)
      if (handled instanceof Promise) await handled
      else if (events % replayStepEvents === 0) await setImmediate()
    } else if (walked.kind === 'overtaken') {
      throw overtakenError(walked)
    } else if (walked.kind === 'damage') {
      if (!options.tolerant) throw damageError(walked.damage)
      damage.push(walked.damage)
      options.onDamage?.(walked.damage)
    }
  }
  const skipped = damage.reduce((sum, { count }) => sum + (count ?? 0), 0)
  return { events, lastSeq, damage, skipped }
}
