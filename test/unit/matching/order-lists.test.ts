import { describe, expect, it } from 'vitest'
import { copyAtOnce } from './support/copies.js'
import { RuleBook } from './support/rule-book.js'

type Leg = Record<string, unknown>

let nextId = 1_000_000

/** Trades one lot at a price, so that this is the last price; returns what follows from it. */
function trade(book: RuleBook, price: number): string[] {
  const [sell, buy] = [nextId++, nextId++]
  book.sell(sell, 1, price)
  return book.buy(buy, 1, price, { timeInForce: 'IOC' }).slice(2)
}

function list(book: RuleBook, listType: 'oco' | 'oto' | 'otoco', orders: Leg[], more: Leg = {}): string[] {
  return book.send({ type: 'list', listType, account: 7, orders, ...more })
}

const limit = (orderId: number, side: string, quantity: number, price: number, more: Leg = {}): Leg => {
  return { orderId, side, quantity, price, orderType: 'limit', ...more }
}
const stop = (orderId: number, side: string, quantity: number, stopPrice: number, more: Leg = {}): Leg => {
  return { orderId, side, quantity, stopPrice, orderType: 'stop', ...more }
}

/** Sell 4 at 110, or below 90; the last price is 100. */
function bracketed(): RuleBook {
  const book = new RuleBook()
  trade(book, 100)
  expect(list(book, 'oco', [limit(1, 'sell', 4, 110), stop(2, 'sell', 4, 90)], { listId: 5 })).toEqual([
    'accepted 1',
    'accepted 2',
  ])
  return book
}

