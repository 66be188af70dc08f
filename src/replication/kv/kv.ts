import type { Clock } from '../../base/clock.js'
import { ReplicationError } from '../../log/thread.js'

/**
 * What a replicated log needs of a store of keys with revisions: etcd's model (v3 of its interface), in the part of it that is used here.
 * Each change of the store has a revision, one higher than the one before; a key knows the revision that it was changed at last. A transaction is
 * one change. `KvLog` makes a replicated log of it, the same for every store.
 *
 * **Each call is one attempt.** It rejects with `TIDEMARK_REPLICATION_UNAVAILABLE` when there was no answer: what it asked for may or may not have been
 * done, or may be done later. `KvLog` decides what may be asked again.
 */
export interface Kv {
  /** What messages call it. */
  readonly name: string
  readonly clock: Clock
  /** How long calls that may be repeated are repeated before they reject. */
  readonly patienceMs: number

  /** Linearizable, also when it only reads. */
  transact(transaction: Transaction): Promise<TransactionReply>

  /**
   * The changes of the keys from `from` to `to` (excluded) at `revision` and after, in their order. Throws `Compacted` when the store no longer
   * knows that revision, and `TIDEMARK_REPLICATION_UNAVAILABLE` when the node that it reads from died, was paused or lost its leader.
   * Ends when `signal` aborts.
   */
  watch(from: string, to: string, revision: number, signal: AbortSignal): AsyncIterable<readonly KeyChange[]>

  /** A lease that ends when it is not renewed for `ttlMs`, or for what the store makes of that. */
  grantLease(ttlMs: number): Promise<Lease>
  /** Renews it. Returns false when it has ended. */
  keepLease(id: string): Promise<boolean>
  /** Ends it: its keys are deleted. */
  endLease(id: string): Promise<void>

  /** Lets the store forget what was before a revision. */
  compact(revision: number): Promise<void>

  /** Rejects what is under way with `TIDEMARK_REPLICATION_CLOSED`. Never rejects. */
  close(): Promise<void>
}

export interface Transaction {
  /** All must hold, for `success` to be done; else `failure` is. */
  readonly compare: readonly Compare[]
  readonly success: readonly Operation[]
  readonly failure: readonly Operation[]
}

/** The revision that a key was changed at last; 0 when there is no such key. */
export interface Compare {
  readonly key: string
  readonly revision: number
}

export type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly value: Buffer; readonly lease?: string }
  /** From `from` to `to`, excluded. */
  | { readonly kind: 'delete'; readonly from: string; readonly to: string }
  | Range

/** Reads the keys from `from` to `to` (excluded), or the one key `from`. */
export interface Range {
  readonly kind: 'range'
  readonly from: string
  readonly to?: string
  /** At most so many; 0 for all. */
  readonly limit?: number
  /** From the last key backwards. */
  readonly descending?: boolean
  /** Without values. */
  readonly keysOnly?: boolean
  /** As it was at that revision. */
  readonly revision?: number
}

export interface TransactionReply {
  /** The store's revision when it was done. */
  readonly revision: number
  readonly succeeded: boolean
  /** What each operation of `success` or `failure` read, in their order; empty for one that reads nothing. */
  readonly results: readonly RangeResult[]
}

export interface RangeResult {
  readonly keys: readonly KeyValue[]
  /** Whether the limit left some out. */
  readonly more: boolean
}

export interface KeyValue {
  readonly key: string
  readonly value: Buffer
  /** The revision that it was changed at last. */
  readonly revision: number
}

/** A change of a key: its new value, or that it was deleted. */
export interface KeyChange {
  readonly key: string
  /** Undefined when it was deleted. */
  readonly value: Buffer | undefined
  readonly revision: number
}

export interface Lease {
  readonly id: string
  readonly ttlMs: number
}

/** A watch asked for changes that the store no longer knows. What it would have shown must be read. */
export class Compacted extends Error {
  override readonly name = 'Compacted'
}

/** A key was to be put under a lease that has ended: it can't be put so, but under a new one. */
export class LeaseEnded extends ReplicationError {
  constructor() {
    super('TIDEMARK_REPLICATION_UNAVAILABLE', 'A lease of the replicated log ended before it was renewed.')
  }
}

/** The end of the range of all keys that begin with a text that ends in `/`. */
export function endOfPrefix(prefix: string): string {
  return `${prefix.slice(0, -1)}0`
}
