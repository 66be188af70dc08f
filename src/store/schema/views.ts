import type { Dialect } from './dialect.js'
import {
  cancelReasonName,
  eventName,
  eventReasonName,
  named,
  orderTypeName,
  pegName,
  phaseName,
  preventionName,
  sideName,
  timeInForceName,
} from './names.js'
import { balanceKinds, jobStates, ledgerEntryKinds } from './tables.js'

/** In the order in which they can be made; in the other order they can be dropped. */
export const viewNames = [
  'trades',
  'order_events',
  'open_orders',
  'orders',
  'order_history',
  'account_volume',
  'factor_values',
  'jobs',
  'ledger_entries',
  'balance_changes',
  'balances',
] as const

const candleColumns = (dialect: Dialect): readonly (readonly [string, string])[] => [
  ['symbol', dialect.types.text],
  ['time', dialect.types.time],
  ['open', dialect.decimalType],
  ['high', dialect.decimalType],
  ['low', dialect.decimalType],
  ['close', dialect.decimalType],
  ['volume', dialect.decimalType],
  ['notional', dialect.decimalType],
  ['trades', dialect.types.int64],
]

/** The statements that make the views and `candles`: what users read. */
export function createViews(dialect: Dialect): string[] {
  const views: Record<(typeof viewNames)[number], string> = {
    trades: tradesView(dialect),
    order_events: orderEventsView(dialect),
    open_orders: openOrdersView(dialect),
    orders: ordersView(dialect),
    order_history: orderHistoryView(),
    account_volume: accountVolumeView(dialect),
    factor_values: factorValuesView(),
    jobs: jobsView(dialect),
    ledger_entries: ledgerEntriesView(dialect),
    balance_changes: balanceChangesView(dialect),
    balances: balancesView(dialect),
  }
  return [
    ...viewNames.map((name) => `CREATE VIEW ${name} AS ${views[name]}`),
    dialect.tableFunction('candles', 'width', candlesQuery(dialect), candleColumns(dialect)),
  ]
}

function tradesView({ product, notional }: Dialect): string {
  return `SELECT i.symbol, t.trade_id, t.time,
  ${product('t.price_ticks', 'i.tick_size')} AS price,
  ${product('t.quantity_lots', 'i.lot_size')} AS quantity,
  ${sideName('t.taker_side')} AS taker_side,
  t.maker_order_id, t.taker_order_id, t.maker_account, t.taker_account,
  ${product('t.maker_remaining_lots', 'i.lot_size')} AS maker_remaining,
  ${product('t.taker_remaining_lots', 'i.lot_size')} AS taker_remaining,
  ${notional('t.maker_fee_units', 'm.unit')} AS maker_fee, ${notional('t.taker_fee_units', 'k.unit')} AS taker_fee,
  t.price_ticks, t.quantity_lots, t.maker_remaining_lots, t.taker_remaining_lots,
  t.lsn, t.event_index, t.instrument_id, t.uncross = 1 AS uncross, t.busted = 1 AS busted,
  m.asset AS maker_fee_asset, k.asset AS taker_fee_asset
FROM trade_rows t JOIN instruments i USING (instrument_id)
LEFT JOIN ledger_assets m ON m.asset_id = t.maker_fee_asset
LEFT JOIN ledger_assets k ON k.asset_id = t.taker_fee_asset`
}

function orderEventsView({ product, unsigned }: Dialect): string {
  return `SELECT i.symbol, NULLIF(e.order_id, 0) AS order_id, e.time, ${eventName('e.event')} AS event,
  ${eventReasonName('e.event', 'e.reason')} AS reason,
  NULLIF(e.account, -1) AS account, ${sideName('e.side')} AS side,
  ${product('NULLIF(e.price_ticks, 0)', 'i.tick_size')} AS price,
  ${product('NULLIF(e.quantity_lots, -1)', 'i.lot_size')} AS quantity,
  ${product('NULLIF(e.filled_lots, -1)', 'i.lot_size')} AS filled,
  ${unsigned('NULLIF(e.tag, 0)')} AS tag, e.client_order_id,
  NULLIF(e.price_ticks, 0) AS price_ticks, NULLIF(e.quantity_lots, -1) AS quantity_lots,
  NULLIF(e.filled_lots, -1) AS filled_lots, e.lsn, e.event_index, e.instrument_id,
  NULLIF(e.list_id, 0) AS list_id, ${phaseName('e.phase')} AS phase,
  CASE WHEN e.phase >= 0 THEN e.phase_options IN (1, 3) END AS closing,
  CASE WHEN e.phase >= 0 THEN e.phase_options >= 2 END AS takes_orders, NULLIF(e.trade_id, 0) AS trade_id
FROM order_event_rows e JOIN instruments i USING (instrument_id)`
}

