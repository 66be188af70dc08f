import type { Asset } from './types.js'

/**
 * The ledger's own records of the pool's log: a JSON text in UTF-8 each, padded with spaces to a multiple of eight bytes. Amounts are
 * decimal strings of whole units, without a point.
 */
export type LedgerRecord =
  /** The first of all: the ledger begins here, and knows nothing of what came before. */
  | { readonly op: 'open'; readonly assets: readonly Asset[]; readonly venue: number }
  /** More assets, numbered after those before. */
  | { readonly op: 'assets'; readonly assets: readonly Asset[] }
  | MoneyRecord

/** A record that moves money. */
export type MoneyRecord = KeyedRecord & {
  /** A number of the ledger's assets. */
  readonly asset: number
  readonly units: string
} & (
    | { readonly op: 'deposit' | 'withdraw'; readonly account: number }
    | { readonly op: 'adjust'; readonly account: number; readonly reason?: string }
    | { readonly op: 'transfer'; readonly account: number; readonly to: number }
  )

interface KeyedRecord {
  readonly key: string
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function encodeRecord(record: LedgerRecord): Uint8Array {
  const text = encoder.encode(JSON.stringify(record))
  const bytes = new Uint8Array((text.byteLength + 7) & ~7).fill(0x20)
  bytes.set(text)
  return bytes
}

export function decodeRecord(payload: Uint8Array): LedgerRecord {
  return JSON.parse(decoder.decode(payload)) as LedgerRecord
}
