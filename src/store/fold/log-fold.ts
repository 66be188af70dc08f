import type { StoreTarget } from '../targets/target.js'

/** What logs a store can keep. */
export const storeKinds = ['pool', 'jobs', 'factors'] as const
/** The kinds of logs that can be stored. */
export type StoreKind = (typeof storeKinds)[number]

/**
 * Makes rows of the records of one kind of log, a transaction at a time. Nothing is remembered from one transaction to
 * the next but what the target holds, so that a process that dies loses nothing.
 */
export interface LogFold {
  readonly kind: StoreKind
  /** Reads from the target what records refer to that come next. Called once, before the first record. */
  begin(target: StoreTarget): Promise<void>
  /** Takes a record: `words` from `from` to `to`, and the bytes of `payload`, are valid during the call. */
  visit(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    type: number,
    timeUs: number,
    record: { readonly payload: Uint8Array },
  ): void
  /** Rows of the transaction so far, about. */
  readonly rowCount: number
  /**
   * Completes the transaction, and begins the next one. What it returns must be written before the next call: its memory is used
   * again then.
   */
  cut(): FoldedTransaction
}

/** The rows of whole records that are stored together. */
export interface FoldedTransaction {
  readonly rowCount: number
  /** Writes the rows; the caller has begun a transaction in the target, and commits it. */
  write(target: StoreTarget): Promise<void>
}
