import { describe, expect, it } from 'vitest'
import {
  type CommandError,
  commandGrids,
  encodeCommand,
  type InstrumentCommand,
  instrumentFromCommand,
  type NewCommand,
  type SymbolCommand,
} from '#tidemark/matching/index.js'

const definition = {
  instrumentId: 3,
  symbol: 'A',
  tickSize: '0.01',
  lotSize: '1',
  replacePriority: 'keep-on-reduce',
  selfTradePrevention: 'none',
} as const
const grids = commandGrids(definition)
const order = { type: 'new', symbol: 'A', orderId: 1, account: 7, side: 'buy', quantity: '5' } as const

/** A command of each type with every field that it has. */
const complete: Record<string, SymbolCommand> = {
  limit: {
    ...order,
    orderType: 'limit',
    price: '1',
    timeInForce: 'GTD',
    postOnly: true,
    displayQuantity: '2',
    expireTime: 5,
    selfTradePrevention: 'decrement',
    requestId: 1,
    tag: 1n,
  },
  market: { ...order, orderType: 'market', timeInForce: 'FOK', postOnly: false, requestId: 1 },
  stop: { ...order, orderType: 'stop', stopPrice: '3', timeInForce: 'DAY' },
  'stop-limit': { ...order, orderType: 'stop-limit', stopPrice: '3', price: '4' },
  cancel: { type: 'cancel', symbol: 'A', orderId: 1, account: 1, requestId: 2, tag: 3 },
  replace: {
    type: 'replace',
    symbol: 'A',
    orderId: 1,
    price: '1',
    quantity: '2',
    account: 1,
    requestId: 2,
    tag: 3,
  },
  reduce: { type: 'reduce', symbol: 'A', orderId: 1, quantity: '2', account: 1, requestId: 2, tag: 3 },
  'cancel-all': { type: 'cancel-all', symbol: 'A', account: 1, side: 'sell', tag: 3 },
  phase: { type: 'phase', symbol: 'A', phase: 'auction', closing: true, tag: 3 },
  bust: { type: 'bust', symbol: 'A', tradeId: 1, tag: 3 },
  expire: { type: 'expire', symbol: 'A', time: 3, endOfDay: true, tag: 3 },
}

const words = new Int32Array(64)
function encode(command: object): number {
  return encodeCommand(words, 0, command as SymbolCommand, grids)
}

function refusal(command: object): CommandError {
  try {
    encode(command)
  } catch (error) {
    return error as CommandError
  }
  throw new Error(`${JSON.stringify(command)} was taken`)
}

describe('a command', () => {
  it('of every type takes each of its fields, and leaves out what is undefined', () => {
    for (const [name, command] of Object.entries(complete)) {
      expect(encode(command), name).toBeGreaterThan(0)
      expect(encode({ ...command, tif: undefined, tag: undefined }), name).toBeGreaterThan(0)
    }
    expect(Object.keys(complete)).toHaveLength(11)
  })

  it('of every type is refused for a field that it does not know, by name, before anything is written', () => {
    for (const [name, command] of Object.entries(complete)) {
      for (const field of ['tif', 'clientId', '__proto', 'toString', '']) {
        words.fill(-1)
        const error = refusal({ ...command, [field]: 'x' })
        expect(error, name).toMatchObject({ code: 'TIDEMARK_FIELD_UNKNOWN', details: { field, value: 'x' } })
        expect(error.message, name).toContain(JSON.stringify(field))
        expect(
          words.every((word) => word === -1),
          name,
        ).toBe(true)
      }
    }
  })

  it('names the field that was probably meant', () => {
    const { limit, replace } = complete
    expect(refusal({ ...limit, timeInForce: undefined, tif: 'IOC' }).message).toContain(
      'Did you mean timeInForce?',
    )
    // As many fields as it should have: the wrong name is said all the same, not that one is missing.
    expect(refusal({ ...limit, quantity: undefined, qty: '5' }).message).toContain('Did you mean quantity?')
    expect(refusal({ ...replace, stopPrice: '60' }).message).toContain('"stopPrice"')
  })

  it('is refused for a field of another type or order type', () => {
    const { limit, market, stop, cancel, replace, reduce, bust } = complete
    for (const command of [
      { ...replace, stopPrice: '1' },
      { ...replace, displayQuantity: '1' },
      { ...replace, timeInForce: 'GTC' },
      { ...reduce, price: '1' },
      { ...cancel, quantity: '1' },
      { ...bust, account: 1 },
    ]) {
      expect(refusal(command).code, JSON.stringify(Object.keys(command))).toBe('TIDEMARK_FIELD_UNKNOWN')
    }
    for (const command of [
      { ...limit, stopPrice: '1' },
      { ...market, price: '1' },
      { ...market, stopPrice: '1' },
      { ...market, displayQuantity: '1' },
      { ...market, expireTime: 1 },
      { ...market, postOnly: true },
      { ...stop, price: '1' },
      { ...stop, displayQuantity: '1' },
    ]) {
      const { orderType, ...fields } = command as NewCommand
      expect(refusal({ ...fields, orderType, tag: undefined }).code, JSON.stringify(fields, text)).toBe(
        'TIDEMARK_FIELD_CONFLICT',
      )
    }
  })

  it('that defines an instrument is refused for a field that it does not know', () => {
    const instrument = { type: 'instrument', symbol: 'B', tickSize: '1', lotSize: '1' } as const
    expect(instrumentFromCommand(instrument, 1)).toMatchObject({ symbol: 'B' })
    const wrong = { ...instrument, ticksize: '1' } as InstrumentCommand
    expect(() => instrumentFromCommand(wrong, 1)).toThrow(/Did you mean tickSize/)
  })

  it('names no symbol that is not well-formed Unicode, or too long as UTF-8', () => {
    const named = (symbol: string) => () =>
      instrumentFromCommand({ type: 'instrument', symbol, tickSize: '1', lotSize: '1' }, 1)
    for (const symbol of ['\ud800', 'A\udc00', '\udc00\ud800']) {
      expect(named(symbol)).toThrow(expect.objectContaining({ code: 'TIDEMARK_FIELD_VALUE' }))
    }
    expect(named('é'.repeat(33))).toThrow(expect.objectContaining({ code: 'TIDEMARK_FIELD_RANGE' }))
    expect(named('😀'.repeat(16))().symbol).toBe('😀'.repeat(16))
  })
})

function text(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

describe('the types', () => {
  it('refuse what would be refused', () => {
    const commands: NewCommand[] = [
      // @ts-expect-error A market order has no price.
      { ...order, orderType: 'market', price: '1' },
      // @ts-expect-error A market order never rests.
      { ...order, orderType: 'market', timeInForce: 'GTC' },
      // @ts-expect-error A limit order has no stop price.
      { ...order, orderType: 'limit', price: '1', stopPrice: '1' },
      // @ts-expect-error A limit order needs a price.
      { ...order, orderType: 'limit' },
      // @ts-expect-error A stop order needs a stop price.
      { ...order, orderType: 'stop' },
      // @ts-expect-error A stop order becomes a market order, which shows no part of itself.
      { ...order, orderType: 'stop', stopPrice: '1', displayQuantity: '1' },
      // @ts-expect-error There is no field of that name.
      { ...order, orderType: 'limit', price: '1', tif: 'IOC' },
    ]
    for (const command of commands) expect(() => encode(command)).toThrow()
    expect(commands).toHaveLength(7)
  })
})
