import { describe, expect, it } from 'vitest'
import { encodeBlock } from '#tidemark/matching/index.js'
import { type Command, EnginePool } from '#tidemark/pool/index.js'
import { eventsOf, limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const symbols = ['A', 'B', 'C', 'D', 'E']
const instruments = symbols.map((symbol) => ({ symbol, tickSize: '1', lotSize: '1' }))
const order = (symbol: string, orderId: number, account: number): Command => ({
  ...limit(orderId, 'buy', '5', '1', account),
  symbol,
})

/** Of one order of the account in each symbol, what became of it. */
async function outcomes(pool: EnginePool, account: number, orderId: number): Promise<Set<string>> {
  const reports = await Promise.all(
    pool.instruments().map(({ symbol }) => pool.submit(order(symbol, orderId, account))),
  )
  return new Set(reports.map(({ status, code }) => code ?? status))
}

describe('an account that is blocked', () => {
  it.each([1, 2, 3])('has no order in any symbol, and gets none, with %i shards', async (shards) => {
    const pool = await openPool({ instruments, shards })
    await outcomes(pool, 7, 1)
    await outcomes(pool, 8, 2)
    const report = await pool.submit({ type: 'block', account: 7, tag: 5 })
    expect(report).toMatchObject({ status: 'done', symbol: undefined, orderId: undefined })
    expect(report.lsn).toBeLessThanOrEqual(pool.durableLsn)
    expect(report.events.map(({ event, symbol }) => `${event} ${symbol}`).sort()).toEqual(
      symbols.flatMap((symbol) => [`account-blocked ${symbol}`, `cancelled ${symbol}`]).sort(),
    )
    expect(new Set(report.events.map(({ tag }) => tag))).toEqual(new Set([5n]))
    expect(pool.blockedAccounts()).toEqual([7])
    expect((await pool.openOrders({ account: 7 })).orders).toEqual([])
    expect(await outcomes(pool, 7, 3)).toEqual(new Set(['ACCOUNT_BLOCKED']))
    expect(await outcomes(pool, 8, 4)).toEqual(new Set(['resting']))
    expect((await pool.block(7)).events).toEqual([])
    expect((await pool.unblock(7)).events).toHaveLength(symbols.length)
    expect((await pool.unblock(7)).events).toEqual([])
    expect(pool.blockedAccounts()).toEqual([])
    expect(await outcomes(pool, 7, 5)).toEqual(new Set(['resting']))
  })

  it('is blocked in a symbol that is added meanwhile, by the command that adds it', async () => {
    const pool = await openPool({ instruments: instruments.slice(0, 1), shards: 3 })
    await Promise.all([pool.block(9), pool.block(7)])
    const reports = await Promise.all(
      instruments.slice(1).map((instrument) => pool.addInstrument(instrument)),
    )
    for (const [i, { status, symbol, events }] of reports.entries()) {
      expect({ status, symbol }).toEqual({ status: 'done', symbol: symbols[i + 1] })
      expect(events.map((event) => ('account' in event ? event.account : event.event))).toEqual([
        'instrument-created',
        7,
        9,
      ])
    }
    expect(await outcomes(pool, 7, 1)).toEqual(new Set(['ACCOUNT_BLOCKED']))
    expect(await outcomes(pool, 9, 1)).toEqual(new Set(['ACCOUNT_BLOCKED']))
    expect(await outcomes(pool, 8, 1)).toEqual(new Set(['resting']))
  })

  it('stays so after a restart, from the log and from a snapshot, with other numbers of shards', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, instruments: instruments.slice(0, 4), shards: 2, checkpointBytes: 0 })
    await pool.block(7)
    await pool.block(8)
    await pool.unblock(8)
    const digest = (await pool.digest()).symbols
    await pool.close()
    let id = 1
    for (const shards of [3, 1, 2]) {
      const again = await EnginePool.open({ dir, shards, checkpointBytes: 0 })
      const { durableLsn } = again
      expect(again.blockedAccounts()).toEqual([7])
      expect(shards === 3 ? (await again.digest()).symbols : digest).toEqual(digest)
      expect(again.durableLsn).toBe(durableLsn)
      expect(await outcomes(again, 7, id)).toEqual(new Set(['ACCOUNT_BLOCKED']))
      expect(await outcomes(again, 8, id++)).toEqual(new Set(['resting']))
      if (shards === 3) await again.addInstrument(instruments[4]!)
      if (shards === 1) await again.checkpoint()
      await again.close()
    }
    const last = await openPool({ dir, instruments, shards: 4, checkpointBytes: 0 })
    await last.unblock(7)
    expect(await outcomes(last, 7, id)).toEqual(new Set(['resting']))
  })

  it('is blocked everywhere after an opening that finds it blocked in some symbols only', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir, instruments, shards: 2 })
    const words = new Int32Array(8)
    const batch = pool.batch()
    encodeBlock(words, 0, 3, 0, 0, 7, true)
    batch.addEncoded(words)
    await pool.submitBatch(batch)
    await pool.close()
    const again = await openPool({ dir, instruments, shards: 3 })
    expect(again.blockedAccounts()).toEqual([7])
    expect(await outcomes(again, 7, 1)).toEqual(new Set(['ACCOUNT_BLOCKED']))
    const blocks = (await eventsOf(again)).filter(({ event }) => event === 'account-blocked')
    expect(blocks.map(({ symbol }) => symbol).sort()).toEqual(symbols)
  })

  it('is named by a whole number; a symbol is none of its fields, and it goes by itself', async () => {
    const pool = await openPool({ instruments })
    const code = (command: object) =>
      pool.submit(command as Command).then(
        () => 'taken',
        (error) => error.code,
      )
    expect(await code({ type: 'block' })).toBe('TIDEMARK_FIELD_MISSING')
    expect(await code({ type: 'block', account: -1 })).toBe('TIDEMARK_FIELD_RANGE')
    expect(await code({ type: 'unblock', account: '7' })).toBe('TIDEMARK_FIELD_TYPE')
    expect(await code({ type: 'block', account: 7, symbol: 'A' })).toBe('TIDEMARK_FIELD_UNKNOWN')
    await expect(pool.submitBatch([{ type: 'block', account: 7 }])).rejects.toThrow(/submit block by itself/)
    expect(pool.blockedAccounts()).toEqual([])
  })
})
