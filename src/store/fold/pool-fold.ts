import {
  eventKinds,
  type InstrumentDefinition,
  type InstrumentDetails,
  type Phase,
  phaseCodes,
} from '../../matching/index.js'
import type { StoreTarget } from '../targets/target.js'
import { LedgerFold } from './ledger-fold.js'
import { type ListPlace, type NewOrder, OrderTable } from './order-table.js'
import { PoolRows, type RecordPlace, type TradeOfRecord } from './pool-rows.js'

/** A `cancelled`, `replaced`, `rejected`, `triggered` or `entered` event. */
export interface OrderEventOfRecord {
  /** 0: the command names none. */
  readonly orderId: number
  /** -1: unknown. */
  readonly account: number
  readonly sell: number
  readonly price: number
  readonly quantity: number
  readonly filled: number
  readonly reason: number
  /** Whether side, price and what was filled are those of an order. */
  readonly hasOrder: boolean
  readonly clientOrderId: string | undefined
}

const { cancelled, replaced, triggered, entered, rejected, accepted, repeated } = eventKinds
const created = eventKinds['instrument-created']
const changed = eventKinds['instrument-changed']

/**
 * Makes rows of the events of a pool's log. It is called for each event of a record, in order, after `begin` for its record.
 * `cut` ends a transaction; of orders nothing is remembered from one to the next, but what open ones pay to a ledger.
 */
export class PoolFold {
  #rows = new PoolRows()
  #others = new PoolRows()
  readonly #orders = new OrderTable(this.#rows)
  readonly #ledger = new LedgerFold(this.#rows)
  #place: RecordPlace = { instrumentId: 0, lsn: 0, timeUs: 0 }
  #index = 0
  #tagLow = 0
  #tagHigh = 0

  /** Rows of the transaction so far, those of orders that are still open not among them. */
  get rowCount(): number {
    return this.#rows.count
  }

  /** Reads what of the target later records refer to. */
  load(target: StoreTarget): Promise<void> {
    return this.#ledger.load(target)
  }

  /** A record of a ledger's own. */
  ledgerRecord(payload: Uint8Array, lsn: number, timeUs: number): void {
    this.#ledger.begin({ instrumentId: -1, lsn, timeUs })
    this.#ledger.record(payload)
  }

  begin(instrumentId: number, lsn: number, timeUs: number, tagLow: number, tagHigh: number): void {
    this.#place = { instrumentId, lsn, timeUs }
    this.#ledger.begin(this.#place)
    this.#index = 0
    this.#tagLow = tagLow
    this.#tagHigh = tagHigh
  }

  accepted(order: NewOrder, list?: ListPlace): void {
    this.#orders.accept(order, this.#place, list)
    this.#ledger.accepted(order.orderId, order.account)
    const { orderId, account, sell, price, quantity, clientOrderId } = order
    const row = this.#event(accepted, orderId, account, sell, price, quantity, 0, 0, clientOrderId)
    if (list) this.#rows.events.columns.list_id.set(row, list.listId)
  }