function openOrdersView(dialect: Dialect): string {
  const status = `CASE WHEN o.waiting = 1 THEN 'waiting' WHEN o.waiting = 2 THEN 'pending' WHEN o.filled_lots > 0 THEN 'partially-filled' ELSE 'resting' END`
  return orderSelect(dialect, 'open_order_rows', status)
}

function ordersView(dialect: Dialect): string {
  const closed = `CASE WHEN o.reason = 0 THEN 'filled' ELSE 'cancelled' END`
  return `SELECT * FROM open_orders UNION ALL ${orderSelect(dialect, 'closed_order_rows', closed)}`
}

function orderSelect({ product, notional, timeOfMs }: Dialect, table: string, status: string): string {
  return `SELECT i.symbol, o.order_id, o.account, ${sideName('o.side')} AS side, ${status} AS status,
  ${cancelReasonName('o.reason')} AS reason,
  ${orderTypeName('o.order_type')} AS order_type, ${timeInForceName('o.time_in_force')} AS time_in_force,
  ${product('NULLIF(o.price_ticks, 0)', 'i.tick_size')} AS price,
  ${product('NULLIF(o.stop_price_ticks, 0)', 'i.tick_size')} AS stop_price,
  ${product('o.quantity_lots', 'i.lot_size')} AS quantity,
  ${product('o.filled_lots', 'i.lot_size')} AS filled,
  ${product('o.remaining_lots', 'i.lot_size')} AS remaining,
  ${product('NULLIF(o.display_lots, 0)', 'i.lot_size')} AS display_quantity,
  o.post_only = 1 AS post_only, ${preventionName('o.self_trade_prevention')} AS self_trade_prevention,
  ${timeOfMs('NULLIF(o.expire_time_ms, 0)')} AS expire_time,
  o.client_order_id, o.trades, o.accepted_time, o.updated_time,
  NULLIF(o.price_ticks, 0) AS price_ticks, NULLIF(o.stop_price_ticks, 0) AS stop_price_ticks,
  o.quantity_lots, o.filled_lots, o.remaining_lots, NULLIF(o.display_lots, 0) AS display_lots,
  o.order_lsn, o.updated_lsn, o.instrument_id, NULLIF(o.list_id, 0) AS list_id,
  ${product('NULLIF(o.trailing_offset_ticks, 0)', 'i.tick_size')} AS trailing_offset,
  NULLIF(o.trailing_basis_points, 0) AS trailing_basis_points, ${pegName('o.peg')} AS peg,
  ${product('CASE WHEN o.peg <> 0 THEN o.peg_offset_ticks END', 'i.tick_size')} AS peg_offset,
  ${product('NULLIF(o.limit_price_ticks, 0)', 'i.tick_size')} AS limit_price,
  NULLIF(o.self_trade_group, 0) AS self_trade_group,
  ${product('NULLIF(o.min_lots, 0)', 'i.lot_size')} AS min_quantity,
  ${notional('NULLIF(o.quote_units, 0)', 'i.quote_unit')} AS quote_quantity,
  NULLIF(o.trailing_offset_ticks, 0) AS trailing_offset_ticks,
  CASE WHEN o.peg <> 0 THEN o.peg_offset_ticks END AS peg_offset_ticks,
  NULLIF(o.limit_price_ticks, 0) AS limit_price_ticks, NULLIF(o.min_lots, 0) AS min_lots,
  NULLIF(o.quote_units, 0) AS quote_units
FROM ${table} o JOIN instruments i USING (instrument_id)`
}

/** Every event of an order with its trades, as both sides saw them. */
function orderHistoryView(): string {
  const side = (own: 'maker' | 'taker', ownSide: string) =>
    `SELECT symbol, ${own}_order_id, time, 'trade', NULL, ${own}_account, ${ownSide},
  price, quantity, ${own}_remaining, trade_id, lsn, event_index, instrument_id FROM trades`
  return `SELECT symbol, order_id, time, event, reason, account, side, price, quantity,
  CASE WHEN event IN ('accepted', 'replaced', 'triggered', 'entered') THEN quantity END AS remaining,
  CAST(NULL AS BIGINT) AS trade_id, lsn, event_index, instrument_id
FROM order_events WHERE order_id IS NOT NULL
UNION ALL ${side('maker', `CASE taker_side WHEN 'buy' THEN 'sell' ELSE 'buy' END`)}
UNION ALL ${side('taker', 'taker_side')}`
}

