import { describe, expect, it } from 'vitest'
import type { InstrumentDetails } from '#tidemark/matching/codec/instrument-details.js'
import {
  EventCursor,
  encodeInstrument,
  encodeInstrumentChange,
  encodeNew,
  encodePhase,
  eventKinds,
  MatchingEngine,
  phaseCodes,
  RecordBuffer,
} from '#tidemark/matching/index.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { type CallOrder, naiveCallPrice } from '../support/naive-auction.js'
import { isOnTick, isWithin, nearTicks, staticBand } from '../support/naive-bands.js'
import { instruments, Random } from '../unit/matching/support/random-commands.js'

const books = faultCount('uncross', { short: 400, full: 100_000 })

const words = new Int32Array(256)
const record = new RecordBuffer()

/** A book of one call, filled at random, of orders around 100; a few books have no limits, or one side only. */
class CallBook {
  readonly engine = new MatchingEngine({ hashSeed: 1 })
  readonly orders: CallOrder[] = []
  readonly instrumentId = instruments[0]!.instrumentId
  lastPrice = 0
  readonly details: InstrumentDetails

  constructor(random: Random) {
    this.details = {
      ...(random.chance(30) && { referencePrice: 90 + random.below(20), staticBand: 1 + random.below(12) }),
      ...(random.chance(30) && { tickTable: random.pick(['1:3', '90:5', '85:2,96:8,112:4', '100:10']) }),
    }
    encodeInstrument(words, 0, 0, 0, instruments[0]!)
    this.#apply()
    let id = 1
    const add = (sell: number, price: number, open: number) => {
      const type = price === 0 ? 1 : 0
      encodeNew(words, 0, 0, 0, 0, id++, 1, sell, type, type, 0, 0, price, open, 0, 0, 0, 0)
      this.#apply()
    }
    if (random.chance(60)) {
      this.lastPrice = 80 + random.below(40)
      add(0, this.lastPrice, 1)
      add(1, this.lastPrice, 1)
    }
    encodePhase(words, 0, 0, 0, 0, phaseCodes.auction)
    this.#apply()
    // Half of the tables come when the orders are there, which may then be at prices off the grid.
    const isLate = random.chance(50)
    if (!isLate) this.#change(this.details)
    const count = random.below(12)
    const width = random.pick([2, 5, 20])
    const quantities = random.pick([1, 2, 4, 30])
    for (let i = 0; i < count; i++) {
      const sell = random.below(2)
      const open = random.chance(1) ? Number.MAX_SAFE_INTEGER - random.below(3) : 1 + random.below(quantities)
      const price = random.chance(15) ? 0 : 100 - width + random.below(2 * width + 1)
      add(sell, price, open)
      // A level with more than 2^53-1 lots is refused.
      if (this.engine.order(this.instrumentId, id - 1))
        this.orders.push({ side: sell === 1 ? 'sell' : 'buy', price, open })
    }
    if (isLate) this.#change(this.details)
  }

  #change(set: InstrumentDetails): void {
    encodeInstrumentChange(words, 0, 0, 0, 0, { set, removed: [] })
    this.#apply()
  }

  #apply(): void {
    record.reset()
    this.engine.apply(words, 0, record)
  }

  /** Ends the call: the price of its trades, all lots, and what each side traded. */
  uncross(): { prices: Set<number>; quantity: bigint } {
    encodePhase(words, 0, 0, 0, 0, phaseCodes.continuous)
    this.#apply()
    this.engine.verify()
    const cursor = new EventCursor()
    cursor.reset(record.i32, 0, record.end)
    const prices = new Set<number>()
    let quantity = 0n
    for (let kind = cursor.next(); kind !== 0; kind = cursor.next()) {
      if (kind !== eventKinds.trade) continue
      prices.add(cursor.trade.price)
      quantity += BigInt(cursor.trade.quantity)
    }
    return { prices, quantity }
  }
}

/** All prices around, at which trades may be made. */
function everyNear(allows: (price: number) => boolean): (price: number) => number[] {
  return () => Array.from({ length: 200 }, (_, price) => price + 1).filter(allows)
}

describe('an uncross', () => {
  it(`has the price that trying every price finds, on ${books} random books`, () => {
    const seen = {
      traded: 0,
      none: 0,
      buySurplus: 0,
      sellSurplus: 0,
      balanced: 0,
      markets: 0,
      bound: 0,
      ticks: 0,
    }
    let cases = 0
    for (const seed of faultCases(books)) {
      cases++
      const book = new CallBook(new Random(seed))
      const { details } = book
      const band = staticBand(details)
      const terms = {
        reference: details.referencePrice ?? book.lastPrice,
        allows: (price: number) => isWithin(band, price) && isOnTick(details, price),
      }
      const expected = naiveCallPrice(book.orders, {
        ...terms,
        everyPrice: true,
        near: everyNear(terms.allows),
      })
      // What the naive book uses, which tries fewer prices, is the same.
      const fewer = {
        ...terms,
        alsoTry: [Number(band.low), Number(band.high)],
        near: (price: number) => nearTicks(details, price),
      }
      expect(naiveCallPrice(book.orders, fewer), `seed ${seed}`).toEqual(expected)
      const found = book.engine.indicative(book.instrumentId)!
      const surplus = found.surplusSide === 'sell' ? -found.surplus : found.surplus
      const { prices, quantity } = book.uncross()
      if (expected === undefined) {
        expect(found, `seed ${seed}`).toEqual({
          price: undefined,
          quantity: 0n,
          surplus: 0n,
          surplusSide: undefined,
        })
        expect(prices.size).toBe(0)
        seen.none++
        continue
      }
      expect({ price: found.price, quantity: found.quantity, surplus }, `seed ${seed}`).toEqual(expected)
      expect([...prices], `seed ${seed}`).toEqual([expected.price])
      expect(quantity, `seed ${seed}`).toBe(expected.quantity)
      seen.traded++
      if (details.tickTable !== undefined) seen.ticks++
      if (details.staticBand !== undefined) seen.bound++
      if (book.orders.some(({ price }) => price === 0)) seen.markets++
      if (surplus > 0n) seen.buySurplus++
      else if (surplus < 0n) seen.sellSurplus++
      else seen.balanced++
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(cases / 50)
  })
})
