import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  FactorConsumer,
  FactorPersister,
  factorContentVersion,
  factorsLogKind,
  type PersisterOptions,
  SnapshotStore,
} from '#tidemark/factors/index.js'
import { DurableLog } from '#tidemark/log/index.js'
import { temporaryDirectory } from '../support/temporary.js'

const settings = { ringBytes: 1 << 17, segmentBytes: 1 << 20, maxBatchBytes: 1 << 15 }

async function open(options: PersisterOptions = {}, dir = temporaryDirectory()) {
  const log = await DurableLog.open({
    dir,
    kind: factorsLogKind,
    contentVersion: factorContentVersion,
    ...settings,
  })
  const snapshots = new SnapshotStore(path.join(dir, 'snapshots'))
  const persister = new FactorPersister(log, { ...options, snapshots })
  return { log, persister, dir, snapshots }
}

async function recovered(dir: string): Promise<FactorConsumer> {
  return FactorConsumer.open({ dir, log: settings })
}

/** One batch is under way to the disk, and `capacity` messages wait after it: nothing moves before the next await. */
const narrow: PersisterOptions = { batchSize: 5, capacity: 10, groupCommit: false, maxDelayMs: 1 }

async function history(dir: string): Promise<number[]> {
  const consumer = await recovered(dir)
  const values: number[] = []
  for await (const update of consumer.history()) values.push(...(Object.values(update.factors) as number[]))
  await consumer.close()
  return values
}

describe('a factor persister', () => {
  it('makes updates and vectors durable, whole and in order, under long names', async () => {
    const { log, persister, dir } = await open()
    const long = 'ű'.repeat(128)
    const factors = Array.from({ length: 1500 }, (_, i) => `factor-${i}`)
    const wide = persister.series(long, factors)
    persister.sendUpdate('ABC', 'ema', 1.5, 10)
    const lsn = await persister.persistUpdate('ABC', 'ema', undefined, 11)
    expect(lsn).toBeLessThanOrEqual(log.durableLsn)
    const values = Float64Array.from(factors, (_, i) => i / 7)
    const promise = persister.persistVector(wide, values, 12)
    values.fill(0)
    await promise
    await persister.shutdown()
    await log.close()
    const consumer = await recovered(dir)
    expect(consumer.getInstrumentFactors('ABC')).toEqual({ ema: undefined })
    const back = consumer.getInstrumentFactors(long)
    expect(Object.keys(back)).toEqual(factors)
    expect(Object.values(back)).toEqual(factors.map((_, i) => i / 7))
    expect(consumer.lastTimestamp()).toBe(12)
    await consumer.close()
  })

  it('writes one record a batch, when it is full or its oldest message has waited', async () => {
    const { log, persister } = await open({ batchSize: 100, maxDelayMs: 5 })
    await persister.flush()
    const series = persister.series('ABC', ['a', 'b'])
    await persister.flush()
    const before = persister.stats().batches
    for (let i = 0; i < 250; i++) persister.sendVector(series, [i, -i], i)
    expect(persister.stats()).toMatchObject({ batches: before + 2, pending: 50 })
    await expect.poll(() => persister.stats().inFlight + persister.stats().pending).toBe(0)
    expect(persister.stats()).toMatchObject({ batches: before + 3, sent: 251, durable: 251 })
    await persister.shutdown()
    await log.close()
  })

  it('drains everything on shutdown, and takes nothing more', async () => {
    const { log, persister, dir } = await open({ preset: 'highThroughput', maxDelayMs: 10_000 })
    const series = persister.series('ABC', ['x'])
    for (let i = 0; i < 3210; i++) persister.sendVector(series, [i], i)
    await persister.shutdown()
    expect(persister.stats()).toMatchObject({ sent: 3211, durable: 3211, pending: 0, inFlight: 0 })
    const closed = expect.objectContaining({ code: 'TIDEMARK_PERSISTER_CLOSED' })
    expect(() => persister.sendVector(series, [1], 1)).toThrow(closed)
    await expect(persister.persistVector(series, [1], 1)).rejects.toEqual(closed)
    await expect(persister.sendSnapshot('late', new Uint8Array(0))).rejects.toEqual(closed)
    await log.close()
    expect(await history(dir)).toEqual(Array.from({ length: 3210 }, (_, i) => i))
  })

  it('continues when the ring was full', async () => {
    const { log, persister, dir } = await open({ batchSize: 1000, capacity: 100_000 })
    const series = persister.series('ABC', ['x', 'y', 'z', 'u', 'v', 'w'])
    let refused = 0
    let sent = 0
    // As many as it takes to be far ahead of the flusher, which a slow machine lets keep up for longer.
    while (persister.stats().pending <= 10_000 && sent < 90_000) {
      for (const end = sent + 1000; sent < end; sent++)
        refused += persister.sendVector(series, [sent, sent, sent, sent, sent, sent], sent) ? 0 : 1
    }
    expect(persister.stats().pending).toBeGreaterThan(10_000)
    await persister.shutdown()
    await log.close()
    expect(refused).toBe(0)
    expect(await history(dir)).toEqual(Array.from({ length: 6 * sent }, (_, i) => Math.floor(i / 6)))
  })

  it('keeps an application snapshot at its place in the order of messages', async () => {
    const { log, persister, dir } = await open({ batchSize: 100, maxDelayMs: 1000 })
    const series = persister.series('ABC', ['x'])
    persister.sendVector(series, [1], 1)
    const snapshot = persister.sendSnapshot('half', Buffer.from('mine'))
    persister.sendVector(series, [2], 2)
    persister.sendUpdate('New', 'y', 3, 3)
    const info = await snapshot
    expect(info).toMatchObject({ checkpointId: 'half', timestamp: 1 })
    await persister.shutdown()
    await log.close()
    const consumer = await recovered(dir)
    expect(consumer.snapshot).toEqual(info)
    expect(Buffer.from(consumer.snapshotState!).toString()).toBe('mine')
    expect(Object.fromEntries(consumer.getRecoveredFactors())).toEqual({ ABC: { x: 2 }, New: { y: 3 } })
    await consumer.close()
  })

  it('keeps in a snapshot the last values of what is not sent again', async () => {
    const { log, persister, dir } = await open()
    persister.sendUpdate('Old', 'x', -0, 5)
    await persister.sendSnapshot('s', new Uint8Array(0))
    await persister.shutdown()
    await log.close()
    const consumer = await recovered(dir)
    expect(consumer.getInstrumentFactors('Old')).toEqual({ x: -0 })
    await consumer.close()
  })
})

