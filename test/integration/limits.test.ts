import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { batchHeaderBytes, recordHeaderBytes } from '#tidemark/log/format/batch.js'
import { DurableLog } from '#tidemark/log/index.js'
import type { Command } from '#tidemark/matching/index.js'
import { EnginePool, PoolError } from '#tidemark/pool/index.js'
import { bitcoin, ether, eventsOf, limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

/** The largest instrument that there may be. */
const longest = {
  symbol: 'L'.repeat(64),
  tickSize: `0.${'0'.repeat(13)}1`.padEnd(32, '0'),
  lotSize: `0.${'0'.repeat(13)}1`.padEnd(32, '0'),
}

/** Of the largest orders that there are: 18 words. */
const largeOrder = (orderId: number): Command => ({
  type: 'new',
  symbol: 'BTC-USD',
  orderId,
  account: 1,
  side: 'buy',
  orderType: 'stop-limit',
  stopPrice: '9.00',
  price: '9.00',
  quantity: '1',
  displayQuantity: '0.1',
  requestId: orderId,
  tag: 1,
})

describe('a log', () => {
  it('takes a batch of a whole ring, and says of one that is larger that no waiting will help', async () => {
    const ringBytes = 64 * 1024
    const log = await DurableLog.open({ dir: temporaryDirectory(), ringBytes, maxBatchBytes: 4096 })
    onTestFinished(() => log.close())
    const payload = Buffer.alloc(4096 - batchHeaderBytes - recordHeaderBytes, 7)
    const whole = Array.from({ length: 16 }, () => payload)
    const { tailLsn } = log
    expect(() => log.appendBatch([...whole, Buffer.alloc(0)])).toThrowError(
      expect.objectContaining({
        code: 'TIDEMARK_BATCH_TOO_LARGE',
        details: { records: 17, bytes: ringBytes + batchHeaderBytes + recordHeaderBytes, ringBytes },
      }),
    )
    expect(log.tailLsn).toBe(tailLsn)
    let taken = 0
    while (taken < 3) {
      try {
        await log.waitDurable(log.appendBatch(whole))
        taken++
      } catch (error) {
        expect(error).toMatchObject({ code: 'TIDEMARK_RING_FULL' })
        expect((error as Error).stack).not.toContain('\n')
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    expect(log.durableLsn).toBe(tailLsn + 3 * ringBytes)
  })

  it('that fell idle has a whole ring for the next batch when its reader has read everything', async () => {
    const ringBytes = 64 * 1024
    const log = await DurableLog.open({ dir: temporaryDirectory(), ringBytes, maxBatchBytes: 4096 })
    onTestFinished(() => log.close())
    const abort = new AbortController()
    let read = 0
    const reading = (async () => {
      for await (const _ of log.reader({ signal: abort.signal })) read++
    })()
    const whole = Array.from({ length: 16 }, () => Buffer.alloc(4096 - batchHeaderBytes - recordHeaderBytes))
    for (let round = 1; round <= 3; round++) {
      const { syncMarkers } = log.stats()
      await log.waitDurable(log.append(Buffer.from('read from memory')))
      await expect.poll(() => log.stats().syncMarkers).toBe(syncMarkers + 1)
      await expect.poll(() => read).toBe((round - 1) * 17 + 1)
      let tries = 0
      for (let lsn: number | undefined; lsn === undefined && tries < 2000; tries++) {
        try {
          lsn = log.appendBatch(whole)
        } catch (error) {
          expect(error).toMatchObject({ code: 'TIDEMARK_RING_FULL' })
          await log.waitDurable(log.tailLsn)
        }
      }
      await expect.poll(() => read, { message: `after ${tries} tries` }).toBe(round * 17)
    }
    abort.abort()
    await reading
  })
})

describe('a pool with room for few commands', () => {
  it.each([1, 2, 3])('takes the largest there are, one at a time: %i', async (maxInFlight) => {
    const pool = await openPool({ maxInFlight, shards: 4, instruments: [bitcoin, ether, longest] })
    expect(pool.instruments()).toHaveLength(3)
    const { commands, inFlight } = pool.stats()
    expect({ commands, inFlight }).toEqual({ commands: 3, inFlight: 0 })
    expect((await pool.submit(largeOrder(1))).status).toBe('waiting')
    await pool.submit({ ...limit(2, 'buy', '50.00', '1', 1), symbol: 'ETH-USD' })
    expect(await pool.submitBatch([largeOrder(3)])).toMatchObject({ commands: 1 })
    // Every shard executes it, and it is one command of those in flight.
    const report = await pool.submit({ type: 'cancel-all', account: 1 })
    expect(report.events).toHaveLength(3)
    expect(pool.stats().inFlight).toBe(0)
    expect(pool.stats().shards.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0])
  })

  it('refuses beyond it, and always emits drain after a refusal', { timeout: 30_000 }, async () => {
    const pool = await openPool({ maxInFlight: 4, batchSize: 100, batchDelayMs: 20 })
    for (let round = 0; round < 3; round++) {
      const alone = pool.submit(limit(round * 10 + 1, 'buy', '1', '1'))
      expect(pool.needsDrain).toBe(false)
      const batch = [2, 3, 4, 5].map((i) => limit(round * 10 + i, 'buy', '1', '1'))
      const drained = once(pool, 'drain')
      await expect(pool.submitBatch(batch)).rejects.toMatchObject({ code: 'TIDEMARK_BACKPRESSURE' })
      await drained
      expect(await pool.submitBatch(batch)).toMatchObject({ commands: 4, rejected: 0 })
      expect((await alone).status).toBe('resting')
    }
  })

  it('is given more instruments than that when it opens, in their order', async () => {
    const dir = temporaryDirectory()
    const instruments = Array.from({ length: 1000 }, (_, i) => ({
      ...longest,
      symbol: `${i}`.padEnd(64, 'L'),
    }))
    const pool = await EnginePool.open({ dir, shards: 3, maxInFlight: 10, instruments })
    const known = pool.instruments().map(({ symbol, id }) => [symbol, id])
    await pool.close()
    expect(known).toEqual(instruments.map(({ symbol }, i) => [symbol, i]))
    const again = await openPool({ dir, instruments })
    expect(again.instruments().map(({ symbol, id }) => [symbol, id])).toEqual(known)
  })
})

describe('opening with an instrument that is malformed or named twice', () => {
  it('logs none of the others', async () => {
    const dir = temporaryDirectory()
    const cases = [
      [{ ...ether, tickSize: '-1' }, /^TIDEMARK_/],
      [bitcoin, /^TIDEMARK_DUPLICATE_SYMBOL$/],
    ] as const
    for (const [bad, code] of cases) {
      await expect(EnginePool.open({ dir, instruments: [bitcoin, bad] })).rejects.toMatchObject({
        code: expect.stringMatching(code),
      })
    }
    const pool = await openPool({ dir, instruments: [] })
    expect(pool.instruments()).toEqual([])
    expect(await eventsOf(pool)).toEqual([])
  })
})

describe('a batch for one shard', () => {
  it('fits up to its whole queue, and one command more is an error that says so', async () => {
    const pool = await openPool({ maxInFlight: 4096 })
    const bytesMax = 4096 * 16 * 4
    const batch = pool.batch()
    batch.add(largeOrder(1))
    const words = batch.parts[0]!.used
    const fitting = Math.floor(bytesMax / (words * 4))
    for (let i = 2; i <= fitting + 1; i++) batch.add(largeOrder(i))
    const { durableLsn } = pool
    await expect(pool.submitBatch(batch)).rejects.toMatchObject({
      code: 'TIDEMARK_BATCH_TOO_LARGE',
      details: { commands: fitting + 1, shard: 0, bytes: (fitting + 1) * words * 4, bytesMax },
    })
    expect(pool.stats()).toMatchObject({ inFlight: 0 })
    expect(pool.durableLsn).toBe(durableLsn)
    batch.clear()
    for (let i = 1; i <= fitting; i++) batch.add(largeOrder(i))
    expect(await pool.submitBatch(batch)).toMatchObject({ commands: fitting, rejected: 0 })
  })
})

describe('a refusal for want of room', () => {
  it('shares its error with those of the same turn only, without the stack frames that would cost more than a command', async () => {
    const { stackTraceLimit } = Error
    const pool = await openPool({ maxInFlight: 2, batchSize: 100, batchDelayMs: 20 })
    const taken = [1, 2].map((i) => pool.submit(limit(i, 'buy', '1', '1')))
    const refused = [3, 4].map((i) => pool.submit(limit(i, 'buy', '1', '1')).catch((error) => error))
    const batch = pool.submitBatch([limit(5, 'buy', '1', '1')]).catch((error) => error)
    const errors = await Promise.all([...refused, batch])
    expect(new Set(errors).size).toBe(1)
    for (const error of errors) {
      expect(error).toBeInstanceOf(PoolError)
      expect(error).toBeInstanceOf(Error)
      expect(error).toMatchObject({
        name: 'PoolError',
        code: 'TIDEMARK_BACKPRESSURE',
        details: { inFlight: 2, maxInFlight: 2 },
        message: expect.stringContaining('2 commands are in flight'),
      })
      expect(error.stack).not.toContain('\n')
    }
    expect(Error.stackTraceLimit).toBe(stackTraceLimit)
    errors.push(await pool.submit(limit(6, 'buy', '1', '1')).catch((error) => error))
    expect(new Set(errors).size).toBe(2)
    expect(errors.at(-1)).toMatchObject({ code: 'TIDEMARK_BACKPRESSURE', details: { inFlight: 2 } })
    await Promise.all(taken)
    const malformed = await pool.submit({ ...limit(7, 'buy', '1', '1'), orderId: 0 }).catch((error) => error)
    expect(malformed.stack).toContain('\n    at ')
  })
})

describe('questions', () => {
  it('are answered up to maxQuestions at once; one more is refused until one of them is answered', async () => {
    const pool = await openPool({ maxQuestions: 3, shards: 2 })
    await pool.submit(limit(1, 'buy', '1', '1'))
    for (let round = 0; round < 3; round++) {
      const asked = [pool.depth('BTC-USD', 1), pool.order('ETH-USD', 1), pool.lastRequestId(1, 'BTC-USD')]
      expect(pool.stats()).toMatchObject({ questions: 3, maxQuestions: 3 })
      const refusals = [
        pool.depth('BTC-USD'),
        pool.order('BTC-USD', 1),
        pool.lastRequestId(1, 'BTC-USD'),
        pool.digest(),
      ]
      for (const { reason } of (await Promise.allSettled(refusals)) as PromiseRejectedResult[]) {
        expect(reason).toMatchObject({
          code: 'TIDEMARK_BACKPRESSURE',
          details: { questions: 3, maxQuestions: 3 },
        })
      }
      expect(await Promise.all(asked)).toHaveLength(3)
      expect(pool.stats().questions).toBe(0)
    }
  })

  it('do not keep commands waiting, even if each of them takes long', async () => {
    const pool = await openPool()
    const batch = pool.batch()
    const { id } = pool.instrument('BTC-USD')!
    for (let i = 0; i < 4000; i++) batch.addNew(id, i + 1, 1, i & 1, 0, 0, i & 1 ? 10_000 + i : 9_000 - i, 1)
    await pool.submitBatch(batch)
    let isOvertaken = false
    for (let round = 0; round < 10 && !isOvertaken; round++) {
      const asked = Array.from({ length: 256 }, () => pool.depth('BTC-USD', 2000))
      const report = pool.submit(limit(10_000 + round, 'buy', '1', '1'))
      const answers = await Promise.all(asked)
      const lsns = answers.map(({ lsn }) => lsn)
      expect(lsns).toEqual(lsns.toSorted((a, b) => a - b))
      expect(answers.every(({ bids, asks }) => bids.length === 2000 && asks.length === 2000)).toBe(true)
      isOvertaken = lsns.at(-1)! >= (await report).lsn
    }
    expect(isOvertaken).toBe(true)
  })

  it('see every command that was submitted before them', async () => {
    const pool = await openPool()
    for (let i = 1; i <= 50; i++) {
      const ahead = Array.from({ length: 20 }, () => pool.depth('BTC-USD', 100))
      const report = pool.submit(limit(i, 'buy', '1', '1'))
      const { lsn, order } = await pool.order('BTC-USD', i)
      expect(order).toMatchObject({ orderId: i })
      expect(lsn).toBeGreaterThanOrEqual((await report).lsn)
      await Promise.all(ahead)
    }
  })

  it('to all shards count as one, and a checkpoint asks beside them', async () => {
    const pool = await openPool({ maxQuestions: 1, shards: 4 })
    const digest = pool.digest()
    expect(pool.stats().questions).toBe(1)
    const checkpoint = pool.checkpoint()
    await expect(pool.depth('BTC-USD')).rejects.toMatchObject({ code: 'TIDEMARK_BACKPRESSURE' })
    expect((await checkpoint).books).toBe(2)
    expect(Object.keys((await digest).symbols)).toEqual(['BTC-USD', 'ETH-USD'])
  })
})
