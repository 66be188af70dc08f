import { broken } from '../base/assert.js'
import {
  acceptedOrderAt,
  commandInstrument,
  commandKinds,
  EventCursor,
  eventKinds,
  flagsOf,
  isPendingLeg,
  listTypeCodes,
  listTypeOf,
  NewOrderFields,
  type OrderEventFields,
  replaceReasons,
  TRADE_IN_UNCROSS,
} from '../matching/index.js'
import { commandRecordType, ledgerRecordType, type RecordObserver } from '../pool/index.js'
import { baseUnits, quoteUnits, spentUnits } from './amounts/units.js'
import { LedgerError } from './errors.js'
import { decodeRecord, type FeesRecord, type LedgerRecord, type MoneyRecord } from './records.js'
import { type FeeBasis, feesOfTrade } from './state/fee-table.js'
import { digestOf } from './state/keys.js'
import type { LedgerState } from './state/ledger-state.js'
import type { ListHold } from './state/lists.js'
import { ListNeeds, needOf } from './state/needs.js'
import { ORDER_FOR_AMOUNT, ORDER_GROUPED, ORDER_PEGGED, ORDER_SELL } from './state/orders.js'
import type { PendingHolds } from './state/pending.js'
import type { MovementKind } from './types.js'

const { accepted, trade: traded, cancelled, replaced, entered } = eventKinds
const NEW = commandKinds.new
const REPLACE = commandKinds.replace
const LIST = commandKinds.list
const CHANGE = commandKinds['instrument-change']

/** Hears of everything that changes a balance, at the moment when it has changed. */
export interface FoldListener {
  /** The changes that follow are those of the record that ends at `lsn`; its batch was published at `timeUs`, in microseconds since 1970. */
  record(lsn: number, timeUs: number): void
  /** Without an order or a trade `orderId` or `tradeId` is 0, without an instrument `instrument` is -1. */
  moved(
    cell: number,
    amount: bigint,
    kind: MovementKind,
    instrument: number,
    orderId: number,
    tradeId: number,
    key: string | undefined,
  ): void
}

/** What is on its way from this process to the log, which durable records free. */
export interface OnTheWay {
  /** By shard. */
  readonly holds: readonly PendingHolds[]
  /** A record of the ledger's own is durable: it frees what was held for it. */
  settle(record: LedgerRecord, lsn: number): void
}

/**
 * Makes the ledger's state out of durable records, one after the other: trades are settled at their price, and what orders hold follows
 * what is open of them. It refuses nothing: the log holds only what was checked before.
 */
export class LedgerFold implements RecordObserver {
  listener: FoldListener | undefined
  readonly #state: LedgerState
  readonly #onTheWay: OnTheWay | undefined
  readonly #events = new EventCursor()
  readonly #fields = new NewOrderFields()
  /** Lists of which orders changed in the record at hand … */
  readonly #touched: ListHold[] = []
  /** … and the one that it makes. */
  #building: ListHold | undefined

  constructor(state: LedgerState, onTheWay?: OnTheWay) {
    this.#state = state
    this.#onTheWay = onTheWay
  }

  observe(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    type: number,
    producer: number,
    record: { readonly payload: Uint8Array; readonly timestampUs: number },
  ): void {
    const state = this.#state
    this.listener?.record(lsn, record.timestampUs)
    if (type === commandRecordType) {
      if (state.hasBegun) this.#command(words, from, to, producer)
    } else if (type === ledgerRecordType) this.#ledgerRecord(decodeRecord(record.payload, lsn), lsn)
    state.lsn = lsn
  }

