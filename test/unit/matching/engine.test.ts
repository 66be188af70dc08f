import { describe, expect, it } from 'vitest'
import {
  type DecodedList,
  decodeCommand,
  decodeEvents,
  EventCursor,
  encodeCancel,
  encodeInstrument,
  encodeNew,
  encodeNoop,
  encodePhase,
  eventKinds,
  MatchingEngine,
  RecordBuffer,
} from '#tidemark/matching/index.js'
import { encodeInstruments, encodeRandomCommand, instruments, Random } from './support/random-commands.js'

const words = new Int32Array(128)

function engineWith(...ids: number[]): { engine: MatchingEngine; record: RecordBuffer } {
  const engine = new MatchingEngine()
  const record = new RecordBuffer()
  for (const instrumentId of ids) {
    encodeInstrument(words, 0, 0, 0, { ...instruments[0]!, instrumentId, symbol: `S${instrumentId}` })
    engine.apply(words, 0, record)
  }
  return { engine, record }
}

function run(engine: MatchingEngine, record: RecordBuffer): string[] {
  record.reset()
  engine.apply(words, 0, record)
  return decodeEvents(record.i32, 0, record.byteLength / 4).map((event) => event.event)
}

function limit(
  instrumentId: number,
  id: number,
  account: number,
  sell: number,
  price: number,
  quantity: number,
): void {
  encodeNew(words, 0, instrumentId, 0, 0, id, account, sell, 0, 0, 0, 0, price, quantity, 0, 0, 0, 0)
}

