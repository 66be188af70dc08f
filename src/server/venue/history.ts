import type { Ledger, TradeFees } from '../../ledger/index.js'
import type {
  AcceptedEvent,
  CancelledEvent,
  EnteredEvent,
  PoolEvent,
  ReplacedEvent,
  TradeEvent,
  TriggeredEvent,
} from '../../pool/index.js'
import { Fifo } from './fifo.js'
import { isDone, OrderLists } from './order-lists.js'
import {
  type AccountTrade,
  acceptedOrder,
  bookCancel,
  bookEntry,
  bookReplace,
  bookTrade,
  bookTrigger,
  type ListRecord,
  type OrderRecord,
} from './order-record.js'

/** What an event did to an order; `trade` when it traded. */
export interface OrderUpdate {
  readonly order: OrderRecord
  readonly execution: 'NEW' | 'TRADE' | 'CANCELED' | 'EXPIRED' | 'REPLACED'
  readonly trade: AccountTrade | undefined
  readonly event: PoolEvent
}

/** What became of a list of orders: it was placed, or the last of its orders is done. */
export interface ListUpdate {
  readonly list: ListRecord
  readonly status: 'EXEC_STARTED' | 'ALL_DONE'
  readonly timeMs: number
}

/** How much is kept of orders that are over and of trades, of all accounts together; what is older is forgotten first. */
export interface HistoryLimits {
  readonly closedOrders: number
  readonly accountTrades: number
}

/** What one account has in one symbol. */
interface AccountSymbol {
  readonly account: number
  readonly symbol: string
  readonly orders: Map<number, OrderRecord>
  readonly open: Map<number, OrderRecord>
  /** The order that had the client's id last. */
  readonly byClientId: Map<string, OrderRecord>
  readonly trades: Fifo<AccountTrade>
}

/** Orders and trades of the accounts, from the events of the log. */
export class OrderHistory {
  readonly #limits: HistoryLimits
  readonly #onUpdate: (update: OrderUpdate) => void
  readonly #onList: (update: ListUpdate) => void
  readonly #ledger: Pick<Ledger, 'tradeFees'> | undefined
  readonly lists = new OrderLists()
  readonly #accounts = new Map<number, Map<string, AccountSymbol>>()
  /** Open orders by symbol and id: events of trades name orders and not their clients. */
  readonly #open = new Map<string, Map<number, OrderRecord>>()
  readonly #closed = new Fifo<OrderRecord>()
  /** Whose the trades are, in their order. */
  readonly #trades = new Fifo<AccountSymbol>()

  constructor(
    limits: HistoryLimits,
    onUpdate: (update: OrderUpdate) => void,
    onList: (update: ListUpdate) => void = () => {},
    ledger?: Pick<Ledger, 'tradeFees'>,
  ) {
    this.#ledger = ledger
    this.#limits = limits
    this.#onUpdate = onUpdate
    this.#onList = onList
  }

  /** How many accounts there is something of. */
  get accounts(): number {
    return this.#accounts.size
  }

  /** Returns what a trade cost, where a ledger says that. */
  apply(event: PoolEvent): TradeFees | undefined {
    switch (event.event) {
      case 'accepted':
        this.#accept(event)
        break
      case 'trade': {
        const fees = this.#feesOf(event)
        this.#trade(event, event.makerOrderId, true, fees)
        this.#trade(event, event.takerOrderId, false, fees)
        return fees
      }
      case 'cancelled':
        this.#cancel(event)
        break
      case 'replaced':
        this.#replace(event)
        break
      case 'entered':
        this.#enter(event)
        break
      case 'triggered':
        this.#trigger(event)
    }
    return undefined
  }

