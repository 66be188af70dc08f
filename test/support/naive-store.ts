import type { PoolEvent } from '#tidemark/index.js'
import type { Store } from '#tidemark/store/index.js'

/** The tables of a store as lines of JSON, each table in an order of its own. */
export interface StoreTables {
  readonly trades: readonly string[]
  readonly events: readonly string[]
  readonly orders: readonly string[]
}

interface NaiveOrder {
  readonly symbol: string
  readonly order_id: number
  readonly order_lsn: number
  readonly account: number
  readonly side: string
  readonly order_type: string
  readonly client_order_id: string | null
  readonly quantity: string
  readonly list_id: number | null
  readonly trailing_basis_points: number | null
  readonly peg: string | null
  readonly self_trade_group: number | null
  readonly min_quantity: string | null
  readonly quote_quantity: string | null
  price: string | null
  status: string
  reason: string | null
  /** In tenths, which every lot of these logs is a multiple of. */
  filled: number
  remaining: string
  trades: number
  updated_lsn: number
}

/** "12.500" as "12.5". */
function plain(decimal: string | number | undefined): string | null {
  return decimal === undefined ? null : String(Number(decimal))
}

/** Whether an order waits for a price or for the closing call before it acts. */
function waits({ orderType, timeInForce }: { orderType: string; timeInForce: string }): boolean {
  return (orderType !== 'limit' && orderType !== 'market') || timeInForce === 'at-close'
}

/**
 * What a store must hold after these events of a log: one order after the other, as slowly and plainly as can be.
 * Nothing of the store's own code is used.
 */
export function naiveTables(events: readonly PoolEvent[]): StoreTables {
  const trades: object[] = []
  const eventRows: object[] = []
  const live = new Map<string, NaiveOrder>()
  const orders: NaiveOrder[] = []
  const orderOf = (symbol: string, orderId: number) => live.get(`${symbol} ${orderId}`)!
  const close = (order: NaiveOrder, status: string, reason: string | null) => {
    order.status = status
    order.reason = reason
    order.remaining = '0'
    live.delete(`${order.symbol} ${order.order_id}`)
  }
  const busted = new Set(
    events.flatMap((event) => (event.event === 'trade-busted' ? [`${event.symbol} ${event.tradeId}`] : [])),
  )
  for (const event of events) {
    const { lsn, index: event_index, symbol } = event
    if (event.event === 'trade') {
      trades.push({
        symbol,
        lsn,
        event_index,
        trade_id: event.tradeId,
        price: plain(event.price),
        quantity: plain(event.quantity),
        taker_side: event.takerSide,
        maker_order_id: event.makerOrderId,
        taker_order_id: event.takerOrderId,
        maker_account: event.makerAccount,
        taker_account: event.takerAccount,
        maker_remaining: plain(event.makerRemaining),
        taker_remaining: plain(event.takerRemaining),
        uncross: event.uncross,
        busted: busted.has(`${symbol} ${event.tradeId}`),
      })
      const sides = [
        [event.makerOrderId, event.makerRemaining],
        [event.takerOrderId, event.takerRemaining],
      ] as const
      for (const [orderId, remaining] of sides) {
        const order = orderOf(symbol, orderId)
        order.filled += Math.round(Number(event.quantity) * 10)
        order.trades++
        order.remaining = plain(remaining)!
        order.updated_lsn = lsn
        if (order.status !== 'waiting') order.status = 'partially-filled'
        if (Number(remaining) === 0) close(order, 'filled', null)
      }
      continue
    }
    const { orderId, account, side, price, quantity, filled, remaining, reason, code } =
      event as unknown as Record<string, string | undefined> & { orderId?: number; account?: number }
    eventRows.push({
      symbol,
      lsn,
      event_index,
      event: event.event,
      order_id: orderId === undefined || orderId === 0 ? null : orderId,
      account: account ?? null,
      side: side ?? null,
      price: plain(price),
      quantity: plain(quantity ?? remaining),
      filled: event.event === 'accepted' ? '0' : plain(filled),
      reason: reason ?? code ?? null,
      tag: event.tag === 0n ? null : String(event.tag),
      client_order_id: ('clientOrderId' in event && event.clientOrderId) || null,
      list_id: (event.event === 'accepted' && event.listId) || null,
      phase: event.event === 'phase-changed' ? event.phase : null,
      closing: event.event === 'phase-changed' ? event.closing : null,
      trade_id: event.event === 'trade-busted' ? event.tradeId : null,
    })
    if (event.event === 'accepted') {
      const order: NaiveOrder = {
        symbol,
        order_id: event.orderId,
        order_lsn: lsn,
        account: event.account,
        side: event.side,
        order_type: event.orderType,
        client_order_id: event.clientOrderId ?? null,
        quantity: plain(event.quantity)!,
        list_id: event.listId ?? null,
        trailing_basis_points: event.trailingBasisPoints ?? null,
        peg: event.peg ?? null,
        self_trade_group: event.selfTradeGroup ?? null,
        min_quantity: plain(event.minQuantity),
        quote_quantity: plain(event.quoteQuantity),
        price: plain(event.price),
        status: event.pending ? 'pending' : waits(event) ? 'waiting' : 'resting',
        reason: null,
        filled: 0,
        remaining: plain(event.quantity)!,
        trades: 0,
        updated_lsn: lsn,
      }
      live.set(`${symbol} ${event.orderId}`, order)
      orders.push(order)
    } else if (event.event === 'cancelled') {
      const order = orderOf(symbol, event.orderId)
      order.updated_lsn = lsn
      close(order, 'cancelled', event.reason)
    } else if (event.event === 'replaced') {
      const order = orderOf(symbol, event.orderId)
      order.updated_lsn = lsn
      order.remaining = plain(event.quantity)!
      order.price = plain(event.price) ?? order.price
    } else if (event.event === 'entered') {
      const order = orderOf(symbol, event.orderId)
      order.updated_lsn = lsn
      order.status = event.waiting ? 'waiting' : 'resting'
    } else if (event.event === 'triggered') {
      const order = orderOf(symbol, event.orderId)
      order.updated_lsn = lsn
      order.status = 'resting'
    }
  }
  const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row))
  return {
    trades: lines(trades),
    events: lines(eventRows),
    orders: lines(orders.map((order) => ({ ...order, filled: plain(order.filled / 10) }))),
  }
}