describe('an engine', () => {
  it('writes the command and its events as one record, the same bytes every time', () => {
    const outputs = [1, 2, 3].map((seed) => {
      const engine = new MatchingEngine({ hashSeed: seed })
      const record = new RecordBuffer()
      const bytes: Buffer[] = []
      for (const at of encodeInstruments(words)) {
        record.reset()
        engine.apply(words, at, record)
      }
      const random = new Random(99)
      for (let i = 0; i < 3000; i++) {
        encodeRandomCommand(words, random, i)
        record.reset()
        engine.apply(words, 0, record)
        bytes.push(Buffer.from(record.bytes()))
      }
      return {
        text: Buffer.concat(bytes).toString('hex'),
        digests: instruments.map((x) => engine.digest(x.instrumentId)),
      }
    })
    expect(outputs[1]).toEqual(outputs[0])
    expect(outputs[2]).toEqual(outputs[0])
  })

  it('aligns every record to 8 bytes and keeps command and tag in front', () => {
    const { engine, record } = engineWith(0)
    const random = new Random(5)
    let omitted = 0
    let forAmount = 0
    for (let i = 0; i < 2000; i++) {
      encodeRandomCommand(words, random, i)
      const highest = engine.instrument(words[1]!)?.highestOrderId ?? 0
      run(engine, record)
      expect(record.byteLength % 8).toBe(0)
      expect(record.bytes()).toHaveLength(record.byteLength)
      const given = decodeCommand(words, 0) as { orderIdOmitted?: boolean; type: string }
      const logged = decodeCommand(record.i32, 0) as {
        orderId?: number
        quoteQuantity?: number
        quantity?: number
      }
      if (logged.quoteQuantity !== undefined) {
        // The record says the quantity that the amount came to.
        forAmount++
        logged.quantity = 0
      }
      if (given.orderIdOmitted) {
        omitted++
        // The record says the id that the book gave, of which none is left after the largest, or found.
        if (given.type === 'new') expect([0, highest + 1]).toContain(logged.orderId)
        expect({ ...logged, orderId: 0 }).toEqual({ ...given, orderId: 0 })
      } else if (given.type === 'list') {
        const withoutIds = (list: object) => {
          const { orders } = list as DecodedList
          return { ...list, listId: 0, orders: orders.map((order) => ({ ...order, orderId: 0 })) }
        }
        expect(withoutIds(logged)).toEqual(withoutIds(given))
      } else expect(logged).toEqual(given)
    }
    expect(omitted).toBeGreaterThan(10)
    expect(forAmount).toBeGreaterThan(10)
  })

  it('takes the ids of a whole pool, of which it holds some', () => {
    const { engine, record } = engineWith(5, 100_000, 2)
    limit(100_000, 1, 7, 0, 100, 5)
    expect(run(engine, record)).toEqual(['accepted'])
    limit(3, 1, 7, 0, 100, 5)
    expect(run(engine, record)).toEqual(['rejected'])
    encodePhase(words, 0, 99, 0, 0, 1)
    expect(run(engine, record)).toEqual(['rejected'])
    encodeNoop(words, 0, 4, 5)
    expect(run(engine, record)).toEqual([])
    expect(engine.instruments().map((x) => [x.instrumentId, x.symbol, x.orders])).toEqual([
      [5, 'S5', 0],
      [100_000, 'S100000', 1],
      [2, 'S2', 0],
    ])
    expect([engine.has(2), engine.has(3)]).toEqual([true, false])
  })

  it('lists the instruments in which an account has live orders, ascending', () => {
    const { engine, record } = engineWith(9, 4, 6)
    for (const id of [9, 6, 4]) {
      limit(id, 1, 7, 0, 100, 5)
      run(engine, record)
    }
    limit(6, 2, 8, 1, 100, 5)
    run(engine, record)
    expect(engine.instrumentsOf(7)).toEqual([4, 9])
    encodeCancel(words, 0, 9, 0, 0, 1, -1, 0)
    run(engine, record)
    expect(engine.instrumentsOf(7)).toEqual([4])
    expect(engine.instrumentsOf(8)).toEqual([])
  })

  it('keeps account lists through many accounts that come and go', () => {
    const { engine, record } = engineWith(0)
    const random = new Random(3)
    const live = new Map<number, number>()
    for (let id = 1; id <= 20_000; id++) {
      const account = random.below(3000)
      limit(0, id, account, 0, 1 + random.below(50), 1)
      run(engine, record)
      live.set(id, account)
      if (live.size > 200) {
        const victim = random.pick([...live.keys()].slice(0, 50))
        encodeCancel(words, 0, 0, 0, 0, victim, live.get(victim)!, 0)
        expect(run(engine, record)).toEqual(['cancelled'])
        live.delete(victim)
      }
      if (id % 2000 === 0) engine.verify()
    }
    expect(engine.counters().orders).toBe(200)
  })

  it('answers for an unknown instrument with nothing', () => {
    const { engine } = engineWith()
    expect(engine.depth(1, 5)).toEqual({ bids: [], asks: [] })
    expect(engine.order(1, 1)).toBeUndefined()
    expect(engine.bestBid(1)).toBeUndefined()
    expect(engine.bookState(1)).toBeUndefined()
    expect(engine.digest(1)).toBe('')
    expect(engine.totals(1).bids).toEqual({ quantity: 0, orders: 0, levels: 0 })
  })

  it('gives a digest that follows the book and not the shard around it', () => {
    const alone = engineWith(3)
    const crowded = engineWith(1, 2, 3)
    limit(2, 1, 7, 0, 100, 5)
    run(crowded.engine, crowded.record)
    const empty = alone.engine.digest(3)
    expect(crowded.engine.digest(3)).toBe(empty)
    limit(3, 1, 7, 0, 100, 5)
    run(alone.engine, alone.record)
    expect(alone.engine.digest(3)).not.toBe(empty)
    limit(3, 1, 7, 0, 100, 5)
    run(crowded.engine, crowded.record)
    expect(crowded.engine.digest(3)).toBe(alone.engine.digest(3))
  })

  it.each([
    ['the queue order', [2, 1]],
    ['the order of acceptance within an account', [1, 2]],
  ])('gives a digest that shows %s', (what, order) => {
    const digests = [[1, 2], order].map((ids, i) => {
      const { engine, record } = engineWith(3)
      for (const id of ids) {
        limit(3, id, 7, 0, what === 'the queue order' ? 100 : 100 + id, 5)
        run(engine, record)
      }
      if (what !== 'the queue order' && i === 1) {
        // Order 1 dies and comes again: same book, but now it is the younger of the two.
        encodeCancel(words, 0, 3, 0, 0, 1, -1, 0)
        run(engine, record)
        limit(3, 1, 7, 0, 101, 5)
        run(engine, record)
      }
      return engine.digest(3)
    })
    expect(digests[0]).not.toBe(digests[1])
  })

  it('knows the instruments of an account also when its number takes all 32 bits', () => {
    const { engine, record } = engineWith(0, 1)
    for (const account of [2 ** 31, 2 ** 32 - 1]) {
      limit(1, account, account, 0, 100, 5)
      run(engine, record)
      limit(0, account, account, 0, 2 ** 40, 5)
      run(engine, record)
      expect(engine.instrumentsOf(account)).toEqual([0, 1])
    }
  })

  it('keeps the highest id that an accepted order has had, also when that order is gone', () => {
    const { engine, record } = engineWith(0, 1)
    const highest = () => engine.instrument(0)!.highestOrderId
    expect(highest()).toBe(0)
    limit(0, 40, 7, 0, 100, 5)
    run(engine, record)
    limit(0, 9, 7, 0, 100, 5)
    run(engine, record)
    expect(highest()).toBe(40)
    encodeCancel(words, 0, 0, 0, 0, 40, -1, 0)
    expect(run(engine, record)).toEqual(['cancelled'])
    expect(highest()).toBe(40)
    const largest = 2 ** 53 - 1
    const stop = (id: number) => encodeNew(words, 0, 0, 0, 0, id, 7, 0, 2, 0, 0, 0, 0, 5, 200, 0, 0, 0)
    stop(2 ** 40)
    expect(run(engine, record)).toEqual(['accepted'])
    expect(highest()).toBe(2 ** 40)
    encodeNew(words, 0, 0, 0, 0, largest, 7, 0, 0, 2, 0, 0, 100, 5, 0, 0, 0, 0)
    expect(run(engine, record)).toEqual(['rejected'])
    expect(highest()).toBe(2 ** 40)
    encodeNew(words, 0, 0, 0, 0, largest, 7, 0, 1, 1, 0, 0, 0, 5, 0, 0, 0, 0)
    expect(run(engine, record)).toEqual(['accepted', 'cancelled'])
    expect(highest()).toBe(largest)
    expect(engine.instrument(1)!.highestOrderId).toBe(0)
  })

  it('counts both totals with hidden quantity, and depth without', () => {
    const { engine, record } = engineWith(0)
    encodeNew(words, 0, 0, 0, 0, 1, 7, 1, 0, 0, 0, 0, 100, 10, 0, 3, 0, 0)
    run(engine, record)
    expect(engine.totals(0).asks).toEqual({ quantity: 10, orders: 1, levels: 1 })
    expect(engine.depth(0, 5).asks).toEqual([{ price: 100, quantity: 3, orders: 1 }])
    expect(engine.depth(0, 0).asks).toEqual([])
  })
})

describe('the event cursor', () => {
  it('reads the same as the decoder, without making objects', () => {
    const { engine, record } = engineWith(0)
    const cursor = new EventCursor()
    const random = new Random(11)
    for (let i = 0; i < 3000; i++) {
      encodeRandomCommand(words, random, i)
      run(engine, record)
      const end = record.byteLength / 4
      cursor.reset(record.i32, 0, end)
      for (const event of decodeEvents(record.i32, 0, end)) {
        expect(cursor.next()).toBe(eventKinds[event.event])
        if (event.event === 'trade') {
          expect(event).toEqual({
            event: 'trade',
            ...cursor.trade,
            takerSide: cursor.sell === 1 ? 'sell' : 'buy',
            ...(event.uncross && { uncross: true }),
          })
        } else if (event.event === 'cancelled') {
          const { orderId, account, price, quantity: remaining, filled } = cursor.order
          expect(event).toMatchObject({ orderId, account, price, remaining, filled })
        }
      }
      expect(cursor.next()).toBe(0)
    }
  })
})
