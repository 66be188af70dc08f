import { expect, it } from 'vitest'
import { DurableLog, SalvageReader } from '#tidemark/log/index.js'
import { rulesVersion } from '#tidemark/matching/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const grid = { tickSize: '1', lotSize: '1' }

it('a log in which an instrument of one shard was lost and a later one of another was not opens and takes commands', async () => {
  const whole = temporaryDirectory()
  const before = await EnginePool.open({ dir: whole, shards: 2 })
  for (const symbol of ['A', 'B', 'C']) await before.addInstrument({ symbol, ...grid })
  await before.close()
  // The shards log on their own: a crash may leave A and C, and not B, which was never acknowledged.
  const dir = temporaryDirectory()
  const log = await DurableLog.open({ dir, kind: 'pool', contentVersion: rulesVersion })
  for await (const { type, payload } of new SalvageReader(whole)) {
    if (Buffer.from(payload).includes('B')) continue
    await log.waitDurable(log.append(payload, type))
  }
  await log.close()

  for (const shards of [2, 1]) {
    const pool = await openPool({ dir, shards, instruments: [] })
    expect(pool.instruments().map(({ symbol, id }) => [symbol, id])).toEqual(
      shards === 2
        ? [
            ['A', 0],
            ['C', 2],
          ]
        : [
            ['A', 0],
            ['C', 2],
            ['B', 3],
          ],
    )
    if (shards === 2) await pool.addInstrument({ symbol: 'B', ...grid })
    const report = await pool.checkpoint()
    expect(report.books).toBe(3)
    const order = {
      type: 'new',
      orderId: shards,
      account: 1,
      side: 'buy',
      orderType: 'limit',
      price: 9,
      quantity: 1,
    } as const
    for (const symbol of ['A', 'B', 'C'])
      expect((await pool.submit({ ...order, symbol })).status).toBe('resting')
    await pool.close()
  }
})
