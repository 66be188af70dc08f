import { describe, expect, it } from 'vitest'
import {
  CommandError,
  commandGrids,
  decodeCommand,
  encodeCommand,
  encodeInstrument,
  encodeNoop,
  type InstrumentCommand,
  instrumentFromCommand,
  maxCommandWords,
  type SymbolCommand,
} from '#tidemark/matching/index.js'

const grids = commandGrids({
  instrumentId: 3,
  symbol: 'BTC-USD',
  tickSize: '0.01',
  lotSize: '0.00001',
  replacePriority: 'keep-on-reduce',
  selfTradePrevention: 'none',
})
const limit = {
  type: 'new',
  symbol: 'BTC-USD',
  orderId: 1,
  account: 7,
  side: 'buy',
  orderType: 'limit',
  price: '64000.00',
  quantity: '0.5',
}
const MAX = Number.MAX_SAFE_INTEGER

function encoded(command: Record<string, unknown>): { words: Int32Array; length: number } {
  const words = new Int32Array(64).fill(-1)
  const length = encodeCommand(words, 4, command as unknown as SymbolCommand, grids)
  return { words, length }
}

describe('a command and its record', () => {
  it.each([
    [limit, 12, { price: 6400000, quantity: 50000, timeInForce: 'GTC', postOnly: false, side: 'buy' }],
    [
      { ...limit, side: 'sell', orderId: MAX, account: 0xffffffff },
      12,
      { orderId: MAX, account: 0xffffffff },
    ],
    [
      { ...limit, price: '90071992547409.91', quantity: '90071992547.40991' },
      12,
      { price: MAX, quantity: MAX },
    ],
    [{ ...limit, orderId: undefined }, 12, { orderId: 0, orderIdOmitted: true }],
    [{ ...limit, requestId: MAX, postOnly: true }, 14, { requestId: MAX, postOnly: true }],
    [
      { ...limit, timeInForce: 'GTD', expireTime: 1e12, displayQuantity: 0.1 },
      16,
      { expireTime: 1e12, displayQuantity: 10000 },
    ],
    [
      {
        ...limit,
        orderType: 'stop-limit',
        stopPrice: 65000,
        timeInForce: 'GTD',
        expireTime: 5,
        displayQuantity: '0.25',
        requestId: 9,
        selfTradePrevention: 'decrement',
      },
      20,
      {
        stopPrice: 6500000,
        displayQuantity: 25000,
        expireTime: 5,
        requestId: 9,
        selfTradePrevention: 'decrement',
      },
    ],
    [
      { ...limit, orderType: 'market', price: undefined },
      12,
      { orderType: 'market', timeInForce: 'IOC', price: 0 },
    ],
    [
      { ...limit, orderType: 'stop', price: undefined, stopPrice: 1 },
      14,
      { orderType: 'stop', stopPrice: 100, price: 0 },
    ],
    [{ type: 'cancel', symbol: 'X', orderId: 5 }, 6, { type: 'cancel', orderId: 5 }],
    [{ type: 'cancel', symbol: 'X', orderId: 5, account: 0, requestId: 3 }, 10, { account: 0, requestId: 3 }],
    [{ type: 'replace', symbol: 'X', orderId: 5, quantity: 1 }, 10, { price: 0, quantity: 100000 }],
    [
      { type: 'replace', symbol: 'X', orderId: 5, quantity: 1, price: 2, account: 9 },
      12,
      { price: 200, account: 9 },
    ],
    [{ type: 'reduce', symbol: 'X', orderId: 5, quantity: 1 }, 8, { type: 'reduce', quantity: 100000 }],
    [{ type: 'phase', symbol: 'X', phase: 'continuous' }, 6, { type: 'phase', phase: 'continuous' }],
    [{ type: 'phase', symbol: 'X', phase: 'auction', closing: true }, 6, { phase: 'auction', closing: true }],
    [
      { type: 'phase', symbol: 'X', phase: 'halted', takesOrders: true },
      6,
      { phase: 'halted', takesOrders: true },
    ],
    [{ type: 'bust', symbol: 'X', tradeId: 2 ** 53 - 1 }, 6, { type: 'bust', tradeId: 2 ** 53 - 1 }],
    [{ type: 'expire', symbol: 'X', time: 1e12, endOfDay: true }, 6, { time: 1e12, endOfDay: true }],
  ])('%# comes back as it went in', (command, words, expected) => {
    const tag = 0xfedcba9876543210n
    const { words: record, length } = encoded({ ...command, tag })
    expect(length).toBe(words)
    expect(record[4]! >>> 18).toBe(words)
    expect(record[3]).toBe(-1)
    expect(record[4 + length]).toBe(-1)
    expect(decodeCommand(record, 4)).toMatchObject({
      instrumentId: 3,
      tagLow: 0x76543210,
      tagHigh: 0xfedcba98,
      ...expected,
    })
  })

  it('carries a tag given as a number', () => {
    const { words } = encoded({ ...limit, tag: MAX })
    expect(decodeCommand(words, 4)).toMatchObject({ tagLow: 0xffffffff, tagHigh: 0x1fffff })
  })

  it('creates an instrument, whose strings may be as long as the limits', () => {
    const command: InstrumentCommand = {
      type: 'instrument',
      symbol: 'é'.repeat(32),
      tickSize: '0.01',
      lotSize: '1',
      replacePriority: 'always-lose',
      selfTradePrevention: 'decrement',
    }
    const definition = instrumentFromCommand(command, 77)
    const words = new Int32Array(maxCommandWords)
    const length = encodeInstrument(words, 0, 1, 2, definition)
    expect(length % 2).toBe(0)
    expect(decodeCommand(words, 0)).toEqual({ ...definition, type: 'instrument', tagLow: 1, tagHigh: 2 })
  })

  it('has a record for doing nothing', () => {
    const words = new Int32Array(4)
    expect(encodeNoop(words, 0, 1, 2)).toBe(4)
    expect(decodeCommand(words, 0)).toEqual({ type: 'noop', instrumentId: 0xffffffff, tagLow: 1, tagHigh: 2 })
  })

  it('of an unknown kind is not read', () => {
    expect(decodeCommand(new Int32Array(4), 0)).toBeUndefined()
  })
})

