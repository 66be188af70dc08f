import { readdirSync, readlinkSync } from 'node:fs'
import * as path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import type { PoolEvent, Subscription } from '#tidemark/pool/index.js'
import { eventsOf, limit, openPool } from '../support/pools.js'
import { Random } from '../support/random.js'
import { placeOf, take, takeUpTo } from '../support/subscribers.js'
import { temporaryDirectory } from '../support/temporary.js'

const bufferBytes = 64 * 1024
const small = { ringBytes: 65_536, segmentBytes: 65_536, maxBatchBytes: 8192 }

function orders(random: Random, count: number, firstId: number) {
  return Array.from({ length: count }, (_, i) => {
    const side = random.int(2) ? 'buy' : 'sell'
    const order = limit(firstId + i, side, String(95 + random.int(10)), String(1 + random.int(9)))
    return { ...order, symbol: random.int(2) ? 'BTC-USD' : 'ETH-USD' }
  })
}

/** The order that ends a run: every subscriber reads up to it. */
const lastOrderId = 999_999

/** Reads at a random pace until it has seen the last order, or fails; once it knows the last LSN, without pauses. */
class Subscriber {
  readonly seen: string[] = []
  readonly sources = new Set<string>()
  error: { code?: string } | undefined
  lastLsn = Number.POSITIVE_INFINITY
  readonly subscription: Subscription
  readonly done: Promise<void>

  constructor(subscription: Subscription, random: Random, pause: number) {
    this.subscription = subscription
    this.done = this.#read(random, pause).catch((error) => {
      this.error = error
    })
  }

  async #read(random: Random, pause: number): Promise<void> {
    for await (const event of this.subscription) {
      this.seen.push(placeOf(event))
      if (random.int(200) === 0) {
        const stats = this.subscription.stats()
        this.sources.add(stats.source)
        expect(stats.bufferedBytes).toBeLessThanOrEqual(bufferBytes)
        if (this.subscription.cursor !== undefined) this.subscription.acknowledge()
        for (let i = random.int(1 + pause); i > 0 && this.lastLsn === Number.POSITIVE_INFINITY; i--)
          await turn()
      }
      if ('orderId' in event && event.orderId === lastOrderId) return
    }
  }
}

