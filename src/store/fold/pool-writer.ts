import {
  bandActionNames,
  type InstrumentDefinition,
  type InstrumentDetails,
  isConditional,
  orderTypeCodes,
  parseGrid,
} from '../../matching/index.js'
import { StoreError } from '../errors.js'
import type { Rows } from '../schema/columns.js'
import { orderTypes } from '../schema/tables.js'
import type { StoreTarget } from '../targets/target.js'
import type { InstrumentChange, PoolRows, RecordPlace } from './pool-rows.js'

const conditionalTypes = Object.values(orderTypeCodes).filter(isConditional)

/** What an order takes from its changes when it is updated; all else stays as it was accepted. */
const changed: Readonly<Record<string, string>> = {
  waiting: `CASE WHEN c.triggered = 1 THEN 0 WHEN c.triggered = 2 THEN CASE WHEN o.order_type IN (${conditionalTypes.join(', ')}) THEN 1 ELSE 0 END ELSE o.waiting END`,
  reason: 'c.reason',
  price_ticks: 'CASE WHEN c.price_ticks = 0 THEN o.price_ticks ELSE c.price_ticks END',
  filled_lots: 'o.filled_lots + c.filled_lots',
  remaining_lots: 'c.remaining_lots',
  trades: 'o.trades + c.trades',
  updated_time: 'c.updated_time',
  updated_lsn: 'c.updated_lsn',
}
const columns = Object.keys(orderTypes)
const sameOrder = 'o.instrument_id = c.instrument_id AND o.order_id = c.order_id'

const closeOrders = `INSERT INTO closed_order_rows (${columns.join(', ')})
SELECT ${columns.map((name) => changed[name] ?? `o.${name}`).join(', ')}
FROM order_changes c JOIN open_order_rows o ON ${sameOrder} WHERE c.closed = 1`
const removeClosed = `DELETE FROM open_order_rows o USING order_changes c WHERE ${sameOrder} AND c.closed = 1`
const updateOpen = `UPDATE open_order_rows o SET ${Object.entries(changed)
  .filter(([name]) => name !== 'reason')
  .map(([name, value]) => `${name} = ${value}`)
  .join(', ')} FROM order_changes c WHERE ${sameOrder} AND c.closed = 0`

/**
 * Writes a finished transaction of a pool's log into the target; the caller has begun it there, and commits it.
 *
 * @throws StoreError `TIDEMARK_STORE_DIFFERS` when an order that changed is not among the open ones of the store.
 */
export async function writePool(target: StoreTarget, rows: PoolRows): Promise<void> {
  for (const change of rows.instruments) await writeInstrument(target, change)
  if (rows.changes.count > 0) await applyChanges(target, rows.changes)
  // After the changes: a new order may have the id of one that was closed before it, in the same transaction.
  for (const asset of rows.assets) await insertAsset(target, asset)
  for (const added of [rows.open, rows.closed, rows.trades, rows.events, rows.entries, rows.balances])
    if (added.count > 0) await target.append(added)
  for (const { instrumentId, tradeId } of rows.busts) {
    await target.run('UPDATE trade_rows SET busted = 1 WHERE instrument_id = $1 AND trade_id = $2', [
      instrumentId,
      tradeId,
    ])
  }
}

async function insertAsset(
  target: StoreTarget,
  { number, id, scale, lsn }: PoolRows['assets'][number],
): Promise<void> {
  const unit = scale === 0 ? '1' : `0.${'1'.padStart(scale, '0')}`
  await target.run(
    `INSERT INTO ledger_assets VALUES ($1, $2, $3, CAST($4 AS ${target.dialect.tickValueType}), $5)`,
    [number, id, scale, unit, lsn],
  )
}

async function applyChanges(target: StoreTarget, changes: Rows): Promise<void> {
  await target.append(changes)
  const closed = await target.run(closeOrders)
  if (closed.changed > 0) await target.run(removeClosed)
  const updated = closed.changed < changes.count ? await target.run(updateOpen) : { changed: 0 }
  await target.run('TRUNCATE order_changes')
  const found = closed.changed + updated.changed
  if (found === changes.count) return
  throw new StoreError(
    'TIDEMARK_STORE_DIFFERS',
    `${target.name} lacks ${changes.count - found} orders that the log changes now: another program changed it. Store the log anew.`,
    { target: target.name, expected: changes.count, found },
  )
}

