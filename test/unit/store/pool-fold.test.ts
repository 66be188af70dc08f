import { describe, expect, it } from 'vitest'
import { eventKinds } from '#tidemark/matching/index.js'
import type { NewOrder } from '#tidemark/store/fold/order-table.js'
import { PoolFold } from '#tidemark/store/fold/pool-fold.js'
import { writePool } from '#tidemark/store/fold/pool-writer.js'
import { prepareSchema, requireSchema } from '#tidemark/store/prepare-schema.js'
import { openTarget } from '#tidemark/store/targets/open-target.js'
import type { StoreTarget } from '#tidemark/store/targets/target.js'
import { storeTargets } from '../../support/store-targets.js'
import { temporaryDirectory } from '../../support/temporary.js'

const targets = await storeTargets()
const timeUs = Date.UTC(2012, 5, 21, 13, 30) * 1000 + 123_456

const order: NewOrder = {
  orderId: 1,
  account: 7,
  sell: 0,
  orderType: 0,
  timeInForce: 0,
  postOnly: false,
  prevention: 0,
  price: 12_345,
  stopPrice: 0,
  displayQuantity: 0,
  expireTime: 0,
  quantity: 100,
  clientOrderId: 'client-1',
  trailingOffset: 0,
  trailingBasisPoints: 0,
  peg: 0,
  pegOffset: 0,
  selfTradeGroup: 0,
  minQuantity: 0,
  quoteQuantity: 0,
}
const trade = {
  tradeId: 1,
  makerOrderId: 1,
  takerOrderId: 2,
  price: 12_345,
  quantity: 40,
  makerAccount: 7,
  takerAccount: 8,
  makerRemaining: 60,
  takerRemaining: 0,
}

function instrument(fold: PoolFold): void {
  fold.begin(0, 64, timeUs, 0, 0)
  fold.instrumentCreated({
    instrumentId: 0,
    symbol: 'ABC',
    tickSize: '0.01',
    lotSize: '0.5',
    replacePriority: 'keep-on-reduce',
    selfTradePrevention: 'none',
  })
}

async function store(target: StoreTarget, fold: PoolFold): Promise<void> {
  const rows = fold.cut()
  await target.transaction(() => writePool(target, rows))
}

