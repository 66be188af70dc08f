import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cursorPath, encodeSlot, readCursorFiles } from '#tidemark/log/tools/cursor-file.js'
import { cursorStoreDelayMs } from '#tidemark/pool/delivery/cursor.js'
import {
  type CursorInvalidation,
  cursorsMax,
  EnginePool,
  type EnginePoolOptions,
  type PoolEvent,
} from '#tidemark/pool/index.js'
import { ManualClock } from '../support/manual-clock.js'
import { eventsOf, limit, openPool } from '../support/pools.js'
import { Random } from '../support/random.js'
import { placeOf, take, takeUpTo } from '../support/subscribers.js'
import { temporaryDirectory } from '../support/temporary.js'

const small: EnginePoolOptions = {
  ringBytes: 65_536,
  segmentBytes: 65_536,
  maxBatchBytes: 8192,
  checkpointBytes: 0,
  keepSnapshots: 1,
}

const failsWith = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) })

/** Buy orders of their own ids, one event each; resolves with the LSN of the last. */
async function buy(pool: EnginePool, count: number, firstId = 1): Promise<number> {
  const { lsn } = await pool.submitBatch(
    Array.from({ length: count }, (_, i) => limit(firstId + i, 'buy', '10', '1')),
  )
  return lsn
}

const storedLsn = async (dir: string, name: string) =>
  (await readCursorFiles(dir)).find((cursor) => cursor.name === name)?.record?.lsn

