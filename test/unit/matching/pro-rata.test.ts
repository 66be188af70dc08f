import { describe, expect, it } from 'vitest'
import { RuleBook } from './support/rule-book.js'

/** Sell orders at 100 with ids from 1. */
function withAsks(allocation: 'pro-rata' | 'pro-rata-top', quantities: number[], more = {}): RuleBook {
  const book = new RuleBook({ allocation, ...more })
  for (const [i, quantity] of quantities.entries()) book.sell(i + 1, quantity, 100)
  return book
}

const trades = (events: string[]): string[] => events.filter((event) => event.startsWith('trade'))

describe('pro-rata', () => {
  it('gives each its share, rounded down, and the rest to the oldest', () => {
    const book = withAsks('pro-rata', [1, 1, 1, 1])
    expect(trades(book.buy(9, 2, 100))).toEqual(['trade 9 with 1: 1@100', 'trade 9 with 2: 1@100'])
    const uneven = withAsks('pro-rata', [1, 100, 10])
    expect(trades(uneven.buy(9, 110, 100))).toEqual([
      'trade 9 with 1: 1@100',
      'trade 9 with 2: 100@100',
      'trade 9 with 3: 9@100',
    ])
  })

  it('shares price by price, and takes all of a price in the order of time', () => {
    const book = withAsks('pro-rata', [4, 2])
    book.sell(3, 4, 101)
    book.sell(4, 4, 101)
    expect(trades(book.buy(9, 10, 101))).toEqual([
      'trade 9 with 1: 4@100',
      'trade 9 with 2: 2@100',
      'trade 9 with 3: 2@101',
      'trade 9 with 4: 2@101',
    ])
  })

  it('fills the oldest order first where the instrument says so', () => {
    const book = withAsks('pro-rata-top', [5, 30, 10])
    expect(trades(book.buy(9, 4, 100))).toEqual(['trade 9 with 1: 4@100'])
    expect(trades(book.buy(10, 9, 100))).toEqual([
      'trade 10 with 1: 1@100',
      'trade 10 with 2: 6@100',
      'trade 10 with 3: 2@100',
    ])
    // The next oldest is the top now.
    expect(trades(book.buy(11, 20, 100))).toEqual(['trade 11 with 2: 20@100'])
  })

  it('shares what icebergs show, pass by pass', () => {
    const book = new RuleBook({ allocation: 'pro-rata' })
    book.sell(1, 9, 100, { displayQuantity: 3 } as never)
    book.sell(2, 3, 100)
    expect(trades(book.buy(9, 7, 100))).toEqual([
      'trade 9 with 1: 3@100',
      'trade 9 with 2: 3@100',
      'trade 9 with 1: 1@100',
    ])
  })

  it('is exact where a product is beyond 2^53', () => {
    const shown = [2 ** 50 + 15_838, 2 ** 50 + 209_461, 2 ** 49 + 62]
    const quantity = 2 ** 50 + 26
    const total = shown.reduce((sum, one) => sum + BigInt(one), 0n)
    const shares = shown.map((one) => Number((BigInt(one) * BigInt(quantity)) / total))
    const rest = quantity - shares.reduce((sum, share) => sum + share, 0)
    expect(rest).toBe(2)
    const book = withAsks('pro-rata', shown)
    expect(trades(book.buy(9, quantity, 100))).toEqual([
      `trade 9 with 1: ${shares[0]! + rest}@100`,
      `trade 9 with 2: ${shares[1]}@100`,
      `trade 9 with 3: ${shares[2]}@100`,
    ])
  })

  it('deals with own orders before anything trades at their price', () => {
    const own = { account: 7 }
    const book = (selfTradePrevention: never) => {
      const made = withAsks('pro-rata', [4, 4], { selfTradePrevention })
      made.sell(3, 4, 100, own)
      return made
    }
    expect(book('cancel-newest' as never).buy(9, 4, 100, own)).toEqual([
      'accepted',
      'cancelled 9: 4@100 self-trade',
    ])
    expect(book('cancel-oldest' as never).buy(9, 4, 100, own)).toEqual([
      'accepted',
      'cancelled 3: 4@100 self-trade',
      'trade 9 with 1: 2@100',
      'trade 9 with 2: 2@100',
    ])
    const fok = { ...own, timeInForce: 'FOK' } as const
    expect(book('cancel-newest' as never).buy(9, 4, 100, fok)).toEqual(['rejected 9: FOK_NOT_FILLABLE'])
    expect(book('cancel-oldest' as never).buy(9, 8, 100, fok)).toHaveLength(4)
    expect(book('cancel-oldest' as never).buy(9, 9, 100, fok)).toEqual(['rejected 9: FOK_NOT_FILLABLE'])
  })

  it('holds for triggered stops, amended orders and orders for an amount, within price bands', () => {
    const book = withAsks('pro-rata', [4, 4], {
      details: { referencePrice: 100, staticBand: 1, bandAction: 2 },
    })
    book.buy(3, 2, 90)
    expect(trades(book.replace(3, 2, 100))).toEqual(['trade 3 with 1: 1@100', 'trade 3 with 2: 1@100'])
    const amount = { type: 'new', account: 1, side: 'buy', orderType: 'market', quoteQuantity: '250' }
    expect(trades(book.send({ ...amount, orderId: 4 }))).toEqual([
      'trade 4 with 1: 1@100',
      'trade 4 with 2: 1@100',
    ])
    expect(book.stop(5, 'buy', 2, 100)).toEqual([
      'accepted',
      'triggered 5',
      'trade 5 with 1: 1@100',
      'trade 5 with 2: 1@100',
    ])
    book.sell(6, 5, 102)
    expect(book.buy(7, 4, 102).at(-1)).toBe('cancelled 7: 2@102 band')
  })

  it('leaves an uncross to time', () => {
    const book = withAsks('pro-rata', [4, 4], { phase: 'pre-open' })
    book.buy(9, 4, 100)
    expect(book.phase('continuous').filter((event) => event.startsWith('uncross'))).toEqual([
      'uncross 1 with 9: 4@100',
    ])
  })
})