describe('a malformed command', () => {
  const market = { ...limit, orderType: 'market', price: undefined }
  const cases: [Record<string, unknown>, string, string][] = [
    [{ type: 'buy' }, 'type', 'TIDEMARK_COMMAND_TYPE'],
    [{ type: 5n }, 'type', 'TIDEMARK_COMMAND_TYPE'],
    [{}, 'type', 'TIDEMARK_COMMAND_TYPE'],
    [{ type: 'cancel' }, 'orderId', 'TIDEMARK_FIELD_MISSING'],
    [{ ...limit, orderId: '1' }, 'orderId', 'TIDEMARK_FIELD_TYPE'],
    [{ ...limit, orderId: 0 }, 'orderId', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, orderId: 1.5 }, 'orderId', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, orderId: 2 ** 53 }, 'orderId', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, orderId: Number.NaN }, 'orderId', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, account: undefined }, 'account', 'TIDEMARK_FIELD_MISSING'],
    [{ ...limit, account: -1 }, 'account', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, account: 2 ** 32 }, 'account', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, side: 'Buy' }, 'side', 'TIDEMARK_FIELD_VALUE'],
    [{ ...limit, side: 1 }, 'side', 'TIDEMARK_FIELD_TYPE'],
    [{ ...limit, orderType: undefined }, 'orderType', 'TIDEMARK_FIELD_MISSING'],
    [{ ...limit, orderType: 'toString' }, 'orderType', 'TIDEMARK_FIELD_VALUE'],
    [{ ...limit, price: undefined }, 'price', 'TIDEMARK_FIELD_MISSING'],
    [{ ...limit, price: '64000.001' }, 'price', 'TIDEMARK_OFF_GRID'],
    [{ ...limit, price: null }, 'price', 'TIDEMARK_FIELD_TYPE'],
    [{ ...limit, quantity: undefined }, 'quantity', 'TIDEMARK_FIELD_MISSING'],
    [{ ...limit, quantity: 0 }, 'quantity', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, quantity: Number.NaN }, 'quantity', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, stopPrice: 1 }, 'stopPrice', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...limit, timeInForce: 'gtc' }, 'timeInForce', 'TIDEMARK_FIELD_VALUE'],
    [{ ...limit, timeInForce: 'GTD' }, 'expireTime', 'TIDEMARK_FIELD_MISSING'],
    [{ ...limit, expireTime: 5 }, 'expireTime', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...limit, timeInForce: 'GTD', expireTime: -5 }, 'expireTime', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, postOnly: 'yes' }, 'postOnly', 'TIDEMARK_FIELD_TYPE'],
    [{ ...limit, postOnly: true, timeInForce: 'IOC' }, 'postOnly', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...limit, postOnly: true, timeInForce: 'FOK' }, 'postOnly', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...market, postOnly: true }, 'postOnly', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...limit, displayQuantity: '0.6' }, 'displayQuantity', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...limit, displayQuantity: '0.00049' }, 'displayQuantity', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...limit, displayQuantity: '0.1', timeInForce: 'IOC' }, 'displayQuantity', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...market, displayQuantity: '0.1' }, 'displayQuantity', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...market, price: 5 }, 'price', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...market, timeInForce: 'GTC' }, 'timeInForce', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...market, stopPrice: 5 }, 'stopPrice', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...market, orderType: 'stop' }, 'stopPrice', 'TIDEMARK_FIELD_MISSING'],
    [{ ...market, orderType: 'stop', stopPrice: 5, postOnly: true }, 'postOnly', 'TIDEMARK_FIELD_CONFLICT'],
    [
      { ...market, orderType: 'stop', stopPrice: 5, displayQuantity: 0.1 },
      'displayQuantity',
      'TIDEMARK_FIELD_CONFLICT',
    ],
    [{ ...limit, orderType: 'stop', stopPrice: 5 }, 'price', 'TIDEMARK_FIELD_CONFLICT'],
    [{ ...market, orderType: 'stop-limit', stopPrice: 5 }, 'price', 'TIDEMARK_FIELD_MISSING'],
    [{ ...limit, selfTradePrevention: 'no' }, 'selfTradePrevention', 'TIDEMARK_FIELD_VALUE'],
    [{ ...limit, requestId: 0 }, 'requestId', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, tag: -1 }, 'tag', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, tag: 2n ** 64n }, 'tag', 'TIDEMARK_FIELD_RANGE'],
    [{ ...limit, tag: '1' }, 'tag', 'TIDEMARK_FIELD_TYPE'],
    [{ type: 'cancel', orderId: 1, requestId: 5 }, 'requestId', 'TIDEMARK_FIELD_CONFLICT'],
    [{ type: 'replace', orderId: 1, price: 5 }, 'quantity', 'TIDEMARK_FIELD_MISSING'],
    [{ type: 'replace', orderId: 1, price: 5, quantity: 0 }, 'quantity', 'TIDEMARK_FIELD_RANGE'],
    [{ type: 'reduce', orderId: 1, quantity: -1 }, 'quantity', 'TIDEMARK_FIELD_RANGE'],
    [{ type: 'expire' }, 'time', 'TIDEMARK_FIELD_MISSING'],
    [{ type: 'expire', time: 1.5 }, 'time', 'TIDEMARK_FIELD_RANGE'],
    [{ type: 'expire', time: 1, endOfDay: 1 }, 'endOfDay', 'TIDEMARK_FIELD_TYPE'],
  ]

  it.each(cases.map(([command, field, code], i) => [i, field, code, command] as const))(
    'number %d is refused for its %s, with %s, before anything is written',
    (_i, field, code, command) => {
      const words = new Int32Array(64).fill(-1)
      let thrown: unknown
      try {
        encodeCommand(words, 0, command as unknown as SymbolCommand, grids)
      } catch (error) {
        thrown = error
      }
      expect(thrown).toBeInstanceOf(CommandError)
      expect((thrown as CommandError).details['field']).toBe(field)
      expect((thrown as CommandError).code).toBe(code)
      expect(words.every((word) => word === -1)).toBe(true)
    },
  )

  it.each([
    [{ symbol: '' }, 'symbol'],
    [{ symbol: 5 }, 'symbol'],
    [{ symbol: 'é'.repeat(33) }, 'symbol'],
    [{ tickSize: '0' }, 'tickSize'],
    [{ tickSize: undefined }, 'tickSize'],
    [{ lotSize: 0.1 }, 'lotSize'],
    [{ replacePriority: 'never' }, 'replacePriority'],
    [{ selfTradePrevention: 'never' }, 'selfTradePrevention'],
  ])('an instrument with %j is refused for its %s', (fields, field) => {
    const command = { type: 'instrument', symbol: 'A', tickSize: '1', lotSize: '1', ...fields }
    expect(() => instrumentFromCommand(command as InstrumentCommand, 0)).toThrowError(
      expect.objectContaining({ details: expect.objectContaining({ field }) }),
    )
  })
})