  #command(words: Int32Array, from: number, to: number, producer: number): void {
    const kind = words[from]! & 0xff
    if (this.#onTheWay && (kind === NEW || kind === REPLACE || kind === LIST || kind === CHANGE))
      this.#onTheWay.holds[producer - 1]!.take()
    const first = from + (words[from]! >>> 18)
    if (first >= to) return
    const instrument = commandInstrument(words, from)
    const events = this.#events
    events.reset(words, from, to)
    let at = first
    for (let event = events.next(); event !== 0; event = events.next()) {
      if (event === accepted) this.#accepted(words, at, from, instrument)
      else if (event === traded) this.#traded(words, at, instrument)
      else if (event === cancelled) this.#remove(this.#find(instrument, events.order.orderId))
      else if (event === replaced) this.#replaced(instrument, events.order)
      else if (event === entered) this.#entered(this.#find(instrument, events.order.orderId))
      at += words[at]! >>> 18
    }
    for (const list of this.#touched) this.#settleList(list)
    this.#touched.length = 0
    this.#building = undefined
  }

  #find(instrument: number, orderId: number): number {
    const order = this.#state.orders.find(instrument, orderId)
    if (order === 0)
      broken('the ledger knows every live order', { instrument, orderId, lsn: this.#state.lsn })
    return order
  }

  #accepted(words: Int32Array, at: number, from: number, instrument: number): void {
    const state = this.#state
    const { orders, cells } = state
    const fields = this.#fields
    fields.read(words, acceptedOrderAt(words, at, from))
    const { account, price, quoteQuantity } = fields
    const units = state.units(instrument)
    const sell = fields.sell !== 0
    const order = orders.add(instrument, fields.orderId)
    state.limits.live?.add(account, 1)
    orders.open[order] = fields.quantity
    orders.price[order] = price
    orders.cell[order] = cells.of(account, sell ? units.base : units.quote)
    orders.rates[order] = state.fees.find(instrument, account)
    state.fixAssets(instrument)
    orders.flags[order] =
      (sell ? ORDER_SELL : 0) |
      (fields.peg === 0 ? 0 : ORDER_PEGGED) |
      (fields.selfTradeGroup === 0 ? 0 : ORDER_GROUPED) |
      (quoteQuantity === 0 ? 0 : ORDER_FOR_AMOUNT)
    if ((words[from]! & 0xff) === LIST) this.#joinList(order, words, at, from, instrument, account)
    else if (quoteQuantity !== 0 && !sell) this.#setHold(order, spentUnits(units, quoteQuantity))
    else {
      state.opens(order, fields.quantity)
      this.#setOpen(order, fields.quantity)
    }
  }

  #joinList(
    order: number,
    words: Int32Array,
    at: number,
    from: number,
    instrument: number,
    account: number,
  ): void {
    const { lists, cells, orders } = this.#state
    const units = this.#state.units(instrument)
    let list = this.#building
    if (list === undefined) {
      const waits = listTypeOf(words, from) !== listTypeCodes.oco
      list = lists.add(instrument, cells.of(account, units.base), cells.of(account, units.quote), waits)
      this.#building = list
      this.#touched.push(list)
    }
    list.legs.push(order)
    const isPending = isPendingLeg(words, at, from)
    if (isPending !== (list.waits && list.legs.length > 1))
      broken('the first order of a list works, and those after it wait', { legs: list.legs.length })
    orders.list[order] = list.number
  }

