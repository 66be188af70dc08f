import { describe, expect, it } from 'vitest'
import type { SelfTradePrevention } from '#tidemark/matching/index.js'
import { RuleBook } from './support/rule-book.js'

const own = { account: 7 }

/** Asks 1 (another's, 2 lots), 2 (own, 5 lots), 3 (another's, 5 lots), all at 100. */
function bookWithOwnOrder(selfTradePrevention: SelfTradePrevention = 'none'): RuleBook {
  const book = new RuleBook({ selfTradePrevention })
  book.sell(1, 2, 100)
  book.sell(2, 5, 100, own)
  book.sell(3, 5, 100)
  return book
}

describe('self-trade prevention', () => {
  it('none: trades with itself', () => {
    expect(bookWithOwnOrder().buy(9, 4, 100, own)).toEqual([
      'accepted',
      'trade 9 with 1: 2@100',
      'trade 9 with 2: 2@100',
    ])
  })

  it('cancel-newest: cancels what is left of the aggressor', () => {
    const book = bookWithOwnOrder()
    expect(book.buy(9, 10, 100, { ...own, selfTradePrevention: 'cancel-newest' })).toEqual([
      'accepted',
      'trade 9 with 1: 2@100',
      'cancelled 9: 8@100 self-trade',
    ])
    expect(book.depth()).toBe('bids  / asks 10@100x2')
  })

  it('cancel-oldest: cancels the resting order and continues', () => {
    expect(bookWithOwnOrder().buy(9, 6, 100, { ...own, selfTradePrevention: 'cancel-oldest' })).toEqual([
      'accepted',
      'trade 9 with 1: 2@100',
      'cancelled 2: 5@100 self-trade',
      'trade 9 with 3: 4@100',
    ])
  })

  it('cancel-both: cancels both', () => {
    expect(bookWithOwnOrder().buy(9, 6, 100, { ...own, selfTradePrevention: 'cancel-both' })).toEqual([
      'accepted',
      'trade 9 with 1: 2@100',
      'cancelled 2: 5@100 self-trade',
      'cancelled 9: 4@100 self-trade',
    ])
  })

  it('decrement: both lose the smaller quantity, without a trade', () => {
    const larger = bookWithOwnOrder()
    expect(larger.buy(9, 20, 100, { ...own, selfTradePrevention: 'decrement' })).toEqual([
      'accepted',
      'trade 9 with 1: 2@100',
      'cancelled 2: 5@100 self-trade',
      'replaced 9: 13@100 self-trade',
      'trade 9 with 3: 5@100',
    ])
    expect(larger.order(9)).toMatchObject({ quantity: 8, filled: 7 })
    expect(bookWithOwnOrder().buy(9, 6, 100, { ...own, selfTradePrevention: 'decrement' })).toEqual([
      'accepted',
      'trade 9 with 1: 2@100',
      'replaced 2: 1@100 self-trade',
      'cancelled 9: 4@100 self-trade',
    ])
    expect(
      bookWithOwnOrder()
        .buy(9, 7, 100, { ...own, selfTradePrevention: 'decrement' })
        .slice(2),
    ).toEqual(['cancelled 2: 5@100 self-trade', 'cancelled 9: 5@100 self-trade'])
  })

  it('follows the instrument unless the order says otherwise', () => {
    expect(bookWithOwnOrder('cancel-newest').buy(9, 3, 100, own)).toContain('cancelled 9: 1@100 self-trade')
    expect(
      bookWithOwnOrder('cancel-newest').buy(9, 3, 100, { ...own, selfTradePrevention: 'none' }),
    ).toContain('trade 9 with 2: 1@100')
  })

  it('goes by the aggressor’s mode, also when a replace makes it one', () => {
    const book = new RuleBook()
    book.sell(1, 5, 100, { ...own, selfTradePrevention: 'cancel-newest' })
    book.buy(2, 5, 90, { ...own, selfTradePrevention: 'cancel-oldest' })
    expect(book.replace(2, 5, 100)).toEqual(['replaced 2: 5@100 requested', 'cancelled 1: 5@100 self-trade'])
  })

  it('decides a FOK order beforehand: own orders never count, and one in the way makes it unfillable', () => {
    const fok = { ...own, timeInForce: 'FOK' } as const
    const oldest = { ...fok, selfTradePrevention: 'cancel-oldest' } as const
    expect(bookWithOwnOrder().buy(9, 8, 100, oldest)).toEqual(['rejected 9: FOK_NOT_FILLABLE'])
    expect(bookWithOwnOrder().buy(9, 7, 100, oldest)).toContain('trade 9 with 3: 5@100')
    for (const selfTradePrevention of ['cancel-newest', 'cancel-both', 'decrement'] as const) {
      expect(bookWithOwnOrder().buy(9, 3, 100, { ...fok, selfTradePrevention })).toEqual([
        'rejected 9: FOK_NOT_FILLABLE',
      ])
      expect(bookWithOwnOrder().buy(9, 2, 100, { ...fok, selfTradePrevention })).toHaveLength(2)
    }
    expect(bookWithOwnOrder().buy(9, 12, 100, fok)).toHaveLength(4)
  })

  it('takes an iceberg’s hidden part into account', () => {
    const book = new RuleBook()
    book.sell(1, 6, 100, { displayQuantity: 2 })
    book.sell(2, 5, 100, own)
    // The refill of 1 stands after 2.
    const fok = { ...own, timeInForce: 'FOK', selfTradePrevention: 'cancel-both' } as const
    expect(book.buy(9, 3, 100, fok)).toEqual(['rejected 9: FOK_NOT_FILLABLE'])
    expect(book.buy(9, 3, 100, { ...own, selfTradePrevention: 'decrement' })).toEqual([
      'accepted',
      'trade 9 with 1: 2@100',
      'replaced 2: 4@100 self-trade',
      'cancelled 9: 1@100 self-trade',
    ])
  })
})