describe('a cursor', () => {
  it('continues exactly after what was acknowledged, after a subscription, a clean close, and both again', async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const random = new Random(seed)
      const dir = temporaryDirectory()
      const kept: string[] = []
      let orderId = 1
      for (let life = 0; life < 4; life++) {
        const pool = await openPool({ ...small, dir, shards: 1 + random.int(2) })
        for (let turn = 0; turn < 3; turn++) {
          const subscription = pool.subscribe({ cursor: 'risk' })
          const batch = Array.from({ length: 150 }, () => {
            const side = random.int(2) ? 'buy' : 'sell'
            return limit(orderId++, side, String(98 + random.int(5)), String(1 + random.int(20)))
          })
          await pool.submitBatch(batch)
          const events = await take(subscription, 1 + random.int(250))
          subscription.acknowledge()
          const { acknowledgedLsn } = subscription
          kept.push(...events.filter(({ lsn }) => lsn <= acknowledgedLsn!).map(placeOf))
          await subscription.return()
        }
        if (life === 3) {
          const subscription = pool.subscribe({ cursor: 'risk' })
          const { lsn } = await pool.submit(limit(orderId++, 'buy', '1', '1'))
          kept.push(...(await takeUpTo(subscription, lsn)).map(placeOf))
          expect(kept.join('\n'), `seed ${seed}`).toBe((await eventsOf(pool)).map(placeOf).join('\n'))
        }
        await pool.close()
      }
    }
  })

  it('acknowledges whole records that were delivered, and nothing else', async () => {
    const pool = await openPool()
    const lastBuy = await buy(pool, 5)
    const sweep = await pool.submit({ ...limit(100, 'sell', '10', '5'), account: 1 })
    const later = await buy(pool, 1, 200)
    const subscription = pool.subscribe({ cursor: 'risk' })
    const { acknowledgedLsn } = subscription
    expect(acknowledgedLsn).toBe(0)
    subscription.acknowledge()
    expect(() => subscription.acknowledge(lastBuy)).toThrowError(
      failsWith('TIDEMARK_BAD_ACKNOWLEDGEMENT', { lsn: lastBuy, deliveredLsn: 0 }),
    )
    // Two instruments, five orders, and the first two of the six events of the sweep.
    const events = await take(subscription, 9)
    expect(events.at(-1)).toMatchObject({ lsn: sweep.lsn, index: 1 })
    expect(subscription.deliveredLsn).toBe(lastBuy)
    for (const lsn of [sweep.lsn, later, lastBuy - 8, lastBuy + 8, 4, -8, 0.5, Number.NaN, 2 ** 60]) {
      expect(() => subscription.acknowledge(lsn), String(lsn)).toThrowError(
        failsWith('TIDEMARK_BAD_ACKNOWLEDGEMENT', { lsn, deliveredLsn: lastBuy }),
      )
    }
    expect(subscription.acknowledgedLsn).toBe(0)
    subscription.acknowledge(events[3]!.lsn)
    expect(subscription.acknowledgedLsn).toBe(events[3]!.lsn)
    // An LSN before the last acknowledged one is no error, and takes nothing back.
    subscription.acknowledge(events[2]!.lsn)
    subscription.acknowledge(events[3]!.lsn)
    expect(subscription.acknowledgedLsn).toBe(events[3]!.lsn)
    subscription.acknowledge()
    expect(subscription.acknowledgedLsn).toBe(lastBuy)
    await take(subscription, 4)
    expect(subscription.deliveredLsn).toBe(sweep.lsn)
    subscription.acknowledge(sweep.lsn)
    expect(await take(subscription, 1)).toMatchObject([{ lsn: later }])
    await subscription.return()
    subscription.acknowledge()
    expect(pool.cursors()).toMatchObject([{ name: 'risk', state: 'valid', live: false, lsn: later }])
    const without = pool.subscribe()
    expect(() => without.acknowledge()).toThrowError(failsWith('TIDEMARK_BAD_ARGUMENT'))
    await expect(without.flush()).rejects.toMatchObject({ code: 'TIDEMARK_BAD_ARGUMENT' })
  })

  it('is held by one subscription at a time', async () => {
    const pool = await openPool()
    await buy(pool, 3)
    const abort = new AbortController()
    const first = pool.subscribe({ cursor: 'risk', signal: abort.signal })
    await take(first, 3)
    expect(() => pool.subscribe({ cursor: 'risk' })).toThrowError(
      failsWith('TIDEMARK_CURSOR_IN_USE', { name: 'risk' }),
    )
    await expect(pool.dropCursor('risk')).rejects.toEqual(failsWith('TIDEMARK_CURSOR_IN_USE'))
    // Aborted while no call of next waits.
    abort.abort()
    await Promise.resolve()
    await Promise.resolve()
    const second = pool.subscribe({ cursor: 'risk' })
    expect(() => first.acknowledge()).toThrowError(failsWith('TIDEMARK_SUBSCRIPTION_CLOSED'))
    await expect(first.flush()).rejects.toMatchObject({ code: 'TIDEMARK_SUBSCRIPTION_CLOSED' })
    await take(second, 1)
    second.acknowledge()
    for await (const _event of second) break
    const third = pool.subscribe({ cursor: 'risk', signal: AbortSignal.abort() })
    expect(await third.next()).toEqual({ value: undefined, done: true })
    pool.subscribe({ cursor: 'risk' })
    pool.subscribe({ cursor: 'other' })
    expect(pool.cursors().map(({ name, live }) => [name, live])).toEqual([
      ['other', true],
      ['risk', true],
    ])
  })

  it('begins at the beginning of the log, or at "from", which one that exists refuses', async () => {
    const pool = await openPool()
    const lsn = await buy(pool, 3)
    const whole = pool.subscribe({ cursor: 'whole' })
    expect((await take(whole, 1))[0]).toMatchObject({ event: 'instrument-created' })
    const part = pool.subscribe({ cursor: 'part', from: lsn })
    await part.flush()
    await part.return()
    expect(() => pool.subscribe({ cursor: 'part', from: lsn })).toThrowError(
      failsWith('TIDEMARK_CURSOR_EXISTS', { name: 'part', from: lsn, lsn }),
    )
    const next = await buy(pool, 1, 10)
    expect(await take(pool.subscribe({ cursor: 'part' }), 1)).toMatchObject([{ lsn: next }])
    // Not the beginning of a record: neither an LSN that can't be one, nor one that is none.
    expect(() => pool.subscribe({ cursor: 'bad', from: 4 })).toThrowError(failsWith('TIDEMARK_BAD_LSN'))
    const bad = pool.subscribe({ cursor: 'bad', from: lsn - 8 })
    await expect(bad.next()).rejects.toMatchObject({ code: 'TIDEMARK_BAD_LSN' })
    expect(pool.cursors().map(({ name }) => name)).toEqual(['part', 'whole'])
    expect(readdirSync(pool.dir).filter((name) => name.startsWith('cursor'))).toEqual([
      'cursor-part.cur',
      'cursor-whole.cur',
    ])
  })

  it('that is dropped is gone, also while it was still being made', async () => {
    const pool = await openPool()
    const from = await buy(pool, 3)
    for (let i = 0; i < 10; i++) {
      const subscription = pool.subscribe({ cursor: 'risk', from: i % 2 ? from : 0 })
      for (let turns = i; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
      await subscription.return()
      await pool.dropCursor('risk')
      expect(pool.cursors()).toEqual([])
      expect(() => subscription.acknowledge()).toThrowError(failsWith('TIDEMARK_SUBSCRIPTION_CLOSED'))
    }
    await pool.checkpoint()
    expect(readdirSync(pool.dir).filter((name) => name.startsWith('cursor'))).toEqual([])
  })

  it('needs a plain name, and there are so many at most', async () => {
    const pool = await openPool()
    for (const cursor of ['', '../risk', 'a b', 'a'.repeat(65), 7 as never, null as never]) {
      expect(() => pool.subscribe({ cursor }), String(cursor)).toThrowError(
        failsWith('TIDEMARK_BAD_ARGUMENT'),
      )
    }
    await pool.close()
    for (let i = 0; i < cursorsMax - 1; i++) {
      const name = `many-${i}`
      const slot = encodeSlot({ name, state: 'valid', lsn: 0, sequence: 2, writtenUs: 0 })
      writeFileSync(cursorPath(pool.dir, name), slot)
    }
    const again = await openPool({ dir: pool.dir })
    await again.subscribe({ cursor: 'one-more' }).flush()
    expect(() => again.subscribe({ cursor: 'too-many' })).toThrowError(
      failsWith('TIDEMARK_BAD_ARGUMENT', { cursorsMax }),
    )
    await again.dropCursor('many-7')
    await again.subscribe({ cursor: 'too-many' }).flush()
  })
})

