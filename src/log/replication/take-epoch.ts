import { setTimeout as sleep } from 'node:timers/promises'
import { LogError } from '../errors.js'
import type { SegmentHeader } from '../format/segment.js'
import {
  type LineageEntry,
  type ReplicatedLog,
  type ReplicationEpoch,
  takeOver,
} from '../replicated/index.js'

export interface TakeEpochSteps {
  readonly directory: string
  /** The segments that the folder has. */
  readonly segments: readonly SegmentHeader[]
  readonly owner: string
  /** The epoch, if the caller took it already. */
  readonly taken: ReplicationEpoch | undefined
  readonly leaseMs: number
}

/** A replicated log that is this folder's to continue. */
export interface TakenLog {
  readonly epoch: ReplicationEpoch
  /** Where it ends: the end of the contiguous prefix. */
  readonly endLsn: number
  readonly windowFirstLsn: number
  /** Whether nothing was ever appended to it, so that it begins where its first primary says. */
  readonly isNew: boolean
}

const holderLookMs = 100

/**
 * Takes the next epoch of a replicated log for a folder that may be its primary: it must know the last epoch that began a part
 * of the log. Whether the folder also has all that was appended in it is looked at when its log is recovered.
 *
 * All of that is looked at before the epoch is taken, so that a folder which can't be the primary ends no other one's time, and
 * counts again after it, when no other one appends any more.
 *
 * @throws LogError `TIDEMARK_PRIMARY_BEHIND`, `TIDEMARK_REPLICATION_HELD`; as the calls of `ReplicatedLog`.
 */
export async function takeEpoch(log: ReplicatedLog, steps: TakeEpochSteps): Promise<TakenLog> {
  const { taken, owner } = steps
  if (!taken) {
    checkLineage(await log.lineage(), steps, log)
    await awaitHolder(log, steps)
  }
  const epoch = taken ?? (await takeOver(log, owner, undefined, giveUp))
  const lineage = await log.lineage()
  if (!taken) checkLineage(lineage, steps, log)
  const { beginLsn, endLsn, looseBytes } = await log.window()
  // What stands after a gap was never acknowledged, and what is appended now would meet it in the middle of an entry.
  if (looseBytes > 0) await log.cut(epoch, endLsn)
  return { epoch, endLsn, windowFirstLsn: beginLsn, isNew: lineage.length === 0 }
}

/** A folder without the last epoch's segments has not gone the way that the log has: its own end may be another. */
function checkLineage(
  lineage: readonly LineageEntry[],
  { directory, segments }: TakeEpochSteps,
  log: ReplicatedLog,
): void {
  const last = lineage.at(-1)
  if (last === undefined || segments.some(({ epoch }) => epoch === last.segmentEpoch)) return
  throw new LogError(
    'TIDEMARK_PRIMARY_BEHIND',
    `${log.name} was continued by another folder at LSN ${last.firstLsn}, in epoch ${last.n}, and ${directory} has no segment of it. Run this folder as a standby, which brings it up to date; to be the primary it must be promoted.`,
    { directory, epoch: last.n, firstLsn: last.firstLsn },
  )
}

/**
 * Waits for the lease of a primary that is gone. One of this folder is gone for certain, since the caller has the folder's lock.
 */
async function awaitHolder(log: ReplicatedLog, { owner, leaseMs }: TakeEpochSteps): Promise<void> {
  const deadlineMs = performance.now() + 2 * leaseMs
  for (;;) {
    const holder = await log.holder()
    if (!holder || folderOf(holder.owner) === folderOf(owner)) return
    if (performance.now() > deadlineMs) {
      throw new LogError(
        'TIDEMARK_REPLICATION_HELD',
        `${log.name} has a primary that is alive: ${folderOf(holder.owner)}, epoch ${holder.n}. Close it before you open another one, or promote a standby, which ends it.`,
        { epoch: holder.n, owner: holder.owner },
      )
    }
    await sleep(holderLookMs)
  }
}

/** An owner's name is that of its folder, "#" and a random part. */
function folderOf(owner: string): string {
  return owner.replace(/#[^#]*$/, '')
}

/** An opening that gets no answer fails; its caller may repeat it. */
function giveUp(error: unknown): never {
  throw error
}