describe('subscribers', () => {
  it('each get every event once and in order, at any pace, over rotations and beside retention', async () => {
    const sources = new Set<string>()
    let overflowed = 0
    for (let seed = 1; seed <= 4; seed++) {
      const random = new Random(seed)
      const pool = await openPool({
        ...small,
        shards: 2,
        keepLogBytes: 100_000,
        keepSnapshots: 1,
        checkpointBytes: 0,
      })
      const subscribers: Subscriber[] = []
      let last = 0
      const subscribe = (options: { cursor?: string }, pause: number) =>
        subscribers.push(
          new Subscriber(
            pool.subscribe({ ...options, bufferBytes }),
            new Random(seed * 100 + subscribers.length),
            pause,
          ),
        )
      subscribe({ cursor: 'prompt' }, 0)
      subscribe({}, 0)
      for (const pause of [5, 20, 80]) subscribe({ cursor: `paused-${pause}` }, pause)
      for (const pause of [10, 40, 500]) subscribe({}, pause)
      for (let round = 0; round < 25; round++) {
        last = (await pool.submitBatch(orders(random, 400, 1 + round * 400))).lsn
        if (round % 5 === 4) await pool.checkpoint()
        if (round === 12) subscribe({ cursor: 'late' }, 15)
      }
      for (const subscriber of subscribers) subscriber.lastLsn = last
      await pool.submit(limit(lastOrderId, 'buy', '1', '1'))
      await Promise.all(subscribers.map(({ done }) => done))
      const all = subscribers[0]!.seen
      expect(new Set(all).size).toBe(all.length)
      expect(all.length, `seed ${seed}`).toBeGreaterThan(10_000)
      for (const [i, subscriber] of subscribers.entries()) {
        const { seen, error, subscription } = subscriber
        const first = all.indexOf(seen[0]!)
        const what = `seed ${seed}, subscriber ${i}`
        expect(seen.join('\n') === all.slice(first, first + seen.length).join('\n'), what).toBe(true)
        if (error) {
          expect(subscription.cursor, what).toBeUndefined()
          expect(error, what).toMatchObject({ code: 'TIDEMARK_BAD_LSN' })
        } else {
          expect(subscription.deliveredLsn, what).toBeGreaterThanOrEqual(subscriber.lastLsn)
        }
        for (const source of subscriber.sources) sources.add(source)
        overflowed += subscription.stats().overflowed
      }
      await pool.close()
    }
    expect(sources).toEqual(new Set(['ring', 'files']))
    expect(overflowed).toBeGreaterThan(0)
  })

  it('that have caught up are fed from memory, a hundred at once', async () => {
    const pool = await openPool()
    const subscriptions = Array.from({ length: 100 }, () => pool.subscribe())
    const first = await pool.submit(limit(1, 'buy', '10', '1'))
    await Promise.all(subscriptions.map((subscription) => takeUpTo(subscription, first.lsn)))
    const waiting = subscriptions.map((subscription) => take(subscription, 200))
    while (pool.stats().subscriptions.live < 100) await pool.submit(limit(1, 'buy', '10', '1'))
    for (let i = 2; i < 202; i++) await pool.submit(limit(i, 'buy', '10', '1'))
    const events = await Promise.all(waiting)
    const expected = (await eventsOf(pool, first.lsn)).slice(0, 200).map(placeOf)
    for (const seen of events) expect(seen.map(placeOf)).toEqual(expected)
    expect(pool.stats().subscriptions).toMatchObject({ open: 100, overflowed: 0 })
    await Promise.all(subscriptions.map((subscription) => subscription.return()))
    expect(pool.stats().subscriptions).toEqual({ open: 0, live: 0, bufferedBytes: 0, overflowed: 0 })
  })

  it('that stop reading keep their buffer in memory and no more, slow nothing, and miss nothing', async () => {
    const pool = await openPool({ ...small, segmentBytes: 1024 * 1024 })
    const still = Array.from({ length: 5 }, () => pool.subscribe({ bufferBytes }))
    const first = await pool.submit(limit(1, 'buy', '10', '1'))
    for (const subscription of still) await takeUpTo(subscription, first.lsn)
    // Each is asked once more, so that it is attached, and never again.
    const asked = still.map((subscription) => subscription.next())
    while (pool.stats().subscriptions.live < 5) await turn()
    await pool.submit(limit(2, 'buy', '10', '1'))
    await Promise.all(asked)
    const random = new Random(3)
    for (let round = 0; round < 50; round++) {
      await pool.submitBatch(orders(random, 400, 10 + round * 400))
      const { bufferedBytes } = pool.stats().subscriptions
      expect(bufferedBytes).toBeLessThanOrEqual(5 * bufferBytes)
    }
    expect(pool.stats()).toMatchObject({ inFlight: 0, commands: 20_004 })
    const end = pool.durableLsn
    const expected = (await eventsOf(pool)).map(placeOf)
    const { lsn } = await pool.submit(limit(500_000, 'buy', '1', '1'))
    for (const subscription of still) {
      const seen = (await takeUpTo(subscription, lsn)).map(placeOf)
      expect(seen.slice(0, -1).join('\n') === expected.slice(-seen.length + 1).join('\n')).toBe(true)
      expect(seen.length + 4).toBe(expected.length + 1)
      expect(subscription.stats()).toMatchObject({ overflowed: 1 })
    }
    expect(end).toBeGreaterThan(20 * bufferBytes)
  })

  it('that are fed from memory get one command with more events than the ring, or their buffer, holds', async () => {
    const pool = await openPool({ ringBytes: 65_536, segmentBytes: 131_072 })
    const makers = 3000
    const batch = pool.batch()
    for (let i = 1; i <= makers; i++) batch.addNew(0, i, 1, 1, 0, 0, 100 + (i % 50), 10)
    const { lsn: from } = await pool.submitBatch(batch)
    const subscriptions = [64 * 1024, 1024 * 1024].map((bytes) =>
      pool.subscribe({ from, bufferBytes: bytes }),
    )
    const reading = subscriptions.map((subscription) => take(subscription, 2 + makers))
    while (pool.stats().subscriptions.live < 2) await turn()
    await pool.submit(limit(8_000, 'buy', '0.5', '1'))
    const quantity = `${(makers * 10) / 100_000}`
    const sweep = await pool.submit({ ...limit(9_000, 'buy', '100', '1', 2), quantity })
    expect(sweep.lsn - from).toBeGreaterThan(65_536)
    for (const events of await Promise.all(reading)) {
      expect(events.slice(1).map(placeOf).join('\n')).toBe(sweep.events.map(placeOf).join('\n'))
    }
    expect(subscriptions.map((subscription) => subscription.deliveredLsn)).toEqual([sweep.lsn, sweep.lsn])
    // The smaller buffer may have been full, if its reader came too late for some of it; the larger one holds all of it.
    const [small, large] = subscriptions.map((subscription) => subscription.stats().overflowed)
    expect(small).toBeLessThanOrEqual(1)
    expect(large).toBe(0)
  })

  it('get what was in flight when the pool was closed, to its very end, and then end', async () => {
    const pool = await openPool()
    expect(() => pool.subscribe({ bufferBytes: 1 })).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_BAD_SETTING' }),
    )
    const seen: PoolEvent[] = []
    const reading = (async () => {
      for await (const event of pool.subscribe()) seen.push(event)
    })()
    await pool.submit(limit(1, 'buy', '10', '1'))
    const pending = Array.from({ length: 500 }, (_, i) => pool.submit(limit(2 + i, 'buy', '10', '1')))
    await pool.close()
    await Promise.all(pending)
    await reading
    expect(seen.filter(({ event }) => event === 'accepted')).toHaveLength(501)
    expect(() => pool.subscribe()).toThrowError(expect.objectContaining({ code: 'TIDEMARK_POOL_CLOSED' }))
  })

  it('get an error when what comes next for them is deleted', async () => {
    const pool = await openPool({ ...small, keepLogBytes: 0, keepSnapshots: 1 })
    const slow = pool.subscribe({ bufferBytes })
    await take(slow, 1)
    const random = new Random(4)
    for (let round = 0; round < 20; round++) await pool.submitBatch(orders(random, 1000, 1 + round * 1000))
    const { firstLsn } = await pool.checkpoint()
    expect(firstLsn).toBeGreaterThan(1024 * 1024)
    const reading = takeUpTo(slow, pool.durableLsn)
    await expect(reading).rejects.toMatchObject({ code: 'TIDEMARK_BAD_LSN', details: { firstLsn } })
    expect(await slow.next()).toEqual({ value: undefined, done: true })
  })
})