describe('of two orders that cancel each other', () => {
  it('the first trade of one cancels the other, and what is left of it stays', () => {
    const book = bracketed()
    expect(book.buy(3, 1, 110)).toEqual(['accepted', 'trade 3 with 1: 1@110', 'cancelled 2: 4@0 list'])
    expect(book.order(1)).toMatchObject({ quantity: 3, filled: 1, listId: 5, status: 'resting' })
    expect(book.buy(4, 3, 110)).toEqual(['accepted', 'trade 4 with 1: 3@110'])
    expect(book.cancelList(5)).toEqual(['rejected 0: UNKNOWN_LIST'])
  })

  it('the trigger of one cancels the other before it acts', () => {
    const book = bracketed()
    book.buy(3, 4, 85)
    expect(trade(book, 90)).toEqual(['cancelled 1: 4@110 list', 'triggered 2', 'trade 2 with 3: 4@85'])
  })

  it('the end of one cancels the other: a cancel, a reduce to nothing, an expiry, a cancel-all of one side', () => {
    expect(bracketed().cancel(1)).toEqual(['cancelled 1: 4@110 requested', 'cancelled 2: 4@0 list'])
    expect(bracketed().reduce(2, 4)).toEqual(['cancelled 2: 4@0 reduced', 'cancelled 1: 4@110 list'])
    const book = new RuleBook()
    list(book, 'oco', [limit(1, 'sell', 4, 110, { timeInForce: 'DAY' }), stop(2, 'sell', 4, 90)])
    expect(book.send({ type: 'expire', time: 1, endOfDay: true })).toEqual([
      'cancelled 1: 4@110 end-of-day',
      'cancelled 2: 4@0 list',
    ])
  })

  it('a stop that is triggered and refused ends as well', () => {
    const book = new RuleBook()
    trade(book, 100)
    list(book, 'oco', [
      limit(1, 'sell', 4, 110),
      stop(2, 'sell', 4, 90, { orderType: 'stop-limit', price: 89, timeInForce: 'FOK' }),
    ])
    expect(trade(book, 90)).toEqual(['cancelled 1: 4@110 list', 'triggered 2', 'cancelled 2: 4@89 fok'])
  })

  it('one that trades as it comes in cancels the other', () => {
    const book = new RuleBook()
    book.buy(3, 1, 100)
    expect(list(book, 'oco', [limit(1, 'sell', 4, 100), stop(2, 'sell', 4, 90)])).toEqual([
      'accepted 1',
      'accepted 2',
      'trade 1 with 3: 1@100',
      'cancelled 2: 4@0 list',
    ])
  })

  it('both may wait: the one that is reached first cancels the other', () => {
    const book = new RuleBook()
    trade(book, 100)
    list(book, 'oco', [stop(1, 'sell', 1, 110, { orderType: 'take-profit' }), stop(2, 'sell', 1, 90)])
    expect(trade(book, 112)).toEqual(['cancelled 2: 1@0 list', 'triggered 1', 'cancelled 1: 1@0 market'])
    // Of two that one price reaches, the first in the queue.
    list(book, 'oco', [stop(4, 'sell', 1, 110), stop(5, 'sell', 1, 105)])
    expect(trade(book, 100)).toEqual(['cancelled 5: 1@0 list', 'triggered 4', 'cancelled 4: 1@0 market'])
  })

  it('a trail follows the last price without a word, and cancels the other when it is triggered', () => {
    const book = new RuleBook()
    trade(book, 100)
    list(book, 'oco', [
      limit(1, 'sell', 1, 120),
      { orderId: 2, side: 'sell', quantity: 1, orderType: 'stop', trailingOffset: 5 },
    ])
    expect(trade(book, 108)).toEqual([])
    expect(trade(book, 103)[0]).toBe('cancelled 1: 1@120 list')
  })

  it('self-trade prevention that takes one away takes the other; a decrement that leaves something does not', () => {
    const book = bracketed()
    const own = { account: 7, selfTradePrevention: 'decrement' } as const
    expect(book.buy(3, 1, 110, own)).toEqual([
      'accepted',
      'replaced 1: 3@110 self-trade',
      'cancelled 3: 1@110 self-trade',
    ])
    expect(book.order(2)?.status).toBe('waiting')
    expect(book.buy(4, 1, 110, { account: 7, selfTradePrevention: 'cancel-oldest' }).slice(1)).toEqual([
      'cancelled 1: 3@110 self-trade',
      'cancelled 2: 4@0 list',
    ])
  })

  it('a replaced one stays in its list, and cancels the other when it trades', () => {
    const book = bracketed()
    expect(book.replace(1, 5, 108)).toEqual(['replaced 1: 5@108 requested'])
    book.buy(3, 2, 105)
    expect(book.replace(1, 5, 105)).toEqual([
      'replaced 1: 5@105 requested',
      'trade 1 with 3: 2@105',
      'cancelled 2: 4@0 list',
    ])
  })
})

