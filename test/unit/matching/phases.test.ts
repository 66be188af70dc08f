import { describe, expect, it } from 'vitest'
import { RuleBook } from './support/rule-book.js'

/** A book in a call, after a trade at `last`. */
function call(last = 100, definition = {}): RuleBook {
  const book = new RuleBook(definition)
  book.buy(901, 1, last)
  book.sell(902, 1, last)
  book.phase('auction')
  return book
}

const indicative = (book: RuleBook) => book.books.engine.indicative(4)

describe('a call', () => {
  it('takes orders, amendments and cancels, and trades nothing, even when prices cross', () => {
    const book = call()
    expect(book.buy(1, 5, 103)).toEqual(['accepted'])
    expect(book.sell(2, 3, 101)).toEqual(['accepted'])
    expect(book.sell(3, 3, 101, { postOnly: true })).toEqual(['accepted'])
    expect(book.replace(3, 2, 102)).toEqual(['replaced 3: 2@102 requested'])
    expect(book.reduce(1, 1)).toEqual(['replaced 1: 4@103 reduced'])
    expect(book.cancel(3)).toEqual(['cancelled 3: 2@102 requested'])
    expect(book.depth()).toBe('bids 4@103x1 / asks 3@101x1')
  })

  it('takes market orders for its price, and no order that is to trade at once', () => {
    const book = call()
    expect(book.market(1, 'buy', 5)).toEqual(['accepted'])
    expect(book.market(2, 'buy', 5, { timeInForce: 'FOK' })).toEqual(['rejected 2: NOT_IN_THIS_PHASE'])
    expect(book.buy(2, 5, 100, { timeInForce: 'IOC' })).toEqual(['rejected 2: NOT_IN_THIS_PHASE'])
    expect(book.buy(2, 5, 100, { timeInForce: 'FOK' })).toEqual(['rejected 2: NOT_IN_THIS_PHASE'])
    expect(book.order(1)).toMatchObject({ orderType: 'market', price: 0, quantity: 5, status: 'resting' })
    expect(book.replace(1, 5, 100)).toEqual(['rejected 1: PRICE_NOT_APPLICABLE'])
    expect(book.replace(1, 4)).toEqual(['replaced 1: 4@0 requested'])
    expect(book.depth()).toBe('bids  / asks ')
    expect(book.books.engine.bestBid(4)).toBeUndefined()
    book.sell(3, 1, 104)
    book.market(4, 'sell', 1)
    expect(book.books.engine.bestAsk(4)).toBe(104)
    book.cancel(3)
    book.cancel(4)
    expect(book.phase('continuous')).toEqual(['continuous', 'cancelled 1: 4@0 market'])
  })

  it('of whichever kind goes over into another without trading, and so does a halt', () => {
    const book = new RuleBook({ phase: 'pre-open' })
    book.buy(1, 5, 103)
    book.sell(2, 3, 101)
    expect(book.phase('auction')).toEqual(['auction'])
    expect(book.phase('halted')).toEqual(['halted'])
    expect(book.buy(3, 1, 1)).toEqual(['rejected 3: INSTRUMENT_HALTED'])
    expect(book.phase('halted', { takesOrders: true })).toEqual(['halted takes orders'])
    expect(book.buy(3, 1, 1)).toEqual(['accepted'])
    expect(book.phase('pre-open')).toEqual(['pre-open'])
    expect(book.phase('continuous')).toEqual(['continuous', 'uncross 2 with 1: 3@103'])
  })

  it('ends in one uncross when the market closes, and a halt in none', () => {
    const book = call()
    book.buy(1, 5, 103)
    book.sell(2, 5, 101)
    book.phase('halted')
    expect(book.phase('closed')).toEqual(['closed'])
    expect(book.phase('auction')).toEqual(['auction'])
    expect(book.phase('closed')).toEqual(['closed', 'uncross 2 with 1: 5@101'])
    expect(book.buy(3, 1, 1)).toEqual(['rejected 3: INSTRUMENT_CLOSED'])
  })
})

