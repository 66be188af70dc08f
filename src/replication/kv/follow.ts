import type { FollowedChange, Holder, ReplicatedEntry } from '../../log/thread.js'
import { decodeEntry, decodeEpoch, decodeHolder, decodeWindow, type PoolKeys } from './keys.js'
import { Compacted, type KeyChange, type Kv } from './kv.js'
import { type LogPage, readPage, readRest, windowMoved } from './page.js'
import { isUnanswered, pause } from './patience.js'
import type { ProvenPrefix } from './window.js'

const firstDelayMs = 20
const delayMsMax = 500
const pageBytes = 4 * 1024 * 1024

/**
 * `ReplicatedLog.follow`: reads to the end, then watches from the next revision on. Whatever ends the watch, it reads again from where it stands: so
 * nothing depends on what a store still knows of its past, and what stood after a gap and was deleted meanwhile is forgotten.
 */
export async function* followLog(
  kv: Kv,
  keys: PoolKeys,
  fromLsn: number,
  proven: ProvenPrefix,
  signal: AbortSignal | undefined,
): AsyncGenerator<FollowedChange> {
  const ended = new AbortController()
  const end = () => ended.abort()
  if (signal?.aborted) return
  signal?.addEventListener('abort', end, { once: true })
  const following = new Following(kv, keys, fromLsn, proven, ended.signal)
  let answeredMs = kv.clock.nowMs()
  let delayMs = firstDelayMs
  try {
    while (!ended.signal.aborted) {
      try {
        for await (const change of following.untilInterrupted()) {
          delayMs = firstDelayMs
          yield change
        }
      } catch (error) {
        if (ended.signal.aborted) return
        if (error instanceof Compacted) continue
        if (!isUnanswered(error)) throw error
        const nowMs = kv.clock.nowMs()
        if (following.answered) answeredMs = nowMs
        following.answered = false
        if (nowMs - answeredMs >= kv.patienceMs) {
          answeredMs = nowMs
          yield { kind: 'silent', error }
        }
        await pause(kv, delayMs, ended.signal)
        delayMs = Math.min(2 * delayMs, delayMsMax)
      }
    }
  } finally {
    signal?.removeEventListener('abort', end)
    ended.abort()
  }
}

class Following {
  /** Whether a read was answered since this was last set to false. */
  answered = false
  readonly #kv: Kv
  readonly #keys: PoolKeys
  readonly #signal: AbortSignal
  readonly #proven: ProvenPrefix
  /** Everything before this was yielded. */
  #nextLsn: number
  /** Entries after a gap, by where they begin. */
  readonly #loose = new Map<number, ReplicatedEntry>()
  #epochToken = 0
  #holder: Holder | undefined
  #holderKnown = false

  constructor(kv: Kv, keys: PoolKeys, fromLsn: number, proven: ProvenPrefix, signal: AbortSignal) {
    this.#kv = kv
    this.#proven = proven
    this.#keys = keys
    this.#nextLsn = fromLsn
    this.#signal = signal
  }

  async *untilInterrupted(): AsyncGenerator<FollowedChange> {
    const revision = yield* this.#readAnew()
    yield { kind: 'caught-up', endLsn: this.#nextLsn }
    const { root, rootEnd } = this.#keys
    for await (const changes of this.#kv.watch(root, rootEnd, revision + 1, this.#signal)) {
      for (const change of changes) yield* this.#apply(change)
      yield* this.#contiguous()
    }
  }

  /** Yields all that there is, and returns the revision up to which that is so. */
  async *#readAnew(): AsyncGenerator<FollowedChange, number> {
    this.#loose.clear()
    for (;;) {
      const page = await readPage(this.#kv, this.#keys, this.#nextLsn, pageBytes)
      this.answered = true
      yield* this.#noteHeads(page)
      const fromLsn = this.#nextLsn
      for (const entry of page.entries) {
        if (entry.startLsn <= fromLsn && entry.endLsn > fromLsn) yield this.#yielded(entry)
        else this.#loose.set(entry.startLsn, entry)
      }
      yield* this.#contiguous()
      if (!page.more) return page.revision
      if (this.#nextLsn > fromLsn) {
        this.#loose.clear()
        continue
      }
      // The page ends within what stands after a gap: the rest of that, as it was then.
      const last = page.entries.at(-1)!.startLsn
      for (const entry of await readRest(this.#kv, this.#keys, last, pageBytes, page.revision))
        this.#loose.set(entry.startLsn, entry)
      return page.revision
    }
  }

  *#noteHeads({ epoch, holder }: LogPage): Generator<FollowedChange> {
    if (epoch && epoch.token !== this.#epochToken) {
      this.#epochToken = epoch.token
      yield { kind: 'epoch', epoch }
    }
    const same = this.#holder?.n === holder?.n && this.#holder?.owner === holder?.owner
    if (!this.#holderKnown || !same) yield this.#newHolder(holder)
  }

  #newHolder(holder: Holder | undefined): FollowedChange {
    this.#holderKnown = true
    this.#holder = holder
    return { kind: 'holder', holder }
  }

  *#apply({ key, value, revision }: KeyChange): Generator<FollowedChange> {
    const startLsn = this.#keys.startLsnOf(key)
    if (startLsn !== undefined) {
      if (value === undefined) this.#loose.delete(startLsn)
      else if (startLsn >= this.#nextLsn) this.#loose.set(startLsn, decodeEntry(key, startLsn, value))
    } else if (key === this.#keys.epoch && value !== undefined) {
      this.#epochToken = revision
      yield { kind: 'epoch', epoch: decodeEpoch({ key, value, revision }) }
    } else if (key === this.#keys.holder) {
      yield this.#newHolder(value && decodeHolder({ key, value }))
    } else if (key === this.#keys.window && value !== undefined) {
      const beginLsn = decodeWindow({ key, value })
      if (beginLsn > this.#nextLsn) throw windowMoved(this.#kv, this.#nextLsn, beginLsn)
    }
  }

  /** What has no gap before it any more. */
  *#contiguous(): Generator<FollowedChange> {
    for (let entry = this.#loose.get(this.#nextLsn); entry; entry = this.#loose.get(this.#nextLsn)) {
      this.#loose.delete(entry.startLsn)
      yield this.#yielded(entry)
    }
  }

  #yielded(entry: ReplicatedEntry): FollowedChange {
    this.#nextLsn = entry.endLsn
    this.#proven.extend(entry.startLsn, entry.endLsn)
    return { kind: 'entry', entry }
  }
}
