import { unknownFieldOf } from '../base/known-fields.js'
import { shown } from '../base/shown.js'
import { LogError } from '../log/index.js'
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
  | FeesRecord
  | LimitsRecord
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

/** Orders that are accepted after it pay these rates, in hundred-millionths of what they receive. */
export interface FeesRecord extends KeyedRecord {
  readonly op: 'fees'
  /** Number of the instrument; every one when left out. */
  readonly instrument?: number
  /** Every account when left out. */
  readonly account?: number
  readonly maker: number
  readonly taker: number
  readonly auction: number
  /** By number of the asset: the most units of it that one trade costs. */
  readonly caps: readonly (readonly [number, string])[]
}

/** What an account may do at most from then on; what is left out has no limit. */
export interface LimitsRecord extends KeyedRecord {
  readonly op: 'limits'
  /** Number of the instrument, for `lots`, `notional`, `distance` and `position`; the others are for all of them together. */
  readonly instrument?: number
  /** Every account that has none of its own when left out. */
  readonly account?: number
  readonly liveOrders?: number
  /** Commands a second. */
  readonly perSecond?: number
  readonly lots?: number
  /** Units of the quote asset. */
  readonly notional?: string
  /** Basis points of the last price. */
  readonly distance?: number
  /** Number of the asset, for `credit`, which is of one account. */
  readonly asset?: number
  /** Units of the asset; none when left out. */
  readonly credit?: string
  /** Units of the base asset. */
  readonly position?: string
}

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

/** By `op`: the fields that its records may have. */
const fields: Readonly<Record<string, ReadonlySet<string> | undefined>> = {
  open: new Set(['op', 'assets', 'venue']),
  assets: new Set(['op', 'assets']),
  deposit: new Set(['op', 'key', 'account', 'asset', 'units']),
  withdraw: new Set(['op', 'key', 'account', 'asset', 'units']),
  transfer: new Set(['op', 'key', 'account', 'to', 'asset', 'units']),
  adjust: new Set(['op', 'key', 'account', 'asset', 'units', 'reason']),
  fees: new Set(['op', 'key', 'instrument', 'account', 'maker', 'taker', 'auction', 'caps']),
  limits: new Set([
    ...['op', 'key', 'instrument', 'account', 'liveOrders', 'perSecond', 'lots', 'notional', 'distance'],
    ...['asset', 'credit', 'position'],
  ]),
} satisfies Record<LedgerRecord['op'], ReadonlySet<string>>

/**
 * Reads the record that ends at `lsn`. What a newer build wrote is refused: balances without it would be wrong.
 *
 * @throws LogError `TIDEMARK_LOG_FORMAT`.
 */
export function decodeRecord(payload: Uint8Array, lsn: number): LedgerRecord {
  const record = JSON.parse(decoder.decode(payload)) as LedgerRecord
  const known = Object.hasOwn(fields, record.op) ? fields[record.op] : undefined
  if (known === undefined) throw unknownRecord(lsn, { op: record.op })
  const field = unknownFieldOf(record, known)
  if (field !== undefined) throw unknownRecord(lsn, { op: record.op, field })
  return record
}

function unknownRecord(lsn: number, details: { readonly op: string; readonly field?: string }): LogError {
  const { op, field } = details
  const what = `of kind ${shown(op)}${field === undefined ? '' : ` with a field ${shown(field)}`}`
  return new LogError(
    'TIDEMARK_LOG_FORMAT',
    `The log has a record of a ledger, ${what}, that ends at LSN ${lsn} and that this build does not know: open it with the build that wrote it, or a newer one.`,
    { lsn, ...details },
  )
}