async function writeInstrument(target: StoreTarget, change: InstrumentChange): Promise<void> {
  if (change.kind === 'phase') {
    await target.run(
      'UPDATE instruments SET phase = $1, closing = $2, takes_orders = $3 WHERE instrument_id = $4',
      [change.phase, change.closing, change.takesOrders, change.instrumentId],
    )
  } else if (change.kind === 'changed') {
    await writeDetails(target, change.instrumentId, change.details)
  } else {
    const { definition } = change
    await insertInstrument(target, definition, change)
    await writeDetails(target, change.instrumentId, definition.details ?? {})
  }
}

async function insertInstrument(
  target: StoreTarget,
  definition: InstrumentDefinition,
  { instrumentId, lsn, timeUs }: RecordPlace,
): Promise<void> {
  const { types, sizeType, tickValueType } = target.dialect
  await target.run(
    `INSERT INTO instruments (instrument_id, symbol, tick_size, lot_size, tick_value, replace_priority,
  self_trade_prevention, phase, created_time, created_lsn, closing, takes_orders, allocation, quote_unit)
VALUES ($1, $2, CAST($3 AS ${sizeType}), CAST($4 AS ${sizeType}), CAST($5 AS ${tickValueType}), $6, $7, $8,
  CAST($9 AS ${types.time}), $10, FALSE, FALSE, $11, CAST($12 AS ${tickValueType}))`,
    [
      instrumentId,
      definition.symbol,
      definition.tickSize,
      definition.lotSize,
      tickValue(definition),
      definition.replacePriority,
      definition.selfTradePrevention,
      definition.phase ?? 'continuous',
      timestamp(timeUs),
      lsn,
      definition.allocation ?? 'price-time',
      quoteUnit(definition),
    ],
  )
}

async function writeDetails(
  target: StoreTarget,
  instrumentId: number,
  details: InstrumentDetails,
): Promise<void> {
  const { product, notional } = target.dialect
  const steps = (value: number | undefined) => (value === undefined ? null : String(value))
  await target.run(
    `UPDATE instruments SET base_asset = $2, quote_asset = $3, info = $4,
  min_price = ${product('$5', 'tick_size')}, max_price = ${product('$6', 'tick_size')},
  min_quantity = ${product('$7', 'lot_size')}, max_quantity = ${product('$8', 'lot_size')},
  min_notional = ${notional('$9', 'tick_value')}, reference_price = ${product('$10', 'tick_size')},
  static_band = ${product('$11', 'tick_size')}, static_band_basis_points = $12,
  dynamic_band = ${product('$13', 'tick_size')}, dynamic_band_basis_points = $14, band_action = $15,
  max_account_orders = $16, tick_table = $17 WHERE instrument_id = $1`,
    [
      instrumentId,
      details.baseAsset ?? null,
      details.quoteAsset ?? null,
      details.info ?? null,
      steps(details.minPrice),
      steps(details.maxPrice),
      steps(details.minQuantity),
      steps(details.maxQuantity),
      steps(details.minNotional),
      steps(details.referencePrice),
      steps(details.staticBand),
      details.staticBandBasisPoints ?? null,
      steps(details.dynamicBand),
      details.dynamicBandBasisPoints ?? null,
      details.bandAction === undefined ? null : (bandActionNames[details.bandAction] ?? null),
      details.maxAccountOrders ?? null,
      details.tickTable ?? null,
    ],
  )
}

/** What one lot is worth for one tick; null where that needs more than the 18 decimals that every target has. */
function tickValue({ tickSize, lotSize }: InstrumentDefinition): string | null {
  const tick = parseGrid('tickSize', tickSize)
  const lot = parseGrid('lotSize', lotSize)
  const digits = BigInt(tick.mantissa) * BigInt(lot.mantissa)
  const scale = tick.scale + lot.scale
  const text = String(digits).padStart(scale + 1, '0')
  const whole = text.slice(0, text.length - scale)
  const fraction = text.slice(text.length - scale).replace(/0+$/, '')
  return fraction.length > 18 || whole.length > 20 ? null : fraction === '' ? whole : `${whole}.${fraction}`
}

/** The smallest part of the quote asset that prices and quantities make: 1 in the last of their decimals together; null as above. */
function quoteUnit({ tickSize, lotSize }: InstrumentDefinition): string | null {
  const scale = parseGrid('tickSize', tickSize).scale + parseGrid('lotSize', lotSize).scale
  return scale > 18 ? null : scale === 0 ? '1' : `0.${'1'.padStart(scale, '0')}`
}

function timestamp(timeUs: number): string {
  const ms = Math.floor(timeUs / 1000)
  return `${new Date(ms).toISOString().slice(0, -1)}${String(timeUs - ms * 1000).padStart(3, '0')}`
}
