import { describe, expect, it } from 'vitest'
import { RuleBook } from './support/rule-book.js'

const MAX = Number.MAX_SAFE_INTEGER

describe('price and time priority', () => {
  it('trades with the best price first, then with the oldest order, at the maker’s price', () => {
    const book = new RuleBook()
    book.sell(1, 5, 102)
    book.sell(2, 5, 101)
    book.sell(3, 5, 101)
    expect(book.buy(4, 12, 102)).toEqual([
      'accepted',
      'trade 4 with 2: 5@101',
      'trade 4 with 3: 5@101',
      'trade 4 with 1: 2@102',
    ])
    expect(book.depth()).toBe('bids  / asks 3@102x1')
  })

  it('stops at the limit and rests what is left', () => {
    const book = new RuleBook()
    book.buy(1, 5, 100)
    book.buy(2, 5, 99)
    expect(book.sell(3, 20, 100)).toEqual(['accepted', 'trade 3 with 1: 5@100'])
    expect(book.depth()).toBe('bids 5@99x1 / asks 15@100x1')
    expect(book.order(3)).toMatchObject({ quantity: 15, filled: 5, status: 'resting', timeInForce: 'GTC' })
  })

  it('numbers the trades of a symbol from 1 without a gap', () => {
    const book = new RuleBook()
    book.sell(1, 10, 100)
    for (let id = 2; id <= 5; id++) {
      book.buy(id, 1, 100)
      expect(book.books.lastEvents[1]).toMatchObject({
        tradeId: id - 1,
        makerRemaining: 11 - id,
        takerRemaining: 0,
      })
    }
  })

  it('keeps prices and quantities up to 2^53-1 exact', () => {
    const book = new RuleBook()
    book.sell(1, MAX, MAX)
    book.sell(2, 3, MAX - 1)
    expect(book.buy(MAX, MAX, MAX, { account: 1 })).toEqual([
      'accepted',
      `trade ${MAX} with 2: 3@${MAX - 1}`,
      `trade ${MAX} with 1: ${MAX - 3}@${MAX}`,
    ])
    expect(book.order(1)?.quantity).toBe(3)
  })

  it('refuses an order that would push a level’s total beyond 2^53-1, and nothing else', () => {
    const book = new RuleBook()
    book.buy(1, MAX - 1, 100)
    expect(book.buy(2, 2, 100)).toEqual(['rejected 2: LEVEL_TOTAL_TOO_LARGE'])
    expect(book.buy(3, 1, 100)).toEqual(['accepted'])
    expect(book.buy(4, 2, 101)).toEqual(['accepted'])
    expect(book.replace(4, 2, 100)).toEqual(['rejected 4: LEVEL_TOTAL_TOO_LARGE'])
    expect(book.buy(5, MAX, 102, { timeInForce: 'IOC' })).toEqual(['accepted', `cancelled 5: ${MAX}@102 ioc`])
  })
})

describe('order ids', () => {
  it('refuses the id of a live order, resting or waiting, and takes it again once that is dead', () => {
    const book = new RuleBook()
    book.buy(1, 5, 100)
    book.stop(2, 'buy', 1, 200)
    expect(book.sell(1, 5, 101)).toEqual(['rejected 1: DUPLICATE_ORDER_ID'])
    expect(book.sell(2, 5, 101)).toEqual(['rejected 2: DUPLICATE_ORDER_ID'])
    book.sell(3, 5, 100)
    expect(book.sell(1, 5, 101)).toEqual(['accepted'])
  })

  it('refuses to cancel, replace or reduce what is not there', () => {
    const book = new RuleBook()
    expect(book.cancel(9)).toEqual(['rejected 9: UNKNOWN_ORDER'])
    expect(book.replace(9, 1, 1)).toEqual(['rejected 9: UNKNOWN_ORDER'])
    expect(book.reduce(9, 1)).toEqual(['rejected 9: UNKNOWN_ORDER'])
  })

  it('lets a stated account act on its own orders only', () => {
    const book = new RuleBook()
    book.buy(1, 5, 100, { account: 7 })
    expect(book.cancel(1, { account: 8 })).toEqual(['rejected 1: NOT_OWNER'])
    expect(book.cancel(1, { account: 7 })).toEqual(['cancelled 1: 5@100 requested'])
  })
})

describe('immediate orders', () => {
  it('cancels the rest of an IOC order', () => {
    const book = new RuleBook()
    book.sell(1, 5, 100)
    expect(book.buy(2, 8, 101, { timeInForce: 'IOC' })).toEqual([
      'accepted',
      'trade 2 with 1: 5@100',
      'cancelled 2: 3@101 ioc',
    ])
    expect(book.depth()).toBe('bids  / asks ')
  })

  it('sweeps all prices with a market order and cancels the rest', () => {
    const book = new RuleBook()
    book.buy(1, 5, 1)
    book.buy(2, 5, 100)
    expect(book.market(3, 'sell', 12)).toEqual([
      'accepted',
      'trade 3 with 2: 5@100',
      'trade 3 with 1: 5@1',
      'cancelled 3: 2@0 market',
    ])
  })

  it('accepts and cancels a market order that meets an empty book', () => {
    expect(new RuleBook().market(1, 'buy', 7)).toEqual(['accepted', 'cancelled 1: 7@0 market'])
  })

  it('fills a FOK order whole or changes nothing, across prices', () => {
    const book = new RuleBook()
    book.sell(1, 5, 100)
    book.sell(2, 5, 101)
    expect(book.buy(3, 11, 101, { timeInForce: 'FOK' })).toEqual(['rejected 3: FOK_NOT_FILLABLE'])
    expect(book.buy(3, 10, 100, { timeInForce: 'FOK' })).toEqual(['rejected 3: FOK_NOT_FILLABLE'])
    expect(book.depth()).toBe('bids  / asks 5@100x1 5@101x1')
    expect(book.buy(3, 10, 101, { timeInForce: 'FOK' })).toEqual([
      'accepted',
      'trade 3 with 1: 5@100',
      'trade 3 with 2: 5@101',
    ])
    expect(book.market(4, 'buy', 1, { timeInForce: 'FOK' })).toEqual(['rejected 4: FOK_NOT_FILLABLE'])
  })

  it('refuses a post-only order that would trade', () => {
    const book = new RuleBook()
    book.sell(1, 5, 100)
    expect(book.buy(2, 1, 100, { postOnly: true })).toEqual(['rejected 2: POST_ONLY_WOULD_TRADE'])
    expect(book.buy(2, 1, 99, { postOnly: true })).toEqual(['accepted'])
    expect(book.replace(2, 1, 100)).toEqual(['rejected 2: POST_ONLY_WOULD_TRADE'])
    expect(book.order(2)?.price).toBe(99)
  })
})
