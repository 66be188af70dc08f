import { describe, expect, it } from 'vitest'
import { restoredFrom } from './support/copies.js'
import { RuleBook } from './support/rule-book.js'

type More = Record<string, unknown>

const peg = (orderId: number, side: string, kind: string, quantity: number, more: More = {}) => ({
  type: 'new',
  orderId,
  account: 1000 + orderId,
  side,
  orderType: 'limit',
  peg: kind,
  quantity,
  ...more,
})

const code = (run: () => unknown): string => {
  try {
    run()
    return 'taken'
  } catch (error) {
    return (error as { code: string }).code
  }
}

/** A book with a bid at 100 and an ask at 109. */
function withTouch(definition: More = {}): RuleBook {
  const book = new RuleBook(definition)
  book.buy(1, 10, 100)
  book.sell(2, 10, 109)
  return book
}

describe('a pegged order', () => {
  it('follows its own side, the other side, or the middle, which is rounded to its own side', () => {
    const book = withTouch()
    expect(book.send(peg(3, 'buy', 'primary', 1, { pegOffset: 1 }))).toEqual([
      'accepted',
      'replaced 3: 1@101 pegged',
    ])
    expect(book.send(peg(4, 'sell', 'market', 1, { pegOffset: 7 }))).toEqual([
      'accepted',
      'replaced 4: 1@107 pegged',
    ])
    expect(book.send(peg(5, 'buy', 'mid', 1))).toEqual(['accepted', 'replaced 5: 1@104 pegged'])
    expect(book.send(peg(6, 'sell', 'mid', 1))).toEqual(['accepted', 'replaced 6: 1@105 pegged'])
    // The first peg's reference is the bid, and no peg above it.
    expect(book.buy(7, 1, 102)).toEqual([
      'accepted',
      'replaced 3: 1@103 pegged',
      'replaced 4: 1@109 pegged',
      'replaced 5: 1@105 pegged',
      'trade 5 with 6: 1@105',
    ])
  })

  it('does not follow an order that is pegged, itself least of all', () => {
    const book = withTouch()
    book.send(peg(3, 'buy', 'primary', 1, { pegOffset: 2 }))
    book.send(peg(4, 'buy', 'primary', 1, { pegOffset: 2 }))
    expect(book.depth()).toBe('bids 2@102x2 10@100x1 / asks 10@109x1')
    expect(book.sell(5, 1, 102)).toEqual(['accepted', 'trade 5 with 3: 1@102'])
    // A level of pegs and another order is a reference, as long as the other is there.
    expect(book.buy(6, 1, 102)).toEqual(['accepted', 'replaced 4: 1@104 pegged'])
    expect(book.cancel(6)).toEqual(['cancelled 6: 1@102 requested', 'replaced 4: 1@102 pegged'])
  })

  it('keeps its limit, and follows again when the reference comes back', () => {
    const book = withTouch()
    book.send(peg(3, 'buy', 'primary', 1, { price: 101 }))
    expect(book.buy(4, 1, 105)).toEqual(['accepted', 'replaced 3: 1@101 pegged'])
    expect(book.buy(5, 1, 106)).toEqual(['accepted'])
    book.cancel(5)
    expect(book.cancel(4)).toEqual(['cancelled 4: 1@105 requested', 'replaced 3: 1@100 pegged'])
    expect(book.order(3)).toMatchObject({ price: 100, peg: 'primary', limitPrice: 101 })
  })

  it('goes to the back at its new price, and pegs that move at once keep their order', () => {
    const book = withTouch()
    book.send(peg(3, 'buy', 'primary', 1))
    book.send(peg(4, 'buy', 'primary', 1))
    expect(book.buy(5, 1, 101)).toEqual(['accepted', 'replaced 3: 1@101 pegged', 'replaced 4: 1@101 pegged'])
    expect(book.market(6, 'sell', 3)).toEqual([
      'accepted',
      'trade 6 with 5: 1@101',
      'trade 6 with 3: 1@101',
      'trade 6 with 4: 1@101',
    ])
  })

  it('of which only some move, is re-priced after those that moved before it', () => {
    const book = withTouch()
    book.send(peg(3, 'buy', 'primary', 1, { price: 101 }))
    book.send(peg(4, 'buy', 'primary', 1))
    book.buy(5, 1, 101)
    // 3 stays at its limit now, so 4 moves and is last; then 3 moves first again only if it stood before.
    expect(book.buy(6, 1, 102)).toEqual(['accepted', 'replaced 4: 1@102 pegged'])
    book.cancel(6)
    expect(book.cancel(5)).toEqual([
      'cancelled 5: 1@101 requested',
      'replaced 3: 1@100 pegged',
      'replaced 4: 1@100 pegged',
    ])
    expect(book.books.engine.bookState(4)!.pegs).toEqual([3, 4])
  })

  it('is refused without a reference, and cancelled when it goes', () => {
    const book = new RuleBook()
    expect(book.send(peg(1, 'buy', 'primary', 1))).toEqual(['rejected 1: NO_PEG_REFERENCE'])
    book.buy(2, 1, 100)
    expect(book.send(peg(3, 'buy', 'mid', 1))).toEqual(['rejected 3: NO_PEG_REFERENCE'])
    expect(book.send(peg(3, 'buy', 'market', 1))).toEqual(['rejected 3: NO_PEG_REFERENCE'])
    book.send(peg(3, 'buy', 'primary', 2))
    expect(book.cancel(2)).toEqual(['cancelled 2: 1@100 requested', 'cancelled 3: 2@100 no-reference'])
  })

  it('trades in the record in which it comes to cross, and what it trades with may move others', () => {
    const book = withTouch()
    book.send(peg(3, 'sell', 'primary', 1))
    book.send(peg(4, 'buy', 'market', 2, { pegOffset: -1 }))
    expect(book.order(4)).toMatchObject({ price: 108, pegOffset: -1 })
    expect(book.sell(5, 1, 108)).toEqual(['accepted', 'trade 5 with 4: 1@108'])
    expect(book.sell(6, 3, 105)).toEqual(['accepted', 'trade 6 with 4: 1@108', 'replaced 3: 1@105 pegged'])
    // A market peg without an offset takes what it follows, and stays where that was when nothing is left to follow.
    book.cancel(3)
    expect(book.send(peg(7, 'buy', 'market', 3))).toEqual([
      'accepted',
      'replaced 7: 3@105 pegged',
      'trade 7 with 6: 2@105',
      'replaced 7: 1@109 pegged',
      'trade 7 with 2: 1@109',
    ])
  })

  it('triggers stops by its trades, whose trades move it', () => {
    const book = withTouch()
    book.stop(3, 'buy', 10, 109)
    book.send(peg(4, 'sell', 'primary', 1, { pegOffset: 2 }))
    book.sell(5, 1, 112)
    expect(book.market(6, 'buy', 1)).toEqual([
      'accepted',
      'trade 6 with 2: 1@109',
      'triggered 3',
      'trade 3 with 2: 9@109',
      'trade 3 with 4: 1@111',
    ])
  })

  it('has a price of the tick table, away from the other side', () => {
    const book = withTouch({ details: { tickTable: '100:5' } })
    book.send({
      type: 'new',
      orderId: 9,
      account: 1,
      side: 'sell',
      orderType: 'limit',
      price: 110,
      quantity: 1,
    })
    expect(book.send(peg(3, 'buy', 'primary', 1, { pegOffset: 9 }))).toEqual([
      'accepted',
      'replaced 3: 1@105 pegged',
    ])
    expect(book.send(peg(4, 'sell', 'primary', 1, { pegOffset: -4 }))).toEqual([
      'accepted',
      'replaced 4: 1@110 pegged',
    ])
  })

  it('counts among the live orders of its account, and obeys limits when it comes', () => {
    const book = withTouch({ details: { maxAccountOrders: 1, maxPrice: 110, minQuantity: 2 } })
    const own = { account: 7 }
    expect(book.send(peg(3, 'buy', 'primary', 1, own))).toEqual(['rejected 3: QUANTITY_TOO_SMALL'])
    expect(book.send(peg(3, 'sell', 'primary', 2, { pegOffset: 3, ...own }))).toHaveLength(1)
    expect(book.send(peg(4, 'buy', 'primary', 2, own))).toHaveLength(2)
    expect(book.send(peg(5, 'buy', 'primary', 2, own))).toEqual(['rejected 5: TOO_MANY_ORDERS'])
  })

  it('is stopped by bands as other orders are', () => {
    const bands = (bandAction: 1 | 2 | 3) => {
      const book = new RuleBook({ details: { referencePrice: 100, staticBand: 5, bandAction } })
      book.buy(1, 10, 100)
      book.sell(2, 1, 104)
      book.sell(3, 5, 109)
      book.send(peg(4, 'buy', 'primary', 5, { pegOffset: 1 }))
      book.send(peg(5, 'buy', 'primary', 1))
      return { cause: book.buy(6, 1, 103), book }
    }
    const { cause: cut } = bands(2)
    expect(cut).toEqual([
      'accepted',
      'replaced 4: 5@104 pegged',
      'trade 4 with 2: 1@104',
      'replaced 5: 1@103 pegged',
    ])
    const far = (bandAction: 1 | 2 | 3) => {
      const book = new RuleBook({ details: { referencePrice: 100, staticBand: 5, bandAction } })
      book.buy(1, 10, 90)
      book.sell(3, 5, 109)
      book.send(peg(4, 'buy', 'primary', 2, { pegOffset: 18 }))
      book.send(peg(5, 'buy', 'primary', 1))
      return book.buy(6, 1, 91)
    }
    expect(far(1).slice(0, 3)).toEqual(['accepted', 'cancelled 4: 2@108 band', 'replaced 5: 1@91 pegged'])
    expect(far(2).slice(0, 4)).toEqual([
      'accepted',
      'replaced 4: 2@109 pegged',
      'cancelled 4: 2@109 band',
      'replaced 5: 1@91 pegged',
    ])
    expect(far(3)).toEqual(['accepted', 'replaced 4: 2@109 pegged', 'volatility-interruption'])
  })

  it('that comes after one which interrupts trading follows when trading goes on', () => {
    const book = new RuleBook({ details: { referencePrice: 100, staticBand: 5, bandAction: 3 } })
    book.buy(1, 10, 90)
    book.sell(3, 5, 109)
    book.send(peg(4, 'buy', 'primary', 2, { pegOffset: 18 }))
    book.send(peg(5, 'buy', 'primary', 1))
    expect(book.buy(6, 1, 91).at(-1)).toBe('volatility-interruption')
    expect(book.cancel(4)).toEqual(['cancelled 4: 2@109 requested'])
    expect(book.phase('continuous')).toEqual(['continuous', 'replaced 5: 1@91 pegged'])
  })

  it('takes reduce, and a replace of its quantity but not of its price', () => {
    const book = withTouch()
    book.send(peg(3, 'buy', 'primary', 5, { displayQuantity: 2 }))
    expect(book.depth()).toBe('bids 12@100x2 / asks 10@109x1')
    expect(book.replace(3, 5, 101)).toEqual(['rejected 3: PRICE_NOT_APPLICABLE'])
    expect(book.replace(3, 9, 100)).toEqual(['replaced 3: 9@100 requested'])
    expect(book.reduce(3, 8)).toEqual(['replaced 3: 1@100 reduced'])
    expect(book.buy(4, 1, 102)).toEqual(['accepted', 'replaced 3: 1@102 pegged'])
    expect(book.cancelAll(1003)).toEqual(['cancelled 3: 1@102 cancel-all'])
  })

  it('rests where it is in a call, and follows when trading goes on', () => {
    const book = withTouch()
    book.send(peg(3, 'buy', 'primary', 5))
    book.phase('auction')
    expect(book.send(peg(4, 'buy', 'primary', 5))).toEqual(['rejected 4: NOT_IN_THIS_PHASE'])
    expect(book.buy(5, 1, 104)).toEqual(['accepted'])
    expect(book.phase('continuous')).toEqual(['continuous', 'replaced 3: 5@104 pegged'])
  })

  it('is copied and restored with its turn', () => {
    const book = withTouch()
    for (const id of [3, 4, 5])
      book.send(peg(id, 'buy', 'primary', 1, { price: 101 + id, pegOffset: id - 4 }))
    book.buy(6, 1, 104)
    const { engine } = book.books
    const restored = restoredFrom(engine)
    expect(restored.bookState(4)).toEqual(engine.bookState(4))
    expect(restored.bookState(4)!.pegs).toEqual([3, 4, 5])
    expect(restored.digest(4)).toBe(engine.digest(4))
  })

  it('is a limit order that rests, not post-only', () => {
    const book = withTouch()
    const refusal = (more: More) => code(() => book.send(peg(3, 'buy', 'primary', 1, more)))
    for (const timeInForce of ['IOC', 'FOK', 'at-open', 'at-close'])
      expect(refusal({ timeInForce })).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(refusal({ postOnly: true })).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(refusal({ orderType: 'market' })).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(refusal({ orderType: 'stop-limit', stopPrice: 100, price: 100 })).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(refusal({ peg: undefined, price: 100, pegOffset: 1 })).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(refusal({ peg: 'best' })).toBe('TIDEMARK_FIELD_VALUE')
    expect(refusal({ pegOffset: '0.5' })).toBe('TIDEMARK_OFF_GRID')
    expect(refusal({ pegOffset: '9007199254740992' })).toBe('TIDEMARK_FIELD_RANGE')
    expect(refusal({ pegOffset: '-9007199254740991' })).toBe('taken')
    expect(book.order(3)).toMatchObject({ price: 1 })
  })
})