/** What each account traded in each symbol; a trade with itself counts on both sides. */
function accountVolumeView({ product, notional, sumOfProducts }: Dialect): string {
  const side = (own: 'maker' | 'taker', buys: string) =>
    `SELECT instrument_id, ${own}_account AS account, ${buys} AS buys, ${own === 'maker'} AS made,
  price_ticks, quantity_lots FROM trade_rows WHERE busted = 0`
  const lots = (name: string, condition: string) =>
    `SUM(CASE WHEN ${condition} THEN quantity_lots ELSE 0 END) AS ${name}`
  return `SELECT g.account, i.symbol, g.trades,
  ${product('g.lots', 'i.lot_size')} AS volume, ${product('g.bought_lots', 'i.lot_size')} AS bought,
  ${product('g.lots - g.bought_lots', 'i.lot_size')} AS sold,
  ${product('g.made_lots', 'i.lot_size')} AS maker_volume,
  ${product('g.lots - g.made_lots', 'i.lot_size')} AS taker_volume,
  ${notional('g.tick_lots', 'i.tick_value')} AS notional
FROM (SELECT account, instrument_id, COUNT(*) AS trades, SUM(quantity_lots) AS lots,
  ${lots('bought_lots', 'buys')}, ${lots('made_lots', 'made')},
  ${sumOfProducts('price_ticks', 'quantity_lots')} AS tick_lots
  FROM (${side('maker', 'taker_side = 1')} UNION ALL ${side('taker', 'taker_side = 0')}) f
  GROUP BY account, instrument_id) g
JOIN instruments i USING (instrument_id)`
}

function candlesQuery({ product, notional, sumOfProducts, first, last, timeBucket }: Dialect): string {
  return `SELECT i.symbol, b.bucket AS time,
  ${product('b.open_ticks', 'i.tick_size')} AS open, ${product('b.high_ticks', 'i.tick_size')} AS high,
  ${product('b.low_ticks', 'i.tick_size')} AS low, ${product('b.close_ticks', 'i.tick_size')} AS close,
  ${product('b.lots', 'i.lot_size')} AS volume, ${notional('b.tick_lots', 'i.tick_value')} AS notional, b.trades
FROM (SELECT t.instrument_id, ${timeBucket('width', 't.time')} AS bucket,
  ${first('t.price_ticks', 't.trade_id')} AS open_ticks, MAX(t.price_ticks) AS high_ticks,
  MIN(t.price_ticks) AS low_ticks, ${last('t.price_ticks', 't.trade_id')} AS close_ticks,
  SUM(t.quantity_lots) AS lots, ${sumOfProducts('t.price_ticks', 't.quantity_lots')} AS tick_lots,
  COUNT(*) AS trades
  FROM trade_rows t WHERE t.busted = 0 GROUP BY 1, 2) b
JOIN instruments i USING (instrument_id)`
}

function factorValuesView(): string {
  return `SELECT f.instrument, f.factor, v.time_value, CASE WHEN v.value = 'NaN' THEN NULL ELSE v.value END AS value,
  v.lsn, v.entry_index
FROM factor_value_rows v JOIN factors f USING (factor_id)`
}

function jobsView({ timeOfMs }: Dialect): string {
  return `SELECT job_id, ${named('state', jobStates)} AS state, reason, error, attempts, interrupted, max_attempts,
  priority, timeout_ms, payload, ${timeOfMs('enqueued_ms')} AS enqueued_time,
  ${timeOfMs('NULLIF(due_ms, 0)')} AS due_time, ${timeOfMs('NULLIF(finished_ms, 0)')} AS finished_time,
  ${timeOfMs('updated_ms')} AS updated_time, seq, updated_lsn
FROM job_rows`
}

function ledgerEntriesView({ notional }: Dialect): string {
  return `SELECT e.lsn, e.time, ${named('e.entry', ledgerEntryKinds)} AS entry, e.key,
  NULLIF(e.account, -1) AS account, NULLIF(e.to_account, -1) AS to_account, a.asset,
  ${notional('e.units', 'a.unit')} AS amount, i.symbol, CASE WHEN e.asset_id >= 0 THEN e.units END AS units, e.details
FROM ledger_entry_rows e LEFT JOIN ledger_assets a ON a.asset_id = e.asset_id
LEFT JOIN instruments i ON i.instrument_id = e.instrument_id`
}

function balanceChangesView({ notional }: Dialect): string {
  return `SELECT c.lsn, c.change_index, c.time, c.account, a.asset, ${named('c.kind', balanceKinds)} AS kind,
  ${notional('c.units', 'a.unit')} AS amount, c.units, i.symbol, NULLIF(c.order_id, 0) AS order_id,
  NULLIF(c.trade_id, 0) AS trade_id
FROM balance_change_rows c JOIN ledger_assets a ON a.asset_id = c.asset_id
LEFT JOIN instruments i ON i.instrument_id = c.instrument_id`
}

/** What each account has, and what it had by an LSN: the sum of the changes up to it. */
function balancesView({ notional, types }: Dialect): string {
  return `SELECT s.account, a.asset, ${notional('s.units', 'a.unit')} AS total, s.units, s.updated_lsn
FROM (SELECT account, asset_id, CAST(SUM(units) AS ${types.int64}) AS units, MAX(lsn) AS updated_lsn
  FROM balance_change_rows GROUP BY account, asset_id) s
JOIN ledger_assets a ON a.asset_id = s.asset_id`
}
