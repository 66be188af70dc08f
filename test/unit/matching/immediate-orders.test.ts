import { describe, expect, it } from 'vitest'
import { RuleBook } from './support/rule-book.js'

const code = (run: () => unknown): string => {
  try {
    run()
    return 'taken'
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('a minimum quantity', () => {
  it('is met or nothing changes; hidden quantity counts', () => {
    const book = new RuleBook()
    book.sell(1, 10, 100, { displayQuantity: 2 } as never)
    const ioc = { timeInForce: 'IOC', minQuantity: 10 } as const
    expect(book.buy(2, 12, 99, ioc)).toEqual(['rejected 2: MIN_QUANTITY_NOT_FILLABLE'])
    expect(book.market(3, 'buy', 11, { minQuantity: 11 })).toEqual(['rejected 3: MIN_QUANTITY_NOT_FILLABLE'])
    expect(book.depth()).toBe('bids  / asks 2@100x1')
    expect(book.buy(2, 12, 100, ioc)).toEqual([
      'accepted',
      ...Array(5).fill('trade 2 with 1: 2@100'),
      'cancelled 2: 2@100 ioc',
    ])
  })

  it('counts own orders as a FOK order does', () => {
    const book = new RuleBook({ selfTradePrevention: 'cancel-newest' })
    book.sell(1, 3, 100)
    book.sell(2, 3, 101, { account: 7 })
    book.sell(3, 3, 102)
    const ioc = (minQuantity: number) => ({ account: 7, timeInForce: 'IOC', minQuantity }) as const
    expect(book.buy(4, 9, 102, ioc(4))).toEqual(['rejected 4: MIN_QUANTITY_NOT_FILLABLE'])
    expect(book.buy(4, 9, 102, ioc(3))).toEqual([
      'accepted',
      'trade 4 with 1: 3@100',
      'cancelled 4: 6@102 self-trade',
    ])
  })

  it('is for limit and market orders that are IOC, and at most their quantity', () => {
    const book = new RuleBook()
    expect(code(() => book.buy(1, 5, 100, { minQuantity: 5 }))).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(code(() => book.buy(1, 5, 100, { minQuantity: 5, timeInForce: 'FOK' }))).toBe(
      'TIDEMARK_FIELD_CONFLICT',
    )
    expect(code(() => book.stop(1, 'buy', 5, 100, { minQuantity: 5, timeInForce: 'IOC' } as never))).toBe(
      'TIDEMARK_FIELD_CONFLICT',
    )
    expect(code(() => book.buy(1, 5, 100, { minQuantity: 6, timeInForce: 'IOC' }))).toBe(
      'TIDEMARK_FIELD_CONFLICT',
    )
    expect(code(() => book.buy(1, 5, 100, { minQuantity: 0, timeInForce: 'IOC' }))).toBe(
      'TIDEMARK_FIELD_RANGE',
    )
  })
})

describe('a self-trade group', () => {
  it('stays with a resting order, an amended one and a triggered stop', () => {
    const book = new RuleBook({ selfTradePrevention: 'cancel-oldest' })
    book.sell(1, 1, 100, { selfTradeGroup: 5 })
    book.sell(2, 1, 101, { selfTradeGroup: 6 })
    expect(book.order(1)).toMatchObject({ selfTradeGroup: 5 })
    book.buy(3, 3, 90, { selfTradeGroup: 5 })
    expect(book.replace(3, 3, 100)).toEqual(['replaced 3: 3@100 requested', 'cancelled 1: 1@100 self-trade'])
    book.stop(4, 'sell', 1, 100, { selfTradeGroup: 5 })
    expect(book.market(5, 'sell', 1)).toEqual([
      'accepted',
      'trade 5 with 3: 1@100',
      'triggered 4',
      'cancelled 3: 2@100 self-trade',
      'cancelled 4: 1@0 market',
    ])
  })

  it('is from 1 to 2^32-1', () => {
    const book = new RuleBook()
    expect(code(() => book.buy(1, 5, 100, { selfTradeGroup: 0 }))).toBe('TIDEMARK_FIELD_RANGE')
    expect(code(() => book.buy(1, 5, 100, { selfTradeGroup: 2 ** 32 }))).toBe('TIDEMARK_FIELD_RANGE')
    expect(book.buy(1, 5, 100, { selfTradeGroup: 2 ** 32 - 1 })).toEqual(['accepted'])
    expect(book.order(1)).toMatchObject({ selfTradeGroup: 2 ** 32 - 1 })
  })
})
