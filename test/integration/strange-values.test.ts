import { describe, expect, it } from 'vitest'
import type { Command } from '#tidemark/matching/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { eventsOf, limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

/** Values that no JSON text, or no string at all, can be made of. */
const strange: Record<string, unknown> = {
  'a symbol': Symbol('x'),
  'a bigint': 7n,
  'a function': () => 1,
  'an object without a prototype': Object.create(null),
  'an object that throws when it is shown': {
    toString() {
      throw new Error('evil')
    },
    toJSON() {
      throw new Error('evil')
    },
  },
  'a bigint in an array': [7n],
}

async function codeOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'it was taken'
}

describe.each(Object.entries(strange))('%s', (_name, value) => {
  it('in a command or a question is an error with a code, and nothing is logged', async () => {
    const pool = await openPool()
    const end = pool.durableLsn
    const command = limit(1, 'buy', '1', '1')
    const fields = Object.keys(command)
    expect(fields.length).toBeGreaterThan(6)
    for (const field of fields) {
      const wrong = { ...command, [field]: value } as never
      expect(await codeOf(() => pool.submit(wrong)), field).toMatch(/^TIDEMARK_/)
      expect(await codeOf(() => pool.submitBatch([wrong])), field).toMatch(/^TIDEMARK_/)
    }
    for (const call of [
      () => pool.submit(value as never),
      () => pool.submitBatch(value as never),
      () => pool.depth(value as never),
      () => pool.depth('BTC-USD', value as never),
      () => pool.order('BTC-USD', value as never),
      () => pool.lastRequestId(value as never, 'BTC-USD'),
      () => pool.highestOrderId(value as never),
      () => pool.openOrders(value as never),
      () => pool.openOrders({ account: value as never }),
      () => pool.openOrders({ account: 1, symbol: value as never }),
      () => pool.openOrders({ account: 1, limit: value as never }),
      () => pool.openOrders({ account: 1, after: value as never }),
      () => pool.openOrders({ account: 1, after: { symbol: 'BTC-USD', orderId: value as never } }),
      () => pool.subscribe({ from: value as never }),
      () => pool.subscribe({ to: value as never }),
      () => pool.subscribe({ cursor: value as never }),
      () => pool.subscribe({ signal: value as never }),
      () => pool.dropCursor(value as never),
      () => EnginePool.open({ dir: value as never }),
      () => EnginePool.open({ dir: temporaryDirectory(), shards: value as never }),
      () => EnginePool.open({ dir: temporaryDirectory(), durability: value as never }),
    ]) {
      expect(await codeOf(call), String(call)).toMatch(/^TIDEMARK_/)
    }
    // A log that falls idle gets a sync marker, so its end says nothing.
    expect(await eventsOf(pool, end)).toEqual([])
    expect(pool.stats().inFlight).toBe(0)
  })
})

describe('a batch', () => {
  it('that is no array and no CommandBatch is refused, whatever its length says', async () => {
    const pool = await openPool()
    for (const none of ['', { length: 0 }, () => 1])
      expect(await codeOf(() => pool.submitBatch(none as unknown as Command[]))).toBe('TIDEMARK_BAD_ARGUMENT')
  })

  it('that is empty is settled at once, until the pool is closed', async () => {
    const pool = await openPool()
    const nothing = { lsn: pool.durableLsn, commands: 0, trades: 0, rejected: 0 }
    expect(await pool.submitBatch([])).toEqual(nothing)
    expect(await pool.submitBatch(pool.batch())).toEqual(nothing)
    await pool.close()
    expect(await codeOf(() => pool.submitBatch([]))).toBe('TIDEMARK_POOL_CLOSED')
  })
})
