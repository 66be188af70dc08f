import { writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Command } from '#tidemark/pool/index.js'
import { summaryOf, tidemark } from '../support/cli.js'
import { eventsOf, limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const said = {
  baseAsset: 'BTC',
  quoteAsset: 'USD',
  minPrice: '1.00',
  maxPrice: '1000000.00',
  minQuantity: '0.00010',
  maxQuantity: '100.00000',
  minNotional: '10',
  info: { listed: '2024-01-05', tiers: [1, 2] },
} as const
const bitcoin = { symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }
const ether = { symbol: 'ETH-USD', tickSize: '0.05', lotSize: '0.001' }

describe('what an instrument says of itself', () => {
  it('is as it was added and changed for every later opening, from the log or from a snapshot', async () => {
    for (const checkpointBytes of [0, 1]) {
      const dir = temporaryDirectory()
      const pool = await openPool({
        dir,
        shards: 2,
        instruments: [{ ...bitcoin, ...said }, ether],
        checkpointBytes,
      })
      expect(pool.instrument('BTC-USD')).toMatchObject(said)
      expect(pool.instrument('ETH-USD')).toMatchObject({
        phase: 'continuous',
        minPrice: undefined,
        info: undefined,
      })
      const report = await pool.changeInstrument('BTC-USD', {
        minPrice: null,
        maxQuantity: 50,
        info: { listed: 'no' },
      })
      expect(report).toMatchObject({ status: 'done', symbol: 'BTC-USD' })
      const changed = { ...said, minPrice: undefined, maxQuantity: '50.00000', info: { listed: 'no' } }
      expect(report.events).toMatchObject([{ event: 'instrument-changed', symbol: 'BTC-USD', ...changed }])
      await pool.submit({ type: 'phase', symbol: 'ETH-USD', phase: 'halted' })
      expect(pool.instruments()).toMatchObject([changed, { symbol: 'ETH-USD', phase: 'halted' }])
      await pool.submitBatch([
        { type: 'phase', symbol: 'ETH-USD', phase: 'closed' },
        { type: 'instrument-change', symbol: 'ETH-USD', quoteAsset: 'USD' },
      ])
      const instruments = pool.instruments()
      expect(instruments).toMatchObject([changed, { phase: 'closed', quoteAsset: 'USD' }])
      const { symbols } = await pool.digest()
      const events = await eventsOf(pool)
      expect(events.map(({ event }) => event)).toEqual(
        expect.arrayContaining(['instrument-changed', 'phase-changed']),
      )
      await pool.close()
      // What can change is not compared: opening with what it said at first changes nothing.
      for (const shards of [1, 2]) {
        const again = await openPool({
          dir,
          shards,
          instruments: [{ ...bitcoin, ...said }, ether],
          checkpointBytes,
        })
        expect(again.instruments().map(({ shard: _, ...rest }) => rest)).toEqual(
          instruments.map(({ shard: _, ...rest }) => rest),
        )
        expect((await again.digest()).symbols).toEqual(symbols)
        expect(await again.submit({ ...limit(1, 'buy', '1', '50.00001'), orderId: 1 })).toMatchObject({
          status: 'rejected',
          code: 'QUANTITY_TOO_LARGE',
        })
        await again.close()
      }
    }
  })

  it('counts from the place of the change among the commands', async () => {
    const pool = await openPool()
    const symbol = 'BTC-USD'
    const commands: Command[] = [
      limit(1, 'buy', '5', '1'),
      { type: 'instrument-change', symbol, minPrice: 10 },
      limit(2, 'buy', '5', '1'),
      { type: 'instrument-change', symbol, minPrice: null },
      limit(3, 'buy', '5', '1'),
    ]
    const reports = await Promise.all(commands.map((command) => pool.submit(command)))
    expect(reports.map(({ status, code }) => code ?? status)).toEqual([
      'resting',
      'done',
      'PRICE_TOO_LOW',
      'done',
      'resting',
    ])
  })

  it('is refused before anything is written when it is malformed', async () => {
    const pool = await openPool()
    const end = pool.durableLsn
    for (const fields of [
      { info: { a: 1n } },
      { info: 'x' },
      { info: { a: 'x'.repeat(1024) } },
      { minPrice: '0.001' },
      { minprice: 1 },
    ]) {
      await expect(pool.changeInstrument('BTC-USD', fields as never)).rejects.toMatchObject({
        code: expect.stringMatching('^TIDEMARK_FIELD|OFF_GRID'),
      })
      await expect(
        pool.addInstrument({ symbol: 'X', tickSize: '1', lotSize: '1', ...(fields as object) }),
      ).rejects.toMatchObject({ name: 'CommandError' })
    }
    await expect(pool.changeInstrument('NONE', {})).rejects.toMatchObject({ code: 'TIDEMARK_UNKNOWN_SYMBOL' })
    expect(await eventsOf(pool, end)).toEqual([])
    expect(pool.instruments()).toHaveLength(2)
  })

  it('comes from JSON lines too, and a dump shows it', async () => {
    const dir = temporaryDirectory()
    const file = path.join(temporaryDirectory(), 'commands.jsonl')
    const lines = [
      { type: 'instrument', ...bitcoin, ...said },
      {
        type: 'instrument-change',
        symbol: 'BTC-USD',
        minPrice: '2',
        maxPrice: null,
        info: { a: { b: '"' } },
      },
      { type: 'phase', symbol: 'BTC-USD', phase: 'halted' },
      { type: 'instrument-change', symbol: 'BTC-USD', info: [1] },
      { type: 'instrument-change', symbol: 'BTC-USD', minprice: 5 },
      limit(1, 'buy', '5', '1'),
    ]
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const { summary } = await summaryOf([file, '--dir', dir])
    expect(summary).toMatchObject({ commands: 4, rejected: 1, refused: { total: 2 } })
    const { stdout } = await tidemark(['log', 'dump', dir, '--json'])
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(records[0].command).toMatchObject({ type: 'instrument', ...said })
    expect(records[1]).toMatchObject({
      command: {
        type: 'instrument-change',
        minPrice: '2.00',
        maxPrice: null,
        info: { a: { b: '"' } },
      },
      events: [{ event: 'instrument-changed', minPrice: '2.00', minNotional: '10' }],
    })
    expect(records[2]).toMatchObject({
      command: { type: 'phase', phase: 'halted' },
      events: [{ event: 'phase-changed', phase: 'halted' }],
    })
    expect(records[3].events).toMatchObject([{ event: 'rejected', code: 'INSTRUMENT_HALTED' }])
  })
})
