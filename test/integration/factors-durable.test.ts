import { readdirSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { DurableFactorEngine, FactorConsumer, type FactorUpdate } from '#tidemark/factors/index.js'
import { temporaryDirectory } from '../support/temporary.js'
import { bitsOf, everyFactor, instruments, tickAt, uninterrupted } from '../unit/factors/support/feed.js'

const log = { ringBytes: 1 << 20, segmentBytes: 1 << 20 }

async function open(dir: string, options: Partial<Parameters<typeof DurableFactorEngine.open>[0]> = {}) {
  const engine = await DurableFactorEngine.open({ dir, log, ...options })
  if (engine.instruments.length === 0) {
    for (const instrument of instruments) engine.registerAll(instrument, everyFactor)
  }
  return engine
}

/** Feeds ticks `from` … `to`, waiting whenever the channel is full. */
async function feed(engine: DurableFactorEngine, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    if (engine.full) await engine.ready()
    engine.processTick(tickAt(i))
  }
}

async function collect(updates: AsyncIterable<FactorUpdate>): Promise<FactorUpdate[]> {
  const all: FactorUpdate[] = []
  for await (const update of updates) all.push(update)
  return all
}

describe('a durable factor engine', () => {
  it('reads each field of a tick once, also when a field sends another tick or answers differently later', async () => {
    const dir = temporaryDirectory()
    const engine = await DurableFactorEngine.open({ dir, log })
    for (const name of ['A', 'B']) engine.registerAll(name, { n: 'count(last, 9)', s: 'sum(last, 1)' })
    let reads = 0
    engine.processTick({
      instrument: 'A',
      timestamp: 1,
      bid: 5,
      get last() {
        if (++reads > 1) return Number.NaN
        engine.processTick({ instrument: 'B', timestamp: 2, last: 20 })
        return 10
      },
    })
    expect(reads).toBe(1)
    await engine.close()
    const again = await DurableFactorEngine.open({ dir, log })
    expect(again.recovery.ticks).toBe(2)
    expect(again.getAll('A')).toEqual({ n: 1, s: 10 })
    expect(again.getAll('B')).toEqual({ n: 1, s: 20 })
    await again.close()
  })

  it('continues bit by bit the same after closing and opening, with and without snapshots', async () => {
    const dir = temporaryDirectory()
    let at = 0
    for (const [to, snapshotEveryTicks] of [
      [700, 0],
      [1500, 100],
      [1501, 0],
      [4000, 1000],
    ] as const) {
      const engine = await open(dir, { snapshotEveryTicks })
      expect(engine.stats().ticks).toBe(at)
      await feed(engine, at, to)
      at = to
      await engine.close()
      const again = await DurableFactorEngine.open({ dir, log })
      expect(again.recovery.ticks).toBe(to)
      expect(again.recovery.lastTimestamp).toBe(tickAt(to - 1).timestamp)
      expect(again.instruments.map(({ name }) => again.getAll(name))).toEqual(
        uninterrupted(to).instruments.map((instrument) => instrument.getAll()),
      )
      await again.close()
    }
    const consumer = await FactorConsumer.open({ dir, log })
    expect(bitsOf(consumer.engine)).toEqual(bitsOf(uninterrupted(4000)))
    await consumer.close()
  })

  it('recovers what a poisoned log had made durable, and rejects the rest with the cause', async () => {
    const dir = temporaryDirectory()
    const engine = await open(dir, { batchSize: 7 })
    const errors: Error[] = []
    engine.on('error', (error) => errors.push(error))
    await feed(engine, 0, 500)
    await engine.flush()
    const pending = engine.persistTick(tickAt(500))
    engine.log.poison(new Error('the disk caught fire'))
    await expect(pending).rejects.toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    expect(() => engine.processTick(tickAt(501))).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_LOG_POISONED' }),
    )
    const { sent, durable, failed, pending: waiting, inFlight } = engine.stats().persister
    expect({ lost: failed > 0, waiting, inFlight, all: durable + failed }).toEqual({
      lost: true,
      waiting: 0,
      inFlight: 0,
      all: sent,
    })
    expect(errors).toHaveLength(1)
    await expect(engine.createSnapshot('late')).rejects.toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    await expect(engine.close()).rejects.toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    const again = await DurableFactorEngine.open({ dir, log })
    expect(again.recovery.ticks).toBeGreaterThanOrEqual(500)
    expect(again.recovery.ticks).toBeLessThanOrEqual(501)
    await again.close()
  })

  it('bounds replay by the newest snapshot, and falls back to an older one when that is damaged', async () => {
    const dir = temporaryDirectory()
    const engine = await open(dir, { keepSnapshots: 2, snapshotEveryTicks: 0 })
    await feed(engine, 0, 1000)
    const first = await engine.createSnapshot('first')
    await feed(engine, 1000, 1600)
    const second = await engine.createSnapshot('second')
    expect(second).toMatchObject({ checkpointId: 'second', timestamp: tickAt(1599).timestamp })
    await feed(engine, 1600, 1700)
    await engine.flush()
    engine.log.poison(new Error('crash'))
    await engine.close().catch(() => {})

    const undamaged = await DurableFactorEngine.open({ dir, log, snapshotEveryTicks: 0 })
    expect(undamaged.recovery.snapshot).toEqual(second)
    expect(undamaged.recovery.replayedEntries).toBeLessThan(100 + 10)
    undamaged.log.poison(new Error('crash'))
    await undamaged.close().catch(() => {})

    const folder = path.join(dir, 'snapshots')
    writeFileSync(path.join(folder, readdirSync(folder).sort().at(-1)!), 'TMFACTOR and then nonsense')
    const older = await DurableFactorEngine.open({ dir, log, snapshotEveryTicks: 0 })
    expect(older.recovery.snapshot).toEqual(first)
    expect(older.recovery.skippedSnapshots).toHaveLength(1)
    await older.close()
    const consumer = await FactorConsumer.open({ dir, log })
    expect(bitsOf(consumer.engine)).toEqual(bitsOf(uninterrupted(1700)))
    await consumer.close()
  })

  it('deletes the log that its snapshots make needless, when asked to', async () => {
    const dir = temporaryDirectory()
    const engine = await open(dir, { reclaimLog: true, keepSnapshots: 1, snapshotEveryTicks: 0 })
    await feed(engine, 0, 9000)
    await engine.log.rotate()
    await engine.createSnapshot('now')
    expect(engine.log.firstLsn).toBeGreaterThan(0)
    await feed(engine, 9000, 9100)
    await engine.close()
    const consumer = await FactorConsumer.open({ dir, log })
    expect(bitsOf(consumer.engine)).toEqual(bitsOf(uninterrupted(9100)))
    await consumer.close()
  })

  it('refuses a log whose values this build computes otherwise', async () => {
    const dir = temporaryDirectory()
    const engine = await open(dir, { snapshotEveryTicks: 0 })
    const series = engine.persister.channel
    await feed(engine, 0, 50)
    engine.processTick(tickAt(50))
    // The last value of the tick that waits: what another build might have written.
    series.float64[(series.bytes >> 3) - 1] = 12345
    await engine.flush()
    engine.log.poison(new Error('crash'))
    await engine.close().catch(() => {})
    await expect(DurableFactorEngine.open({ dir, log })).rejects.toMatchObject({
      code: 'TIDEMARK_REPLAY_DIFFERS',
      details: { instrument: tickAt(50).instrument, factor: 'smooth' },
    })
  })

  it('under drop leaves a refused tick out of engine and log alike', async () => {
    const dir = temporaryDirectory()
    const engine = await open(dir, { whenFull: 'drop', capacity: 20, batchSize: 20, groupCommit: false })
    await engine.flush()
    let taken = 0
    for (let i = 0; i < 3000; i++) if (engine.processTick(tickAt(i))) taken++
    const { dropped } = engine.stats().persister
    expect(dropped).toBe(3000 - taken)
    expect(dropped).toBeGreaterThan(0)
    expect(engine.stats().ticks).toBe(taken)
    const values = instruments.map((name) => engine.getAll(name))
    await engine.close()
    const again = await DurableFactorEngine.open({ dir, log })
    expect(instruments.map((name) => again.getAll(name))).toEqual(values)
    await again.close()
  })

  it('logs ranks at barriers', async () => {
    const dir = temporaryDirectory()
    const engine = await DurableFactorEngine.open({ dir, log })
    for (const name of instruments) engine.registerAll(name, { price: 'mean(last, 1)', place: 'rank(price)' })
    for (const [i, instrument] of instruments.entries()) {
      engine.processTick({ instrument, timestamp: i, last: 10 * i })
    }
    engine.barrier(5)
    engine.processTick({ instrument: instruments[0]!, timestamp: 6, last: 99 })
    await engine.flush()
    engine.log.poison(new Error('crash'))
    await engine.close().catch(() => {})
    const again = await DurableFactorEngine.open({ dir, log })
    expect(instruments.map((name) => again.get(name, 'place'))).toEqual([3, 2, 1])
    await again.close()
  })

  it('calls listeners only with what is on disk, each tick once and in order', async () => {
    const engine = await open(temporaryDirectory())
    await feed(engine, 0, 100)
    const seen: FactorUpdate[] = []
    let ahead = 0
    const stop = engine.onUpdate((update) => {
      if (update.lsn > engine.log.durableLsn) ahead++
      seen.push(update)
    })
    await feed(engine, 100, 400)
    await engine.flush()
    await expect.poll(() => seen.length).toBe(300)
    stop()
    expect(ahead).toBe(0)
    expect(seen.map(({ timestamp }) => timestamp)).toEqual(
      Array.from({ length: 300 }, (_, i) => tickAt(100 + i).timestamp),
    )
    expect(seen.at(-1)!.factors).toEqual(engine.getAll(seen.at(-1)!.instrument!))
    await engine.close()
  })
})