describe.each(targets)('the fold of a pool, stored in $name', ({ driver, fresh }) => {
  async function opened(): Promise<StoreTarget> {
    const target = await openTarget(await fresh(temporaryDirectory()), { readOnly: false, driver })
    await prepareSchema(target)
    return target
  }

  it('has a row for an order, a trade and each event, with decimals, steps and names', async () => {
    const target = await opened()
    try {
      const fold = new PoolFold()
      instrument(fold)
      fold.begin(0, 128, timeUs, 5, -1)
      fold.accepted(order)
      await store(target, fold)
      fold.begin(0, 192, timeUs + 1_000_000, 0, 0)
      fold.accepted({ ...order, orderId: 2, account: 8, sell: 1, quantity: 40, timeInForce: 1 })
      fold.trade(trade, 1, false)
      await store(target, fold)
      expect((await target.query('SELECT * FROM trades')).rows).toEqual([
        {
          symbol: 'ABC',
          trade_id: 1,
          time: '2012-06-21T13:30:01.123456Z',
          price: '123.45',
          quantity: '20',
          taker_side: 'sell',
          maker_order_id: 1,
          taker_order_id: 2,
          maker_account: 7,
          taker_account: 8,
          maker_remaining: '30',
          taker_remaining: '0',
          maker_fee: null,
          maker_fee_asset: null,
          taker_fee: null,
          taker_fee_asset: null,
          price_ticks: 12_345,
          quantity_lots: 40,
          maker_remaining_lots: 60,
          taker_remaining_lots: 0,
          lsn: 192,
          event_index: 1,
          instrument_id: 0,
          uncross: false,
          busted: false,
        },
      ])
      const orders = await target.query(
        'SELECT order_id, status, reason, price, quantity, filled, remaining, trades, time_in_force, post_only, updated_lsn, expire_time FROM orders ORDER BY order_id',
      )
      expect(orders.rows).toEqual([
        {
          order_id: 1,
          status: 'partially-filled',
          reason: null,
          price: '123.45',
          quantity: '50',
          filled: '20',
          remaining: '30',
          trades: 1,
          time_in_force: 'GTC',
          post_only: false,
          updated_lsn: 192,
          expire_time: null,
        },
        {
          order_id: 2,
          status: 'filled',
          reason: null,
          price: '123.45',
          quantity: '20',
          filled: '20',
          remaining: '0',
          trades: 1,
          time_in_force: 'IOC',
          post_only: false,
          updated_lsn: 192,
          expire_time: null,
        },
      ])
      const events = await target.query(
        'SELECT event, order_id, tag, side, account, time FROM order_events ORDER BY lsn, event_index',
      )
      expect(events.rows).toEqual([
        {
          event: 'instrument-created',
          order_id: null,
          tag: null,
          side: null,
          account: null,
          time: '2012-06-21T13:30:00.123456Z',
        },
        {
          event: 'accepted',
          order_id: 1,
          tag: '18446744069414584325',
          side: 'buy',
          account: 7,
          time: '2012-06-21T13:30:00.123456Z',
        },
        {
          event: 'accepted',
          order_id: 2,
          tag: null,
          side: 'sell',
          account: 8,
          time: '2012-06-21T13:30:01.123456Z',
        },
      ])
      const candles = await target.query("SELECT * FROM candles(INTERVAL '1 minute')")
      expect(candles.rows).toEqual([
        {
          symbol: 'ABC',
          time: '2012-06-21T13:30:00.000000Z',
          open: '123.45',
          high: '123.45',
          low: '123.45',
          close: '123.45',
          volume: '20',
          notional: '2469',
          trades: 1,
        },
      ])
      const volume = await target.query('SELECT * FROM account_volume ORDER BY account')
      expect(volume.rows).toEqual([
        {
          account: 7,
          symbol: 'ABC',
          trades: 1,
          volume: '20',
          bought: '20',
          sold: '0',
          maker_volume: '20',
          taker_volume: '0',
          notional: '2469',
        },
        {
          account: 8,
          symbol: 'ABC',
          trades: 1,
          volume: '20',
          bought: '0',
          sold: '20',
          maker_volume: '0',
          taker_volume: '20',
          notional: '2469',
        },
      ])
      const history = await target.query(
        'SELECT event, side, quantity, remaining, trade_id FROM order_history WHERE order_id = 1 ORDER BY lsn, event_index',
      )
      expect(history.rows).toEqual([
        { event: 'accepted', side: 'buy', quantity: '50', remaining: '50', trade_id: null },
        { event: 'trade', side: 'buy', quantity: '20', remaining: '30', trade_id: 1 },
      ])
      await requireSchema(target)
    } finally {
      await target.close()
    }
  })

  it('knows an order that reuses the id of one that was closed in the same transaction', async () => {
    const target = await opened()
    try {
      const fold = new PoolFold()
      instrument(fold)
      fold.begin(0, 128, timeUs, 0, 0)
      fold.accepted(order)
      await store(target, fold)
      const event = {
        orderId: 1,
        account: 7,
        sell: 0,
        price: 12_345,
        filled: 0,
        hasOrder: true,
        clientOrderId: 'client-1',
      }
      fold.begin(0, 192, timeUs, 0, 0)
      fold.orderEvent(eventKinds.replaced, { ...event, price: 12_000, quantity: 90, reason: 1 })
      fold.begin(0, 256, timeUs, 0, 0)
      fold.orderEvent(eventKinds.cancelled, { ...event, quantity: 90, reason: 1 })
      fold.begin(0, 320, timeUs, 0, 0)
      fold.accepted({ ...order, orderType: 3, stopPrice: 12_400, quantity: 10 })
      fold.begin(0, 384, timeUs, 0, 0)
      fold.orderEvent(eventKinds.rejected, { ...event, account: -1, hasOrder: false, quantity: 0, reason: 5 })
      await store(target, fold)
      const orders =
        'SELECT order_lsn, status, reason, price, stop_price, filled, remaining, updated_lsn FROM orders ORDER BY order_lsn'
      const closed = {
        order_lsn: 128,
        status: 'cancelled',
        reason: 'requested',
        price: '120',
        stop_price: null,
        filled: '0',
        remaining: '0',
        updated_lsn: 256,
      }
      expect((await target.query(orders)).rows).toEqual([
        closed,
        {
          order_lsn: 320,
          status: 'waiting',
          reason: null,
          price: '123.45',
          stop_price: '124',
          filled: '0',
          remaining: '5',
          updated_lsn: 320,
        },
      ])
      fold.begin(0, 448, timeUs, 0, 0)
      fold.orderEvent(eventKinds.triggered, { ...event, quantity: 10, reason: 0 })
      fold.phaseChanged('halted', false, true)
      await store(target, fold)
      expect((await target.query(orders)).rows).toEqual([
        closed,
        {
          order_lsn: 320,
          status: 'resting',
          reason: null,
          price: '123.45',
          stop_price: '124',
          filled: '0',
          remaining: '5',
          updated_lsn: 448,
        },
      ])
      expect((await target.query('SELECT phase, takes_orders, tick_size FROM instruments')).rows).toEqual([
        { phase: 'halted', takes_orders: true, tick_size: '0.01' },
      ])
      expect(
        (await target.query("SELECT reason, side, filled FROM order_events WHERE event = 'rejected'")).rows,
      ).toEqual([{ reason: 'DUPLICATE_ORDER_ID', side: null, filled: null }])
    } finally {
      await target.close()
    }
  })

  it('stores nothing of a transaction that fails, and refuses a change of an order that it lacks', async () => {
    const target = await opened()
    try {
      const fold = new PoolFold()
      instrument(fold)
      fold.begin(0, 128, timeUs, 0, 0)
      fold.accepted({ ...order, orderId: 2 })
      fold.trade(trade, 1, false)
      await expect(store(target, fold)).rejects.toMatchObject({
        code: 'TIDEMARK_STORE_DIFFERS',
        details: { expected: 1, found: 0 },
      })
      for (const table of [
        'trade_rows',
        'order_event_rows',
        'open_order_rows',
        'closed_order_rows',
        'instruments',
      ])
        expect((await target.query(`SELECT COUNT(*) AS n FROM ${table}`)).rows).toEqual([{ n: 0 }])
    } finally {
      await target.close()
    }
  })

  it('gives numbers as numbers where they are exact, and what is larger as bigint or text', async () => {
    const target = await opened()
    try {
      const { rows } = await target.query(
        "SELECT CAST(9007199254740993 AS BIGINT) AS big, CAST(3 AS BIGINT) AS small, CAST('12.500' AS DECIMAL(10, 3)) AS exact, NULL AS nothing, $1 AS given",
        ['x'],
      )
      expect(rows).toEqual([{ big: 9007199254740993n, small: 3, exact: '12.5', nothing: null, given: 'x' }])
      await expect(target.query('SELECT * FROM nowhere')).rejects.toMatchObject({
        code: 'TIDEMARK_STORE_QUERY',
      })
    } finally {
      await target.close()
    }
  })
})
