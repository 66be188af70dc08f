import type { Clock } from '../../base/clock.js'
import {
  Compacted,
  type Compare,
  type KeyChange,
  type KeyValue,
  type Lease,
  LeaseEnded,
  type Operation,
  type Range,
  type RangeResult,
  type Transaction,
  type TransactionReply,
} from '../kv/kv.js'

interface Version {
  readonly revision: number
  /** Undefined from the revision on at which the key was deleted. */
  readonly value: Buffer | undefined
  readonly lease: string | undefined
}

export type ChangeListener = (changes: readonly KeyChange[]) => void

/** Keys with revisions, transactions, leases and watches, as etcd has them, in the memory of one thread. */
export class MemoryStore {
  readonly #clock: Clock
  readonly #versions = new Map<string, Version[]>()
  /** Every key that has a version, in order. */
  readonly #sorted: string[] = []
  #changes: KeyChange[] = []
  #revision = 1
  #compacted = 0
  readonly #leases = new Map<string, { readonly ttlMs: number; cancel: () => void }>()
  #leasesGranted = 0
  readonly #listeners = new Set<ChangeListener>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get revision(): number {
    return this.#revision
  }

  transact({ compare, success, failure }: Transaction): TransactionReply {
    const succeeded = compare.every((each) => this.#holds(each))
    const operations = succeeded ? success : failure
    const changes: KeyChange[] = []
    const results = operations.map((operation) => this.#do(operation, changes))
    this.#commit(changes)
    return { revision: this.#revision, succeeded, results }
  }

  grant(ttlMs: number): Lease {
    const id = String(++this.#leasesGranted)
    this.#leases.set(id, { ttlMs, cancel: () => {} })
    this.keep(id)
    return { id, ttlMs }
  }

  keep(id: string): boolean {
    const lease = this.#leases.get(id)
    if (!lease) return false
    lease.cancel()
    lease.cancel = this.#clock.after(lease.ttlMs, () => this.end(id))
    return true
  }

  end(id: string): void {
    const lease = this.#leases.get(id)
    if (!lease) return
    lease.cancel()
    this.#leases.delete(id)
    const changes: KeyChange[] = []
    for (const key of this.#sorted) {
      if (this.#versions.get(key)!.at(-1)!.lease === id) this.#put(key, undefined, undefined, changes)
    }
    this.#commit(changes)
  }

  compact(revision: number): void {
    this.#compacted = Math.max(this.#compacted, Math.min(revision, this.#revision))
    this.#changes = this.#changes.filter((change) => change.revision > this.#compacted)
    const kept: string[] = []
    for (const key of this.#sorted) {
      const versions = this.#versions.get(key)!
      const first = versions.findLastIndex((version) => version.revision <= this.#compacted)
      if (first > 0) versions.splice(0, first)
      if (versions.length > 1 || versions[0]!.value !== undefined) kept.push(key)
      else this.#versions.delete(key)
    }
    this.#sorted.splice(0, this.#sorted.length, ...kept)
  }

  /** The changes since a revision. @throws Compacted. */
  changesFrom(revision: number): readonly KeyChange[] {
    if (revision <= this.#compacted) throw new Compacted(`revision ${revision} was compacted`)
    return this.#changes.filter((change) => change.revision >= revision)
  }

  /** Calls with the changes of each revision from now on; the result ends it. */
  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #holds({ key, revision }: Compare): boolean {
    return (this.#find(key)?.revision ?? 0) === revision
  }

  #find(key: string, revision = this.#revision): KeyValue | undefined {
    const version = this.#versions.get(key)?.findLast((each) => each.revision <= revision)
    return version?.value && { key, value: version.value, revision: version.revision }
  }

  #do(operation: Operation, changes: KeyChange[]): RangeResult {
    if (operation.kind === 'range') return this.#range(operation)
    if (operation.kind === 'put') {
      const { key, value, lease } = operation
      if (lease !== undefined && !this.#leases.has(lease)) throw new LeaseEnded()
      this.#put(key, value, lease, changes)
    } else {
      for (const { key } of this.#range({ ...operation, kind: 'range' }).keys)
        this.#put(key, undefined, undefined, changes)
    }
    return { keys: [], more: false }
  }

  #range({ from, to, limit = 0, descending, keysOnly, revision }: Range): RangeResult {
    if (revision !== undefined && revision < this.#compacted)
      throw new Compacted(`revision ${revision} was compacted`)
    const keys: KeyValue[] = []
    const firstAt = this.#placeOf(from)
    const endAt = to === undefined ? firstAt + 1 : this.#placeOf(to)
    for (let i = 0; i < endAt - firstAt; i++) {
      const key = this.#sorted[descending ? endAt - 1 - i : firstAt + i]
      const found =
        key === undefined || (to === undefined && key !== from) ? undefined : this.#find(key, revision)
      if (!found) continue
      if (limit > 0 && keys.length === limit) return { keys, more: true }
      keys.push(keysOnly ? { ...found, value: Buffer.alloc(0) } : found)
    }
    return { keys, more: false }
  }

  #put(key: string, value: Buffer | undefined, lease: string | undefined, changes: KeyChange[]): void {
    const revision = this.#revision + 1
    const versions = this.#versions.get(key)
    const version = { revision, value, lease }
    if (versions) versions.push(version)
    else {
      this.#versions.set(key, [version])
      this.#sorted.splice(this.#placeOf(key), 0, key)
    }
    changes.push({ key, value, revision })
  }

  #commit(changes: readonly KeyChange[]): void {
    if (changes.length === 0) return
    this.#revision++
    this.#changes.push(...changes)
    for (const listener of this.#listeners) listener(changes)
  }

  /** Where a key stands among all, or would. */
  #placeOf(key: string): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#sorted[middle]! < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