describe('a full channel', () => {
  it('under wait throws to a sender, lets callers of persist in by turns, and loses nothing', async () => {
    const { log, persister, dir } = await open({ ...narrow, whenFull: 'wait' })
    const series = persister.series('ABC', ['x'])
    await persister.flush()
    let sent = 0
    expect(() => {
      for (; sent < 1000; sent++) persister.sendVector(series, [sent], sent)
    }).toThrow(expect.objectContaining({ code: 'TIDEMARK_CHANNEL_FULL' }))
    expect(sent).toBe(15)
    const waiting = Array.from({ length: 40 }, (_, i) =>
      persister.persistVector(series, [sent + i], sent + i),
    )
    expect(() => persister.sendVector(series, [-1], 1)).toThrow()
    await Promise.all(waiting)
    await persister.ready()
    persister.sendVector(series, [55], 55)
    expect(persister.stats()).toMatchObject({ refused: 2, dropped: 0, superseded: 0 })
    await persister.shutdown()
    await log.close()
    expect(await history(dir)).toEqual(Array.from({ length: 56 }, (_, i) => i))
  })

  it('under drop says so, counts, and rejects the promise of a dropped message', async () => {
    const { log, persister, dir } = await open({ ...narrow, whenFull: 'drop' })
    const series = persister.series('ABC', ['x'])
    await persister.flush()
    const taken = Array.from({ length: 30 }, (_, i) => persister.sendVector(series, [i], i))
    expect(taken).toEqual(Array.from({ length: 30 }, (_, i) => i < 15))
    await expect(persister.persistVector(series, [99], 99)).rejects.toMatchObject({
      code: 'TIDEMARK_CHANNEL_FULL',
    })
    expect(persister.stats()).toMatchObject({ dropped: 16 })
    await persister.shutdown()
    await log.close()
    expect(await history(dir)).toEqual(Array.from({ length: 15 }, (_, i) => i))
  })

  it('under latest keeps the newest of each series, and rejects the promise of each that was replaced', async () => {
    const { log, persister, dir } = await open({ ...narrow, whenFull: 'latest' })
    const [a, b, c] = ['A', 'B', 'C'].map((name) => persister.series(name, ['x']))
    await persister.flush()
    for (let i = 0; i < 14; i++) persister.sendVector(a!, [i], i)
    const replaced = persister.persistVector(b!, [100], 14)
    const rejected = expect(replaced).rejects.toMatchObject({ code: 'TIDEMARK_SUPERSEDED' })
    for (let i = 15; i < 500; i++) persister.sendVector(i % 2 === 0 ? a! : b!, [i], i)
    const kept = persister.persistVector(b!, [501], 501)
    persister.sendVector(c!, [7], 502)
    await rejected
    await kept
    await persister.shutdown()
    const { sent, durable, superseded, dropped, failed } = persister.stats()
    expect({ all: durable + superseded, dropped, failed }).toEqual({ all: sent, dropped: 0, failed: 0 })
    expect(superseded).toBe(486)
    await log.close()
    const consumer = await recovered(dir)
    expect(Object.fromEntries(consumer.getRecoveredFactors())).toEqual({
      A: { x: 498 },
      B: { x: 501 },
      C: { x: 7 },
    })
    await consumer.close()
  })
})

