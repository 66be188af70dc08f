import { describe, expect, it } from 'vitest'
import type { InstrumentDefinition } from '#tidemark/matching/index.js'
import { copyAtOnce } from './support/copies.js'
import { RuleBook } from './support/rule-book.js'

let nextId = 1_000_000

/** Trades one lot at each price, one after the other, and returns the last trade's events after its own. */
function trade(book: RuleBook, ...prices: number[]): string[] {
  let events: string[] = []
  for (const price of prices) {
    const [sell, buy] = [nextId++, nextId++]
    book.sell(sell, 1, price)
    events = book.buy(buy, 1, price, { timeInForce: 'IOC' }).slice(2)
  }
  return events
}

function trailing(book: RuleBook, orderId: number, side: 'buy' | 'sell', fields: Record<string, unknown>) {
  return book.send({ type: 'new', orderId, account: 7, side, quantity: 1, orderType: 'stop', ...fields })
}

describe('a trailing stop', () => {
  it('to sell stays below the highest last price by ticks, and is triggered when the price falls to it', () => {
    const book = new RuleBook()
    trade(book, 100)
    expect(trailing(book, 1, 'sell', { trailingOffset: 5 })).toEqual(['accepted'])
    expect(book.order(1)).toMatchObject({
      status: 'waiting',
      stopPrice: 95,
      trailingOffset: 5,
      trailingReference: 100,
    })
    trade(book, 96, 103, 99)
    expect(book.order(1)).toMatchObject({ stopPrice: 98, trailingReference: 103 })
    book.buy(2, 1, 90)
    expect(trade(book, 98)).toEqual(['triggered 1', 'trade 1 with 2: 1@90'])
  })

  it('to buy stays above the lowest last price', () => {
    const book = new RuleBook()
    trade(book, 100)
    trailing(book, 1, 'buy', { trailingOffset: 5 })
    trade(book, 90, 94)
    expect(book.order(1)).toMatchObject({ stopPrice: 95, trailingReference: 90 })
    expect(trade(book, 95)[0]).toBe('triggered 1')
  })

  it('begins with the first trade when there was none', () => {
    const book = new RuleBook()
    trailing(book, 1, 'sell', { trailingOffset: 5 })
    expect(book.order(1)).not.toHaveProperty('trailingReference')
    trade(book, 50)
    expect(book.order(1)).toMatchObject({ trailingReference: 50, stopPrice: 45 })
  })

  // The scenarios of the trailing stop FAQ of Binance's spot API: type, side, activation, basis points, limit, prices before the
  // trail begins, what it is at, prices after it, and the price that triggers it.
  const scenarios = [
    {
      name: 'A',
      type: 'stop-limit',
      side: 'buy',
      activationPrice: 44_000,
      trailingBasisPoints: 500,
      price: 45_000,
    },
    {
      name: 'B',
      type: 'stop-limit',
      side: 'sell',
      activationPrice: 39_000,
      trailingBasisPoints: 1000,
      price: 38_000,
    },
    {
      name: 'C',
      type: 'take-profit-limit',
      side: 'buy',
      activationPrice: 38_000,
      trailingBasisPoints: 850,
      price: 38_500,
    },
    {
      name: 'D',
      type: 'take-profit-limit',
      side: 'sell',
      activationPrice: 42_000,
      trailingBasisPoints: 750,
      price: 41_000,
    },
    { name: 'E', type: 'stop-limit', side: 'sell', trailingBasisPoints: 700, price: 39_000 },
  ] as const
  const walks = {
    A: { before: [37_000], active: 44_000, after: [45_000, 46_000, 42_000, 44_099], trigger: 44_100 },
    B: { before: [41_500], active: 39_000, after: [37_000, 41_000, 36_901], trigger: 36_900 },
    C: { before: [42_000], active: 38_000, after: [37_000, 39_000, 38_000, 40_144], trigger: 40_145 },
    D: { before: [41_500, 39_000], active: 42_000, after: [45_000, 44_000, 46_500, 43_013], trigger: 43_012 },
    E: { before: [], active: 40_000, after: [42_000, 39_500, 45_500, 42_316], trigger: 42_315 },
  }
  for (const { name, type, side, ...fields } of scenarios) {
    it(`follows scenario ${name} of the reference`, () => {
      const book = new RuleBook()
      trade(book, 40_000)
      trailing(book, 1, side, { orderType: type, ...fields })
      const { before, active, after, trigger } = walks[name]
      for (const price of before) {
        expect(trade(book, price)).toEqual([])
        expect(book.order(1)).not.toHaveProperty('trailingReference')
      }
      trade(book, active)
      expect(book.order(1)).toMatchObject({ trailingReference: active, status: 'waiting' })
      for (const price of after) expect(trade(book, price)).toEqual([])
      expect(trade(book, trigger)[0]).toBe('triggered 1')
    })
  }

  it('rounds basis points to the whole tick that is not reached before the part is', () => {
    const book = new RuleBook()
    trade(book, 101)
    trailing(book, 1, 'sell', { trailingBasisPoints: 100 })
    trailing(book, 2, 'buy', { trailingBasisPoints: 100 })
    // 1 % of 101 is 1.01: a fall or rise by 1 is less than that.
    expect(book.order(1)?.stopPrice).toBe(99)
    expect(book.order(2)?.stopPrice).toBe(103)
  })

  it('is exact at the largest prices, and beyond them waits where no price can be', () => {
    const most = Number.MAX_SAFE_INTEGER
    const book = new RuleBook()
    trade(book, most - 1)
    trailing(book, 1, 'sell', { trailingBasisPoints: 1 })
    trailing(book, 2, 'buy', { trailingBasisPoints: 9999 })
    trailing(book, 3, 'buy', { trailingOffset: 1 })
    const exact = BigInt(most - 1) - (BigInt(most - 1) + 9999n) / 10_000n
    expect(book.order(1)?.stopPrice).toBe(Number(exact))
    expect(book.order(2)).not.toHaveProperty('stopPrice')
    expect(book.order(3)?.stopPrice).toBe(most)
    expect(trade(book, most)[0]).toBe('triggered 3')
    book.cancel(2)
    trade(book, 2)
    trailing(book, 4, 'sell', { trailingOffset: 2 })
    expect(book.order(4)).not.toHaveProperty('stopPrice')
    expect(trade(book, 1)).toEqual([])
    expect(trade(book, 4)).toEqual([])
    expect(book.order(4)?.stopPrice).toBe(2)
  })

  it('that moves goes to the back at its new stop price, those first that have tracked longer', () => {
    const book = new RuleBook()
    trade(book, 100)
    trailing(book, 1, 'sell', { trailingOffset: 4 })
    trailing(book, 2, 'sell', { trailingOffset: 4 })
    book.stop(3, 'sell', 1, 98)
    trade(book, 102)
    expect(trade(book, 98).filter((line) => line.startsWith('triggered'))).toEqual([
      'triggered 3',
      'triggered 1',
      'triggered 2',
    ])
  })

  it('looks at the last price once a command has done all its trading', () => {
    const book = new RuleBook()
    trade(book, 100)
    trailing(book, 1, 'buy', { trailingOffset: 5 })
    book.sell(2, 1, 90)
    book.sell(3, 1, 97)
    book.buy(4, 2, 97)
    // The sweep traded at 90 on its way to 97.
    expect(book.order(1)).toMatchObject({ trailingReference: 97, stopPrice: 102 })
  })

  it('with a limit becomes a limit order at it, and has no trail any more', () => {
    const book = new RuleBook()
    trade(book, 100)
    trailing(book, 1, 'sell', { orderType: 'stop-limit', price: 93, trailingOffset: 5 })
    expect(trade(book, 95)).toEqual(['triggered 1'])
    expect(book.order(1)).toMatchObject({ status: 'resting', price: 93, stopPrice: 95 })
    expect(book.order(1)).not.toHaveProperty('trailingOffset')
  })

  it('can be cancelled, replaced and reduced while it follows', () => {
    const book = new RuleBook()
    trade(book, 100)
    trailing(book, 1, 'sell', { trailingOffset: 5, quantity: 4 })
    expect(book.replace(1, 6)).toEqual(['replaced 1: 6@0 requested'])
    expect(book.reduce(1, 2)).toEqual(['replaced 1: 4@0 reduced'])
    trade(book, 103)
    expect(book.order(1)).toMatchObject({ stopPrice: 98, quantity: 4 })
    expect(book.cancel(1)).toEqual(['cancelled 1: 4@0 requested'])
    expect(trade(book, 110, 90)).toEqual([])
  })

  it('is cancelled when it moves to a stop price whose total would be too large', () => {
    const most = Number.MAX_SAFE_INTEGER
    const book = new RuleBook()
    trade(book, 100)
    book.stop(1, 'sell', most, 97)
    trailing(book, 2, 'sell', { trailingOffset: 5 })
    expect(trade(book, 102)).toEqual(['cancelled 2: 1@0 level-total'])
  })

  it('is refused when its fields make no sense', () => {
    const book = new RuleBook()
    const refused = (fields: Record<string, unknown>, code: string, field: string) =>
      expect(() => trailing(book, 1, 'sell', fields)).toThrow(
        expect.objectContaining({ code, details: expect.objectContaining({ field }) }),
      )
    refused({ trailingOffset: 5, trailingBasisPoints: 5 }, 'TIDEMARK_FIELD_CONFLICT', 'trailingOffset')
    refused({ trailingOffset: 5, stopPrice: 5 }, 'TIDEMARK_FIELD_CONFLICT', 'stopPrice')
    refused({ activationPrice: 5, stopPrice: 5 }, 'TIDEMARK_FIELD_CONFLICT', 'activationPrice')
    refused({ activationPrice: 5 }, 'TIDEMARK_FIELD_CONFLICT', 'activationPrice')
    refused({ trailingBasisPoints: 10_000 }, 'TIDEMARK_FIELD_RANGE', 'trailingBasisPoints')
    refused({ trailingBasisPoints: 0 }, 'TIDEMARK_FIELD_RANGE', 'trailingBasisPoints')
    refused({ trailingBasisPoints: 1.5 }, 'TIDEMARK_FIELD_RANGE', 'trailingBasisPoints')
    refused({ trailingOffset: '1.5' }, 'TIDEMARK_OFF_GRID', 'trailingOffset')
    refused({ trailingOffset: 0 }, 'TIDEMARK_FIELD_RANGE', 'trailingOffset')
    refused({ orderType: 'limit', price: 5, trailingOffset: 5 }, 'TIDEMARK_FIELD_CONFLICT', 'trailingOffset')
    refused({ orderType: 'market', trailingBasisPoints: 5 }, 'TIDEMARK_FIELD_CONFLICT', 'trailingBasisPoints')
    refused({}, 'TIDEMARK_FIELD_MISSING', 'stopPrice')
    refused({ trailingOfset: 5 }, 'TIDEMARK_FIELD_UNKNOWN', 'trailingOfset')
  })

  it('has its activation price within the limits of the instrument', () => {
    const book = new RuleBook({ details: { minPrice: 50 } } as Partial<InstrumentDefinition>)
    expect(trailing(book, 1, 'sell', { trailingOffset: 5, activationPrice: 49 })).toEqual([
      'rejected 1: PRICE_TOO_LOW',
    ])
  })

  it('is in a copy of the books, with what it tracks and in the order in which it began', () => {
    const book = new RuleBook()
    trade(book, 100)
    for (let id = 1; id <= 6; id++) trailing(book, id, id % 2 ? 'sell' : 'buy', { trailingOffset: id })
    trailing(book, 7, 'sell', { trailingBasisPoints: 50, activationPrice: 90 })
    trade(book, 101)
    trailing(book, 8, 'sell', { trailingOffset: 9 })
    const { copied, copy } = copyAtOnce(book.books.engine)
    const restored = copied.restore(copy.counts)
    expect(restored.bookState(4)).toEqual(book.books.engine.bookState(4))
    expect(restored.digest(4)).toBe(book.books.engine.digest(4))
    expect(restored.bookState(4)?.tracking.length).toBeGreaterThan(4)
  })
})
