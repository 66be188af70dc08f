import { describe, expect, it } from 'vitest'
import { RuleBook } from './support/rule-book.js'

/** Trades one lot at a price, so that this is the last price. */
function trade(book: RuleBook, price: number): string[] {
  book.sell(901, 1, price)
  return book.buy(902, 1, price)
}

describe('stops', () => {
  it('wait until the last price reaches them, then act as market orders', () => {
    const book = new RuleBook()
    book.stop(1, 'buy', 3, 105)
    trade(book, 104)
    book.sell(2, 2, 106)
    expect(book.order(1)).toMatchObject({ status: 'waiting', stopPrice: 105 })
    expect(trade(book, 105)).toEqual([
      'accepted',
      'trade 902 with 901: 1@105',
      'triggered 1',
      'trade 1 with 2: 2@106',
      'cancelled 1: 1@0 market',
    ])
  })

  it('are triggered in price order, then by age, and those that they trigger queue up after them', () => {
    const book = new RuleBook()
    for (let i = 0; i < 4; i++) book.sell(100 + i, 1, 106 + i)
    book.stop(1, 'buy', 1, 105)
    book.stop(2, 'buy', 1, 104)
    book.stop(3, 'buy', 1, 104)
    book.stop(4, 'buy', 1, 106)
    const events = trade(book, 105)
    expect(events.filter((line) => line.startsWith('triggered'))).toEqual([
      'triggered 2',
      'triggered 3',
      'triggered 1',
      'triggered 4',
    ])
    expect(events.filter((line) => line.startsWith('trade'))).toEqual([
      'trade 902 with 901: 1@105',
      'trade 2 with 100: 1@106',
      'trade 3 with 101: 1@107',
      'trade 1 with 102: 1@108',
      'trade 4 with 103: 1@109',
    ])
  })

  it('on the sell side are triggered from the highest down', () => {
    const book = new RuleBook()
    book.stop(1, 'sell', 1, 95)
    book.stop(2, 'sell', 1, 96)
    expect(trade(book, 95).filter((line) => line.startsWith('triggered'))).toEqual([
      'triggered 2',
      'triggered 1',
    ])
  })

  it('are triggered at once when the last price is already there', () => {
    const book = new RuleBook()
    trade(book, 100)
    expect(book.stop(1, 'buy', 1, 100)).toEqual(['accepted', 'triggered 1', 'cancelled 1: 1@0 market'])
    expect(book.stop(2, 'sell', 1, 100)).toEqual(['accepted', 'triggered 2', 'cancelled 2: 1@0 market'])
    expect(book.stop(3, 'buy', 1, 101)).toEqual(['accepted'])
  })

  it('with a limit rest at it; post-only ones are cancelled if they would trade', () => {
    const book = new RuleBook()
    book.sell(1, 5, 106)
    book.stop(2, 'buy', 3, 105, { orderType: 'stop-limit', price: 105 })
    book.stop(3, 'buy', 3, 105, { orderType: 'stop-limit', price: 106, postOnly: true })
    book.stop(4, 'buy', 9, 105, { orderType: 'stop-limit', price: 106, timeInForce: 'FOK' })
    book.stop(5, 'buy', 9, 105, { orderType: 'stop-limit', price: 106, timeInForce: 'IOC' })
    expect(trade(book, 105).slice(2)).toEqual([
      'triggered 2',
      'triggered 3',
      'cancelled 3: 3@106 post-only',
      'triggered 4',
      'cancelled 4: 9@106 fok',
      'triggered 5',
      'trade 5 with 1: 5@106',
      'cancelled 5: 4@106 ioc',
    ])
    expect(book.order(2)).toMatchObject({ status: 'resting', price: 105, orderType: 'stop-limit' })
  })

  it('can be cancelled, reduced and replaced before', () => {
    const book = new RuleBook()
    book.stop(1, 'buy', 5, 105)
    book.stop(2, 'buy', 5, 105, { orderType: 'stop-limit', price: 110 })
    expect(book.replace(1, 6, 100)).toEqual(['rejected 1: PRICE_NOT_APPLICABLE'])
    expect(book.replace(1, 6)).toEqual(['replaced 1: 6@0 requested'])
    expect(book.replace(2, 5, 109)).toEqual(['replaced 2: 5@109 requested'])
    expect(book.reduce(1, 1)).toEqual(['replaced 1: 5@0 reduced'])
    const triggered = trade(book, 105).filter((line) => line.startsWith('triggered'))
    expect(triggered).toEqual(['triggered 1', 'triggered 2'])
    book.stop(3, 'buy', 5, 200)
    expect(book.cancel(3)).toEqual(['cancelled 3: 5@0 requested'])
  })

  it('lose their place among equals when their quantity goes up', () => {
    const book = new RuleBook()
    book.stop(1, 'buy', 5, 105)
    book.stop(2, 'buy', 5, 105)
    book.replace(1, 6)
    expect(trade(book, 105).filter((line) => line.startsWith('triggered'))).toEqual([
      'triggered 2',
      'triggered 1',
    ])
  })
})

describe('icebergs', () => {
  it('show a part, and each refill goes to the back of the level', () => {
    const book = new RuleBook()
    book.sell(1, 7, 100, { displayQuantity: 3 })
    book.sell(2, 3, 100)
    expect(book.depth()).toBe('bids  / asks 6@100x2')
    expect(book.buy(3, 9, 100)).toEqual([
      'accepted',
      'trade 3 with 1: 3@100',
      'trade 3 with 2: 3@100',
      'trade 3 with 1: 3@100',
    ])
    expect(book.order(1)).toMatchObject({ quantity: 1, shown: 1, filled: 6 })
  })

  it('keep the rest of a shown part in front', () => {
    const book = new RuleBook()
    book.sell(1, 7, 100, { displayQuantity: 3 })
    book.sell(2, 3, 100)
    book.buy(3, 2, 100)
    expect(book.depth()).toBe('bids  / asks 4@100x2')
    expect(book.buy(4, 2, 100)).toEqual(['accepted', 'trade 4 with 1: 1@100', 'trade 4 with 2: 1@100'])
  })

  it('count with their hidden part for a FOK order', () => {
    const book = new RuleBook()
    book.sell(1, 10, 100, { displayQuantity: 1 })
    expect(book.buy(2, 11, 100, { timeInForce: 'FOK' })).toEqual(['rejected 2: FOK_NOT_FILLABLE'])
    expect(book.buy(2, 10, 100, { timeInForce: 'FOK' })).toHaveLength(11)
  })

  it('trade with all they have when they come in, and show a part of what rests', () => {
    const book = new RuleBook()
    book.buy(1, 5, 100)
    expect(book.sell(2, 12, 100, { displayQuantity: 2 })).toEqual(['accepted', 'trade 2 with 1: 5@100'])
    expect(book.depth()).toBe('bids  / asks 2@100x1')
  })

  it('lose hidden quantity first when reduced, and refuse to grow beyond a thousand parts', () => {
    const book = new RuleBook()
    book.sell(1, 10, 100, { displayQuantity: 3 })
    book.reduce(1, 6)
    expect(book.order(1)).toMatchObject({ quantity: 4, shown: 3 })
    book.reduce(1, 2)
    expect(book.order(1)).toMatchObject({ quantity: 2, shown: 2 })
    expect(book.replace(1, 3001, 100)).toEqual(['rejected 1: DISPLAY_QUANTITY_TOO_SMALL'])
    expect(book.replace(1, 3000, 100)).toEqual(['replaced 1: 3000@100 requested'])
    expect(book.order(1)).toMatchObject({ quantity: 3000, shown: 3 })
  })
})