describe('what a cursor acknowledges', () => {
  it('is stored a little later, together, and at once on request or when the pool is closed', async () => {
    const clock = new ManualClock()
    const pool = await openPool({ clock })
    await buy(pool, 100)
    const subscription = pool.subscribe({ cursor: 'risk' })
    const events = await take(subscription, 102)
    expect(await storedLsn(pool.dir, 'risk')).toBe(0)
    const file = () => readFileSync(cursorPath(pool.dir, 'risk')).toString('hex')
    const before = file()
    for (const { lsn } of events.slice(0, 50)) subscription.acknowledge(lsn)
    clock.advance(cursorStoreDelayMs - 1)
    await buy(pool, 1, 1000)
    expect(file()).toBe(before)
    expect(pool.cursors()).toMatchObject([{ lsn: events[49]!.lsn, storedLsn: 0 }])
    clock.advance(1)
    while (pool.cursors()[0]!.storedLsn === 0) await buy(pool, 1, 1000)
    expect(await storedLsn(pool.dir, 'risk')).toBe(events[49]!.lsn)
    subscription.acknowledge(events[60]!.lsn)
    await subscription.flush()
    expect(await storedLsn(pool.dir, 'risk')).toBe(events[60]!.lsn)
    expect(clock.pending).toBe(0)
    subscription.acknowledge(events[101]!.lsn)
    await pool.close()
    expect(await storedLsn(pool.dir, 'risk')).toBe(events[101]!.lsn)
    expect(await subscription.next()).toEqual({ value: undefined, done: true })
    expect(() => subscription.acknowledge()).toThrowError(failsWith('TIDEMARK_POOL_CLOSED'))
    await expect(subscription.flush()).rejects.toMatchObject({ code: 'TIDEMARK_POOL_CLOSED' })
    await expect(pool.dropCursor('risk')).rejects.toMatchObject({ code: 'TIDEMARK_POOL_CLOSED' })
    expect(() => pool.subscribe({ cursor: 'risk' })).toThrowError(failsWith('TIDEMARK_POOL_CLOSED'))
  })

  it('is on disk before anything is delivered, as far as the cursor itself goes', async () => {
    const pool = await openPool()
    const from = await buy(pool, 3)
    const subscription = pool.subscribe({ cursor: 'risk', from })
    await buy(pool, 1, 10)
    await take(subscription, 1)
    expect(await storedLsn(pool.dir, 'risk')).toBe(from)
  })

  it('and cannot be stored rejects its flush, and is written again later', async () => {
    const pool = await EnginePool.open({ dir: temporaryDirectory(), clock: new ManualClock() })
    await pool.addInstrument({ symbol: 'BTC-USD', tickSize: '1', lotSize: '1' })
    const lsn = await buy(pool, 3)
    const subscription = pool.subscribe({ cursor: 'risk' })
    await take(subscription, 2)
    const file = cursorPath(pool.dir, 'risk')
    const content = readFileSync(file)
    rmSync(file)
    mkdirSync(file)
    subscription.acknowledge()
    await expect(subscription.flush()).rejects.toMatchObject({
      code: 'TIDEMARK_LOG_IO',
      details: { path: file },
    })
    rmSync(file, { recursive: true })
    writeFileSync(file, content)
    await subscription.flush()
    expect(await storedLsn(pool.dir, 'risk')).toBe(subscription.acknowledgedLsn)
    await take(subscription, 2)
    subscription.acknowledge(lsn)
    rmSync(file)
    await expect(pool.close()).rejects.toMatchObject({ code: 'TIDEMARK_LOG_IO' })
    // All else is closed: the folder is free.
    await (await EnginePool.open({ dir: pool.dir })).close()
  })
})

