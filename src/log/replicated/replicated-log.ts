import type { ReplicationError } from './errors.js'

/**
 * The bytes of a log, held by an engine that keeps them on several machines. One primary at a time appends to it; standbys read
 * and follow it. An engine decides what happened, in one order for all; nothing here decides by a clock.
 *
 * **What holds for every call.** A promise that resolves means that a majority of the engine's nodes has the change on disk, and that
 * every later call, by anyone, sees it. A call that gets no answer is repeated by the engine's client for as long as its `patienceMs`
 * says, and then rejects with `TIDEMARK_REPLICATION_UNAVAILABLE`: **what it asked for may or may not have been done, and may
 * still be done later**. All calls are made so that the same call may be made again until it is answered, but `fence`: see there, and
 * `takeOver`. Beside what each call says, any of them may reject with
 *
 * - `TIDEMARK_REPLICATION_UNAVAILABLE`: no answer (passing, see `isPassing`),
 * - `TIDEMARK_REPLICATION_FULL`: the engine has no room (passing: make room as the message says, and call again),
 * - `TIDEMARK_REPLICATION_DENIED`: it refused user, password, certificate or permission,
 * - `TIDEMARK_REPLICATION_CORRUPT`: it holds what no call of these wrote,
 * - `TIDEMARK_REPLICATION_CLOSED`: `close` was called.
 *
 * A log is made for one thread; each thread that needs one connects by itself (`connectReplicatedLog`).
 */
export interface ReplicatedLog {
  /** What messages call it: the engine, where it is, and the pool. */
  readonly name: string

  /** The epoch that was taken last; `undefined` when none ever was: the log is empty. Linearizable. */
  epoch(): Promise<ReplicationEpoch | undefined>

  /**
   * Takes the epoch after `seen`, if `seen` is still the one that was taken last: from then on every guarded call of an earlier
   * epoch is refused. Of several at the same moment exactly one succeeds. Takes the first epoch when `seen` is undefined.
   *
   * This is one attempt. After `TIDEMARK_REPLICATION_UNAVAILABLE` read `epoch()`: it was taken if that has `owner`. `takeOver` does.
   *
   * @param owner a name that no other attempt has, such as a random UUID.
   * @throws ReplicationError `TIDEMARK_FENCED` when another epoch than `seen` is the last one; `details.current` is it.
   */
  fence(seen: ReplicationEpoch | undefined, owner: string): Promise<ReplicationEpoch>

  /**
   * The lineage: an entry for each epoch that put one, by epoch. Linearizable.
   *
   * A folder rejoins by two reads, **`window` first and `lineage` after it**: an epoch puts its lineage before its first entry, so whatever the
   * window holds is in a lineage that was read later. Of the folder's log only that is in the replicated log which lies before
   * the first epoch that it has not followed, and before the end of the contiguous prefix: a primary that died has a tail that
   * no epoch contradicts, and that is in no other log.
   */
  lineage(): Promise<LineageEntry[]>

  /**
   * Puts where this epoch's part of the log begins. Once for each epoch; again with the same values changes nothing. Guarded.
   *
   * @throws ReplicationError `TIDEMARK_FENCED`; `TIDEMARK_LOG_DIVERGED` when the epoch has an entry with other values.
   */
  putLineage(epoch: ReplicationEpoch, entry: LineageEntry): Promise<void>

  /**
   * Puts an entry, if `epoch` is still the last one and the entry's place is free. Guarded and idempotent: the same bytes at
   * the same place again resolve. Several may be under way, and may land in any order: an entry counts as replicated when
   * all before it are there too (`ContiguousPrefix` keeps count). Entries must meet: each begins where another one ends, or where the window does.
   *
   * @throws ReplicationError `TIDEMARK_FENCED`: another epoch was taken, so nothing of this one is put any more;
   *   `TIDEMARK_LOG_DIVERGED`: other bytes stand at the place; `TIDEMARK_REPLICATION_ENTRY`: it is empty, not a multiple of 8, or larger
   *   than the engine takes.
   */
  append(epoch: ReplicationEpoch, entry: NewEntry): Promise<void>