  #traded(words: Int32Array, at: number, instrument: number): void {
    const state = this.#state
    const { cells, orders } = state
    const { trade } = this.#events
    const { tradeId, price, quantity, makerOrderId, takerOrderId } = trade
    const units = state.units(instrument)
    const base = baseUnits(units, quantity)
    const quote = quoteUnits(units, price, quantity)
    state.lastPrices[instrument] = price
    const takerSells = this.#events.sell !== 0
    const maker = this.#find(instrument, makerOrderId)
    const taker = this.#find(instrument, takerOrderId)
    const [buyer, seller] = takerSells ? [maker, taker] : [taker, maker]
    const buyerAccount = takerSells ? trade.makerAccount : trade.takerAccount
    const sellerAccount = takerSells ? trade.takerAccount : trade.makerAccount
    const paying = orders.cell[buyer]!
    const giving = orders.cell[seller]!
    const buyerBase = cells.of(buyerAccount, units.base)
    const sellerQuote = cells.of(sellerAccount, units.quote)
    if (state.positions.counts(instrument)) {
      state.positions.traded(instrument, buyerAccount, BigInt(quantity))
      state.positions.traded(instrument, sellerAccount, -BigInt(quantity))
    }
    const { balance } = cells
    balance[paying]! -= quote
    balance[buyerBase]! += base
    balance[giving]! -= base
    balance[sellerQuote]! += quote
    if (this.listener !== undefined) {
      this.listener.moved(paying, -quote, 'trade', instrument, orders.orderId[buyer]!, tradeId, undefined)
      this.listener.moved(buyerBase, base, 'trade', instrument, orders.orderId[buyer]!, tradeId, undefined)
      this.listener.moved(giving, -base, 'trade', instrument, orders.orderId[seller]!, tradeId, undefined)
      this.listener.moved(
        sellerQuote,
        quote,
        'trade',
        instrument,
        orders.orderId[seller]!,
        tradeId,
        undefined,
      )
    }
    if ((orders.rates[buyer]! | orders.rates[seller]!) !== 0) {
      const isUncross = (flagsOf(words, at) & TRADE_IN_UNCROSS) !== 0
      const basis = { baseAsset: units.base, quoteAsset: units.quote, base, quote, isUncross, takerSells }
      this.#takeFees(buyer, seller, buyerBase, sellerQuote, basis, tradeId)
    }
    this.#tradedDown(maker, trade.makerRemaining, quote)
    this.#tradedDown(taker, trade.takerRemaining, quote)
  }

  /** Takes from both sides what they pay of what they received, and gives it to the venue, a maker's rebate first. */
  #takeFees(
    buyer: number,
    seller: number,
    buyerBase: number,
    sellerQuote: number,
    basis: FeeBasis,
    tradeId: number,
  ): void {
    const { orders, fees, cells, venue } = this.#state
    const ofBuyer = fees.rates[orders.rates[buyer]!]!
    const ofSeller = fees.rates[orders.rates[seller]!]!
    const { buyerFee, sellerFee, buyerRebate, sellerRebate } = feesOfTrade(basis, ofBuyer, ofSeller)
    this.#fee(buyer, buyerBase, -buyerFee, 'fee', tradeId)
    this.#fee(seller, sellerQuote, -sellerFee, 'fee', tradeId)
    this.#fee(buyer, orders.cell[buyer]!, buyerRebate, 'rebate', tradeId)
    this.#fee(seller, orders.cell[seller]!, sellerRebate, 'rebate', tradeId)
    const venueBase = buyerFee - sellerRebate
    const venueQuote = sellerFee - buyerRebate
    if (venueBase !== 0n) this.#fee(buyer, cells.of(venue, basis.baseAsset), venueBase, 'fee', tradeId)
    if (venueQuote !== 0n) this.#fee(seller, cells.of(venue, basis.quoteAsset), venueQuote, 'fee', tradeId)
  }

  #fee(order: number, cell: number, amount: bigint, kind: MovementKind, tradeId: number): void {
    if (amount === 0n) return
    const { cells, orders } = this.#state
    cells.balance[cell]! += amount
    this.listener?.moved(
      cell,
      amount,
      kind,
      orders.instrument[order]!,
      orders.orderId[order]!,
      tradeId,
      undefined,
    )
  }

  #tradedDown(order: number, remaining: number, spent: bigint): void {
    const { orders } = this.#state
    if (remaining === 0) this.#remove(order)
    else if ((orders.flags[order]! & (ORDER_FOR_AMOUNT | ORDER_SELL)) === ORDER_FOR_AMOUNT) {
      orders.open[order] = remaining
      this.#setHold(order, orders.hold[order]! - spent)
    } else this.#setOpen(order, remaining)
  }

  #replaced(instrument: number, event: OrderEventFields): void {
    const { orders } = this.#state
    const order = this.#find(instrument, event.orderId)
    const isOwn = event.reason === replaceReasons.requested
    if (isOwn && (orders.flags[order]! & ORDER_PEGGED) === 0) orders.price[order] = event.price
    if ((orders.flags[order]! & ORDER_FOR_AMOUNT) === 0) this.#setOpen(order, event.quantity)
  }

  #entered(order: number): void {
    const { orders, lists } = this.#state
    const list = lists.of(orders.list[order]!)
    list.waits = false
    this.#touch(list)
  }

  #setOpen(order: number, open: number): void {
    const { orders, lists } = this.#state
    const change = open - orders.open[order]!
    orders.open[order] = open
    const list = orders.list[order]!
    if (list !== 0) {
      this.#touch(lists.of(list))
      return
    }
    if (change !== 0) this.#state.opens(order, change)
    const units = this.#state.units(orders.instrument[order]!)
    const sell = (orders.flags[order]! & ORDER_SELL) !== 0
    this.#setHold(order, needOf(units, sell, orders.price[order]!, open))
  }

  #setHold(order: number, hold: bigint): void {
    const { orders, cells } = this.#state
    const cell = orders.cell[order]!
    cells.held[cell]! += hold - orders.hold[order]!
    orders.hold[order] = hold
  }

  #remove(order: number): void {
    const { orders, lists, limits, cells } = this.#state
    limits.live?.add(cells.account[orders.cell[order]!]!, -1)
    const list = orders.list[order]!
    if (list === 0) {
      this.#setHold(order, 0n)
      this.#state.opens(order, -orders.open[order]!)
    } else {
      const { legs } = lists.of(list)
      legs[legs.indexOf(order)] = 0
      this.#touch(lists.of(list))
    }
    orders.remove(order)
  }

  #touch(list: ListHold): void {
    if (!this.#touched.includes(list)) this.#touched.push(list)
  }

  /** Holds what the orders of a list need now. */
  #settleList(list: ListHold): void {
    const { orders, cells, fees, lists } = this.#state
    const units = this.#state.units(list.instrument)
    const needs = new ListNeeds()
    for (const [i, order] of list.legs.entries()) {
      if (order === 0) continue
      const sell = (orders.flags[order]! & ORDER_SELL) !== 0
      const price = orders.price[order]!
      const open = orders.open[order]!
      if (!list.waits) needs.add(units, sell, price, open)
      else if (i > 0) needs.addWaiting(units, sell, price, open)
      else if ((orders.flags[order]! & ORDER_GROUPED) !== 0) needs.add(units, sell, price, open)
      else needs.addWorking(units, sell, price, open, fees.rates[orders.rates[order]!]!)
    }
    needs.finish()
    cells.held[list.baseCell]! += needs.base - list.baseHeld
    cells.held[list.quoteCell]! += needs.quote - list.quoteHeld
    list.baseHeld = needs.base
    list.quoteHeld = needs.quote
    this.#state.opensOfList(list)
    if (list.legs.every((order) => order === 0)) lists.remove(list)
  }

  #ledgerRecord(record: LedgerRecord, lsn: number): void {
    const state = this.#state
    if (record.op !== 'open' && !state.hasBegun) throw beginningGone(lsn)
    if (record.op === 'open') {
      state.startLsn = lsn
      state.venue = record.venue
    }
    if (record.op === 'open' || record.op === 'assets') {
      for (const asset of record.assets) {
        state.assets.add(asset)
        state.supply.push(0n)
      }
    } else {
      state.keys.add(record.key, lsn, digestOf(record))
      if (record.op === 'fees') this.#setFees(record, lsn)
      else if (record.op === 'limits') state.setLimits(record)
      else this.#move(record)
    }
    this.#onTheWay?.settle(record, lsn)
  }

  #setFees({ instrument, account, maker, taker, auction, caps }: FeesRecord, lsn: number): void {
    const byAsset = new Map(caps.map(([asset, cap]) => [asset, BigInt(cap)]))
    this.#state.fees.set(instrument, account, { maker, taker, auction, caps: byAsset }, lsn)
  }

  #move(record: MoneyRecord): void {
    const { cells, supply } = this.#state
    const units = BigInt(record.units)
    const { op, asset } = record
    const cell = cells.of(record.account, asset)
    if (op === 'transfer') {
      this.#moved(cell, -units, record)
      this.#moved(cells.of(record.to, asset), units, record)
      return
    }
    const signed = op === 'withdraw' ? -units : units
    supply[asset]! += signed
    this.#moved(cell, signed, record)
  }

  #moved(cell: number, units: bigint, { op, key }: MoneyRecord): void {
    this.#state.cells.balance[cell]! += units
    this.listener?.moved(cell, units, op, -1, 0, 0, key)
  }
}

function beginningGone(lsn: number): LedgerError {
  return new LedgerError(
    'TIDEMARK_LEDGER_DAMAGED',
    `The log has records of a ledger, LSN ${lsn} the first, and neither its beginning nor a snapshot of it is there: restore the folder from a backup.`,
    { lsn },
  )
}