const queries: Record<keyof StoreTables, string> = {
  trades: `SELECT symbol, lsn, event_index, trade_id, price, quantity, taker_side, maker_order_id, taker_order_id,
  maker_account, taker_account, maker_remaining, taker_remaining, uncross, busted FROM trades ORDER BY lsn, event_index`,
  events: `SELECT symbol, lsn, event_index, event, order_id, account, side, price, quantity, filled, reason, tag,
  client_order_id, list_id, phase, closing, trade_id
  FROM order_events ORDER BY lsn, event_index`,
  orders: `SELECT symbol, order_id, order_lsn, account, side, order_type, client_order_id, quantity, list_id,
  trailing_basis_points, peg, self_trade_group, min_quantity, quote_quantity, price, status, reason, filled,
  remaining, trades, updated_lsn FROM orders ORDER BY order_lsn, order_id`,
}

/** What a store holds, in the same form. */
export async function storedTables(store: Store): Promise<StoreTables> {
  const entries = Object.entries(queries).map(async ([name, sql]) => {
    const { rows } = await store.query(sql)
    return [name, rows.map((row) => JSON.stringify(row))] as const
  })
  return Object.fromEntries(await Promise.all(entries)) as unknown as StoreTables
}

/** The first line in which two tables differ; undefined when they are equal. */
export function firstDifference(stored: StoreTables, naive: StoreTables): string | undefined {
  for (const name of ['trades', 'events', 'orders'] as const) {
    const [one, other] = [stored[name], naive[name]]
    for (let i = 0; i < Math.max(one.length, other.length); i++)
      if (one[i] !== other[i]) return `${name} ${i}: stored ${one[i]}, logged ${other[i]}`
  }
  return undefined
}