describe('the price of an uncross', () => {
  it('is the one at which most is executed', () => {
    const book = call()
    book.buy(1, 10, 103)
    book.buy(2, 20, 102)
    book.sell(3, 15, 101)
    book.sell(4, 20, 102)
    expect(indicative(book)).toEqual({ price: 102, quantity: 30n, surplus: 5n, surplusSide: 'sell' })
    expect(book.phase('continuous')).toEqual([
      'continuous',
      'uncross 3 with 1: 10@102',
      'uncross 3 with 2: 5@102',
      'uncross 4 with 2: 15@102',
    ])
    expect(book.depth()).toBe('bids  / asks 5@102x1')
  })

  it('leaves least over, where several execute as much', () => {
    const book = call()
    book.buy(1, 10, 103)
    book.buy(2, 4, 101)
    book.sell(3, 10, 101)
    // 102 and 103 leave nothing over, 101 leaves 4.
    expect(indicative(book)).toEqual({ price: 102, quantity: 10n, surplus: 0n, surplusSide: undefined })
  })

  it('is on the side of the pressure, where several leave as much over', () => {
    const buyers = call()
    buyers.buy(1, 10, 103)
    buyers.sell(2, 4, 101)
    expect(indicative(buyers)).toMatchObject({ price: 103, surplus: 6n, surplusSide: 'buy' })
    const sellers = call()
    sellers.buy(1, 4, 103)
    sellers.sell(2, 10, 101)
    expect(indicative(sellers)).toMatchObject({ price: 101, surplus: 6n, surplusSide: 'sell' })
  })

  it('is nearest to the last trade, where that does not decide, and in the middle before the first one', () => {
    const price = (last: number | undefined) => {
      const book = last === undefined ? new RuleBook({ phase: 'auction' }) : call(last)
      book.buy(1, 5, 110)
      book.sell(2, 5, 101)
      return indicative(book)?.price
    }
    expect([50, 103, 200, undefined].map(price)).toEqual([101, 103, 110, 105])
  })

  it('of market orders alone is that of the last trade', () => {
    const book = call(77)
    book.market(1, 'buy', 5)
    book.market(2, 'sell', 3)
    expect(book.phase('continuous')).toEqual([
      'continuous',
      'uncross 2 with 1: 3@77',
      'cancelled 1: 2@0 market',
    ])
    const fresh = new RuleBook({ phase: 'auction' })
    fresh.market(1, 'buy', 5)
    fresh.market(2, 'sell', 3)
    expect(fresh.phase('continuous')).toEqual([
      'continuous',
      'cancelled 1: 5@0 market',
      'cancelled 2: 3@0 market',
    ])
  })
})

