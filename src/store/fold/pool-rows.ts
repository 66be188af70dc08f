import type { Asset } from '../../ledger/index.js'
import type { InstrumentDefinition, InstrumentDetails, Phase } from '../../matching/index.js'
import { Rows } from '../schema/columns.js'
import {
  balanceChangeTypes,
  ledgerEntryTypes,
  orderChangeTypes,
  orderEventTypes,
  orderTypes,
  tradeTypes,
} from '../schema/tables.js'

export type OrderRows = Rows<typeof orderTypes>
export type OrderChangeRows = Rows<typeof orderChangeTypes>

/** Where a record stands in the log. */
export interface RecordPlace {
  readonly instrumentId: number
  readonly lsn: number
  readonly timeUs: number
}

/** A fill. Prices in ticks, quantities in lots. */
export interface TradeOfRecord {
  readonly tradeId: number
  readonly makerOrderId: number
  readonly takerOrderId: number
  readonly price: number
  readonly quantity: number
  readonly makerAccount: number
  readonly takerAccount: number
  readonly makerRemaining: number
  readonly takerRemaining: number
}

/** What happened to an instrument. */
export type InstrumentChange = RecordPlace &
  (
    | { readonly kind: 'created'; readonly definition: InstrumentDefinition }
    | {
        readonly kind: 'phase'
        readonly phase: Phase
        readonly closing: boolean
        readonly takesOrders: boolean
      }
    | { readonly kind: 'changed'; readonly details: InstrumentDetails }
  )

/** What a transaction appends of a pool's log, one set of rows a table. */
export class PoolRows {
  readonly trades = new Rows('trade_rows', tradeTypes)
  readonly events = new Rows('order_event_rows', orderEventTypes)
  readonly open = new Rows('open_order_rows', orderTypes)
  readonly closed = new Rows('closed_order_rows', orderTypes)
  readonly changes = new Rows('order_changes', orderChangeTypes)
  readonly entries = new Rows('ledger_entry_rows', ledgerEntryTypes)
  readonly balances = new Rows('balance_change_rows', balanceChangeTypes)

  /** In the order in which they happened. */
  readonly instruments: InstrumentChange[] = []
  /** Assets that a ledger has from here on. */
  readonly assets: (Asset & { readonly number: number; readonly lsn: number })[] = []
  /** Trades that were busted. */
  readonly busts: { readonly instrumentId: number; readonly tradeId: number }[] = []

  get count(): number {
    const { trades, events, open, closed, changes, entries, balances, instruments } = this
    const ofOrders = trades.count + events.count + open.count + closed.count + changes.count
    return ofOrders + entries.count + balances.count + instruments.length
  }

  clear(): void {
    this.instruments.length = 0
    this.busts.length = 0
    this.assets.length = 0
    this.trades.clear()
    this.events.clear()
    this.open.clear()
    this.closed.clear()
    this.changes.clear()
    this.entries.clear()
    this.balances.clear()
  }
}
