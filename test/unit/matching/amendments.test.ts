import { describe, expect, it } from 'vitest'
import { RuleBook } from './support/rule-book.js'

/** The order that is filled first at 100 after the amendment of order 1, which was first. */
function firstAfter(book: RuleBook, amend: (book: RuleBook) => void): number {
  book.buy(1, 5, 100)
  book.buy(2, 5, 100)
  amend(book)
  book.sell(9, 1, 100)
  const trade = book.books.lastEvents[1]
  return trade?.event === 'trade' ? trade.makerOrderId : 0
}

describe('replace', () => {
  it('keeps the place when the quantity goes down at the same price', () => {
    expect(firstAfter(new RuleBook(), (book) => book.replace(1, 4, 100))).toBe(1)
    expect(firstAfter(new RuleBook(), (book) => book.replace(1, 5))).toBe(1)
  })

  it('loses the place when the quantity goes up', () => {
    expect(firstAfter(new RuleBook(), (book) => book.replace(1, 6, 100))).toBe(2)
  })

  it('loses the place when the price changes, even if it changes back', () => {
    const there = (book: RuleBook): void => {
      book.replace(1, 5, 99)
      book.replace(1, 5, 100)
    }
    expect(firstAfter(new RuleBook(), there)).toBe(2)
  })

  it('always loses the place on an always-lose instrument', () => {
    const book = new RuleBook({ replacePriority: 'always-lose' })
    expect(firstAfter(book, (b) => b.replace(1, 4, 100))).toBe(2)
  })

  it('sets the open quantity, whatever has been filled before', () => {
    const book = new RuleBook()
    book.buy(1, 10, 100)
    book.sell(2, 4, 100)
    expect(book.replace(1, 8, 100)).toEqual(['replaced 1: 8@100 requested'])
    expect(book.order(1)).toMatchObject({ quantity: 8, filled: 4 })
  })

  it('reports itself first, then trades at a crossing price, then rests', () => {
    const book = new RuleBook()
    book.sell(1, 3, 101)
    book.buy(2, 5, 100)
    expect(book.replace(2, 7, 102)).toEqual(['replaced 2: 7@102 requested', 'trade 2 with 1: 3@101'])
    expect(book.order(2)).toMatchObject({ quantity: 4, filled: 3, price: 102 })
    book.sell(3, 9, 103)
    expect(book.replace(2, 9, 103)).toEqual(['replaced 2: 9@103 requested', 'trade 2 with 3: 9@103'])
    expect(book.order(2)).toBeUndefined()
  })
})

describe('reduce', () => {
  it('takes quantity away and keeps the place, on an always-lose instrument too', () => {
    const book = new RuleBook({ replacePriority: 'always-lose' })
    expect(firstAfter(book, (b) => expect(b.reduce(1, 2)).toEqual(['replaced 1: 3@100 reduced']))).toBe(1)
  })

  it('cancels the order when nothing is left', () => {
    const book = new RuleBook()
    book.buy(1, 5, 100)
    expect(book.reduce(1, 5)).toEqual(['cancelled 1: 5@100 reduced'])
    book.buy(1, 5, 100)
    expect(book.reduce(1, 50)).toEqual(['cancelled 1: 5@100 reduced'])
  })
})

describe('cancel-all', () => {
  it('cancels the account’s orders in the order of their acceptance, stops and replaced ones included', () => {
    const book = new RuleBook()
    book.buy(3, 1, 90, { account: 7 })
    book.stop(1, 'buy', 1, 200, { account: 7 })
    book.sell(5, 1, 150, { account: 8 })
    book.sell(2, 1, 160, { account: 7 })
    book.replace(3, 9, 95)
    expect(book.books.engine.instrumentsOf(7)).toEqual([4])
    expect(book.cancelAll(7)).toEqual([
      'cancelled 3: 9@95 cancel-all',
      'cancelled 1: 1@0 cancel-all',
      'cancelled 2: 1@160 cancel-all',
    ])
    expect(book.cancelAll(7)).toEqual([])
    expect(book.books.engine.instrumentsOf(7)).toEqual([])
  })

  it('takes the orders of one side only, waiting stops included, when it names one', () => {
    const book = new RuleBook()
    book.buy(1, 5, 100, { account: 7 })
    book.sell(2, 5, 160, { account: 7 })
    book.buy(3, 9, 95, { account: 7 })
    book.stop(4, 'sell', 1, 50, { account: 7 })
    book.sell(5, 5, 170)
    expect(book.cancelAll(7, 'sell')).toEqual([
      'cancelled 2: 5@160 cancel-all',
      'cancelled 4: 1@0 cancel-all',
    ])
    expect(book.cancelAll(7, 'sell')).toEqual([])
    expect(book.cancelAll(7, 'buy')).toEqual([
      'cancelled 1: 5@100 cancel-all',
      'cancelled 3: 9@95 cancel-all',
    ])
  })

  it('reaches orders that traded partly', () => {
    const book = new RuleBook()
    book.buy(1, 5, 100, { account: 7 })
    book.sell(2, 2, 100)
    expect(book.cancelAll(7)).toEqual(['cancelled 1: 3@100 cancel-all'])
  })
})

describe('a halt', () => {
  it('lets only cancels through while halted', () => {
    const book = new RuleBook()
    book.buy(1, 5, 100, { account: 7 })
    book.buy(2, 5, 100, { account: 7, timeInForce: 'DAY' })
    book.buy(3, 5, 100, { account: 7 })
    expect(book.phase('halted')).toEqual(['halted'])
    expect(book.sell(9, 5, 100)).toEqual(['rejected 9: INSTRUMENT_HALTED'])
    expect(book.replace(1, 4, 100)).toEqual(['rejected 1: INSTRUMENT_HALTED'])
    expect(book.reduce(1, 4)).toEqual(['rejected 1: INSTRUMENT_HALTED'])
    expect(book.cancel(1)).toEqual(['cancelled 1: 5@100 requested'])
    expect(book.send({ type: 'expire', time: 1, endOfDay: true })).toEqual(['cancelled 2: 5@100 end-of-day'])
    expect(book.cancelAll(7)).toEqual(['cancelled 3: 5@100 cancel-all'])
    expect(book.phase('halted')).toEqual(['halted'])
    expect(book.phase('continuous')).toEqual(['continuous'])
    expect(book.sell(9, 5, 100)).toEqual(['accepted'])
  })
})

describe('expire', () => {
  it('kills GTD orders whose time is not later, and DAY orders at the end of the day only', () => {
    const book = new RuleBook()
    book.buy(1, 1, 100, { timeInForce: 'GTD', expireTime: 10 })
    book.sell(2, 1, 110, { timeInForce: 'GTD', expireTime: 11 })
    book.buy(3, 1, 101, { timeInForce: 'DAY' })
    book.stop(4, 'sell', 1, 50, { timeInForce: 'GTD', expireTime: 9 })
    book.buy(5, 1, 99)
    expect(book.send({ type: 'expire', time: 8 })).toEqual([])
    expect(book.send({ type: 'expire', time: 10 })).toEqual([
      'cancelled 1: 1@100 expired',
      'cancelled 4: 1@0 expired',
    ])
    expect(book.send({ type: 'expire', time: 10, endOfDay: true })).toEqual(['cancelled 3: 1@101 end-of-day'])
    expect(book.depth()).toBe('bids 1@99x1 / asks 1@110x1')
  })
})
