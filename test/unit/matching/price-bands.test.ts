import { describe, expect, it } from 'vitest'
import {
  type DecodedEvent,
  decodeCommand,
  decodeEvents,
  encodeInstrument,
  encodeInstrumentChange,
  MatchingEngine,
  RecordBuffer,
} from '#tidemark/matching/index.js'
import { isWithin, staticBand, tradingBand } from '../../support/naive-bands.js'
import { encodeRandomCommand, instruments, Random } from './support/random-commands.js'
import { RuleBook } from './support/rule-book.js'

const bandActions = { refuse: 1, 'trade-to-band': 2, interrupt: 3 }

/** Asks at 100 to 104, 2 each, after a trade at 100; trades are bound to 98..102. */
function banded(action: keyof typeof bandActions, band: object = { dynamicBand: 2 }): RuleBook {
  const book = new RuleBook({ details: { ...band, bandAction: bandActions[action] } })
  book.buy(901, 1, 100)
  book.sell(902, 1, 100)
  for (let at = 0; at < 5; at++) book.sell(11 + at, 2, 100 + at)
  return book
}

describe('an order that would trade outside a band', () => {
  it('is refused whole, by what is open up to its own limit', () => {
    const book = banded('refuse')
    expect(book.buy(1, 7, 110)).toEqual(['rejected 1: PRICE_OUTSIDE_BAND'])
    expect(book.market(1, 'buy', 7)).toEqual(['rejected 1: PRICE_OUTSIDE_BAND'])
    expect(book.buy(1, 7, 110, { timeInForce: 'IOC' })).toEqual(['rejected 1: PRICE_OUTSIDE_BAND'])
    expect(book.buy(1, 7, 110, { timeInForce: 'FOK' })).toEqual(['rejected 1: FOK_NOT_FILLABLE'])
    // It is filled within, or up to its limit nothing is outside.
    expect(banded('refuse').buy(1, 6, 110)).toHaveLength(4)
    expect(book.buy(1, 7, 102)).toEqual([
      'accepted',
      'trade 1 with 11: 2@100',
      'trade 1 with 12: 2@101',
      'trade 1 with 13: 2@102',
    ])
    expect(book.buy(2, 2, 110)).toEqual(['accepted', 'trade 2 with 14: 2@103'])
  })

  it('trades up to the band, and its rest is cancelled', () => {
    const book = banded('trade-to-band')
    expect(book.buy(1, 7, 110)).toEqual([
      'accepted',
      'trade 1 with 11: 2@100',
      'trade 1 with 12: 2@101',
      'trade 1 with 13: 2@102',
      'cancelled 1: 1@110 band',
    ])
  })

  it('trades up to the band, and a call begins in which it rests, and the stops too that it triggers', () => {
    const book = banded('interrupt')
    book.stop(21, 'buy', 3, 102)
    expect(book.buy(1, 7, 110)).toEqual([
      'accepted',
      'trade 1 with 11: 2@100',
      'trade 1 with 12: 2@101',
      'trade 1 with 13: 2@102',
      'volatility-interruption',
    ])
    expect(book.books.engine.instrument(4)).toMatchObject({ phase: 'auction' })
    expect(book.order(1)).toMatchObject({ price: 110, quantity: 1 })
    expect(book.phase('continuous')).toEqual([
      'continuous',
      'uncross 14 with 1: 1@103',
      'triggered 21',
      'trade 21 with 14: 1@103',
      'trade 21 with 15: 2@104',
    ])
  })

  it('and is not to rest is cancelled when it interrupts trading', () => {
    for (const options of [{ timeInForce: 'IOC' }, { orderType: 'market', price: undefined }] as const) {
      const book = banded('interrupt')
      expect(book.buy(1, 7, 110, options).slice(-2)).toEqual([
        'volatility-interruption',
        `cancelled 1: 1@${'price' in options ? 0 : 110} band`,
      ])
    }
  })

  it('stops at the band from inside when the best price is beyond it on the other side', () => {
    for (const [action, expected] of [
      ['refuse', ['rejected 1: PRICE_OUTSIDE_BAND']],
      ['trade-to-band', ['accepted', 'cancelled 1: 7@110 band']],
      ['interrupt', ['accepted', 'volatility-interruption']],
    ] as const) {
      const book = banded(action, { referencePrice: 100, staticBand: 5 })
      book.send({ type: 'instrument-change', referencePrice: 110 })
      expect(book.buy(1, 7, 110)).toEqual(expected)
      if (action !== 'interrupt') continue
      // Nothing of what meets is within the band: the call goes on.
      expect(book.phase('continuous')).toEqual([
        'continuous',
        'uncross 11 with 1: 2@105',
        'uncross 12 with 1: 2@105',
        'uncross 13 with 1: 2@105',
        'uncross 14 with 1: 1@105',
      ])
    }
  })

  it('is treated alike when a replace or a trigger makes it an aggressor', () => {
    const refused = banded('refuse')
    refused.buy(1, 7, 90)
    expect(refused.replace(1, 7, 110)).toEqual(['rejected 1: PRICE_OUTSIDE_BAND'])
    expect(refused.order(1)).toMatchObject({ price: 90, quantity: 7 })
    expect(refused.stop(2, 'buy', 7, 100)).toEqual(['accepted', 'triggered 2', 'cancelled 2: 7@0 band'])
    const cut = banded('trade-to-band')
    cut.buy(1, 7, 90)
    expect(cut.replace(1, 7, 110).slice(-2)).toEqual(['trade 1 with 13: 2@102', 'cancelled 1: 1@110 band'])
    const interrupted = banded('interrupt')
    interrupted.buy(1, 7, 90)
    expect(interrupted.replace(1, 7, 110).slice(-2)).toEqual([
      'trade 1 with 13: 2@102',
      'volatility-interruption',
    ])
    expect(interrupted.stop(2, 'buy', 1, 90)).toEqual(['accepted'])
  })
})