describe('one order that triggers another', () => {
  it('lets it enter the book when it is wholly filled', () => {
    const book = new RuleBook()
    expect(list(book, 'oto', [limit(1, 'buy', 4, 100), limit(2, 'sell', 4, 105)])).toEqual([
      'accepted 1',
      'accepted 2',
    ])
    expect(book.order(2)).toMatchObject({ status: 'pending', listId: 1 })
    expect(book.depth()).toBe('bids 4@100x1 / asks ')
    expect(book.sell(3, 3, 100)).toEqual(['accepted', 'trade 3 with 1: 3@100'])
    expect(book.order(2)?.status).toBe('pending')
    expect(book.sell(4, 1, 100)).toEqual(['accepted', 'trade 4 with 1: 1@100', 'entered 2'])
    expect(book.depth()).toBe('bids  / asks 4@105x1')
    expect(book.order(2)).toMatchObject({ status: 'resting', listId: 1 })
  })

  it('brings it in at once when it is filled as it comes in, and that one trades in the same record', () => {
    const book = new RuleBook()
    book.sell(3, 4, 100)
    book.buy(4, 4, 99)
    expect(
      list(book, 'oto', [
        { orderId: 1, side: 'buy', quantity: 4, orderType: 'market' },
        limit(2, 'sell', 4, 99),
      ]),
    ).toEqual(['accepted 1', 'accepted 2', 'trade 1 with 3: 4@100', 'entered 2', 'trade 2 with 4: 4@99'])
  })

  it('takes it along when it ends unfilled: an IOC remainder, a cancel, its own cancel the other way', () => {
    const book = new RuleBook()
    book.sell(3, 1, 100)
    expect(
      list(book, 'oto', [limit(1, 'buy', 4, 100, { timeInForce: 'IOC' }), limit(2, 'sell', 4, 105)]).slice(2),
    ).toEqual(['trade 1 with 3: 1@100', 'cancelled 1: 3@100 ioc', 'cancelled 2: 4@105 list'])
    list(book, 'oto', [limit(4, 'buy', 4, 100), limit(5, 'sell', 4, 105)])
    expect(book.cancel(5)).toEqual(['cancelled 5: 4@105 requested', 'cancelled 4: 4@100 list'])
  })

  it('is refused with it when it is FOK and cannot be filled', () => {
    const book = new RuleBook()
    const orders = [limit(1, 'buy', 4, 100, { timeInForce: 'FOK' }), limit(2, 'sell', 4, 105)]
    expect(list(book, 'oto', orders)).toEqual(['rejected 1: FOK_NOT_FILLABLE'])
    expect(book.order(2)).toBeUndefined()
  })

  it('may wait for its own price, and so may the other', () => {
    const book = new RuleBook()
    trade(book, 100)
    book.sell(3, 1, 106)
    list(book, 'oto', [stop(1, 'buy', 1, 105), stop(2, 'sell', 1, 95)])
    expect(trade(book, 105)).toEqual(['triggered 1', 'trade 1 with 3: 1@106', 'entered 2'])
    expect(book.order(2)?.status).toBe('waiting')
    expect(trade(book, 95)[0]).toBe('triggered 2')
  })

  it('lets one that would trade, though it is post-only, go away as it enters', () => {
    const book = new RuleBook()
    book.buy(3, 1, 99)
    list(book, 'oto', [limit(1, 'buy', 1, 100), limit(2, 'sell', 1, 98, { postOnly: true })])
    expect(book.sell(4, 1, 100).slice(1)).toEqual([
      'trade 4 with 1: 1@100',
      'entered 2',
      'cancelled 2: 1@98 post-only',
    ])
  })
})

describe('one order that triggers two which cancel each other', () => {
  it('lets both enter when it is filled, and they go on as any two', () => {
    const book = new RuleBook()
    trade(book, 100)
    const orders = [limit(1, 'buy', 2, 99), limit(2, 'sell', 2, 110), stop(3, 'sell', 2, 90)]
    expect(list(book, 'otoco', orders)).toEqual(['accepted 1', 'accepted 2', 'accepted 3'])
    expect(book.sell(4, 2, 99)).toEqual(['accepted', 'trade 4 with 1: 2@99', 'entered 2', 'entered 3'])
    expect(trade(book, 90)).toEqual(['cancelled 2: 2@110 list', 'triggered 3', 'cancelled 3: 2@0 market'])
  })

  it('goes as a whole when one of the three is cancelled before that', () => {
    const book = new RuleBook()
    list(book, 'otoco', [limit(1, 'buy', 2, 99), limit(2, 'sell', 2, 110), stop(3, 'sell', 2, 90)])
    expect(book.cancel(3)).toEqual([
      'cancelled 3: 2@0 requested',
      'cancelled 1: 2@99 list',
      'cancelled 2: 2@110 list',
    ])
  })

  it('of those that enter, one that trades at once cancels the other', () => {
    const book = new RuleBook()
    book.buy(5, 1, 98)
    list(book, 'otoco', [limit(1, 'buy', 2, 99), limit(2, 'sell', 2, 98), stop(3, 'sell', 2, 90)])
    expect(book.sell(4, 2, 99).slice(1)).toEqual([
      'trade 4 with 1: 2@99',
      'entered 2',
      'entered 3',
      'trade 2 with 5: 1@98',
      'cancelled 3: 2@0 list',
    ])
  })
})