/** The files of a folder that this process has open. */
function openFilesOf(dir: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${name}`)
      return file.startsWith(`${dir}${path.sep}`) ? [path.basename(file)] : []
    } catch {
      return []
    }
  })
}

describe('a close', () => {
  it('closes the files of readers that were left as they were, which get the log to its end all the same', async () => {
    const pool = await openPool(small)
    const random = new Random(5)
    for (let round = 0; round < 5; round++) await pool.submitBatch(orders(random, 1000, 1 + round * 1000))
    const { dir, durableLsn } = pool
    const left = Array.from({ length: 3 }, () => pool.subscribe({ bufferBytes }))
    for (const subscription of left) await take(subscription, 1)
    const named = pool.subscribe({ cursor: 'named' })
    await take(named, 1)
    expect(openFilesOf(dir).filter((name) => name.endsWith('.wal')).length).toBeGreaterThan(left.length)
    await pool.close()
    expect(openFilesOf(dir)).toEqual([])
    expect(await named.next()).toEqual({ value: undefined, done: true })
    for (const subscription of left) {
      await takeUpTo(subscription, durableLsn)
      expect(subscription.deliveredLsn).toBe(durableLsn)
      expect(openFilesOf(dir)).toEqual([])
    }
  })
})

describe('a bare log', () => {
  it('closes the file of a reader that was left as it was', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory(), ringBytes: 65_536, segmentBytes: 65_536 })
    let last = 0
    for (let i = 0; i < 20; i++) await log.waitDurable((last = log.append(Buffer.alloc(10_000))))
    const read = log.reader()
    await read.nextChunk()
    const iterated = log.reader()[Symbol.asyncIterator]()
    await iterated.next()
    const reading = log.reader({ to: last })
    const underWay = reading.nextChunk()
    expect(openFilesOf(log.dir).length).toBeGreaterThan(3)
    await log.close()
    expect(openFilesOf(log.dir)).toEqual([])
    await underWay
    expect(openFilesOf(log.dir)).toEqual([])
  })

  it('feeds readers that have caught up from memory, while there is one', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory(), ringBytes: 65_536, segmentBytes: 65_536 })
    const reader = log.reader()
    const records = reader[Symbol.asyncIterator]()
    let last = 0
    const fed = async () => {
      for (;;) {
        last = log.append(Buffer.alloc(50))
        if ((await records.next()).value?.lsn !== last) throw new Error(`not the record at ${last}`)
        if (reader.stats().source === 'ring') return
      }
    }
    await fed()
    for (let i = 0; i < 3000; i++) {
      last = log.append(Buffer.alloc(50))
      if (i % 100 === 0) await log.waitDurable(last)
    }
    for (let seen = 0; seen < last; ) seen = (await records.next()).value!.lsn
    await fed()
    await records.return?.()
    const abort = new AbortController()
    const again = log.reader({ from: last, signal: abort.signal })[Symbol.asyncIterator]()
    last = log.append(Buffer.alloc(50))
    expect((await again.next()).value).toMatchObject({ lsn: last })
    await log.close()
    expect(await again.next()).toEqual({ value: undefined, done: true })
  })

  it('keeps what its tailer has yet to read, whatever it is asked to remove', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory(), ringBytes: 65_536, segmentBytes: 65_536 })
    const tailer = log.tail(0)
    let last = 0
    for (let i = 0; i < 10; i++) {
      last = log.append(Buffer.alloc(10_000))
      await log.waitDurable(last)
      if (i % 2) await log.rotate()
    }
    expect(await log.removeBefore(last)).toBe(0)
    let read = 0
    const following = tailer.start((chunk) => {
      read = chunk.endLsn
    })
    while (read < last) await turn()
    expect(await log.removeBefore(last)).toBeGreaterThan(0)
    await log.close()
    await following
  })
})
