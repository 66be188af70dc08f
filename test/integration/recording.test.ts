import { mkdirSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Recording } from '#tidemark/cli/serve/recording.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { serverModules } from '../support/served-venue.js'
import { ended, serving } from '../support/serving.js'
import { temporaryDirectory } from '../support/temporary.js'
import { RestClient } from '../support/venue-client.js'

/** A made-up day in LOBSTER's columns: time, type, order id, size, price x 10,000, direction. */
const firstDay = [
  '34200.0,1,11,100,5850000,1',
  '34200.5,1,12,50,5860000,-1',
  '34201.0,1,13,30,5855000,-1',
  '34203.0,4,13,10,5855000,-1',
  '34203.0,2,12,20,5860000,-1',
  '34204.0,5,0,5,5852000,1',
  '34210.0,3,11,100,5850000,1',
  '34210.0,1,14,7,5849000,1',
  '34211.0,2,99,5,5849000,1',
  'no row',
]
/** It uses an id of the first one again. */
const secondDay = ['34200.0,1,11,1,5800000,1']

/** A folder of message files by their day. */
function recorded(...days: readonly (readonly string[])[]): string[] {
  const folder = temporaryDirectory()
  return days.map((rows, i) => {
    const file = path.join(folder, `ABC_2020-01-0${i + 1}_message_1.csv`)
    writeFileSync(file, rows.join('\n'))
    return file
  })
}

/** Time that passes by waiting only. */
class WaitingClock {
  readonly reachedMs: number[] = []
  #nowMs = 0
  nowMs(): number {
    return this.#nowMs
  }
  async wait(ms: number): Promise<void> {
    this.#nowMs += ms
    this.reachedMs.push(this.#nowMs)
  }
}

describe('a recorded market', () => {
  it('is played at its speed or another, beside what others do, one day after the other', async () => {
    const clock = new WaitingClock()
    const recording = await Recording.open(recorded(firstDay), 2, clock)
    expect(recording.instruments).toEqual([
      { symbol: 'ABC', tickSize: '0.0001', lotSize: '1', baseAsset: 'ABC', quoteAsset: 'USD' },
    ])
    const pool = await EnginePool.open({ dir: temporaryDirectory(), instruments: recording.instruments })
    // Another's offer, at a better price than that at which a recorded order was executed.
    const own = await pool.submit({
      type: 'new',
      symbol: 'ABC',
      account: 1,
      side: 'sell',
      orderType: 'limit',
      price: '585.4',
      quantity: '5',
    })
    expect(await recording.play(pool)).toEqual({ rows: 9, commands: 8, refused: 1 })
    expect(clock.reachedMs).toEqual([250, 500, 1500, 5000, 5500])
    expect((await pool.order('ABC', own.orderId!)).order).toBeUndefined()
    expect(pool.stats().trades).toBe(2)
    const { bids, asks } = await pool.depth('ABC', 10)
    const shown = (levels: typeof bids) => levels.map(({ price, quantity }) => [price, quantity])
    expect(shown(bids)).toEqual([['584.9000', '7']])
    expect(shown(asks)).toEqual([
      ['585.5000', '25'],
      ['586.0000', '30'],
    ])
    const days = await Recording.open(recorded(firstDay, secondDay), 1e6, new WaitingClock())
    const other = await EnginePool.open({ dir: temporaryDirectory(), instruments: days.instruments })
    expect(await days.play(other)).toMatchObject({ rows: 10, refused: 1 })
    const after = await other.depth('ABC', 10)
    expect([shown(after.bids), shown(after.asks)]).toEqual([[['580.0000', '1']], []])
    await other.close()
    await pool.close()
  })

  it('uses the order book file beside it, can be stopped, and is of LOBSTER message files only', async () => {
    const folder = path.join(temporaryDirectory(), 'of_message_files')
    mkdirSync(folder)
    const messages = path.join(folder, 'ABC_message_1.csv')
    writeFileSync(messages, ['1.0,1,1,5,100000,1', '2.0,1,2,5,90000,1', '9.0,1,3,5,80000,1'].join('\n'))
    // The best bid shown after the second row is the second order: the first one is gone by then.
    const empty = '9999999999,0'
    const book = [`${empty},100000,5`, `${empty},90000,5`, `${empty},90000,5`].join('\n')
    writeFileSync(path.join(folder, 'ABC_orderbook_1.csv'), book)
    const stopping = {
      nowMs: () => 0,
      wait: async (ms: number) => {
        if (ms === 8000) recording.stop()
      },
    }
    const recording: Recording = await Recording.open([messages], 1, stopping)
    const pool = await EnginePool.open({ dir: temporaryDirectory(), instruments: recording.instruments })
    expect(await recording.play(pool)).toEqual({ rows: 3, commands: 3, refused: 0 })
    expect((await pool.depth('ABC', 10)).bids).toMatchObject([{ price: '9.0000', quantity: '5' }])
    await pool.close()
    const other = path.join(folder, 'other.csv')
    writeFileSync(other, '{"type":"new"}\n')
    await expect(Recording.open([messages, other], 1)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_INPUT' })
    await expect(Recording.open([`${other}x`], 1)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_INPUT' })
  })

  it('ends as a whole when the pool fails one of its shares, and not hours later', async () => {
    const [message] = recorded(firstDay)
    const other = path.join(path.dirname(message!), 'XYZ_2020-01-01_message_1.csv')
    writeFileSync(other, secondDay.join('\n'))
    const waiting = {
      nowMs: () => 0,
      wait: (_: number, signal: AbortSignal) =>
        new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
    }
    const recording = await Recording.open([message!, other], 1, waiting)
    const pool = await EnginePool.open({ dir: temporaryDirectory(), instruments: recording.instruments })
    const failure = new Error('It takes nothing more.')
    const submit = pool.submit.bind(pool)
    pool.submit = (command) =>
      'symbol' in command && command.symbol === 'XYZ' ? Promise.reject(failure) : submit(command)
    await expect(recording.play(pool)).rejects.toBe(failure)
    expect(recording.isStopped).toBe(true)
    expect(pool.stats().inFlight).toBe(0)
    await pool.close()
  })

  it.skipIf(typeof serverModules === 'string')('takes the place of the traders of a demo', async () => {
    const demo = await serving(['--record', ...recorded(firstDay), '--speed', '1000000'])
    await demo.line(/^The recording is over: 9 rows, 8 commands, 1 refused\.$/)
    const { body } = await new RestClient(demo.url).get('/depth', { symbol: 'ABC' })
    expect(body.asks).toEqual([
      ['585.5000', '20'],
      ['586.0000', '30'],
    ])
    expect(await ended(demo.child, 'SIGINT')).toBe(0)
  })
})
