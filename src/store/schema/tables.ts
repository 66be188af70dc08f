import type { LedgerRecord, MovementKind } from '../../ledger/index.js'
import type { ColumnTypes } from './columns.js'

/** What a ledger took for a trade, in units of an asset by its number; below zero where it paid a rebate. An asset of -1: nothing. */
export const tradeFeeTypes = {
  maker_fee_units: 'int64',
  maker_fee_asset: 'int32',
  taker_fee_units: 'int64',
  taker_fee_asset: 'int32',
} as const satisfies ColumnTypes

/**
 * The tables that rows are appended to, in the form in which they stand on disk: numbers only, as the log has them. Users
 * read views of them (`views.ts`), which add symbols, exact decimals and names. docs/store-schema.md describes those.
 *
 * 0 stands for no price, no stop price, no display quantity, no expiry, no reason and no tag; -1 for an account or side that is
 * unknown. A tag is the caller's 64 bits, read as a signed number.
 */
export const tradeTypes = {
  instrument_id: 'int32',
  trade_id: 'int64',
  time: 'time',
  lsn: 'int64',
  event_index: 'int32',
  price_ticks: 'int64',
  quantity_lots: 'int64',
  taker_side: 'int16',
  maker_order_id: 'int64',
  taker_order_id: 'int64',
  maker_account: 'int64',
  taker_account: 'int64',
  maker_remaining_lots: 'int64',
  taker_remaining_lots: 'int64',
  /** 1 for a trade at the price of a call, and for one that was busted. */
  uncross: 'int16',
  busted: 'int16',
  ...tradeFeeTypes,
} as const satisfies ColumnTypes

/** `quantity_lots`: of the new order (accepted), open from then on (replaced, triggered), no longer open (cancelled). */
export const orderEventTypes = {
  instrument_id: 'int32',
  order_id: 'int64',
  time: 'time',
  lsn: 'int64',
  event_index: 'int32',
  event: 'int16',
  reason: 'int16',
  side: 'int16',
  account: 'int64',
  price_ticks: 'int64',
  quantity_lots: 'int64',
  filled_lots: 'int64',
  tag: 'int64',
  client_order_id: 'text',
  /** Of an order that was accepted in a list. */
  list_id: 'int64',
  /** Of an instrument's new phase, -1 where the event says none; its options are 1 for the closing call, 2 for a halt that takes orders. */
  phase: 'int16',
  phase_options: 'int16',
  /** The trade that was busted. */
  trade_id: 'int64',
} as const satisfies ColumnTypes

/** What few orders have; 0 for an order without it. All of it is as it was accepted. */
export const orderTermTypes = {
  list_id: 'int64',
  trailing_offset_ticks: 'int64',
  trailing_basis_points: 'int32',
  /** A code of `pegCodes`; the limit beside it is that of a pegged order, whose `price_ticks` is where it stands. */
  peg: 'int16',
  peg_offset_ticks: 'int64',
  limit_price_ticks: 'int64',
  self_trade_group: 'int64',
  min_lots: 'int64',
  /** In units of the quote asset, of which `instruments` says the size. */
  quote_units: 'int64',
} as const satisfies ColumnTypes

/**
 * The latest state of an order. Open orders and closed ones stand in tables of their own, so that what changes is small and
 * what grows is only appended to. `order_lsn`, where it was accepted, is what distinguishes orders that had the same id one after the other.
 */
export const orderTypes = {
  instrument_id: 'int32',
  order_id: 'int64',
  order_lsn: 'int64',
  account: 'int64',
  side: 'int16',
  order_type: 'int16',
  time_in_force: 'int16',
  post_only: 'int16',
  self_trade_prevention: 'int16',
  /** 1 for an order that waits for its price or the closing call, 2 for a pending one of a list. */
  waiting: 'int16',
  /** Why it was cancelled; 0 for an order that is open or filled. */
  reason: 'int16',
  price_ticks: 'int64',
  stop_price_ticks: 'int64',
  display_lots: 'int64',
  expire_time_ms: 'int64',
  /** As accepted. */
  quantity_lots: 'int64',
  filled_lots: 'int64',
  remaining_lots: 'int64',
  trades: 'int32',
  accepted_time: 'time',
  updated_time: 'time',
  updated_lsn: 'int64',
  client_order_id: 'text',
  ...orderTermTypes,
} as const satisfies ColumnTypes

