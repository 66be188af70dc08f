import {
  cancelReasonNames,
  commandKindNames,
  eventKinds,
  orderTypeNames,
  outcomeStatusNames,
  rejectCodeNames,
  replaceReasonNames,
  selfTradePreventionNames,
  sideNames,
  timeInForceNames,
} from '../../matching/index.js'
import {
  decimal,
  flag,
  int32,
  integer,
  key,
  name,
  optional,
  type Table,
  table,
  text,
  time,
  unsigned,
} from './columns.js'

const eventNames: (string | undefined)[] = []
for (const [event, code] of Object.entries(eventKinds)) eventNames[code] = event

/**
 * The reasons of all kinds of events in one column: each kind's numbers begin at a place of their own. What each means is
 * said by the event: why it was cancelled or replaced, the code with which it was rejected.
 */
export const reasonOffsets = { cancelled: 0, replaced: 64, rejected: 128 } as const
const reasonNames: (string | undefined)[] = []
for (const [offset, names] of [
  [reasonOffsets.cancelled, cancelReasonNames],
  [reasonOffsets.replaced, replaceReasonNames],
  [reasonOffsets.rejected, rejectCodeNames],
] as const) {
  for (const [code, reason] of names.entries()) if (reason !== undefined) reasonNames[offset + code] = reason
}

const side = name(sideNames)

export const tradesTable = table('trades', {
  symbol: key,
  trade_id: integer,
  time,
  price: decimal('price_ticks', 'price'),
  quantity: decimal('quantity_lots', 'quantity'),
  taker_side: side,
  uncross: flag,
  maker_order_id: integer,
  taker_order_id: integer,
  maker_account: integer,
  taker_account: integer,
  maker_remaining: decimal('maker_remaining_lots', 'quantity'),
  taker_remaining: decimal('taker_remaining_lots', 'quantity'),
  price_ticks: integer,
  quantity_lots: integer,
  maker_remaining_lots: integer,
  taker_remaining_lots: integer,
  tag: unsigned,
  lsn: integer,
  event_index: int32,
  instrument_id: int32,
})

/**
 * `quantity`: of the new order (accepted), open from then on (replaced, triggered), no longer open (cancelled), open after the
 * first execution (repeated). `terms`: what few new orders say of themselves, as JSON. `details`: what an instrument says of itself from then on (instrument-changed), as JSON.
 */
export const orderEventsTable = table('order_events', {
  symbol: key,
  order_id: optional(integer),
  time,
  event: name(eventNames),
  reason: optional(name(reasonNames)),
  account: optional(integer),
  side: optional(side),
  price: decimal('price_ticks', 'price'),
  quantity: decimal('quantity_lots', 'quantity'),
  filled: decimal('filled_lots', 'quantity'),
  order_type: optional(name(orderTypeNames)),
  time_in_force: optional(name(timeInForceNames)),
  stop_price: decimal('stop_price_ticks', 'price'),
  display_quantity: decimal('display_lots', 'quantity'),
  post_only: flag,
  expire_time_ms: optional(integer),
  self_trade_prevention: optional(name(selfTradePreventionNames)),
  client_order_id: text,
  terms: text,
  first_status: optional(name(outcomeStatusNames)),
  first_lsn: optional(integer),
  details: text,
  price_ticks: optional(integer),
  quantity_lots: optional(integer),
  filled_lots: optional(integer),
  stop_price_ticks: optional(integer),
  display_lots: optional(integer),
  tag: unsigned,
  lsn: integer,
  event_index: int32,
  instrument_id: int32,
})

/** What callers sent, as it is in the log. A command that concerns no instrument has an empty symbol. */
export const commandsTable = table('commands', {
  symbol: key,
  order_id: optional(integer),
  time,
  type: name(commandKindNames),
  account: optional(integer),
  side: optional(side),
  price: decimal('price_ticks', 'price'),
  quantity: decimal('quantity_lots', 'quantity'),
  order_type: optional(name(orderTypeNames)),
  time_in_force: optional(name(timeInForceNames)),
  stop_price: decimal('stop_price_ticks', 'price'),
  display_quantity: decimal('display_lots', 'quantity'),
  post_only: flag,
  expire_time_ms: optional(integer),
  self_trade_prevention: optional(name(selfTradePreventionNames)),
  client_order_id: text,
  terms: text,
  request_id: optional(integer),
  end_of_day: flag,
  definition: text,
  price_ticks: optional(integer),
  quantity_lots: optional(integer),
  stop_price_ticks: optional(integer),
  display_lots: optional(integer),
  tag: unsigned,
  lsn: integer,
  instrument_id: optional(int32),
})

export const poolTables: readonly Table[] = [tradesTable, orderEventsTable, commandsTable]