describe('the bands', () => {
  it('of a distance and of basis points count together, the narrower one, and to the last tick', () => {
    const trades = (band: object, price: number) => {
      const book = new RuleBook({ details: { ...band, bandAction: 1 } })
      book.sell(1, 1, price)
      return book.buy(2, 1, price)[0] === 'accepted'
    }
    for (const [band, low, high] of [
      [{ referencePrice: 1000, staticBand: 7 }, 993, 1007],
      [{ referencePrice: 1000, staticBandBasisPoints: 99 }, 991, 1009],
      [{ referencePrice: 1000, staticBand: 12, staticBandBasisPoints: 99 }, 991, 1009],
      [{ referencePrice: 3, staticBand: 7 }, 1, 10],
    ] as const) {
      const at = [low - 1, low, high, high + 1].filter((price) => price > 0)
      expect(at.filter((price) => trades(band, price))).toEqual([low, high])
    }
    expect(trades({ staticBand: 7 }, 1)).toBe(true)
  })

  it('of the last trade follow each trade, and are where they were before an order that makes several', () => {
    const book = banded('trade-to-band')
    expect(book.buy(1, 2, 110)).toEqual(['accepted', 'trade 1 with 11: 2@100'])
    expect(book.buy(2, 5, 110)).toEqual([
      'accepted',
      'trade 2 with 12: 2@101',
      'trade 2 with 13: 2@102',
      'cancelled 2: 1@110 band',
    ])
    expect(book.buy(3, 9, 110).slice(1)).toEqual(['trade 3 with 14: 2@103', 'trade 3 with 15: 2@104'])
  })

  it('bind the price of a call only where they are around the reference, which also decides between prices', () => {
    const book = new RuleBook({
      phase: 'auction',
      details: { referencePrice: 103, staticBand: 4, dynamicBand: 1, bandAction: 1 },
    })
    book.buy(1, 5, 120)
    book.sell(2, 5, 90)
    expect(book.books.engine.indicative(4)).toMatchObject({ price: 103, quantity: 5n })
    expect(book.send({ type: 'instrument-change', referencePrice: 140 })).toEqual(['instrument-changed'])
    expect(book.books.engine.indicative(4)).toMatchObject({ price: undefined })
    expect(book.phase('continuous')).toEqual(['continuous', 'volatility-interruption'])
    book.send({ type: 'instrument-change', referencePrice: 118 })
    expect(book.phase('continuous')).toEqual(['continuous', 'uncross 2 with 1: 5@118'])
  })

  it('let no trade be outside them, whatever comes, and let no order have more than it had', () => {
    const seen = { trades: 0, uncross: 0, bound: 0, interruptions: 0 }
    for (let seed = 1; seed <= 12; seed++) {
      const engine = new MatchingEngine({ hashSeed: seed })
      const words = new Int32Array(1024)
      const record = new RecordBuffer()
      const random = new Random(seed)
      const flow = new BoundFlow(engine, seen)
      for (const definition of instruments) {
        encodeInstrument(words, 0, 0, 0, definition)
        flow.apply(words, record)
        const set = { referencePrice: 100, staticBand: 4, dynamicBand: 2, bandAction: 1 + (seed % 3) }
        encodeInstrumentChange(words, 0, definition.instrumentId, 0, 0, { set, removed: [] })
        flow.apply(words, record)
      }
      for (let i = 0; i < 2500; i++) {
        encodeRandomCommand(words, random, i)
        flow.apply(words, record)
      }
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(5)
  })
})

/** Follows a flow by its events alone: where trades may be made, and what is open of each order. */
class BoundFlow {
  readonly #engine: MatchingEngine
  readonly #seen: Record<'trades' | 'uncross' | 'bound' | 'interruptions', number>
  readonly #open = new Map<string, number>()

  constructor(
    engine: MatchingEngine,
    seen: Record<'trades' | 'uncross' | 'bound' | 'interruptions', number>,
  ) {
    this.#engine = engine
    this.#seen = seen
  }

  apply(words: Int32Array, record: RecordBuffer): void {
    const { instrumentId } = decodeCommand(words, 0)!
    const { details = {}, lastPrice = 0 } = this.#engine.instrument(instrumentId) ?? {}
    record.reset()
    this.#engine.apply(words, 0, record)
    let last = lastPrice
    let taker = 0
    let band = tradingBand(details, last)
    // The book writes the id that it gave, and the lots that an amount buys, into its own copy of the command.
    const logged = decodeCommand(record.i32, 0)!
    for (const event of decodeEvents(record.i32, 0, record.end)) {
      this.#follow(instrumentId, logged, event)
      if (event.event === 'volatility-interruption') this.#seen.interruptions++
      if (event.event !== 'trade') continue
      this.#seen.trades++
      if (details.staticBand !== undefined || details.dynamicBand !== undefined) this.#seen.bound++
      if (event.uncross) {
        this.#seen.uncross++
        expect(isWithin(staticBand(details), event.price)).toBe(true)
      } else {
        // An aggressor is bound by the last trade before its own first one.
        if (event.takerOrderId !== taker) band = tradingBand(details, last)
        taker = event.takerOrderId
        expect(isWithin(band, event.price), JSON.stringify({ details, last, event })).toBe(true)
      }
      last = event.price
    }
  }

  #follow(instrumentId: number, command: { type: string }, event: DecodedEvent): void {
    const key = (orderId: number) => `${instrumentId} ${orderId}`
    if (event.event === 'accepted' && command.type === 'new') {
      const { orderId, quantity } = command as unknown as { orderId: number; quantity: number }
      this.#open.set(key(orderId), quantity)
    } else if (event.event === 'trade') {
      for (const [orderId, remaining] of [
        [event.makerOrderId, event.makerRemaining],
        [event.takerOrderId, event.takerRemaining],
      ] as const) {
        const open = this.#open.get(key(orderId))
        if (open !== undefined && event.makerOrderId !== event.takerOrderId)
          expect(remaining).toBe(open - event.quantity)
        if (remaining === 0) this.#open.delete(key(orderId))
        else this.#open.set(key(orderId), remaining)
      }
    } else if (event.event === 'replaced') this.#open.set(key(event.orderId), event.quantity)
    else if (event.event === 'cancelled') {
      const open = this.#open.get(key(event.orderId))
      if (open !== undefined) expect(event.remaining).toBe(open)
      this.#open.delete(key(event.orderId))
    }
  }
}