describe('the trades of an uncross', () => {
  it('go to market orders, then by price, then by time', () => {
    const book = call()
    book.buy(1, 2, 101)
    book.buy(2, 2, 102)
    book.buy(3, 2, 101)
    book.market(4, 'buy', 2)
    book.sell(5, 7, 101)
    expect(book.phase('continuous')).toEqual([
      'continuous',
      'uncross 5 with 4: 2@101',
      'uncross 5 with 2: 2@101',
      'uncross 5 with 1: 2@101',
      'uncross 5 with 3: 1@101',
    ])
    expect(book.depth()).toBe('bids 1@101x1 / asks ')
  })

  it('take all of an iceberg at its place; what is left shows its next part at the back', () => {
    const book = call()
    book.buy(1, 30, 101, { displayQuantity: 4 })
    book.buy(2, 5, 101)
    for (const id of [3, 4, 5]) book.sell(id, 7, 101)
    expect(book.phase('continuous')).toEqual([
      'continuous',
      'uncross 3 with 1: 7@101',
      'uncross 4 with 1: 7@101',
      'uncross 5 with 1: 7@101',
    ])
    expect(book.order(1)).toMatchObject({ quantity: 9, shown: 4, filled: 21 })
    expect(book.sell(6, 6, 101)).toEqual(['accepted', 'trade 6 with 2: 5@101', 'trade 6 with 1: 1@101'])
  })

  it('are made between orders of one account, whatever prevents that otherwise', () => {
    const book = call(100, { selfTradePrevention: 'cancel-both' })
    book.buy(1, 5, 101, { account: 7 })
    book.sell(2, 5, 101, { account: 7 })
    expect(book.phase('continuous')).toEqual(['continuous', 'uncross 2 with 1: 5@101'])
  })

  it('trigger stops, which act when continuous trading has begun, and not when it is closed', () => {
    const book = call(100)
    book.stop(1, 'buy', 2, 103)
    expect(book.stop(2, 'buy', 2, 99)).toEqual(['accepted'])
    book.buy(3, 5, 103)
    book.sell(4, 5, 103)
    book.sell(5, 3, 104)
    expect(book.phase('continuous')).toEqual([
      'continuous',
      'uncross 4 with 3: 5@103',
      'triggered 2',
      'trade 2 with 5: 2@104',
      'triggered 1',
      'trade 1 with 5: 1@104',
      'cancelled 1: 1@0 market',
    ])
    const other = call(100)
    other.stop(1, 'buy', 2, 103)
    other.buy(3, 5, 103)
    other.sell(4, 5, 103)
    expect(other.phase('closed')).toEqual(['closed', 'uncross 4 with 3: 5@103'])
    expect(other.order(1)).toMatchObject({ status: 'waiting' })
  })
})