/**
 * What became of orders that were open before a transaction: one row an order. It is applied to the open orders within the
 * transaction and then emptied.
 */
export const orderChangeTypes = {
  instrument_id: 'int32',
  order_id: 'int64',
  /** 1 when the order is not open any more. */
  closed: 'int16',
  reason: 'int16',
  triggered: 'int16',
  /** A new price, or 0: it stays. */
  price_ticks: 'int64',
  /** To be added to what was filled and to the number of trades before. */
  filled_lots: 'int64',
  trades: 'int32',
  remaining_lots: 'int64',
  updated_time: 'time',
  updated_lsn: 'int64',
} as const satisfies ColumnTypes

/** By number: what the ledger's own records are. */
export const ledgerEntryKinds = [
  'open',
  'assets',
  'deposit',
  'withdraw',
  'transfer',
  'adjust',
  'fees',
  'limits',
] as const satisfies readonly LedgerRecord['op'][]

/** One row a record of the ledger's own. -1 for one without an account, an asset or an instrument. */
export const ledgerEntryTypes = {
  lsn: 'int64',
  time: 'time',
  /** A number of `ledgerEntryKinds`. */
  entry: 'int16',
  key: 'text',
  account: 'int64',
  /** Of a transfer. */
  to_account: 'int64',
  asset_id: 'int32',
  /** As the record states it: of a withdrawal and a transfer above zero. */
  units: 'int64',
  instrument_id: 'int32',
  /** The record as the log has it. */
  details: 'text',
} as const satisfies ColumnTypes

/** By number: why a balance changed. */
export const balanceKinds = [
  'deposit',
  'withdraw',
  'transfer',
  'adjust',
  'trade',
  'fee',
  'rebate',
] as const satisfies readonly MovementKind[]

/** One row a change of one balance. Instrument, order and trade are those of a trade and its fees; otherwise -1, 0 and 0. */
export const balanceChangeTypes = {
  lsn: 'int64',
  /** Its number within the record. */
  change_index: 'int32',
  time: 'time',
  account: 'int64',
  asset_id: 'int32',
  /** A number of `balanceKinds`. */
  kind: 'int16',
  units: 'int64',
  instrument_id: 'int32',
  order_id: 'int64',
  trade_id: 'int64',
} as const satisfies ColumnTypes

/** Every pair of an instrument and a factor that values were logged of. */
export const factorTypes = {
  factor_id: 'int32',
  instrument: 'text',
  factor: 'text',
} as const satisfies ColumnTypes

/** Which factors the values of a series are, in their order, by the number that the log gives the series now. */
export const factorSeriesTypes = {
  series: 'int32',
  position: 'int32',
  factor_id: 'int32',
} as const satisfies ColumnTypes

/** NaN where a factor is not defined (yet). `time_value` is the time that the source gave, in the source's unit. */
export const factorValueTypes = {
  factor_id: 'int32',
  time_value: 'float64',
  value: 'float64',
  lsn: 'int64',
  entry_index: 'int32',
} as const satisfies ColumnTypes

/** A job; times of 0 are none. `state` is a number of `jobStates`. */
export const jobTypes = {
  job_id: 'text',
  seq: 'int64',
  state: 'int16',
  attempts: 'int32',
  interrupted: 'int32',
  priority: 'int64',
  timeout_ms: 'int64',
  max_attempts: 'int64',
  payload: 'text',
  enqueued_ms: 'int64',
  due_ms: 'int64',
  finished_ms: 'int64',
  reason: 'text',
  error: 'text',
  updated_ms: 'int64',
  updated_lsn: 'int64',
} as const satisfies ColumnTypes

/** What became of jobs that were there before a transaction, as `orderChangeTypes`. A state of -1: the id was enqueued anew. */
export const jobChangeTypes = {
  job_id: 'text',
  state: 'int16',
  attempts: 'int32',
  interrupted: 'int32',
  due_ms: 'int64',
  finished_ms: 'int64',
  reason: 'text',
  error: 'text',
  updated_ms: 'int64',
  updated_lsn: 'int64',
} as const satisfies ColumnTypes

/** By number. */
export const jobStates = ['pending', 'inFlight', 'completed', 'dead'] as const