  /**
   * Reads the contiguous entries from the one that holds the byte at `fromLsn`, or begins there, in order: a page of them, of about
   * `maxBytes` (default 4 MiB) and at least one where there is one. Linearizable: an append that resolved before is seen.
   * A page without entries says that the contiguous prefix ends at `fromLsn`.
   *
   * @throws ReplicationError `TIDEMARK_STANDBY_BEHIND` when the window begins after `fromLsn`;
   *   `TIDEMARK_LOG_DIVERGED` when the log ends before `fromLsn`: a folder that reaches there has bytes that the log does not have.
   */
  read(fromLsn: number, options?: ReadOptions): Promise<ReadPage>

  /**
   * What happens to the log, from `fromLsn` on: each entry of the contiguous prefix once, in order, beginning as `read` does; each
   * epoch that is taken, and each change of the holder, beginning with those of now. An entry that was yielded is never deleted
   * but by `trim`. Survives the death of any node and compactions: it reads anew what it missed. Lasts until the caller ends the loop, or `signal`
   * aborts, which ends it without an error.
   *
   * While the engine gives no answer it waits, and yields `{ kind: 'silent' }` once each time that this lasts longer than `patienceMs`.
   *
   * @throws ReplicationError `TIDEMARK_STANDBY_BEHIND`, at the first or at any later step, when the window has moved beyond what
   *   was read; `TIDEMARK_LOG_DIVERGED` as `read`.
   */
  follow(fromLsn: number, options?: FollowOptions): AsyncIterable<FollowedChange>

  /**
   * Where the log's entries begin and end: `[beginLsn, endLsn)` is the contiguous prefix. Linearizable. Entries are read for it, but none of those
   * that are known to be in the prefix: before the last epoch's part, and before what this connection has followed or found so.
   *
   * @param fromLsn an LSN that the caller knows to be in the contiguous prefix: only what follows it is read.
   */
  window(fromLsn?: number): Promise<LogWindow>

  /**
   * Moves the window's beginning to the start of the last entry that begins at or before `lsn`, and deletes the entries before it. Of a log
   * without any entry it says where the first one begins. An `lsn` before the window changes nothing. Guarded.
   *
   * @param lsn within the contiguous prefix, or its end: the caller must know so, it is not checked.
   * @throws ReplicationError `TIDEMARK_FENCED`.
   */
  trim(epoch: ReplicationEpoch, lsn: number): Promise<void>

  /**
   * Deletes every entry that begins at `fromLsn` or after: what an epoch that ended left after a gap. Only
   * for who takes over, before its first append. Guarded.
   *
   * @throws ReplicationError `TIDEMARK_FENCED`.
   */
  cut(epoch: ReplicationEpoch, fromLsn: number): Promise<void>

  /** All standbys whose lease lives, by name. Linearizable. */
  standbys(): Promise<StandbyPosition[]>

  /**
   * Makes a standby known under a name for as long as it renews its lease, which this does by itself, also after it was lost.
   *
   * @param ttlMs how long it stays known when it no longer renews; engines may take more.
   * @throws ReplicationError `TIDEMARK_REPLICATION_NAME_IN_USE` when another one that lives has the name.
   */
  announce(name: string, lsn: number, ttlMs: number): Promise<StandbyLease>

  /** Who holds the log as its primary, if its lease lives. For liveness alone: that it is gone proves nothing about appends. Linearizable. */
  holder(): Promise<Holder | undefined>

  /**
   * Makes this epoch's owner known as the holder for as long as it renews its lease, which this does by itself, also after it was lost. Guarded,
   * at each renewal: an idle primary learns so that another epoch was taken.
   *
   * @throws ReplicationError `TIDEMARK_FENCED`.
   */
  hold(epoch: ReplicationEpoch, ttlMs: number): Promise<HolderLease>

  /** Ends what is under way with `TIDEMARK_REPLICATION_CLOSED`, and lets go of leases and connections. Never rejects; again changes nothing. */
  close(): Promise<void>
}

/** An epoch of the replicated log: the time of one primary. Not the random epoch that stands in each segment's header. */
export interface ReplicationEpoch {
  /** 1 for the first, then one more for each that is taken. */
  readonly n: number
  /** The name that was given to `fence`. */
  readonly owner: string
  /** The fencing token: what the engine compares in every guarded call. Opaque; it only grows. */
  readonly token: number
}

/** One epoch's part of the log: `epochs/<n>`. It ends where the next one's begins. */
export interface LineageEntry {
  /** The epoch's number. */
  readonly n: number
  /** The epoch in the header of the first segment that its primary begins. */
  readonly segmentEpoch: bigint
  /** Where its part begins: the end of the contiguous prefix that its primary read when it took over. */
  readonly firstLsn: number
}

