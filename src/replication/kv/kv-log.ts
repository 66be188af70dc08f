import {
  checkStandbyName,
  entryBytesMax,
  type FollowedChange,
  type FollowOptions,
  type Holder,
  type HolderLease,
  type LineageEntry,
  type LogWindow,
  type NewEntry,
  type ReadOptions,
  type ReadPage,
  type ReplicatedEntry,
  type ReplicatedLog,
  type ReplicationEpoch,
  ReplicationError,
  type StandbyLease,
  type StandbyPosition,
} from '../../log/thread.js'
import { checkLeaseTtl } from '../settings.js'
import { followLog } from './follow.js'
import { KeptLease } from './kept-lease.js'
import {
  decodeEpoch,
  decodeHolder,
  decodeLineage,
  decodeStandby,
  decodeWindow,
  encodeEntry,
  encodeJson,
  encodeLineage,
  PoolKeys,
} from './keys.js'
import type { KeyValue, Kv, Operation, Range, TransactionReply } from './kv.js'
import { readPage } from './page.js'
import { pause, withPatience } from './patience.js'
import { StandbyKey } from './standby-key.js'
import { ProvenPrefix, readWindow } from './window.js'

const pageBytesDefault = 4 * 1024 * 1024

/** A replicated log on a store of keys with revisions. Every guarded call is one transaction that compares the revision of the epoch's key. */
export class KvLog implements ReplicatedLog {
  readonly name: string
  readonly #kv: Kv
  readonly #keys: PoolKeys
  readonly #leases = new Set<KeptLease>()
  readonly #proven = new ProvenPrefix()
  /** The store's revision at the trim before: who follows from there or later is not interrupted by a compaction up to it. */
  #trimmedRevision = 0

  constructor(kv: Kv, pool: string) {
    this.#kv = kv
    this.#keys = new PoolKeys(pool)
    this.name = `${kv.name} (pool ${pool})`
  }

  async epoch(): Promise<ReplicationEpoch | undefined> {
    const [found] = await this.#read({ kind: 'range', from: this.#keys.epoch })
    return found && decodeEpoch(found)
  }

