import { describe, expect, it } from 'vitest'
import { FactorEngine } from '#tidemark/factors/engine/engine.js'
import { DurableFactorEngine, FactorConsumer, FactorPool } from '#tidemark/factors/index.js'
import { temporaryDirectory } from '../support/temporary.js'
import { everyFactor, tickAt } from '../unit/factors/support/feed.js'

const log = { ringBytes: 1 << 20, segmentBytes: 1 << 20 }
const names = Array.from({ length: 11 }, (_, i) => `I${i}`)

function tick(i: number) {
  return { ...tickAt(i), instrument: names[i % names.length]! }
}

function reference(count: number): FactorEngine {
  const engine = new FactorEngine()
  for (const name of names) engine.registerAll(name, everyFactor)
  for (let i = 0; i < count; i++) engine.processTick(tick(i))
  return engine
}

async function feed(pool: FactorPool, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    if (pool.full(tick(i).instrument)) await pool.ready()
    pool.processTick(tick(i))
  }
}

async function expectSame(pool: FactorPool, count: number): Promise<void> {
  const engine = reference(count)
  for (const name of names) expect(await pool.getAll(name)).toEqual(engine.getAll(name))
}

describe('a pool of factor engines', () => {
  it('computes what one engine computes, and continues after crashes with another number of workers', async () => {
    const dir = temporaryDirectory()
    let pool = await FactorPool.open({ dir, log, workers: 2, queueTicks: 64, batchSize: 7 })
    for (const name of names) pool.registerAll(name, everyFactor)
    await feed(pool, 0, 1000)
    await expectSame(pool, 1000)
    const info = await pool.createSnapshot('first')
    expect(info.timestamp).toBe(tick(999).timestamp)
    await feed(pool, 1000, 1500)
    await pool.flush()
    pool.log.poison(new Error('crash'))
    await pool.close().catch(() => {})

    pool = await FactorPool.open({ dir, log, workers: 3 })
    expect(pool.lastTimestamp).toBe(tick(1499).timestamp)
    await expectSame(pool, 1500)
    await feed(pool, 1500, 1600)
    await pool.close()

    const engine = await DurableFactorEngine.open({ dir, log })
    expect(engine.recovery.ticks).toBe(1600)
    for (const name of names) expect(engine.getAll(name)).toEqual(reference(1600).getAll(name))
    for (let i = 1600; i < 1700; i++) engine.processTick(tick(i))
    await engine.close()

    pool = await FactorPool.open({ dir, log, workers: 1 })
    await expectSame(pool, 1700)
    const consumer = FactorConsumer.attach(pool.log)
    await consumer.recover()
    expect(consumer.getInstrumentFactors('I3')).toEqual(await pool.getAll('I3'))
    await pool.close()
  })

  it('takes a snapshot at another LSN of each worker while ticks arrive, and skips what it has', async () => {
    const dir = temporaryDirectory()
    const pool = await FactorPool.open({ dir, log, workers: 3, batchSize: 10 })
    for (const name of names) pool.registerAll(name, everyFactor)
    await pool.ready()
    // One worker has many more ticks before it than the others, so they answer at different LSNs.
    const count = 6000
    for (let i = 0; i < count; i++) pool.processTick(tick(i))
    const lone = { ...tick(0), instrument: names[0]! }
    for (let i = 0; i < 3000; i++) pool.processTick(lone)
    const snapshot = pool.createSnapshot('moving')
    for (let i = 0; i < 3000; i++) pool.processTick(lone)
    const { lsn } = await snapshot
    const end = await pool.flush()
    expect(end).toBeGreaterThan(lsn)
    pool.log.poison(new Error('crash'))
    await pool.close().catch(() => {})
    const engine = reference(count)
    for (let i = 0; i < 6000; i++) engine.processTick(lone)
    const again = await FactorPool.open({ dir, log, workers: 2 })
    for (const name of names) expect(await again.getAll(name)).toEqual(engine.getAll(name))
    await again.close()
  })

  it('ranks its instruments at a barrier', async () => {
    const pool = await FactorPool.open({ dir: temporaryDirectory(), log, workers: 2 })
    const prices = { A: 3, B: 8, C: 3, D: 5 }
    for (const name of ['A', 'B', 'C', 'D', 'E']) pool.registerAll(name, { price: 'mean(last, 1)' })
    for (const [instrument, last] of Object.entries(prices))
      pool.processTick({ instrument, timestamp: 1, last })
    const ranked = (await pool.rank('price')).map(({ instrument, rank }) => [instrument, rank])
    expect(ranked.slice(0, 2)).toEqual([
      ['B', 1],
      ['D', 2],
    ])
    expect(ranked.slice(2).sort()).toEqual([
      ['A', 3.5],
      ['C', 3.5],
    ])
    await pool.close()
  })

  it('refuses what an engine refuses, and counts what finds no room', async () => {
    const pool = await FactorPool.open({ dir: temporaryDirectory(), log, workers: 1, queueTicks: 4 })
    const code = (text: string) => expect.objectContaining({ code: text })
    pool.registerAll('A', { n: 'count(last, 9)' })
    await pool.ready()
    expect(() => pool.registerAll('A', { n: 'last' })).toThrow(code('TIDEMARK_DUPLICATE_FACTOR'))
    expect(() => pool.registerAll('B', { n: 'lost' })).toThrow(code('TIDEMARK_UNKNOWN_FACTOR'))
    expect(() => pool.registerAll('B', { a: 'b', b: 'a' })).toThrow(code('TIDEMARK_FACTOR_CYCLE'))
    expect(() => pool.registerAll('B', { r: 'rank(last)' })).toThrow(code('TIDEMARK_BAD_EXPRESSION'))
    expect(() => pool.processTick({ instrument: 'B', timestamp: 1, last: 1 })).toThrow(
      code('TIDEMARK_UNKNOWN_INSTRUMENT'),
    )
    expect(() => pool.processTick({ instrument: 'A', timestamp: 1, last: Number.NaN })).toThrow(
      code('TIDEMARK_BAD_TICK'),
    )
    await expect(pool.get('A', 'lost')).rejects.toThrow(code('TIDEMARK_UNKNOWN_FACTOR'))
    let taken = 0
    expect(() => {
      for (; ; taken++) pool.processTick({ instrument: 'A', timestamp: taken, last: 1 })
    }).toThrow(code('TIDEMARK_CHANNEL_FULL'))
    expect(pool.stats()).toMatchObject({ ticks: taken, refused: 1, dropped: 0 })
    expect(await pool.get('A', 'n')).toBe(Math.min(9, taken))
    await pool.close()
    expect(() => pool.processTick({ instrument: 'A', timestamp: 1, last: 1 })).toThrow(
      code('TIDEMARK_PERSISTER_CLOSED'),
    )
    await expect(FactorPool.open({ dir: temporaryDirectory(), workers: 0 })).rejects.toThrow(
      code('TIDEMARK_BAD_SETTING'),
    )
  })

  it('takes a tick whole that is sent out of a field of another one', async () => {
    const pool = await FactorPool.open({ dir: temporaryDirectory(), log, workers: 1 })
    for (const name of ['A', 'B']) pool.registerAll(name, { n: 'count(last, 9)', s: 'sum(last, 1)' })
    await pool.ready()
    let reads = 0
    pool.processTick({
      instrument: 'A',
      timestamp: 1,
      get last() {
        if (++reads === 1) pool.processTick({ instrument: 'B', timestamp: 2, last: 20 })
        return 10
      },
    })
    expect(reads).toBe(1)
    await pool.ready()
    expect(await pool.getAll('A')).toEqual({ n: 1, s: 10 })
    expect(await pool.getAll('B')).toEqual({ n: 1, s: 20 })
    await pool.close()
  })

  it('rejects every question once the log is poisoned', async () => {
    const pool = await FactorPool.open({ dir: temporaryDirectory(), log, workers: 2 })
    const errors: Error[] = []
    pool.on('error', (error) => errors.push(error))
    pool.registerAll('A', { n: 'count(last, 9)' })
    pool.processTick({ instrument: 'A', timestamp: 1, last: 1 })
    const questions = [pool.flush(), pool.get('A', 'n'), pool.createSnapshot('s')]
    pool.log.poison(new Error('no space left on device'))
    const outcomes = await Promise.allSettled(questions)
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'TIDEMARK_LOG_POISONED' } })
    }
    expect(() => pool.processTick({ instrument: 'A', timestamp: 2, last: 1 })).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_LOG_POISONED' }),
    )
    await expect(pool.close()).rejects.toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    expect(errors).toHaveLength(1)
  })
})