  #feesOf(event: TradeEvent): TradeFees | undefined {
    const maker = this.#openOrder(event.symbol, event.makerOrderId)
    const taker = this.#openOrder(event.symbol, event.takerOrderId)
    if (!maker || !taker) return undefined
    return this.#ledger?.tradeFees(event, { makerLsn: maker.acceptedLsn, takerLsn: taker.acceptedLsn })
  }

  /** All events of a record were applied: reports what became of lists in it. */
  endRecord(lsn: number): void {
    for (const list of this.lists.takeChanged()) {
      if (list.lsn === lsn) this.#onList({ list, status: 'EXEC_STARTED', timeMs: list.timeMs })
      if (list.isReported || !isDone(list)) continue
      list.isReported = true
      const timeMs = Math.max(...list.orders.map(({ updateMs }) => updateMs))
      this.#onList({ list, status: 'ALL_DONE', timeMs })
    }
  }

  /** An order of an account, if it is open or still kept. */
  order(account: number, symbol: string, orderId: number): OrderRecord | undefined {
    return this.#accounts.get(account)?.get(symbol)?.orders.get(orderId)
  }

  /** The last order of an account that had a client's id. */
  orderByClientId(account: number, symbol: string, clientOrderId: string): OrderRecord | undefined {
    return this.#accounts.get(account)?.get(symbol)?.byClientId.get(clientOrderId)
  }

  /** An account's open orders, by symbol and id. */
  openOrders(account: number, symbol?: string): OrderRecord[] {
    const found: OrderRecord[] = []
    for (const [name, own] of this.#accounts.get(account) ?? [])
      if (symbol === undefined || name === symbol) found.push(...own.open.values())
    return found
  }

  /** An account's orders in a symbol for which `test` holds, by id: the first `limit` of them, or the last. */
  orders(
    account: number,
    symbol: string,
    limit: number,
    first: boolean,
    test: (order: OrderRecord) => boolean,
  ): OrderRecord[] {
    const all = [...(this.#accounts.get(account)?.get(symbol)?.orders.values() ?? [])].filter(test)
    all.sort((a, b) => a.orderId - b.orderId)
    return first ? all.slice(0, limit) : all.slice(-limit)
  }

  /** An account's trades in a symbol for which `test` holds. */
  trades(
    account: number,
    symbol: string,
    limit: number,
    first: boolean,
    test: (trade: AccountTrade) => boolean,
  ): AccountTrade[] {
    return this.#accounts.get(account)?.get(symbol)?.trades.pick(limit, first, test) ?? []
  }

  #of(account: number, symbol: string): AccountSymbol {
    let symbols = this.#accounts.get(account)
    if (!symbols) this.#accounts.set(account, (symbols = new Map()))
    let own = symbols.get(symbol)
    if (!own) {
      own = {
        account,
        symbol,
        orders: new Map(),
        open: new Map(),
        byClientId: new Map(),
        trades: new Fifo(),
      }
      symbols.set(symbol, own)
    }
    return own
  }

  #accept(event: AcceptedEvent): void {
    const order = acceptedOrder(event)
    const own = this.#of(order.account, order.symbol)
    own.orders.set(order.orderId, order)
    own.open.set(order.orderId, order)
    if (order.clientOrderId !== '') own.byClientId.set(order.clientOrderId, order)
    let open = this.#open.get(order.symbol)
    if (!open) this.#open.set(order.symbol, (open = new Map()))
    open.set(order.orderId, order)
    if (event.listId !== undefined) order.list = this.lists.add(event, order)
    this.#onUpdate({ order, execution: 'NEW', trade: undefined, event })
  }

  #trade(event: TradeEvent, orderId: number, isMaker: boolean, fees: TradeFees | undefined): void {
    const order = this.#openOrder(event.symbol, orderId)
    if (!order) return
    const trade = bookTrade(order, event, isMaker, fees)
    const own = this.#of(order.account, order.symbol)
    own.trades.push(trade)
    this.#trades.push(own)
    if (this.#trades.size > this.#limits.accountTrades) this.#forgetTrade()
    if (order.status === 'FILLED') this.#close(order)
    this.#onUpdate({ order, execution: 'TRADE', trade, event })
  }

  #cancel(event: CancelledEvent): void {
    const order = this.#openOrder(event.symbol, event.orderId)
    if (!order) return
    bookCancel(order, event)
    this.#close(order)
    const execution = order.status === 'CANCELED' ? 'CANCELED' : 'EXPIRED'
    this.#onUpdate({ order, execution, trade: undefined, event })
  }

  #replace(event: ReplacedEvent): void {
    const order = this.#openOrder(event.symbol, event.orderId)
    if (!order) return
    bookReplace(order, event)
    this.#onUpdate({ order, execution: 'REPLACED', trade: undefined, event })
  }

  #enter(event: EnteredEvent): void {
    const order = this.#openOrder(event.symbol, event.orderId)
    if (!order) return
    bookEntry(order, event)
    this.#onUpdate({ order, execution: 'NEW', trade: undefined, event })
  }

  #trigger(event: TriggeredEvent): void {
    const order = this.#openOrder(event.symbol, event.orderId)
    if (!order) return
    bookTrigger(order, event.timeUs)
    this.#onUpdate({ order, execution: 'NEW', trade: undefined, event })
  }

  #openOrder(symbol: string, orderId: number): OrderRecord | undefined {
    return this.#open.get(symbol)?.get(orderId)
  }

  #close(order: OrderRecord): void {
    this.#open.get(order.symbol)?.delete(order.orderId)
    this.#of(order.account, order.symbol).open.delete(order.orderId)
    if (order.list) this.lists.touch(order.list)
    this.#closed.push(order)
    if (this.#closed.size > this.#limits.closedOrders) this.#forget(this.#closed.shift()!)
  }

  #forget(order: OrderRecord): void {
    const own = this.#of(order.account, order.symbol)
    // An id may be used again: the order that has it now stays.
    if (own.orders.get(order.orderId) === order) own.orders.delete(order.orderId)
    if (own.byClientId.get(order.clientOrderId) === order) own.byClientId.delete(order.clientOrderId)
    this.#release(own)
    const { list } = order
    if (!list) return
    // A list is whole as long as one of its orders is kept.
    if (--list.kept === 0) this.lists.forget(list)
  }

  #forgetTrade(): void {
    const own = this.#trades.shift()!
    own.trades.shift()
    this.#release(own)
  }

  /** An account that has nothing left in a symbol takes no memory for it. */
  #release(own: AccountSymbol): void {
    if (own.orders.size > 0 || own.trades.size > 0) return
    const symbols = this.#accounts.get(own.account)
    symbols?.delete(own.symbol)
    if (symbols?.size === 0) this.#accounts.delete(own.account)
  }
}
