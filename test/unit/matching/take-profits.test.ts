import { describe, expect, it } from 'vitest'
import { RuleBook } from './support/rule-book.js'

/** Trades one lot at a price, so that this is the last price. */
function trade(book: RuleBook, price: number): string[] {
  book.sell(901, 1, price)
  return book.buy(902, 1, price)
}

const takeProfit = { orderType: 'take-profit' } as const

describe('take-profits', () => {
  it('to sell wait for the last price to rise to their stop price, then act as market orders', () => {
    const book = new RuleBook()
    trade(book, 100)
    book.stop(1, 'sell', 3, 105, takeProfit)
    book.buy(2, 2, 99)
    expect(book.order(1)).toMatchObject({ status: 'waiting', orderType: 'take-profit', stopPrice: 105 })
    expect(trade(book, 104)).toEqual(['accepted', 'trade 902 with 901: 1@104'])
    expect(trade(book, 105)).toEqual([
      'accepted',
      'trade 902 with 901: 1@105',
      'triggered 1',
      'trade 1 with 2: 2@99',
      'cancelled 1: 1@0 market',
    ])
  })

  it('to buy wait for it to fall, and are there at once when it is there already', () => {
    const book = new RuleBook()
    trade(book, 100)
    book.stop(1, 'buy', 1, 95, takeProfit)
    expect(book.order(1)?.status).toBe('waiting')
    expect(trade(book, 95).slice(2)).toEqual(['triggered 1', 'cancelled 1: 1@0 market'])
    expect(book.stop(2, 'buy', 1, 95, takeProfit)).toEqual([
      'accepted',
      'triggered 2',
      'cancelled 2: 1@0 market',
    ])
  })

  it('queue up with the stops that wait for the same: by price, then by age', () => {
    const book = new RuleBook()
    trade(book, 100)
    book.stop(1, 'sell', 1, 104, takeProfit)
    book.stop(2, 'buy', 1, 104)
    book.stop(3, 'sell', 1, 103, takeProfit)
    book.stop(4, 'buy', 1, 106)
    expect(trade(book, 105).filter((line) => line.startsWith('triggered'))).toEqual([
      'triggered 3',
      'triggered 1',
      'triggered 2',
    ])
  })

  it('with a limit rest at it, and may be post-only', () => {
    const book = new RuleBook()
    trade(book, 100)
    const limited = { orderType: 'take-profit-limit', price: 106 } as const
    book.stop(1, 'sell', 2, 105, limited)
    expect(trade(book, 105).at(-1)).toBe('triggered 1')
    expect(book.depth()).toBe('bids  / asks 2@106x1')
    book.buy(2, 1, 105)
    const own = { ...limited, price: 105, postOnly: true }
    expect(book.stop(3, 'sell', 2, 105, own)).toEqual([
      'accepted',
      'triggered 3',
      'cancelled 3: 2@105 post-only',
    ])
  })

  it('need a stop price, and take a limit price only where they have one', () => {
    const book = new RuleBook()
    const order = { type: 'new', orderId: 1, account: 1, side: 'buy', quantity: 1 } as const
    expect(() => book.send({ ...order, orderType: 'take-profit' })).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_FIELD_MISSING' }),
    )
    expect(() => book.send({ ...order, orderType: 'take-profit', stopPrice: 5, price: 5 })).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_FIELD_CONFLICT' }),
    )
    expect(() => book.send({ ...order, orderType: 'take-profit-limit', stopPrice: 5 })).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_FIELD_MISSING' }),
    )
  })
})