/** No entry is larger: etcd refuses requests above 1.5 MiB as it is installed. */
export const entryBytesMax = 1024 * 1024

/** Bytes of the log to be appended: whole batches as they stand in one segment. */
export interface NewEntry {
  /** Where its first byte stands in the log; a multiple of 8. It ends at `startLsn + bytes.length`. */
  readonly startLsn: number
  /** At least 8, a multiple of 8, no more than `entryBytesMax` says. Not changed and not kept after the promise has settled. */
  readonly bytes: Uint8Array
  /** Of an entry at whose start a segment begins: that segment's header. Lands with the entry or not at all. */
  readonly segmentHeader?: Uint8Array
}

/** An entry as the log holds it; its CRC has been checked. */
export interface ReplicatedEntry {
  /** Where its first byte stands in the log. */
  readonly startLsn: number
  /** Where it ends. */
  readonly endLsn: number
  /** Begins at a multiple of 8 in memory. */
  readonly bytes: Buffer
  /** CRC-32 of `bytes` (zlib's), unsigned. */
  readonly crc: number
  /** The epoch that appended it. */
  readonly epoch: number
  /** The header of the segment that begins at `startLsn`; undefined when none does. */
  readonly segmentHeader: Buffer | undefined
}

/** How much a read gives. */
export interface ReadOptions {
  /** About how many bytes of entries a page has. */
  readonly maxBytes?: number
}

/** Some entries, one after the other without a gap. */
export interface ReadPage {
  /** The entries, in the order of the log. */
  readonly entries: readonly ReplicatedEntry[]
  /** Where the next page begins: the end of the last entry, or `fromLsn` when there is none. */
  readonly endLsn: number
  /** Whether the contiguous prefix continues after this page, as far as this read saw. */
  readonly more: boolean
}

/** How a log is followed. */
export interface FollowOptions {
  /** Ends the loop when it is aborted. */
  readonly signal?: AbortSignal
}

/** What who follows a log is given. */
export type FollowedChange =
  | {
      /** What changed: the log has another entry, another epoch or holder, was read to its end, or does not answer. */
      readonly kind: 'entry'
      readonly entry: ReplicatedEntry
    }
  | { readonly kind: 'epoch'; readonly epoch: ReplicationEpoch }
  /** `undefined`: there is none any more. */
  | { readonly kind: 'holder'; readonly holder: Holder | undefined }
  /** All that the log held when this was read has been yielded; once at the beginning, and after each time that it was read anew. */
  | { readonly kind: 'caught-up'; readonly endLsn: number }
  | { readonly kind: 'silent'; readonly error: ReplicationError }

/** What a replicated log holds. */
export interface LogWindow {
  /** Where it begins: what is before was deleted. */
  readonly beginLsn: number
  /** Where its contiguous prefix ends. */
  readonly endLsn: number
  /** Bytes of entries that stand after a gap. */
  readonly looseBytes: number
}

/** How far a standby is. */
export interface StandbyPosition {
  /** The standby's name. */
  readonly name: string
  /** The standby has everything before this on its own disk. */
  readonly lsn: number
}

/** A standby's own place in the list of standbys, while it is alive. */
export interface StandbyLease {
  /** Resolves when it ended: with an error when another standby got the name while this one's lease was gone, with undefined after `release` or `close`. Never rejects. */
  readonly ended: Promise<ReplicationError | undefined>
  /** Puts a new position; the newest counts when several wait. Never rejects: one that gets no answer goes with the next renewal. */
  report(lsn: number): void
  /** Makes the standby unknown at once. Never rejects. */
  release(): Promise<void>
}

/** Who holds a log. */
export interface Holder {
  /** The epoch and the owner that hold the log. */
  readonly n: number
  /** The name of the owner. */
  readonly owner: string
}

/** The primary's lease on the log, while it is alive. */
export interface HolderLease {
  /** Resolves when it ended: with `TIDEMARK_FENCED` when another epoch was taken, with undefined after `release` or `close`. Never rejects. */
  readonly ended: Promise<ReplicationError | undefined>
  /** Ends the lease at once, so that no standby waits for it. Never rejects. */
  release(): Promise<void>
}
