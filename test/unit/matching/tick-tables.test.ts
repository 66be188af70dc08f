import { describe, expect, it } from 'vitest'
import { TickTable } from '#tidemark/matching/codec/tick-table.js'
import { limits } from '#tidemark/matching/index.js'
import { RuleBook } from './support/rule-book.js'

const change = (fields: object) => ({ type: 'instrument-change' as const, ...fields })

describe('a tick table', () => {
  it('lets orders be at the prices of their range only, stop prices and replaces included', () => {
    const book = new RuleBook()
    expect(
      book.send(
        change({
          tickTable: [
            { from: 10, tick: 5 },
            { from: 100, tick: 25 },
          ],
        }),
      ),
    ).toEqual(['instrument-changed'])
    for (const [price, isOn] of [
      [1, true],
      [9, true],
      [10, true],
      [12, false],
      [95, true],
      [99, false],
      [100, true],
      [105, false],
      [125, true],
    ] as const) {
      expect(book.buy(1, 5, price), String(price)).toEqual([isOn ? 'accepted' : 'rejected 1: PRICE_OFF_TICK'])
      if (isOn) book.cancel(1)
    }
    expect(book.stop(2, 'buy', 5, 12)).toEqual(['rejected 2: PRICE_OFF_TICK'])
    book.buy(3, 5, 95)
    expect(book.replace(3, 5, 96)).toEqual(['rejected 3: PRICE_OFF_TICK'])
    book.send(change({ tickTable: [{ from: 90, tick: 30 }] }))
    expect(book.replace(3, 4)).toEqual(['rejected 3: PRICE_OFF_TICK'])
    expect(book.reduce(3, 1)).toEqual(['replaced 3: 4@95 reduced'])
    book.send(change({ tickTable: null }))
    expect(book.replace(3, 4, 96)).toEqual(['replaced 3: 4@96 requested'])
  })

  it('is refused before it is logged when its ranges do not ascend, or do not begin on their own grid', () => {
    const book = new RuleBook()
    const refused = (tickTable: unknown) => () => book.send(change({ tickTable }))
    expect(refused([])).toThrow('1 to 32 ranges')
    expect(refused(Array.from({ length: 33 }, (_, at) => ({ from: at + 1, tick: 1 })))).toThrow(
      '1 to 32 ranges',
    )
    expect(refused('1:5')).toThrow('array of { from, tick }')
    expect(refused([{ from: 5 }])).toThrow('{ from, tick }')
    expect(refused([{ from: 5, tick: 5, to: 6 }])).toThrow('{ from, tick }')
    expect(refused([null])).toThrow('{ from, tick }')
    expect(refused([{ from: 6, tick: 5 }])).toThrow('multiple of its own tick')
    expect(
      refused([
        { from: 10, tick: 5 },
        { from: 10, tick: 2 },
      ]),
    ).toThrow('ascending')
    expect(refused([{ from: '1.5', tick: 1 }])).toThrow('multiple of 1')
    expect(
      book.send(change({ tickTable: Array.from({ length: 32 }, (_, at) => ({ from: at + 1, tick: 1 })) })),
    ).toEqual(['instrument-changed'])
  })

  it('finds the prices of its grid next to any other', () => {
    const table = new TickTable('10:5,100:25')
    const prices = [1, 9, 10, 12, 98, 99, 100, 101]
    expect(prices.map((price) => table.atOrBelow(price))).toEqual([1, 9, 10, 10, 95, 95, 100, 100])
    expect(prices.map((price) => table.atOrAbove(price))).toEqual([1, 9, 10, 15, 100, 100, 100, 125])
  })
})

describe('the most live orders of an account', () => {
  it('is kept for orders that could stay, waiting ones among them, to the last one', () => {
    const book = new RuleBook()
    book.send(change({ maxAccountOrders: 3 }))
    const own = { account: 7 }
    book.buy(1, 5, 100, own)
    book.stop(2, 'buy', 5, 110, own)
    book.sell(3, 5, 120, { ...own, timeInForce: 'at-close' })
    for (const order of [
      () => book.buy(4, 5, 100, own),
      () => book.stop(4, 'buy', 5, 110, own),
      () => book.sell(4, 5, 120, { ...own, timeInForce: 'at-close' }),
    ]) {
      expect(order()).toEqual(['rejected 4: TOO_MANY_ORDERS'])
    }
    expect(book.buy(4, 5, 100, { account: 8 })).toEqual(['accepted'])
    expect(book.buy(5, 5, 100, { ...own, timeInForce: 'IOC' })[0]).toBe('accepted')
    expect(book.market(5, 'buy', 5, own)[0]).toBe('accepted')
    expect(book.replace(1, 6, 101)).toEqual(['replaced 1: 6@101 requested'])
    book.cancel(2, own)
    expect(book.buy(5, 5, 100, own)).toEqual(['accepted'])
    book.phase('auction')
    expect(book.market(6, 'buy', 5, own)).toEqual(['rejected 6: TOO_MANY_ORDERS'])
  })

  it(`is at most ${limits.maxAccountOrders}`, () => {
    const book = new RuleBook()
    expect(() => book.send(change({ maxAccountOrders: limits.maxAccountOrders + 1 }))).toThrow(
      'from 1 to 1000',
    )
    expect(() => book.send(change({ maxAccountOrders: 0 }))).toThrow('from 1 to')
    expect(() => book.send(change({ staticBandBasisPoints: 10_001 }))).toThrow('from 1 to 10000')
    expect(() => book.send(change({ bandAction: 'stop' }))).toThrow('bandAction must be one of')
  })
})