describe('retention beside cursors', () => {
  it('ends a loop over a cursor that it invalidates with the reason, also one that is read after the close', async () => {
    const pool = await openPool({
      ...small,
      keepLogBytes: 0,
      keepSnapshots: 1,
      cursorKeepBytes: 0,
      clock: new ManualClock(),
    })
    const outcome = async (subscription: AsyncIterable<PoolEvent>) => {
      try {
        for await (const _event of subscription) return 'an event'
        return 'an ordinary end'
      } catch (error) {
        return (error as { code?: string }).code
      }
    }
    const [early, late] = [pool.subscribe({ cursor: 'early' }), pool.subscribe({ cursor: 'late' })]
    for (const subscription of [early, late]) await take(subscription, 1)
    await buy(pool, 2000)
    await pool.checkpoint()
    expect(pool.cursors().map(({ state }) => state)).toEqual(['invalidated', 'invalidated'])
    expect(await outcome(early)).toBe('TIDEMARK_CURSOR_INVALIDATED')
    await pool.close()
    expect(await outcome(late)).toBe('TIDEMARK_CURSOR_INVALIDATED')
  })

  it('keeps what a cursor needs, as it is stored, up to cursorKeepBytes and not a byte more', async () => {
    const pool = await openPool({
      ...small,
      keepLogBytes: 0,
      cursorKeepBytes: 300_000,
      clock: new ManualClock(),
    })
    const invalidated: CursorInvalidation[] = []
    pool.on('cursorInvalidated', (invalidation) => invalidated.push(invalidation))
    const subscription = pool.subscribe({ cursor: 'risk' })
    const held = pool.subscribe({ cursor: 'held' })
    await take(held, 1)
    let id = 1
    const grow = async (count: number) => {
      const lsn = await buy(pool, count, id)
      id += count
      return lsn
    }
    await takeUpTo(subscription, await grow(3000))
    subscription.acknowledge()
    const { firstLsn: kept } = await pool.checkpoint()
    expect(kept).toBe(0)
    expect(invalidated).toEqual([])
    // "held" is at 0; now it is further back than it may be, and "risk" is not.
    const at = subscription.acknowledgedLsn!
    await grow(3000)
    expect(pool.durableLsn).toBeGreaterThan(300_000)
    expect(pool.durableLsn - at).toBeLessThan(300_000)
    const { firstLsn } = await pool.checkpoint()
    expect(invalidated).toMatchObject([{ name: 'held', lsn: 0, keepBytes: 300_000 }])
    expect(firstLsn).toBeGreaterThan(0)
    expect(firstLsn).toBeLessThanOrEqual(at)
    expect(() => held.acknowledge()).toThrowError(failsWith('TIDEMARK_CURSOR_INVALIDATED', { name: 'held' }))
    await expect(held.flush()).rejects.toMatchObject({ code: 'TIDEMARK_CURSOR_INVALIDATED' })
    // Its iteration ends with the reason, however often it is asked, and never as if there were nothing more.
    for (let i = 0; i < 2; i++)
      await expect(held.next()).rejects.toMatchObject({ code: 'TIDEMARK_CURSOR_INVALIDATED' })
    expect(await held.return()).toEqual({ value: undefined, done: true })
    expect(() => pool.subscribe({ cursor: 'held' })).toThrowError(failsWith('TIDEMARK_CURSOR_INVALIDATED'))
    expect((await takeUpTo(subscription, await grow(1))).length).toBe(3001)
    subscription.acknowledge()
    expect((await pool.checkpoint()).firstLsn).toBeGreaterThan(at)
    const { dir } = pool
    await pool.close()
    const again = await openPool({ ...small, dir })
    expect(again.cursors()).toMatchObject([
      { name: 'held', state: 'invalidated', live: false },
      { name: 'risk', state: 'valid', lagBytes: expect.any(Number) },
    ])
    expect(() => again.subscribe({ cursor: 'held' })).toThrowError(failsWith('TIDEMARK_CURSOR_INVALIDATED'))
    await again.dropCursor('held')
    await expect(again.dropCursor('held')).rejects.toMatchObject({ code: 'TIDEMARK_UNKNOWN_CURSOR' })
    await again.subscribe({ cursor: 'held' }).flush()
    expect(again.cursors()[0]).toMatchObject({ name: 'held', state: 'valid', lsn: firstLsnOf(dir) })
  })

  it.each([
    [0, true],
    [8, false],
  ])('with cursorKeepBytes %i bytes below the lag of a cursor keeps it: %s', async (less, keeps) => {
    const dir = temporaryDirectory()
    const first = await openPool({ ...small, dir })
    const cursor = first.subscribe({ cursor: 'risk' })
    await takeUpTo(cursor, await buy(first, 10))
    cursor.acknowledge()
    await buy(first, 3000, 100)
    await first.close()
    const { lagBytes } = await lagOf(dir)
    const pool = await openPool({
      ...small,
      dir,
      instruments: [],
      keepLogBytes: 0,
      cursorKeepBytes: lagBytes - less,
    })
    expect(pool.cursors()).toMatchObject([{ lagBytes }])
    const { firstLsn } = await pool.checkpoint()
    expect(pool.durableLsn).toBe(first.durableLsn)
    expect(pool.cursors()).toMatchObject([{ state: keeps ? 'valid' : 'invalidated' }])
    expect(firstLsn > 0).toBe(!keeps)
  })

  it('keeps the log from where a cursor is stored, while what it acknowledged since cannot be', async () => {
    const pool = await openPool({ ...small, keepLogBytes: 0, clock: new ManualClock() })
    const subscription = pool.subscribe({ cursor: 'risk' })
    await takeUpTo(subscription, await buy(pool, 10))
    subscription.acknowledge()
    await subscription.flush()
    const stored = subscription.acknowledgedLsn!
    await takeUpTo(subscription, await buy(pool, 3000, 100))
    const file = cursorPath(pool.dir, 'risk')
    const content = readFileSync(file)
    rmSync(file)
    mkdirSync(file)
    subscription.acknowledge()
    expect((await pool.checkpoint()).firstLsn).toBeLessThanOrEqual(stored)
    rmSync(file, { recursive: true })
    writeFileSync(file, content)
    expect((await pool.checkpoint()).firstLsn).toBeGreaterThan(stored)
  })

  it('leaves a cursor alone that needs nothing of what goes, even with cursorKeepBytes 0', async () => {
    const pool = await openPool({
      ...small,
      segmentBytes: 4 * 1024 * 1024,
      keepLogBytes: 0,
      cursorKeepBytes: 0,
    })
    const subscription = pool.subscribe({ cursor: 'risk' })
    await take(subscription, 1)
    await buy(pool, 1000)
    await pool.checkpoint()
    subscription.acknowledge()
    expect(pool.cursors()).toMatchObject([{ state: 'valid' }])
  })

  it('ends a subscription that waits with the reason when its cursor is invalidated', async () => {
    const pool = await openPool({ ...small, keepLogBytes: 0, cursorKeepBytes: 100_000 })
    const subscription = pool.subscribe({ cursor: 'risk' })
    // It reads, and acknowledges nothing.
    const reading = (async () => {
      for await (const _event of subscription);
    })()
    const outcome = reading.catch((error) => error)
    await buy(pool, 3000)
    await pool.checkpoint()
    expect(await outcome).toMatchObject({
      code: 'TIDEMARK_CURSOR_INVALIDATED',
      details: { name: 'risk', lsn: 0 },
    })
  })

  it('keeps cursorKeepBytes for a cursor that cannot be read, which fails by itself', async () => {
    const dir = temporaryDirectory()
    const first = await openPool({ ...small, dir })
    await first.subscribe({ cursor: 'broken' }).flush()
    const valid = first.subscribe({ cursor: 'valid' })
    await takeUpTo(valid, await buy(first, 6000))
    valid.acknowledge()
    await first.close()
    const file = cursorPath(dir, 'broken')
    const content = readFileSync(file)
    for (const at of [40, 4096 + 40]) content[at]! ^= 1
    writeFileSync(file, content)
    const pool = await openPool({ ...small, dir, keepLogBytes: 0, cursorKeepBytes: 200_000 })
    expect(pool.cursors()).toMatchObject([
      { name: 'broken', state: 'damaged', lsn: undefined, reason: expect.stringMatching(/./) },
      { name: 'valid', state: 'valid' },
    ])
    expect(() => pool.subscribe({ cursor: 'broken' })).toThrowError(
      failsWith('TIDEMARK_CURSOR_DAMAGED', { file }),
    )
    const { firstLsn } = await pool.checkpoint()
    expect(firstLsn).toBeGreaterThan(0)
    expect(pool.durableLsn - firstLsn).toBeGreaterThanOrEqual(200_000)
    expect(pool.durableLsn - firstLsn).toBeLessThan(200_000 + 2 * 65_536)
    await pool.dropCursor('broken')
    expect(pool.durableLsn - (await pool.checkpoint()).firstLsn).toBeLessThan(2 * 65_536)
  })

  it('refuses a cursor above the end of the log, or below its beginning, from the opening on', async () => {
    const dir = temporaryDirectory()
    const first = await openPool({ ...small, dir, keepLogBytes: 0 })
    const lsn = await buy(first, 3000)
    const { firstLsn } = await first.checkpoint()
    expect(firstLsn).toBeGreaterThan(0)
    await first.close()
    const craft = (name: string, at: number) =>
      writeFileSync(
        cursorPath(dir, name),
        encodeSlot({ name, state: 'valid', lsn: at, sequence: 2, writtenUs: 0 }),
      )
    craft('above', first.durableLsn + 8)
    craft('at-the-end', first.durableLsn)
    craft('below', firstLsn - 8)
    craft('within', lsn)
    const pool = await openPool({ ...small, dir })
    expect(pool.cursors().map(({ name, state }) => [name, state])).toEqual([
      ['above', 'beyond-end'],
      ['at-the-end', 'valid'],
      ['below', 'invalidated'],
      ['within', 'valid'],
    ])
    for (const cursor of ['above', 'below'])
      expect(() => pool.subscribe({ cursor })).toThrowError(failsWith('TIDEMARK_CURSOR_INVALIDATED'))
    // It stays so when the log has grown beyond it.
    await buy(pool, 10, 5000)
    await pool.close()
    const again = await openPool({ ...small, dir })
    expect(again.cursors()[0]).toMatchObject({ name: 'above', state: 'beyond-end' })
  })

  it('is not in a backup, which has consumers of its own', async () => {
    const pool = await openPool()
    await pool.subscribe({ cursor: 'risk' }).flush()
    const dir = `${temporaryDirectory()}/copy`
    await pool.backup(dir)
    const copy = await openPool({ dir })
    expect(copy.cursors()).toEqual([])
  })
})

function firstLsnOf(dir: string): number {
  const names = readdirSync(dir).filter((name) => /^\d+\.wal$/.test(name))
  return Number(names.sort()[0]!.slice(0, 20))
}

/** The lag of the cursor "risk" as an opening finds it, which may add a sync marker. */
async function lagOf(dir: string): Promise<{ lagBytes: number }> {
  const pool = await EnginePool.open({ ...small, dir })
  const [cursor] = pool.cursors()
  await pool.close()
  return { lagBytes: cursor!.lagBytes! }
}