it('takes snapshots by itself every so many ticks', async () => {
  const dir = temporaryDirectory()
  const engine = await open(dir, { snapshotEveryTicks: 200, keepSnapshots: 3 })
  for (let i = 0; i < 5; i++) {
    await feed(engine, i * 200, (i + 1) * 200)
    await expect.poll(() => engine.stats().persister.snapshots).toBe(i + 1)
  }
  expect(readdirSync(path.join(dir, 'snapshots')).length).toBeLessThanOrEqual(4)
  expect(engine.stats().snapshotFailures).toBe(0)
  await engine.close()
})

describe('a factor consumer', () => {
  it('recovers values, engine, time and LSN, reads history by LSN, time and instrument, and follows live', async () => {
    const dir = temporaryDirectory()
    const engine = await open(dir, { snapshotEveryTicks: 0 })
    await feed(engine, 0, 1000)
    await engine.createSnapshot('thousand')
    await feed(engine, 1000, 1234)
    const middle = await engine.flush()
    await feed(engine, 1234, 2000)
    await engine.flush()
    const consumer = FactorConsumer.attach(engine.log)
    await consumer.recover()
    expect(consumer.getInstrumentFactors('ABC')).toEqual(engine.getAll('ABC'))
    expect([...consumer.getRecoveredFactors().keys()]).toEqual(instruments)
    expect(consumer.lastTimestamp()).toBe(tickAt(1999).timestamp)
    expect(consumer.lastLsn()).toBeGreaterThan(middle)
    expect(consumer.snapshot?.checkpointId).toBe('thousand')
    expect(() => consumer.getInstrumentFactors('NONE')).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_UNKNOWN_INSTRUMENT' }),
    )

    const after = await collect(consumer.history({ fromLsn: middle }))
    expect(after.map(({ timestamp }) => timestamp)).toEqual(
      Array.from({ length: 766 }, (_, i) => tickAt(1234 + i).timestamp),
    )
    const window = {
      fromTimestamp: tickAt(300).timestamp,
      toTimestamp: tickAt(400).timestamp,
      instruments: ['Xyz'],
    }
    const some = await collect(consumer.history(window))
    expect(some.map(({ timestamp }) => timestamp - 1_000_000)).toEqual(
      Array.from({ length: 101 }, (_, i) => 300 + i).filter((i) => i % 3 === 1),
    )
    expect(some.at(-1)!.factors).toEqual(uninterrupted(401).getAll('Xyz'))

    const controller = new AbortController()
    const live: FactorUpdate[] = []
    const following = (async () => {
      for await (const update of consumer.follow({ instruments: ['ABC'], signal: controller.signal }))
        live.push(update)
    })()
    await feed(engine, 2000, 2300)
    await engine.flush()
    await expect.poll(() => live.length).toBe(100)
    controller.abort()
    await following
    // Its engine is a running one: it continues with ticks of its own.
    const reference = uninterrupted(2300)
    for (const target of [consumer.engine, reference]) target.processTick(tickAt(2300))
    expect(bitsOf(consumer.engine)).toEqual(bitsOf(reference))
    await engine.close()
  })
})
