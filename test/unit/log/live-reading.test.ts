import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { wholeChunk } from '#tidemark/log/read/batch-walk.js'
import { LiveFeed } from '#tidemark/log/read/live-feed.js'
import type { LogReader, LogReaderOptions } from '#tidemark/log/read/log-reader.js'
import {
  readerBufferBytesDefault,
  readerBufferBytesMax,
  readerBufferBytesMin,
} from '#tidemark/log/read/log-reader.js'
import type { LogRecord } from '#tidemark/log/read/log-record.js'
import { FollowedLog } from '../../support/followed-log.js'
import type { InlineLogOptions } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'
import { Random } from '../../support/random.js'

const bufferBytes = readerBufferBytesMin

function openLog(options: InlineLogOptions & { onlyForFeed?: boolean } = {}): FollowedLog {
  const log = new FollowedLog(new MemoryDisk(), options)
  onTestFinished(() => log.close())
  return log
}

/** A reader that is asked for records one after the other, without waiting for them. */
class Taker {
  readonly reader: LogReader
  readonly seen: LogRecord[] = []
  error: { code?: string } | undefined
  #records: AsyncIterator<LogRecord>
  #asked = false

  constructor(log: FollowedLog, options: LogReaderOptions = {}) {
    this.reader = log.reader({ bufferBytes, ...options })
    this.#records = this.reader[Symbol.asyncIterator]()
    onTestFinished(async () => void (await this.#records.return?.()))
  }

  get source() {
    return this.reader.stats().source
  }

  /** Takes what comes within some turns of the event loop, at most so many records. */
  async take(most: number, turns = 3): Promise<void> {
    for (let i = 0, idle = 0; i < most && idle < turns && !this.error; ) {
      const before = this.seen.length
      this.#ask()
      await Promise.resolve()
      if (this.seen.length > before) i++
      else {
        idle++
        await turn()
      }
    }
  }

  /** Takes until it has seen this LSN. */
  async takeUpTo(lsn: number): Promise<void> {
    while ((this.seen.at(-1)?.lsn ?? 0) < lsn && !this.error) await this.take(1000, 1)
  }

  #ask(): void {
    if (this.#asked || this.error) return
    this.#asked = true
    this.#records.next().then(
      ({ value, done }) => {
        this.#asked = false
        if (!done) this.seen.push(value)
      },
      (error) => {
        this.error = error
      },
    )
  }
}

const textOf = ({ payload }: LogRecord) => Buffer.from(payload).toString('hex')

describe('a reader', () => {
  it('begins and ends at any records, among them some that stand in pieces and many in one batch', async () => {
    const log = openLog({ segmentBytes: 16 * 1024 })
    const following = log.tailer.start(() => {})
    const lsns = [0]
    for (const [i, bytes] of [10, 6000, 0, 9000, 4056, 5].entries()) {
      lsns.push(log.producer.append(1, 0, Buffer.alloc(bytes, i)))
      lsns.push(...log.appendTogether([1, 2, 3].map((n) => Buffer.alloc(n, i))))
    }
    log.flushAll()
    const last = lsns.length - 1
    for (const [i, from] of lsns.entries()) {
      for (const [j, to] of lsns.entries()) {
        const records: LogRecord[] = []
        for await (const record of log.reader({ from, to })) records.push(record)
        expect(
          records.map(({ lsn }) => lsn),
          `from ${i} to ${j}`,
        ).toEqual(lsns.slice(i + 1, Math.max(i, j) + 1))
      }
      const taker = new Taker(log, { from })
      if (i < last) await taker.takeUpTo(lsns[last]!)
      expect(taker.error).toBeUndefined()
      expect(taker.seen.map(({ lsn }) => lsn)).toEqual(lsns.slice(i + 1))
    }
    for (let lsn = 8; lsn < lsns[last]!; lsn += 8) {
      if (lsns.includes(lsn)) continue
      const reading = log.reader({ from: lsn, to: lsns[last]! })[Symbol.asyncIterator]()
      await expect(reading.next(), `from LSN ${lsn}`).rejects.toMatchObject({ code: 'TIDEMARK_BAD_LSN' })
    }
    await log.close()
    await following
  })

  it('goes from files to memory and back without a gap, at any pace, over rotations and beside retention', async () => {
    const sources = new Set<string>()
    let overflowed = 0
    let attached = 0
    let gone = 0
    for (let seed = 1; seed <= 25; seed++) {
      const random = new Random(seed)
      const log = openLog({
        segmentBytes: (16 * 1024) << random.int(3),
        onlyForFeed: random.int(2) === 0,
      })
      const following = log.tailer.start(() => {})
      const sent = new Map<number, string>()
      const takers: Taker[] = []
      const write = (records: number) => {
        for (let i = 0; i < records; i++) {
          const payload = random.bytes(random.int(8) === 0 ? random.int(4000) : random.int(120))
          sent.set(log.append(payload), Buffer.from(payload).toString('hex'))
        }
        log.flushAll()
      }
      for (let step = 0; step < 150; step++) {
        const kind = random.int(12)
        if (kind < 4) write(random.int(120))
        else if (kind === 4 && takers.length < 6) {
          const lsns = [...sent.keys()].filter((lsn) => lsn >= log.firstLsn)
          takers.push(new Taker(log, { from: lsns[random.int(lsns.length)] ?? log.firstLsn }))
        } else if (kind === 5 && random.int(4) === 0) {
          const places = takers.map(({ reader }) => reader.position).sort((a, b) => a - b)
          // All readers, but perhaps the slowest, are beyond it.
          log.removeBefore(places[random.int(Math.min(2, places.length))] ?? 0)
        } else if (takers.length > 0) {
          const taker = takers[random.int(takers.length)]!
          await taker.take(1 + random.int(400))
          sources.add(taker.source)
        }
        for (const { reader } of takers) expect(reader.stats().bufferedBytes).toBeLessThanOrEqual(bufferBytes)
      }
      log.flushAll()
      const end = [...sent.keys()].at(-1) ?? 0
      for (const taker of takers) {
        await taker.takeUpTo(end)
        const { seen, reader } = taker
        const stats = reader.stats()
        overflowed += stats.overflowed
        attached += stats.attached
        if (taker.error) {
          gone++
          expect(taker.error.code, `seed ${seed}`).toBe('TIDEMARK_BAD_LSN')
          expect(reader.position).toBeLessThan(log.firstLsn)
        }
        const lsns = seen.map(({ lsn }) => lsn)
        const all = [...sent.keys()]
        const first = all.indexOf(lsns[0]!)
        expect(lsns, `seed ${seed}`).toEqual(lsns.length === 0 ? [] : all.slice(first, first + lsns.length))
        if (!taker.error) expect(lsns.at(-1) ?? end, `seed ${seed}`).toBe(end)
        for (const record of seen) expect(textOf(record), `seed ${seed}`).toBe(sent.get(record.lsn))
      }
      await log.close()
      await following
    }
    expect(sources).toEqual(new Set(['ring', 'files']))
    expect(attached).toBeGreaterThan(25)
    expect(overflowed).toBeGreaterThan(5)
    expect(gone).toBeGreaterThan(0)
  })

  it('that never catches up reads the files only', async () => {
    const log = openLog()
    void log.tailer.start(() => {})
    for (let i = 0; i < 200; i++) {
      log.append(new Uint8Array(2000))
      log.flushAll()
    }
    const end = log.released
    while (log.tailer.position < end) await turn()
    const taker = new Taker(log)
    let written = 0
    while (taker.reader.position < end) {
      await taker.take(5)
      // It lags by more than half of its buffer.
      while (log.released - taker.reader.position < bufferBytes * 2 && written++ < 2000) {
        log.append(new Uint8Array(2000))
        log.flushAll()
      }
    }
    expect(taker.reader.stats()).toMatchObject({ attached: 0, source: 'files', bufferedBytes: 0 })
    expect(taker.error).toBeUndefined()
  })

  it('gets nothing that is not released, whether from memory or from the files', async () => {
    const log = openLog()
    void log.tailer.start(() => {})
    const taker = new Taker(log)
    await taker.take(1)
    for (let i = 0; i < 20; i++) {
      const lsn = log.append(new Uint8Array(10))
      await taker.take(1)
      expect(taker.seen).toHaveLength(i)
      log.flushAll()
      await taker.takeUpTo(lsn)
      expect(taker.seen.at(-1)!.lsn).toBe(lsn)
    }
    expect(taker.source).toBe('ring')
  })

  it('that stops taking holds its buffer and no more, however much is written; the others keep reading', async () => {
    const log = openLog({ segmentBytes: 64 * 1024 })
    void log.tailer.start(() => {})
    const [still, going] = [new Taker(log), new Taker(log)]
    await still.take(1)
    await going.take(1)
    let last = 0
    for (let i = 0; i < 500; i++) {
      last = log.append(new Uint8Array(1000))
      log.flushAll()
      await going.takeUpTo(last)
      expect(still.reader.stats().bufferedBytes).toBeLessThanOrEqual(bufferBytes)
    }
    expect(going.reader.stats()).toMatchObject({ overflowed: 0, source: 'ring' })
    expect(log.feed.attached).toBe(1)
    await still.takeUpTo(last)
    expect(still.seen.map(({ lsn }) => lsn)).toEqual(going.seen.map(({ lsn }) => lsn))
    expect(still.reader.stats().overflowed).toBe(1)
    // It has caught up, and is fed from memory again.
    last = log.append(new Uint8Array(8))
    log.flushAll()
    await still.takeUpTo(last)
    expect(still.source).toBe('ring')
  })

  it('checks where it begins, where it ends, and its buffer, at the edge', () => {
    const log = openLog()
    log.append(new Uint8Array(8))
    log.flushAll()
    for (const from of [-8, 4, 56, Number.NaN, 0.5]) {
      expect(() => log.reader({ from }), String(from)).toThrowError(
        expect.objectContaining({ code: 'TIDEMARK_BAD_LSN' }),
      )
    }
    for (const to of [-8, 4, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => log.reader({ to }), String(to)).toThrowError(
        expect.objectContaining({ code: 'TIDEMARK_BAD_LSN' }),
      )
    }
    for (const bytes of [readerBufferBytesMin - 1, readerBufferBytesMax + 1, Number.NaN, 70_000.5]) {
      expect(() => log.reader({ bufferBytes: bytes }), String(bytes)).toThrowError(
        expect.objectContaining({ code: 'TIDEMARK_BAD_SETTING' }),
      )
    }
    for (const bytes of [readerBufferBytesMin, readerBufferBytesMax, readerBufferBytesDefault])
      log.reader({ bufferBytes: bytes }).close()
  })

  it('ends when it is stopped while it waits, and calls of next take their turn', async () => {
    const log = openLog()
    void log.tailer.start(() => {})
    const abort = new AbortController()
    const records = log.reader({ signal: abort.signal })[Symbol.asyncIterator]()
    const waiting = [records.next(), records.next(), records.next()]
    await turn()
    const lsn = log.append(new Uint8Array(8))
    log.flushAll()
    expect((await waiting[0])!.value).toMatchObject({ lsn })
    abort.abort()
    expect(await Promise.all(waiting.slice(1))).toEqual([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ])
    const another = log.reader()[Symbol.asyncIterator]()
    const first = another.next()
    await turn()
    expect(await another.return!()).toEqual({ value: undefined, done: true })
    await first
    expect(log.feed.requested).toBe(false)
    expect(log.feed.attached).toBe(0)
  })
})

describe('the feed', () => {
  it('copies nothing when no reader is attached, and once for all that are', () => {
    const feed = new LiveFeed()
    feed.begin(0)
    let copies = 0
    const bytes = Buffer.alloc(64)
    bytes.writeInt32LE(64, 0)
    bytes.copy = (...args: Parameters<Buffer['copy']>) => {
      copies++
      return Buffer.prototype.copy.apply(bytes, args)
    }
    feed.publish(wholeChunk(bytes, 0, 64))
    expect(copies).toBe(0)
    const tails = Array.from({ length: 50 }, () => feed.attach(64, bufferBytes)!)
    feed.publish(wholeChunk(bytes, 64, 128))
    expect(copies).toBe(1)
    for (const tail of tails) expect(tail.take()).toMatchObject({ startLsn: 64, endLsn: 128 })
    for (const tail of tails) feed.detach(tail)
    feed.publish(wholeChunk(bytes, 128, 192))
    expect(copies).toBe(1)
  })

  it('takes a reader that lags by half of its buffer and not by more, and none while there is no tailer', () => {
    const feed = new LiveFeed()
    expect(feed.attach(0, bufferBytes)).toBeUndefined()
    feed.begin(bufferBytes / 2)
    expect(feed.attach(0, bufferBytes)!.startLsn).toBe(bufferBytes / 2)
    feed.publish(wholeChunk(Buffer.alloc(8), bufferBytes / 2, bufferBytes / 2 + 8))
    expect(feed.attach(0, bufferBytes)).toBeUndefined()
    // One that read the files further than the tailer was.
    const ahead = feed.attach(bufferBytes, bufferBytes)!
    const bytes = Buffer.alloc(bufferBytes / 2)
    bytes.writeInt32LE(bytes.byteLength, 0)
    feed.publish(wholeChunk(bytes, bufferBytes / 2 + 8, bufferBytes + 8))
    expect(ahead.take()).toMatchObject({ startLsn: bufferBytes, endLsn: bufferBytes + 8 })
    feed.end()
    expect(ahead.ended).toBe(true)
    expect(feed.attach(bufferBytes + 8, bufferBytes)).toBeUndefined()
  })

  it('fills a buffer to its last byte and not beyond', () => {
    const feed = new LiveFeed()
    feed.begin(0)
    const tail = feed.attach(0, 1024)!
    const batch = Buffer.alloc(512)
    batch.writeInt32LE(512, 0)
    for (let lsn = 0; lsn < 1024; lsn += 512) feed.publish(wholeChunk(batch, lsn, lsn + 512))
    expect(tail).toMatchObject({ bufferedBytes: 1024, ended: false })
    feed.publish(wholeChunk(batch.subarray(0, 8), 1024, 1032))
    expect(tail).toMatchObject({ bufferedBytes: 1024, ended: true, full: true })
    expect(tail.take()).toMatchObject({ startLsn: 0, endLsn: 1024 })
    expect(tail.take()).toBeUndefined()
  })

  it('is left by a tailer that works for it alone when no reader needs it, and is fed again when one does', async () => {
    const log = openLog({ onlyForFeed: true })
    void log.tailer.start(() => {})
    log.append(new Uint8Array(8))
    log.flushAll()
    await turn()
    expect(log.tailer.position).toBe(0)
    const taker = new Taker(log)
    await taker.take(2)
    expect(log.feed.requested).toBe(true)
    const lsn = log.append(new Uint8Array(8))
    log.flushAll()
    await taker.takeUpTo(lsn)
    expect(log.tailer.position).toBe(lsn)
    taker.reader.close()
    log.append(new Uint8Array(8))
    log.flushAll()
    for (let i = 0; i < 5; i++) await turn()
    log.append(new Uint8Array(8))
    log.flushAll()
    for (let i = 0; i < 5; i++) await turn()
    expect(log.tailer.position).toBeLessThan(log.released)
  })
})