  async fence(seen: ReplicationEpoch | undefined, owner: string): Promise<ReplicationEpoch> {
    const key = this.#keys.epoch
    const n = (seen?.n ?? 0) + 1
    const reply = await this.#kv.transact({
      compare: [{ key, revision: seen?.token ?? 0 }],
      success: [{ kind: 'put', key, value: encodeJson({ n, owner }) }],
      failure: [{ kind: 'range', from: key }],
    })
    if (reply.succeeded) return { n, owner, token: reply.revision }
    throw this.#fenced(seen, reply.results[0]!.keys[0])
  }

  async lineage(): Promise<LineageEntry[]> {
    const { epochs, epochsEnd } = this.#keys
    const found = await this.#read({ kind: 'range', from: epochs, to: epochsEnd })
    return found.map(decodeLineage)
  }

  async putLineage(epoch: ReplicationEpoch, entry: LineageEntry): Promise<void> {
    const key = this.#keys.lineage(entry.n)
    const value = encodeLineage(entry)
    await this.#putOnce(epoch, key, value, () => `epoch ${entry.n} has another lineage in ${this.name}`)
  }

  async append(epoch: ReplicationEpoch, entry: NewEntry): Promise<void> {
    this.#checkEntry(entry)
    const key = this.#keys.log(entry.startLsn)
    const value = encodeEntry(entry, epoch.n)
    await this.#putOnce(epoch, key, value, () => `other bytes stand at LSN ${entry.startLsn} of ${this.name}`)
  }

  async read(fromLsn: number, options: ReadOptions = {}): Promise<ReadPage> {
    const maxBytes = options.maxBytes ?? pageBytesDefault
    const page = await withPatience(this.#kv, () => readPage(this.#kv, this.#keys, fromLsn, maxBytes))
    const entries: ReplicatedEntry[] = []
    let endLsn = fromLsn
    for (const entry of page.entries) {
      if (entry.startLsn > endLsn) return { entries, endLsn, more: false }
      entries.push(entry)
      endLsn = entry.endLsn
    }
    return { entries, endLsn, more: page.more }
  }

  follow(fromLsn: number, options: FollowOptions = {}): AsyncIterable<FollowedChange> {
    return followLog(this.#kv, this.#keys, fromLsn, this.#proven, options.signal)
  }

  window(fromLsn = 0): Promise<LogWindow> {
    return readWindow(this.#kv, this.#keys, this.#proven, fromLsn)
  }

  async trim(epoch: ReplicationEpoch, lsn: number): Promise<void> {
    const { window, logStart, logEnd } = this.#keys
    const upTo = { kind: 'range', from: logStart, to: this.#keys.log(lsn + 1) } as const
    const reads: readonly Range[] = [
      { ...upTo, limit: 1, descending: true, keysOnly: true },
      { kind: 'range', from: logStart, to: logEnd, limit: 1, keysOnly: true },
    ]
    const done = await this.#change(epoch, window, reads, (known, [last, first]) => {
      const isEmpty = first === undefined
      const beginLsn = isEmpty ? lsn : last && this.#keys.startLsnOf(last.key)!
      if (beginLsn === undefined || beginLsn <= decodeWindow(known)) return undefined
      return [
        { kind: 'put', key: window, value: encodeJson({ beginLsn }) },
        { kind: 'delete', from: logStart, to: this.#keys.log(beginLsn) },
      ]
    })
    if (done !== undefined) await this.#forget(done)
  }

  async cut(epoch: ReplicationEpoch, fromLsn: number): Promise<void> {
    const { cut: key, logEnd } = this.#keys
    const value = encodeJson({ n: epoch.n, fromLsn })
    await this.#change(epoch, key, [], (known) => {
      if (known?.value.equals(value)) return undefined
      return [
        { kind: 'put', key, value },
        { kind: 'delete', from: this.#keys.log(fromLsn), to: logEnd },
      ]
    })
  }

  async standbys(): Promise<StandbyPosition[]> {
    const { standbys, standbysEnd } = this.#keys
    const found = await this.#read({ kind: 'range', from: standbys, to: standbysEnd })
    return found.map(decodeStandby).map(({ name, lsn }) => ({ name, lsn }))
  }

  async announce(name: string, lsn: number, ttlMs: number): Promise<StandbyLease> {
    checkLeaseTtl(ttlMs)
    const key = new StandbyKey(this.#kv, this.#keys, checkStandbyName(name), lsn)
    const put = (lease: string, isNew: boolean) => key.put(lease, isNew)
    // A standby that had the name and died has it until its lease ends.
    const untilMs = this.#kv.clock.nowMs() + 2 * ttlMs
    for (;;) {
      try {
        const kept = await this.#keep(ttlMs, put)
        return {
          ended: kept.ended,
          report(lsn) {
            key.lsn = lsn
            kept.touch()
          },
          release: () => this.#release(kept),
        }
      } catch (error) {
        const inUse = error instanceof ReplicationError && error.code === 'TIDEMARK_REPLICATION_NAME_IN_USE'
        if (!inUse || this.#kv.clock.nowMs() >= untilMs) throw error
      }
      await pause(this.#kv, ttlMs / 4)
    }
  }

  async holder(): Promise<Holder | undefined> {
    const [found] = await this.#read({ kind: 'range', from: this.#keys.holder })
    return found && decodeHolder(found)
  }

  async hold(epoch: ReplicationEpoch, ttlMs: number): Promise<HolderLease> {
    checkLeaseTtl(ttlMs)
    const { holder: key, epoch: epochKey } = this.#keys
    const value = encodeJson({ n: epoch.n, owner: epoch.owner })
    const put = async (lease: string, isNew: boolean) => {
      if (isNew) await this.#guarded(epoch, [{ kind: 'put', key, value, lease }])
      const [found] = await this.#read({ kind: 'range', from: epochKey })
      if (found?.revision !== epoch.token) throw this.#fenced(epoch, found)
    }
    const kept = await this.#keep(ttlMs, put)
    return { ended: kept.ended, release: () => this.#release(kept) }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#leases].map((kept) => this.#release(kept)))
    await this.#kv.close()
  }

  async #keep(ttlMs: number, put: (lease: string, isNew: boolean) => Promise<void>): Promise<KeptLease> {
    const kept = await withPatience(this.#kv, async () => {
      const one = new KeptLease(this.#kv, ttlMs, put)
      await one.begin()
      return one
    })
    this.#leases.add(kept)
    return kept
  }

  async #release(kept: KeptLease): Promise<void> {
    this.#leases.delete(kept)
    await kept.release()
  }

  /** Puts a key that is never changed afterwards: that it is there with the same value means that an earlier attempt did it. */
  async #putOnce(epoch: ReplicationEpoch, key: string, value: Buffer, differs: () => string): Promise<void> {
    const epochKey = this.#keys.epoch
    const reply = await this.#transact(
      [
        { key: epochKey, revision: epoch.token },
        { key, revision: 0 },
      ],
      [{ kind: 'put', key, value }],
      [
        { kind: 'range', from: epochKey },
        { kind: 'range', from: key },
      ],
    )
    if (reply.succeeded) return
    const [last, there] = reply.results.map(({ keys }) => keys[0])
    if (last?.revision !== epoch.token) throw this.#fenced(epoch, last)
    if (there?.value.equals(value)) return
    throw new ReplicationError(
      'TIDEMARK_LOG_DIVERGED',
      `The log differs from its replica: ${differs()}. Two owners must have used epoch ${epoch.n}; compare the folder with the log before anything is opened again.`,
      { key, epoch: epoch.n },
    )
  }

  /**
   * Changes a key, and what depends on it, if the epoch is still the last one and the key is as it was read: so a request that is late or comes a
   * second time, when later ones have been answered, does nothing. Returns the revision of the change; undefined when there was nothing to do.
   */
  async #change(
    epoch: ReplicationEpoch,
    key: string,
    reads: readonly Range[],
    decide: (
      known: KeyValue | undefined,
      read: readonly (KeyValue | undefined)[],
    ) => readonly Operation[] | undefined,
  ): Promise<number | undefined> {
    for (;;) {
      const { results } = await this.#guarded(epoch, [{ kind: 'range', from: key }, ...reads])
      const [known, ...read] = results.map(({ keys }) => keys[0])
      const operations = decide(known, read)
      if (!operations) return undefined
      const compare = [
        { key: this.#keys.epoch, revision: epoch.token },
        { key, revision: known?.revision ?? 0 },
      ]
      const reply = await this.#transact(compare, operations)
      if (reply.succeeded) return reply.revision
    }
  }

  /** Does something if the epoch is still the last one. */
  async #guarded(epoch: ReplicationEpoch, success: readonly Operation[]): Promise<TransactionReply> {
    const key = this.#keys.epoch
    const reply = await this.#transact([{ key, revision: epoch.token }], success, [
      { kind: 'range', from: key },
    ])
    if (reply.succeeded) return reply
    throw this.#fenced(epoch, reply.results[0]!.keys[0])
  }

  async #read(range: Range): Promise<readonly KeyValue[]> {
    const reply = await this.#transact([], [range])
    return reply.results[0]!.keys
  }

  #transact(
    compare: readonly { key: string; revision: number }[],
    success: readonly Operation[],
    failure: readonly Operation[] = [],
  ): Promise<TransactionReply> {
    return withPatience(this.#kv, () => this.#kv.transact({ compare, success, failure }))
  }

  /** Lets the store forget what was trimmed, but for the last trim. It is no matter when that fails: the next one does it. */
  async #forget(revision: number): Promise<void> {
    const until = this.#trimmedRevision
    this.#trimmedRevision = revision
    if (until > 0) await this.#kv.compact(until).catch(() => {})
  }

  #checkEntry({ startLsn, bytes }: NewEntry): void {
    const { length } = bytes
    if (length > 0 && length <= entryBytesMax && length % 8 === 0 && startLsn >= 0 && startLsn % 8 === 0)
      return
    throw new ReplicationError(
      'TIDEMARK_REPLICATION_ENTRY',
      `An entry of ${length} bytes at LSN ${startLsn} can't be appended: both are multiples of 8, and an entry has at most ${entryBytesMax} bytes.`,
      { startLsn, bytes: length },
    )
  }

  #fenced(epoch: ReplicationEpoch | undefined, last: KeyValue | undefined): ReplicationError {
    const current = last && decodeEpoch(last)
    const by = current ? `epoch ${current.n} (owner ${current.owner})` : 'no epoch: its keys were deleted'
    return new ReplicationError(
      'TIDEMARK_FENCED',
      `Epoch ${epoch?.n ?? 0} of ${this.name} is over; it belongs to ${by}. What epoch ${epoch?.n ?? 0} acknowledged is in the log; send what it did not acknowledge to the new primary.`,
      { epoch: epoch?.n ?? 0, owner: epoch?.owner, current },
    )
  }
}
