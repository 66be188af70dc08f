import { describe, expect, it } from 'vitest'
import { EnginePool, type ExecutionReport } from '#tidemark/index.js'
import { ManualClock } from '../support/manual-clock.js'
import { temporaryDirectory } from '../support/temporary.js'

const instruments = [
  { symbol: 'AAA', tickSize: '0.5', lotSize: '0.1', phase: 'pre-open' },
  { symbol: 'BBB', tickSize: '1', lotSize: '1', referencePrice: 100, staticBand: 5, bandAction: 'interrupt' },
] as const
let orders = 0
const order = (symbol: string, side: 'buy' | 'sell', price: number, quantity: number, more: object = {}) => ({
  type: 'new' as const,
  symbol,
  orderId: ++orders,
  account: orders,
  side,
  orderType: 'limit' as const,
  price,
  quantity,
  ...more,
})
const names = ({ events }: ExecutionReport) => events.map(({ event }) => event)

describe('a pool', () => {
  it('asks for the price of a call, ends it in one uncross, and replays that under other numbers of shards', async () => {
    const dir = temporaryDirectory()
    let pool = await EnginePool.open({ dir, instruments, shards: 2 })
    expect(pool.instrument('AAA')?.phase).toBe('pre-open')
    expect(await pool.indicative('AAA')).toMatchObject({
      phase: 'pre-open',
      price: undefined,
      quantity: '0.0',
    })
    await pool.submit(order('AAA', 'buy', 102.5, 5))
    const { lsn } = await pool.submit(order('AAA', 'sell', 101, 3.5))
    expect(await pool.indicative('AAA')).toEqual({
      lsn,
      symbol: 'AAA',
      phase: 'pre-open',
      price: '102.5',
      quantity: '3.5',
      surplus: '1.5',
      surplusSide: 'buy',
    })
    const later = await pool.submit(order('AAA', 'sell', 103, 1, { timeInForce: 'at-close' }))
    expect(later.status).toBe('waiting')
    const opened = await pool.submit({ type: 'phase', symbol: 'AAA', phase: 'continuous' })
    expect(opened.events).toMatchObject([
      { event: 'phase-changed', phase: 'continuous', closing: false, takesOrders: false },
      { event: 'trade', price: '102.5', quantity: '3.5', takerSide: 'sell', uncross: true },
    ])
    expect(opened.trades).toEqual([])
    expect(pool.instrument('AAA')?.phase).toBe('continuous')
    expect(names(await pool.submit({ type: 'bust', symbol: 'AAA', tradeId: 1 }))).toEqual(['trade-busted'])
    await pool.submit({ type: 'phase', symbol: 'AAA', phase: 'auction', closing: true })
    await pool.checkpoint()
    await pool.submit(order('AAA', 'sell', 100, 1))
    const { symbols } = await pool.digest()
    await pool.close()
    for (const shards of [1, 3]) {
      pool = await EnginePool.open({ dir, instruments, shards })
      expect((await pool.digest()).symbols).toEqual(symbols)
      expect(pool.instruments().map(({ phase }) => phase)).toEqual(['auction', 'continuous'])
      expect(await pool.submit({ type: 'bust', symbol: 'AAA', tradeId: 1 })).toMatchObject({
        status: 'rejected',
        code: 'TRADE_ALREADY_BUSTED',
      })
      await pool.close()
    }
    pool = await EnginePool.open({ dir, instruments })
    const closed = await pool.submit({ type: 'phase', symbol: 'AAA', phase: 'closed' })
    expect(closed.events).toMatchObject([
      { event: 'phase-changed', phase: 'closed' },
      { event: 'trade', price: '102.5', quantity: '1.0', uncross: true },
      { event: 'cancelled', reason: 'at-close' },
    ])
    await pool.close()
  })

  it('says that trading was interrupted, to subscribers and of the instrument', async () => {
    const pool = await EnginePool.open({ dir: temporaryDirectory(), instruments })
    expect(pool.instrument('BBB')).toMatchObject({
      referencePrice: '100',
      staticBand: '5',
      bandAction: 'interrupt',
      dynamicBand: undefined,
    })
    await pool.submit(order('BBB', 'sell', 106, 3))
    const report = await pool.submit(order('BBB', 'buy', 110, 2))
    expect(report).toMatchObject({ status: 'resting', filled: '0', remaining: '2' })
    expect(names(report)).toEqual(['accepted', 'volatility-interruption'])
    expect(pool.instrument('BBB')?.phase).toBe('auction')
    const halted = await pool.submit({ type: 'phase', symbol: 'BBB', phase: 'continuous' })
    expect(names(halted)).toEqual(['phase-changed', 'volatility-interruption'])
    expect(pool.instrument('BBB')?.phase).toBe('auction')
    await pool.changeInstrument('BBB', { referencePrice: 108, tickTable: [{ from: 100, tick: 2 }] })
    expect(pool.instrument('BBB')).toMatchObject({ tickTable: [{ from: '100', tick: '2' }] })
    const resumed = await pool.submit({ type: 'phase', symbol: 'BBB', phase: 'continuous' })
    expect(resumed.events).toMatchObject([{ event: 'phase-changed' }, { event: 'trade', price: '106' }])
    expect(pool.instrument('BBB')?.phase).toBe('continuous')
    await pool.close()
  })

  it('sends a schedule of phases, and stops it when it closes', async () => {
    const pool = await EnginePool.open({ dir: temporaryDirectory(), instruments })
    const now = Date.now()
    const day = pool.schedulePhases([
      { at: now - 2000, symbol: 'AAA', phase: 'auction' },
      { at: now - 1000, symbol: 'AAA', phase: 'halted', takesOrders: true },
      { at: now + 20, symbol: 'BBB', phase: 'auction', closing: true },
    ])
    await day.done
    expect(pool.instruments().map(({ phase }) => phase)).toEqual(['halted', 'auction'])
    const bad = { at: now, symbol: 'AAA', phase: 'auction', closes: true } as never
    expect(() => pool.schedulePhases([bad])).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_FIELD_UNKNOWN' }),
    )
    expect(() => pool.schedulePhases([{ at: now, symbol: 'C', phase: 'closed' }])).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_UNKNOWN_SYMBOL' }),
    )
    const later = pool.schedulePhases([{ at: now + 3_600_000, symbol: 'AAA', phase: 'closed' }])
    expect(later.remaining).toBe(1)
    await pool.close()
    await later.done
    expect(later.remaining).toBe(0)
  })

  it('refuses GTD orders whose time is over, where that is asked for', async () => {
    const clock = new ManualClock(1_000_000)
    const symbol = 'BBB'
    const until = (expireTime: number) => order(symbol, 'buy', 100, 1, { timeInForce: 'GTD', expireTime })
    const over = { code: 'TIDEMARK_FIELD_RANGE', details: { field: 'expireTime' } }
    let pool = await EnginePool.open({ dir: temporaryDirectory(), instruments, clock, refuseExpired: true })
    await expect(pool.submit(until(1_000_000))).rejects.toMatchObject(over)
    expect((await pool.submit(until(1_000_001))).status).toBe('resting')
    await expect(pool.submitBatch([until(999_999)])).rejects.toMatchObject(over)
    expect((await pool.submitBatch([until(1_000_001)])).rejected).toBe(0)
    await pool.close()
    pool = await EnginePool.open({ dir: temporaryDirectory(), instruments, clock })
    expect((await pool.submit(until(1))).status).toBe('resting')
    await pool.close()
    const wrong = { dir: temporaryDirectory(), refuseExpired: 1 as never }
    await expect(EnginePool.open(wrong)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
  })
})