describe('what a persister refuses', () => {
  it('values that do not fit, names that do not, and what is too large for a record: nothing is cut short', async () => {
    const { log, persister } = await open()
    const series = persister.series('ABC', ['x', 'y'])
    const bad = expect.objectContaining({ code: 'TIDEMARK_BAD_VALUE' })
    expect(() => persister.sendVector(series, [1], 1)).toThrow(bad)
    expect(() => persister.sendVector(series, [1, Number.POSITIVE_INFINITY], 1)).toThrow(bad)
    expect(() => persister.sendVector(series, [1, 2], Number.NaN)).toThrow(bad)
    const name = expect.objectContaining({ code: 'TIDEMARK_BAD_NAME' })
    expect(() => persister.sendUpdate('', 'x', 1, 1)).toThrow(name)
    expect(() => persister.sendUpdate('A', 'x'.repeat(257), 1, 1)).toThrow(name)
    const tooLarge = expect.objectContaining({ code: 'TIDEMARK_VECTOR_TOO_LARGE' })
    expect(() =>
      persister.series(
        'A',
        Array.from({ length: 9000 }, (_, i) => `f${i}`),
      ),
    ).toThrow(tooLarge)
    await persister.shutdown()
    await log.close()
  })

  it.each([
    ['preset', { preset: 'fast' as 'balanced' }],
    ['batchSize', { batchSize: 0 }],
    ['batchSize', { batchSize: 100, capacity: 50 }],
    ['maxDelayMs', { maxDelayMs: -1 }],
    ['capacity', { capacity: 1.5 }],
    ['whenFull', { whenFull: 'panic' as 'wait' }],
  ])('a %s that can not be used', async (setting, options) => {
    const log = await DurableLog.open({
      dir: temporaryDirectory(),
      kind: factorsLogKind,
      contentVersion: factorContentVersion,
      ...settings,
    })
    expect(() => new FactorPersister(log, options)).toThrow(
      expect.objectContaining({
        code: 'TIDEMARK_BAD_SETTING',
        details: expect.objectContaining({ setting }),
      }),
    )
    await log.close()
  })

  it('anything once the log is poisoned: every promise is rejected, and every message accounted for', async () => {
    const { log, persister } = await open({ ...narrow, whenFull: 'wait' })
    const series = persister.series('ABC', ['x'])
    await persister.flush()
    const errors: Error[] = []
    persister.on('error', (error) => errors.push(error))
    const promises = Array.from({ length: 60 }, (_, i) => persister.persistVector(series, [i], i))
    log.poison(new Error('no space left on device'))
    const outcomes = await Promise.allSettled(promises)
    const rejected = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(rejected.length).toBeGreaterThan(0)
    for (const { reason } of rejected) expect(reason).toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    expect(() => persister.sendVector(series, [1], 1)).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_LOG_POISONED' }),
    )
    await expect(persister.ready()).rejects.toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    await expect(persister.shutdown()).rejects.toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    const { sent, durable, failed, pending, inFlight } = persister.stats()
    expect({ all: durable + failed, pending, inFlight }).toEqual({ all: sent, pending: 0, inFlight: 0 })
    expect(errors).toHaveLength(1)
    await log.close()
  })
})