  trade(trade: TradeOfRecord, takerSells: number, isUncross: boolean): void {
    const place = this.#place
    const { makerOrderId, takerOrderId, quantity, makerRemaining, takerRemaining } = trade
    this.#orders.trade(makerOrderId, quantity, makerRemaining, place)
    this.#orders.trade(takerOrderId, quantity, takerRemaining, place)
    const fees = this.#ledger.trade(trade, takerSells === 1, isUncross)
    if (makerRemaining === 0) this.#ledger.ended(makerOrderId)
    if (takerRemaining === 0) this.#ledger.ended(takerOrderId)
    const rows = this.#rows.trades
    const { columns } = rows
    const row = rows.add()
    columns.instrument_id.set(row, place.instrumentId)
    columns.trade_id.set(row, trade.tradeId)
    columns.time.set(row, place.timeUs)
    columns.lsn.set(row, place.lsn)
    columns.event_index.set(row, this.#index++)
    columns.price_ticks.set(row, trade.price)
    columns.quantity_lots.set(row, quantity)
    columns.taker_side.set(row, takerSells)
    columns.uncross.set(row, isUncross ? 1 : 0)
    columns.busted.set(row, 0)
    columns.maker_order_id.set(row, makerOrderId)
    columns.taker_order_id.set(row, takerOrderId)
    columns.maker_account.set(row, trade.makerAccount)
    columns.taker_account.set(row, trade.takerAccount)
    columns.maker_remaining_lots.set(row, makerRemaining)
    columns.taker_remaining_lots.set(row, takerRemaining)
    columns.maker_fee_units.values[row] = fees.maker.units
    columns.maker_fee_asset.set(row, fees.maker.asset)
    columns.taker_fee_units.values[row] = fees.taker.units
    columns.taker_fee_asset.set(row, fees.taker.asset)
  }

  /** `kind` is one of `eventKinds`. */
  orderEvent(kind: number, event: OrderEventOfRecord): void {
    const { orderId, account, sell, price, quantity, filled, reason, hasOrder, clientOrderId } = event
    if (kind === cancelled) {
      this.#orders.cancel(orderId, reason, this.#place)
      this.#ledger.ended(orderId)
    } else if (kind === replaced) this.#orders.replace(orderId, price, quantity, this.#place)
    else if (kind === triggered) this.#orders.trigger(orderId, quantity, this.#place)
    else if (kind === entered) this.#orders.enter(orderId, quantity, this.#place)
    const lots = kind === rejected ? -1 : quantity
    if (hasOrder) this.#event(kind, orderId, account, sell, price, lots, filled, reason, clientOrderId)
    else this.#event(kind, orderId, account, -1, 0, lots, -1, reason, clientOrderId)
  }

  repeated(orderId: number, account: number, code: number): void {
    this.#event(repeated, orderId, account, -1, 0, -1, -1, code)
  }

  instrumentCreated(definition: InstrumentDefinition): void {
    this.#rows.instruments.push({ ...this.#place, kind: 'created', definition })
    this.#ledger.instrument(definition)
    this.#event(created, 0, -1, -1, 0, -1, -1, 0)
  }

  /** `details` are all that the instrument says of itself from now on. */
  instrumentChanged(details: InstrumentDetails): void {
    this.#rows.instruments.push({ ...this.#place, kind: 'changed', details })
    this.#ledger.instrumentChanged(this.#place.instrumentId, details)
    this.#event(changed, 0, -1, -1, 0, -1, -1, 0)
  }

  phaseChanged(phase: Phase, closing: boolean, takesOrders: boolean): void {
    this.#phase(eventKinds['phase-changed'], phase, closing, takesOrders)
  }

  interrupted(): void {
    this.#phase(eventKinds['volatility-interruption'], 'auction', false, false)
  }

  #phase(kind: number, phase: Phase, closing: boolean, takesOrders: boolean): void {
    this.#rows.instruments.push({ ...this.#place, kind: 'phase', phase, closing, takesOrders })
    const row = this.#event(kind, 0, -1, -1, 0, -1, -1, 0)
    const { columns } = this.#rows.events
    columns.phase.set(row, phaseCodes[phase])
    columns.phase_options.set(row, (closing ? 1 : 0) + (takesOrders ? 2 : 0))
  }

  busted(tradeId: number): void {
    this.#rows.busts.push({ instrumentId: this.#place.instrumentId, tradeId })
    const row = this.#event(eventKinds['trade-busted'], 0, -1, -1, 0, -1, -1, 0)
    this.#rows.events.columns.trade_id.set(row, tradeId)
  }

  /** `kind`: `account-blocked` or `account-unblocked`. */
  accountEvent(kind: number, account: number): void {
    this.#event(kind, 0, account, -1, 0, -1, -1, 0)
  }

  /** The rows of the transaction, complete. Their memory is used again after the next call. */
  cut(): PoolRows {
    const rows = this.#rows
    this.#others.clear()
    this.#rows = this.#others
    this.#others = rows
    this.#orders.finish(this.#rows)
    this.#ledger.useRows(this.#rows)
    return rows
  }

  /** Adds a row, and returns its number. */
  #event(
    kind: number,
    orderId: number,
    account: number,
    side: number,
    price: number,
    quantity: number,
    filled: number,
    reason: number,
    clientOrderId?: string,
  ): number {
    const rows = this.#rows.events
    const { columns } = rows
    const row = rows.add()
    columns.instrument_id.set(row, this.#place.instrumentId)
    columns.order_id.set(row, orderId)
    columns.time.set(row, this.#place.timeUs)
    columns.lsn.set(row, this.#place.lsn)
    columns.event_index.set(row, this.#index++)
    columns.event.set(row, kind)
    columns.reason.set(row, reason)
    columns.side.set(row, side)
    columns.account.set(row, account)
    columns.price_ticks.set(row, price)
    columns.quantity_lots.set(row, quantity)
    columns.filled_lots.set(row, filled)
    columns.tag.setWords(row, this.#tagLow, this.#tagHigh)
    columns.client_order_id.set(row, clientOrderId ?? null)
    // The memory of a row is used again.
    columns.list_id.set(row, 0)
    columns.phase.set(row, -1)
    columns.phase_options.set(row, 0)
    columns.trade_id.set(row, 0)
    return row
  }
}
