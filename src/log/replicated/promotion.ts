import { isPassing, ReplicationError } from './errors.js'
import type { LineageEntry, ReplicatedEntry, ReplicatedLog, ReplicationEpoch } from './replicated-log.js'

/**
 * How a primary comes to be, whether a standby is promoted or a primary opens its own log again. Nothing here asks who is alive:
 * the epoch alone decides, and it is taken before the log is read, so that nothing can be appended to what was read.
 *
 *     takeOver        the next epoch, with a name that no other attempt has: every append of the one before is refused from now on
 *     readTail        to the end of the contiguous prefix: all that the one before can have acknowledged
 *     cutAfter        what stands after a gap goes: it was never acknowledged, and the new primary will write there
 *     putLineage      where the new epoch's part of the log begins; before the first append. One that has more than was replicated
 *                     leaves it to its replicator
 */
export interface Promotion {
  /** The epoch that was taken. */
  readonly epoch: ReplicationEpoch
  /** Where the contiguous prefix ends, and this epoch's part begins. */
  readonly endLsn: number
}

/** What a promotion needs of its caller. */
export interface PromotionSteps {
  /** A name that no other attempt has, such as a random UUID. */
  readonly owner: string
  /** Where the log ends that the caller holds: the tail is read from here. */
  readonly fromLsn: number
  /** The epoch in the header of the segment that the new primary begins. */
  readonly segmentEpoch: bigint
  /** Only this epoch is followed, if it is given: that of a primary whose lease is gone. A later one has won already. */
  readonly after?: ReplicationEpoch | undefined
  /** Takes each entry of the tail, in order; it must be on the caller's disk when this resolves. */
  readonly keep: (entry: ReplicatedEntry) => void | Promise<void>
  /** Syncs what was kept; called once, when all of it was. */
  readonly sync: (endLsn: number) => void | Promise<void>
  /**
   * Where the caller's log ends when that is synced, for one that was the primary itself and may have more than was replicated: it
   * ships the rest under its new epoch. Left out where the log ends with the tail.
   */
  readonly ownEndLsn?: () => number
  /**
   * Waits before a call is made again that got no answer. What it throws ends the promotion: the epoch may be taken by then, and the
   * log has no primary until another one takes the next.
   */
  readonly again: (error: ReplicationError) => void | Promise<void>
}

/**
 * Makes the caller the primary of a log.
 *
 * @returns the epoch, with which it may append from `endLsn` on.
 * @throws ReplicationError `TIDEMARK_FENCED` when another one was faster, before or after this one took its epoch;
 *   `TIDEMARK_STANDBY_BEHIND`, `TIDEMARK_LOG_DIVERGED` as `ReplicatedLog.read`; what `keep`, `sync` and `again` throw.
 */
export async function promote(log: ReplicatedLog, steps: PromotionSteps): Promise<Promotion> {
  const { owner, fromLsn, segmentEpoch, again } = steps
  const epoch = await takeOver(log, owner, steps.after, again)
  const endLsn = await readTail(log, fromLsn, steps.keep, again)
  await steps.sync(endLsn)
  const firstLsn = steps.ownEndLsn?.() ?? endLsn
  await answered(again, () => log.cut(epoch, endLsn))
  // What comes before its own part is to be there before the lineage says where that begins.
  if (firstLsn > endLsn) return { epoch, endLsn }
  const entry: LineageEntry = { n: epoch.n, segmentEpoch, firstLsn }
  await answered(again, () => log.putLineage(epoch, entry))
  return { epoch, endLsn }
}

/**
 * Takes the next epoch. When an attempt gets no answer, the epoch that is the last by then says what came of it: the owner's name is
 * in it if it was taken.
 *
 * @throws ReplicationError `TIDEMARK_FENCED` when another one took it, or `after` is given and is not the last one.
 */
export async function takeOver(
  log: ReplicatedLog,
  owner: string,
  after: ReplicationEpoch | undefined,
  again: PromotionSteps['again'],
): Promise<ReplicationEpoch> {
  const seen = after ?? (await answered(again, () => log.epoch()))
  for (;;) {
    try {
      return await log.fence(seen, owner)
    } catch (error) {
      const refused = error instanceof ReplicationError && error.code === 'TIDEMARK_FENCED'
      if (!refused && !isPassing(error)) throw error
      if (!refused) await again(error)
      const last = await answered(again, () => log.epoch())
      if (last?.owner === owner) return last
      // The attempt may still land, as long as the epoch is the one that it compares with; then so may the next.
      if (refused) throw error
    }
  }
}

/** Reads to the end of the contiguous prefix, and returns where that is. */
export async function readTail(
  log: ReplicatedLog,
  fromLsn: number,
  keep: PromotionSteps['keep'],
  again: PromotionSteps['again'],
): Promise<number> {
  for (let lsn = fromLsn; ; ) {
    const page = await answered(again, () => log.read(lsn))
    for (const entry of page.entries) await keep(entry)
    if (page.entries.length === 0) return lsn
    lsn = page.endLsn
  }
}

/** Makes a call, which may be made more than once, until it is answered. */
async function answered<T>(again: PromotionSteps['again'], call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!isPassing(error)) throw error
      await again(error)
    }
  }
}