describe('orders for one call', () => {
  it('at-open are taken before trading begins, and what is left of them then goes away', () => {
    const book = new RuleBook({ phase: 'pre-open' })
    expect(book.buy(1, 5, 101, { timeInForce: 'at-open' })).toEqual(['accepted'])
    expect(book.market(2, 'buy', 1, { timeInForce: 'at-open' })).toEqual(['accepted'])
    book.sell(3, 4, 101)
    expect(book.phase('continuous')).toEqual([
      'continuous',
      'uncross 3 with 2: 1@101',
      'uncross 3 with 1: 3@101',
      'cancelled 1: 2@101 at-open',
    ])
    expect(book.buy(4, 5, 101, { timeInForce: 'at-open' })).toEqual(['rejected 4: NOT_IN_THIS_PHASE'])
    book.phase('auction', { closing: true })
    expect(book.buy(4, 5, 101, { timeInForce: 'at-open' })).toEqual(['rejected 4: NOT_IN_THIS_PHASE'])
  })

  it('at-close wait aside until the closing call, trade in it, and go away with it', () => {
    const book = new RuleBook()
    expect(book.buy(1, 5, 101, { timeInForce: 'at-close' })).toEqual(['accepted'])
    expect(book.market(2, 'sell', 1, { timeInForce: 'at-close' })).toEqual(['accepted'])
    expect(book.order(1)).toMatchObject({ status: 'waiting', timeInForce: 'at-close' })
    expect(book.sell(3, 4, 101)).toEqual(['accepted'])
    book.phase('auction')
    expect(indicative(book)?.price).toBeUndefined()
    expect(book.phase('auction', { closing: true })).toEqual([
      'auction closing',
      'triggered 1',
      'triggered 2',
    ])
    expect(book.buy(4, 1, 100, { timeInForce: 'at-close' })).toEqual(['accepted', 'triggered 4'])
    expect(book.phase('closed')).toEqual([
      'closed',
      'uncross 2 with 1: 1@101',
      'uncross 3 with 1: 4@101',
      'cancelled 4: 1@100 at-close',
    ])
  })

  it('at-close go away when the closing call ends in another phase, or the market closes without one', () => {
    const book = new RuleBook()
    book.buy(1, 5, 101, { timeInForce: 'at-close' })
    book.phase('auction', { closing: true })
    expect(book.phase('halted')).toEqual(['halted', 'cancelled 1: 5@101 at-close'])
    book.phase('continuous')
    book.buy(2, 5, 101, { timeInForce: 'at-close' })
    expect(book.phase('closed')).toEqual(['closed', 'cancelled 2: 5@101 at-close'])
  })

  it('at-close go away with the closing call too when prices beyond the band keep trading from going on', () => {
    const book = new RuleBook({ details: { referencePrice: 100, staticBand: 5, bandAction: 3 } })
    book.phase('auction', { closing: true })
    book.buy(1, 5, 110, { timeInForce: 'at-close' })
    book.buy(2, 5, 110)
    book.sell(3, 2, 107)
    book.sell(4, 1, 100)
    expect(book.phase('continuous')).toEqual([
      'continuous',
      'uncross 4 with 1: 1@105',
      'cancelled 1: 4@110 at-close',
      'volatility-interruption',
    ])
    book.cancel(2)
    expect(book.phase('continuous')).toEqual(['continuous'])
    expect(book.depth()).toBe('bids  / asks 2@107x1')
  })

  it('at-close keep trading from nothing when they alone are beyond the band', () => {
    const book = new RuleBook({ details: { referencePrice: 100, staticBand: 5, bandAction: 3 } })
    book.phase('auction', { closing: true })
    book.buy(1, 5, 110, { timeInForce: 'at-close' })
    book.sell(3, 2, 107)
    expect(book.phase('continuous')).toEqual(['continuous', 'cancelled 1: 5@110 at-close'])
    expect(book.books.engine.instrument(4)).toMatchObject({ phase: 'continuous' })
  })

  it('are changed, cancelled, and expire at the end of the day like others', () => {
    const book = new RuleBook()
    book.buy(1, 5, 101, { timeInForce: 'at-close' })
    expect(book.replace(1, 7, 102)).toEqual(['replaced 1: 7@102 requested'])
    expect(book.reduce(1, 1)).toEqual(['replaced 1: 6@102 reduced'])
    expect(book.cancel(1)).toEqual(['cancelled 1: 6@102 requested'])
    book.buy(2, 5, 101, { timeInForce: 'at-close' })
    expect(book.send({ type: 'expire', time: 1, endOfDay: true })).toEqual(['cancelled 2: 5@101 end-of-day'])
  })

  it('are no stops', () => {
    const book = new RuleBook()
    expect(() => book.stop(1, 'buy', 1, 100, { timeInForce: 'at-close' })).toThrow(
      'neither at-open nor at-close',
    )
  })
})

describe('a bust', () => {
  it('annuls a trade once, and changes nothing else', () => {
    const book = new RuleBook()
    book.buy(1, 5, 101)
    book.sell(2, 3, 101)
    expect(book.send({ type: 'bust', tradeId: 1 })).toEqual(['busted 1'])
    expect(book.send({ type: 'bust', tradeId: 1 })).toEqual(['rejected 0: TRADE_ALREADY_BUSTED'])
    expect(book.send({ type: 'bust', tradeId: 2 })).toEqual(['rejected 0: UNKNOWN_TRADE'])
    expect(book.order(1)).toMatchObject({ quantity: 2, filled: 3 })
    expect(book.books.engine.instrument(4)).toMatchObject({ lastPrice: 101, trades: 1 })
    expect(book.stop(3, 'buy', 1, 101)).toEqual(['accepted', 'triggered 3', 'cancelled 3: 1@0 market'])
  })
})

describe('a phase', () => {
  it('is refused before it is logged when it is none, or with the option of another', () => {
    const book = new RuleBook()
    expect(() => book.send({ type: 'phase', phase: 'open' })).toThrow('phase must be one of')
    expect(() => book.send({ type: 'phase', phase: 'pre-open', closing: true })).toThrow(
      'Only the phase auction',
    )
    expect(() => book.send({ type: 'phase', phase: 'closed', takesOrders: true })).toThrow('takesOrders')
  })
})
