import { describe, expect, it } from 'vitest'
import {
  decodeEvents,
  encodeCancel,
  encodeNew,
  encodeReplace,
  limits,
  MatchingEngine,
  RecordBuffer,
} from '#tidemark/matching/index.js'
import { PairedBooks, same } from './support/paired-books.js'
import { encodeInstruments, Random } from './support/random-commands.js'

const words = new Int32Array(1024)
const SELL = 1
const IOC = 1

function limitOrder(instrumentId: number, id: number, sell: number, price: number, quantity: number): void {
  encodeNew(words, 0, instrumentId, id, 0, id, id % 5, sell, 0, 0, 0, 0, price, quantity, 0, 0, 0, 0)
}

/** What it takes to place, cancel and move plain orders, and nothing else. */
function encodePlainCommand(random: Random, tag: number): void {
  const instrumentId = random.chance(70) ? 0 : 7
  const id = 1 + random.below(400)
  const sell = random.below(2)
  const distance = random.chance(10) ? -random.below(3) : 1 + random.below(60)
  const price = 1000 + (sell === SELL ? distance : -distance)
  const kind = random.below(10)
  const timeInForce = random.chance(15) ? IOC : 0
  if (kind < 5) {
    const prevention = random.chance(20) ? 1 + random.below(5) : 0
    const quantity = 1 + random.below(9)
    encodeNew(
      words,
      0,
      instrumentId,
      tag,
      7,
      id,
      id % 9,
      sell,
      0,
      timeInForce,
      prevention,
      0,
      price,
      quantity,
      0,
      0,
      0,
      0,
    )
  } else if (kind < 8) encodeCancel(words, 0, instrumentId, tag, 7, id, -1, 0)
  else encodeReplace(words, 0, instrumentId, tag, 7, id, price, 1 + random.below(9), -1, 0)
}

function pairedBooks(hashSeed: number): PairedBooks {
  const books = new PairedBooks(hashSeed)
  for (const at of encodeInstruments(words)) books.apply(words, at)
  return books
}

describe('plain orders, cancels and replacements', () => {
  it('report the same as in the naive book, and leave the same book, seeds 1 to 10', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = new Random(seed)
      const books = pairedBooks(seed)
      for (let i = 0; i < 3000; i++) {
        encodePlainCommand(random, i)
        try {
          books.apply(words, 0, i % 10 === 0)
        } catch (error) {
          throw new Error(`seed ${seed}, command ${i}: ${(error as Error).message}`, { cause: error })
        }
      }
      for (const instrumentId of [0, 7]) books.compareState(instrumentId)
    }
  })

  it('find their level among others whose prices have the same low bits, on both sides and in two books', () => {
    const books = pairedBooks(1)
    let id = 0
    for (let round = 0; round < 3; round++) {
      for (const instrumentId of [0, 7]) {
        for (let step = 1; step <= 20; step++) {
          limitOrder(instrumentId, ++id, SELL, 2 ** 33 + step * 2 ** 20, 3)
          books.apply(words, 0)
          limitOrder(instrumentId, ++id, 0, 2 ** 33 - step * 2 ** 20, 3)
          books.apply(words, 0)
        }
      }
    }
    for (const instrumentId of [0, 7]) {
      expect(books.engine.depth(instrumentId, 100).bids.map(({ orders }) => orders)).toEqual(
        Array(20).fill(3),
      )
      books.compareState(instrumentId)
    }
  })

  it('are refused where they would push the total at a price beyond 2^53-1, and change nothing then', () => {
    const books = pairedBooks(1)
    const most = limits.maxLevelTotalLots
    const refused = { event: 'rejected', code: 'LEVEL_TOTAL_TOO_LARGE' }
    limitOrder(0, 1, 0, 100, most - 5)
    books.apply(words, 0)
    limitOrder(0, 2, 0, 100, 6)
    books.apply(words, 0)
    expect(books.lastEvents).toMatchObject([refused])
    limitOrder(0, 3, 0, 99, 6)
    books.apply(words, 0)
    encodeReplace(words, 0, 0, 1, 0, 3, 100, 6, -1, 0)
    books.apply(words, 0)
    expect(books.lastEvents).toMatchObject([refused])
    encodeReplace(words, 0, 0, 1, 0, 3, 100, 5, -1, 0)
    books.apply(words, 0)
    expect(books.lastEvents).toMatchObject([{ event: 'replaced' }])
    expect(books.engine.depth(0, 9).bids).toEqual([{ price: 100, quantity: most, orders: 2 }])
    books.compareState(0)
  })

  it('fill a shard far beyond the room that it begins with, and leave it empty again', () => {
    const count = 60_000
    const random = new Random(11)
    const engine = new MatchingEngine({ hashSeed: 11 })
    const record = new RecordBuffer()
    const apply = () => {
      record.reset()
      engine.apply(words, 0, record)
      return decodeEvents(record.i32, 0, record.byteLength / 4)
    }
    for (const at of encodeInstruments(words)) engine.apply(words, at, new RecordBuffer())
    // A third at prices side by side, a third far apart, a third at few prices, in an order that opens and joins levels.
    const priceOf = (id: number) => 5_000_000 - [id, id * 83, (id % 50) * 3][id % 3]!
    const ids = Array.from({ length: count }, (_, i) => i + 1)
    const shuffle = () => {
      for (let i = count - 1; i > 0; i--) {
        const other = random.below(i + 1)
        ;[ids[i], ids[other]] = [ids[other]!, ids[i]!]
      }
    }
    shuffle()
    for (const id of ids) {
      limitOrder(0, id, 0, priceOf(id), id)
      apply()
    }
    engine.verify()
    expect(engine.counters()).toEqual({
      instruments: engine.instruments().length,
      orders: count,
      levels: new Set(ids.map(priceOf)).size,
    })
    shuffle()
    for (const [i, id] of ids.entries()) {
      encodeCancel(words, 0, 0, i, 0, id, -1, 0)
      const order = { account: id % 5, side: 'buy', price: priceOf(id) }
      const expected = { ...order, remaining: id, filled: 0, reason: 'requested' }
      const actual = apply()
      if (!same(actual, [{ event: 'cancelled', orderId: id, ...expected }])) {
        expect(actual, `seed 11, cancel ${i}`).toEqual([{ event: 'cancelled', orderId: id, ...expected }])
      }
      if (i === count / 2) engine.verify()
    }
    engine.verify()
    expect(engine.counters()).toMatchObject({ orders: 0, levels: 0 })
  })
})
