import { describe, expect, it } from 'vitest'
import {
  type CommandError,
  commandGrids,
  decodeCommand,
  encodeCommand,
  limits,
  maxCommandWords,
  type SymbolCommand,
} from '#tidemark/matching/index.js'
import { RuleBook } from './support/rule-book.js'

const grids = commandGrids({
  instrumentId: 3,
  symbol: 'X',
  tickSize: '0.5',
  lotSize: '1',
  replacePriority: 'keep-on-reduce',
  selfTradePrevention: 'none',
})
const words = new Int32Array(maxCommandWords)

function decoded(fields: Record<string, unknown>): object | undefined {
  encodeCommand(words, 0, { type: 'cancel-all', symbol: 'X', ...fields } as SymbolCommand, grids)
  return decodeCommand(words, 0)
}

function refusal(fields: Record<string, unknown>): string {
  words.fill(-1)
  try {
    decoded(fields)
    return 'none'
  } catch (error) {
    const { code, details } = error as CommandError
    expect(words.every((word) => word === -1)).toBe(true)
    return `${code} ${details['field']}`
  }
}

describe('a cancel-all', () => {
  it('comes back as it went in, with the other end of a half range', () => {
    expect(decoded({ account: 7, side: 'sell', tag: 9, minPrice: '1.5' })).toEqual({
      type: 'cancel-all',
      instrumentId: 3,
      tagLow: 9,
      tagHigh: 0,
      account: 7,
      side: 'sell',
      minPrice: 3,
      maxPrice: limits.maxPriceTicks,
    })
    expect(decoded({ everybody: true, maxPrice: 2 })).toMatchObject({ minPrice: 1, maxPrice: 4 })
    expect(decoded({ everybody: true })).not.toHaveProperty('account')
    const orderIds = Array.from({ length: limits.maxCancelOrderIds }, (_, i) => limits.maxOrderId - i)
    expect(decoded({ orderIds, minPrice: 1, maxPrice: 1, tag: 1 })).toMatchObject({ orderIds, minPrice: 2 })
  })

  it.each([
    [{}, 'TIDEMARK_FIELD_MISSING account'],
    [{ everybody: false, side: 'buy' }, 'TIDEMARK_FIELD_MISSING account'],
    [{ everybody: true, account: 7 }, 'TIDEMARK_FIELD_CONFLICT everybody'],
    [{ everybody: 1 }, 'TIDEMARK_FIELD_TYPE everybody'],
    [{ orderIds: [] }, 'TIDEMARK_FIELD_RANGE the number of orderIds'],
    [{ orderIds: new Array(129).fill(1) }, 'TIDEMARK_FIELD_RANGE the number of orderIds'],
    [{ orderIds: [1, 0] }, 'TIDEMARK_FIELD_RANGE orderIds'],
    [{ orderIds: ['1'] }, 'TIDEMARK_FIELD_TYPE orderIds'],
    [{ orderIds: 1 }, 'TIDEMARK_FIELD_TYPE orderIds'],
    [{ account: 7, minPrice: 2, maxPrice: 1 }, 'TIDEMARK_FIELD_CONFLICT minPrice'],
    [{ account: 7, minPrice: '0.7' }, 'TIDEMARK_OFF_GRID minPrice'],
    [{ account: 7, prices: [1, 2] }, 'TIDEMARK_FIELD_UNKNOWN prices'],
  ])('%# that is malformed is refused before anything is written', (fields, expected) => {
    expect(refusal(fields)).toBe(expected)
  })

  it('of everybody goes through the book side by side, and a stop without a limit is in no range', () => {
    const book = new RuleBook()
    book.buy(1, 1, 100)
    book.sell(2, 1, 110)
    book.sell(3, 1, 109)
    book.buy(4, 1, 101)
    book.send({ type: 'new', orderId: 9, account: 1, side: 'sell', orderType: 'market', quantity: 1 })
    book.stop(5, 'buy', 1, 120)
    book.stop(6, 'sell', 1, 90)
    book.stop(7, 'buy', 1, 115, { orderType: 'stop-limit', price: 116 } as never)
    book.buy(8, 1, 102)
    const line = (id: number, price: number) => `cancelled ${id}: 1@${price} cancel-all`
    expect(book.send({ type: 'cancel-all', everybody: true, minPrice: 101, maxPrice: 109 })).toEqual([
      line(8, 102),
      line(3, 109),
    ])
    expect(book.send({ type: 'cancel-all', everybody: true, minPrice: 1 })).toEqual([
      line(1, 100),
      line(2, 110),
      line(7, 116),
    ])
    expect(book.send({ type: 'cancel-all', everybody: true })).toEqual([line(6, 0), line(5, 0)])
  })

  it('of a list passes over what is not there, is listed twice, or is another account’s', () => {
    const book = new RuleBook()
    for (const id of [1, 2, 3, 4]) book.buy(id, 1, 100, { account: id === 3 ? 8 : 7 })
    expect(book.send({ type: 'cancel-all', account: 7, orderIds: [4, 3, 9, 4, 1] })).toEqual([
      'cancelled 4: 1@100 cancel-all',
      'cancelled 1: 1@100 cancel-all',
    ])
    expect(book.send({ type: 'cancel-all', orderIds: [3] })).toEqual(['cancelled 3: 1@100 cancel-all'])
  })
})