describe('a list', () => {
  it('is refused whole when the book refuses one of its orders', () => {
    const book = new RuleBook()
    book.buy(9, 1, 100)
    const refused = (orders: Leg[], line: string) => {
      expect(list(book, 'oco', orders)).toEqual([line])
      expect(book.order(1) ?? book.order(2)).toBeUndefined()
    }
    refused([limit(1, 'sell', 1, 110), stop(9, 'sell', 1, 90)], 'rejected 9: DUPLICATE_ORDER_ID')
    refused(
      [limit(1, 'sell', 1, 100, { postOnly: true }), stop(2, 'sell', 1, 90)],
      'rejected 1: POST_ONLY_WOULD_TRADE',
    )
    book.send({ type: 'instrument-change', minPrice: 95 })
    refused([limit(1, 'sell', 1, 110), stop(2, 'sell', 1, 90)], 'rejected 2: PRICE_TOO_LOW')
    book.send({ type: 'phase', phase: 'halted' })
    refused([limit(1, 'sell', 1, 110), stop(2, 'sell', 1, 96)], 'rejected 0: INSTRUMENT_HALTED')
  })

  it('is refused when the open quantities would be too large where its orders stand, together with each other', () => {
    const book = new RuleBook()
    const most = Number.MAX_SAFE_INTEGER
    const orders = [stop(1, 'sell', most, 90), stop(2, 'sell', most, 90)]
    expect(list(book, 'oco', orders)).toEqual(['rejected 2: LEVEL_TOTAL_TOO_LARGE'])
    expect(list(book, 'oco', [stop(1, 'sell', most, 90), stop(2, 'sell', most, 91)])).toHaveLength(2)
  })

  it('gets the ids that it does not name: its orders the next ones, itself that of the first', () => {
    const book = new RuleBook()
    book.buy(41, 1, 90)
    const legs = [limit(0, 'sell', 1, 110), stop(0, 'sell', 1, 90)].map(({ orderId: _, ...leg }) => leg)
    expect(list(book, 'oco', legs)).toEqual(['accepted 42', 'accepted 43'])
    expect(book.order(43)?.listId).toBe(42)
    expect(list(book, 'oco', [limit(1, 'sell', 1, 110), stop(2, 'sell', 1, 90)], { listId: 42 })).toEqual([
      'rejected 0: DUPLICATE_LIST_ID',
    ])
  })

  it('is cancelled by its id, by its owner', () => {
    const book = bracketed()
    expect(book.cancelList(5, 8)).toEqual(['rejected 0: NOT_OWNER'])
    expect(book.cancelList(5, 7)).toEqual(['cancelled 1: 4@110 requested', 'cancelled 2: 4@0 requested'])
    expect(book.cancelList(5)).toEqual(['rejected 0: UNKNOWN_LIST'])
  })

  it('has its consequences in the order in which they arose', () => {
    const book = new RuleBook()
    trade(book, 100)
    list(book, 'oco', [limit(1, 'sell', 1, 103), stop(2, 'sell', 1, 90)])
    list(book, 'oto', [limit(3, 'sell', 1, 102), limit(4, 'buy', 1, 95)])
    expect(book.buy(5, 2, 103).slice(1)).toEqual([
      'trade 5 with 3: 1@102',
      'trade 5 with 1: 1@103',
      'entered 4',
      'cancelled 2: 1@0 list',
    ])
  })

  it('is malformed when its orders do not fit its type', () => {
    const book = new RuleBook()
    const refused = (type: 'oco' | 'oto' | 'otoco', orders: unknown, code: string, field: string) =>
      expect(() => book.send({ type: 'list', listType: type, account: 7, orders })).toThrow(
        expect.objectContaining({ code, details: expect.objectContaining({ field }) }),
      )
    const [a, b] = [limit(1, 'sell', 1, 110), stop(2, 'sell', 1, 90)]
    refused('oco', undefined, 'TIDEMARK_FIELD_MISSING', 'orders')
    refused('oco', {}, 'TIDEMARK_FIELD_TYPE', 'orders')
    refused('oco', [a], 'TIDEMARK_FIELD_RANGE', 'orders')
    refused('otoco', [a, b], 'TIDEMARK_FIELD_RANGE', 'orders')
    refused('oco', [a, null], 'TIDEMARK_FIELD_TYPE', 'orders[1]')
    refused('oco', [a, { ...b, account: 3 }], 'TIDEMARK_FIELD_UNKNOWN', 'orders[1].account')
    refused('oco', [a, { ...b, stopPrise: 3 }], 'TIDEMARK_FIELD_UNKNOWN', 'orders[1].stopPrise')
    refused('oco', [a, { ...b, stopPrice: '0.5' }], 'TIDEMARK_OFF_GRID', 'orders[1].stopPrice')
    refused('oco', [a, { ...b, side: 'buy' }], 'TIDEMARK_FIELD_CONFLICT', 'orders[1].side')
    refused('oco', [a, { ...b, quantity: 2 }], 'TIDEMARK_FIELD_CONFLICT', 'orders[1].quantity')
    refused('oco', [a, { ...b, orderId: 1 }], 'TIDEMARK_FIELD_CONFLICT', 'orders[1].orderId')
    refused('oco', [a, limit(2, 'sell', 1, 90)], 'TIDEMARK_FIELD_CONFLICT', 'orders[1].orderType')
    refused('oco', [{ ...a, timeInForce: 'IOC' }, b], 'TIDEMARK_FIELD_CONFLICT', 'orders[0].timeInForce')
    refused('oto', [{ ...a, timeInForce: 'at-close' }, b], 'TIDEMARK_FIELD_CONFLICT', 'orders[0].timeInForce')
    const named = { clientOrderId: 'x' }
    refused(
      'oto',
      [
        { ...a, ...named },
        { ...b, ...named },
      ],
      'TIDEMARK_FIELD_CONFLICT',
      'orders[1].clientOrderId',
    )
    refused('oso' as 'oto', [a, b], 'TIDEMARK_FIELD_VALUE', 'listType')
    expect(() =>
      book.send({ type: 'list', listType: 'oco', account: 7, orders: [a, b], requestId: 1 }),
    ).toThrow(expect.objectContaining({ code: 'TIDEMARK_FIELD_UNKNOWN' }))
    for (const [clientListId, code] of [
      ['', 'TIDEMARK_FIELD_RANGE'],
      ['x'.repeat(37), 'TIDEMARK_FIELD_RANGE'],
      ['é', 'TIDEMARK_FIELD_VALUE'],
      [7, 'TIDEMARK_FIELD_TYPE'],
    ])
      expect(() => list(book, 'oco', [a, b], { clientListId })).toThrow(
        expect.objectContaining({ code, details: expect.objectContaining({ field: 'clientListId' }) }),
      )
    expect(list(book, 'oco', [a, b], { clientListId: 'x'.repeat(36) })).toEqual(['accepted 1', 'accepted 2'])
  })

  it('is in a copy of the books as far as it is', () => {
    const book = bracketed()
    list(book, 'otoco', [limit(11, 'buy', 2, 99), limit(12, 'sell', 2, 110), stop(13, 'sell', 2, 80)])
    list(book, 'oto', [
      limit(21, 'buy', 1, 99),
      { orderId: 22, side: 'sell', quantity: 1, orderType: 'stop', trailingOffset: 3 },
    ])
    book.buy(30, 1, 110)
    const { copied, copy } = copyAtOnce(book.books.engine)
    const restored = copied.restore(copy.counts)
    expect(restored.bookState(4)).toEqual(book.books.engine.bookState(4))
    expect(restored.digest(4)).toBe(book.books.engine.digest(4))
    expect(restored.bookState(4)?.lists.map(({ orderIds }) => orderIds)).toEqual([
      [1, 0],
      [11, 12, 13],
      [21, 22],
    ])
  })
})
