import { describe, expect, it } from 'vitest'
import {
  commandGrids,
  decodeCommand,
  decodeEvents,
  encodeCommand,
  encodeInstrument,
  type InstrumentDefinition,
  MatchingEngine,
  RecordBuffer,
  type SymbolCommand,
} from '#tidemark/matching/index.js'
import { RuleBook } from './support/rule-book.js'

const buyFor = (orderId: number, quoteQuantity: number, more: Record<string, unknown> = {}) => ({
  type: 'new',
  orderId,
  account: 1000 + orderId,
  side: 'buy',
  orderType: 'market',
  quoteQuantity: String(quoteQuantity),
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

describe('a market order for an amount', () => {
  it('trades whole lots until the next one costs more than what is left', () => {
    const book = new RuleBook()
    book.sell(1, 3, 100)
    book.sell(2, 5, 110)
    expect(book.send(buyFor(3, 629))).toEqual(['accepted', 'trade 3 with 1: 3@100', 'trade 3 with 2: 2@110'])
    expect(book.send(buyFor(4, 330))).toEqual(['accepted', 'trade 4 with 2: 3@110'])
    expect(book.depth()).toBe('bids  / asks ')
  })

  it('is cancelled when it pays for no lot, or when the other side ends before the amount', () => {
    const book = new RuleBook()
    expect(book.send(buyFor(1, 50))).toEqual(['accepted', 'cancelled 1: 0@0 market'])
    book.sell(2, 3, 100)
    expect(book.send(buyFor(3, 99))).toEqual(['accepted', 'cancelled 3: 0@0 market'])
    expect(book.send(buyFor(4, 400))).toEqual([
      'accepted',
      'trade 4 with 2: 3@100',
      'cancelled 4: 1@0 market',
    ])
    // All is taken, and what is left of the amount pays for no lot more.
    book.sell(5, 3, 100)
    expect(book.send(buyFor(6, 399))).toEqual(['accepted', 'trade 6 with 5: 3@100'])
  })

  it('sells for an amount, hidden quantity too', () => {
    const book = new RuleBook()
    book.buy(1, 5, 100, { displayQuantity: 2 } as never)
    book.buy(2, 5, 90)
    expect(book.send(buyFor(3, 689, { side: 'sell' }))).toEqual([
      'accepted',
      'trade 3 with 1: 2@100',
      'trade 3 with 1: 2@100',
      'trade 3 with 1: 1@100',
      'trade 3 with 2: 2@90',
    ])
  })

  it('passes own orders, loses what they take away, or ends at them', () => {
    const own = { account: 7 }
    const filled = (selfTradePrevention: never) => {
      const book = new RuleBook({ selfTradePrevention })
      book.sell(1, 1, 100)
      book.sell(2, 2, 101, own)
      book.sell(3, 9, 202)
      return book.send(buyFor(4, 506, own))
    }
    expect(filled('cancel-oldest' as never)).toEqual([
      'accepted',
      'trade 4 with 1: 1@100',
      'cancelled 2: 2@101 self-trade',
      'trade 4 with 3: 2@202',
    ])
    expect(filled('cancel-newest' as never)).toEqual([
      'accepted',
      'trade 4 with 1: 1@100',
      'cancelled 4: 4@0 self-trade',
    ])
    expect(filled('decrement' as never)).toEqual([
      'accepted',
      'trade 4 with 1: 1@100',
      'cancelled 2: 2@101 self-trade',
      'replaced 4: 1@0 self-trade',
      'trade 4 with 3: 1@202',
    ])
  })

  it('is refused where the amount, or what it comes to, is outside the limits', () => {
    const book = new RuleBook({ details: { minNotional: 200, maxQuantity: 4, minQuantity: 2 } })
    book.sell(1, 4, 100)
    book.sell(2, 4, 100)
    expect(book.send(buyFor(3, 199))).toEqual(['rejected 3: NOTIONAL_TOO_SMALL'])
    expect(book.send(buyFor(3, 500))).toEqual(['rejected 3: QUANTITY_TOO_LARGE'])
    expect(book.send(buyFor(3, 499))).toEqual(['accepted', 'trade 3 with 1: 4@100'])
    book.cancel(2)
    book.sell(4, 2, 150)
    expect(book.send(buyFor(5, 200))).toEqual(['rejected 5: QUANTITY_TOO_SMALL'])
  })

  it('stays within price bands, as the instrument says', () => {
    const bands = (bandAction: 1 | 2 | 3) => {
      const book = new RuleBook({ details: { referencePrice: 100, staticBand: 5, bandAction } })
      book.sell(1, 1, 104)
      book.sell(2, 1, 106)
      return [book.send(buyFor(3, 209)), book.send(buyFor(4, 300)), book.depth()]
    }
    const trade = ['accepted', 'trade 3 with 1: 1@104']
    expect(bands(1)).toEqual([trade, ['rejected 4: PRICE_OUTSIDE_BAND'], 'bids  / asks 1@106x1'])
    expect(bands(2)[1]).toEqual(['accepted', 'cancelled 4: 2@0 band'])
    expect(bands(3)[1]).toEqual(['accepted', 'volatility-interruption', 'cancelled 4: 2@0 band'])
  })

  it('is not taken in a call, and only as an immediate market order without a quantity', () => {
    const book = new RuleBook({ phase: 'pre-open' })
    expect(book.send(buyFor(1, 100))).toEqual(['rejected 1: NOT_IN_THIS_PHASE'])
    const refusal = (more: Record<string, unknown>) => code(() => book.send(buyFor(1, 100, more)))
    expect(refusal({ quantity: 1 })).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(refusal({ minQuantity: 1 })).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(refusal({ timeInForce: 'FOK' })).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(refusal({ timeInForce: 'at-open' })).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(refusal({ orderType: 'limit', price: 5 })).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(refusal({ orderType: 'stop', stopPrice: 5, timeInForce: 'IOC' })).toBe('TIDEMARK_FIELD_CONFLICT')
    expect(refusal({ quoteQuantity: '0' })).toBe('TIDEMARK_FIELD_RANGE')
    expect(refusal({ quoteQuantity: '9007199254740992' })).toBe('TIDEMARK_FIELD_RANGE')
    expect(refusal({ quoteQuantity: '1.5' })).toBe('TIDEMARK_OFF_GRID')
    expect(refusal({ quoteQuantity: '9007199254740991' })).toBe('taken')
  })

  it('counts in the last decimal of prices and quantities together', () => {
    const grids = commandGrids({ instrumentId: 4, tickSize: '0.25', lotSize: '0.05' } as InstrumentDefinition)
    const words = new Int32Array(64)
    const encode = (quoteQuantity: string) =>
      encodeCommand(
        words,
        0,
        { ...buyFor(1, 1), symbol: 'X', quoteQuantity } as unknown as SymbolCommand,
        grids,
      )
    expect(code(() => encode('0.0001'))).toBe('taken')
    expect(code(() => encode('0.00001'))).toBe('TIDEMARK_OFF_GRID')
    const book = new RuleBook({ tickSize: '0.25', lotSize: '0.05' })
    // A tick times a lot is 0.0125.
    book.send({
      ...buyFor(1, 0),
      side: 'sell',
      orderType: 'limit',
      price: '1',
      quantity: '0.5',
      quoteQuantity: undefined,
    } as never)
    expect(book.send({ ...buyFor(2, 0), quoteQuantity: '0.0999' })).toEqual([
      'accepted',
      'trade 2 with 1: 1@4',
    ])
    expect(book.send({ ...buyFor(3, 0), quoteQuantity: '0.1' })).toEqual(['accepted', 'trade 3 with 1: 2@4'])
  })

  it('has no quantity in the record when it is refused, whatever stood there before', () => {
    const engine = new MatchingEngine({ hashSeed: 1 })
    const record = new RecordBuffer()
    const definition: InstrumentDefinition = {
      instrumentId: 4,
      symbol: 'TEST',
      tickSize: '1',
      lotSize: '1',
      phase: 'pre-open',
      replacePriority: 'keep-on-reduce',
      selfTradePrevention: 'none',
    }
    const words = new Int32Array(64)
    encodeInstrument(words, 0, 0, 0, definition)
    engine.apply(words, 0, record)
    const order = { ...buyFor(1, 100), symbol: 'TEST' } as unknown as SymbolCommand
    encodeCommand(words, 0, order, commandGrids(definition))
    words[8] = 7
    record.reset()
    engine.apply(words, 0, record)
    expect(decodeCommand(record.i32, 0)).toMatchObject({ quantity: 0, quoteQuantity: 100 })
    expect(decodeEvents(record.i32, 0, record.end)).toMatchObject([{ code: 'NOT_IN_THIS_PHASE' }])
  })

  it('is exact with the largest amounts', () => {
    const book = new RuleBook()
    const price = 2 ** 52 - 1
    book.sell(1, 1, price)
    book.sell(2, 1, price)
    book.sell(3, 1, price)
    expect(book.send(buyFor(4, 2 ** 53 - 3))).toEqual(['accepted', `trade 4 with 1: 1@${price}`])
    expect(book.send(buyFor(5, 2 ** 53 - 2))).toEqual([
      'accepted',
      `trade 5 with 2: 1@${price}`,
      `trade 5 with 3: 1@${price}`,
    ])
  })
})
