import { describe, expect, it } from 'vitest'
import { notionalSteps, notionalText } from '#tidemark/matching/codec/notional.js'
import {
  commandGrids,
  decodeCommand,
  encodeCommand,
  encodeInstrument,
  type InstrumentCommand,
  instrumentFromCommand,
  limits,
  MatchingEngine,
  maxCommandWords,
  RecordBuffer,
  type SymbolCommand,
} from '#tidemark/matching/index.js'
import { restoredFrom } from './support/copies.js'
import { RuleBook } from './support/rule-book.js'

const LARGEST = Number.MAX_SAFE_INTEGER
const change = (fields: object) =>
  ({ type: 'instrument-change', ...fields }) as Omit<SymbolCommand, 'symbol'> & Record<string, unknown>

describe('the limits of an instrument', () => {
  it.each([
    ['minPrice', 10, (book: RuleBook) => [book.buy(1, 5, 9), book.buy(2, 5, 10)], 'PRICE_TOO_LOW'],
    ['maxPrice', 10, (book: RuleBook) => [book.sell(1, 5, 11), book.sell(2, 5, 10)], 'PRICE_TOO_HIGH'],
    ['minQuantity', 3, (book: RuleBook) => [book.buy(1, 2, 10), book.buy(2, 3, 10)], 'QUANTITY_TOO_SMALL'],
    ['maxQuantity', 3, (book: RuleBook) => [book.buy(1, 4, 10), book.buy(2, 3, 10)], 'QUANTITY_TOO_LARGE'],
    ['minNotional', 50, (book: RuleBook) => [book.buy(1, 7, 7), book.buy(2, 5, 10)], 'NOTIONAL_TOO_SMALL'],
    [
      'minNotional',
      LARGEST,
      (book: RuleBook) => [book.buy(1, 2 ** 26, 2 ** 26), book.buy(2, 2 ** 27, 2 ** 26)],
      'NOTIONAL_TOO_SMALL',
    ],
    [
      'minPrice',
      10,
      (book: RuleBook) => [book.stop(1, 'buy', 5, 9), book.stop(2, 'buy', 5, 10)],
      'PRICE_TOO_LOW',
    ],
    [
      'maxPrice',
      10,
      (book: RuleBook) => [book.stop(1, 'buy', 5, 11), book.stop(2, 'buy', 5, 10)],
      'PRICE_TOO_HIGH',
    ],
    [
      'minQuantity',
      3,
      (book: RuleBook) => [book.stop(1, 'buy', 2, 9), book.stop(2, 'buy', 3, 9)],
      'QUANTITY_TOO_SMALL',
    ],
  ] as const)('%s %i are kept to the last step by new orders', (field, value, orders, code) => {
    const created = new RuleBook({ details: { [field]: value } })
    expect(orders(created).map((events) => events.join())).toEqual([`rejected 1: ${code}`, 'accepted'])
    const changed = new RuleBook()
    changed.send(change({ [field]: value }))
    expect(orders(changed).map((events) => events.join())).toEqual([`rejected 1: ${code}`, 'accepted'])
    changed.send(change({ [field]: null }))
    changed.cancel(2)
    expect(orders(changed)[0]!.join()).toBe('accepted')
  })

  it('hold for replaces, in which the price that stays counts too, and not for reduces and cancels', () => {
    const book = new RuleBook()
    book.buy(1, 10, 100)
    book.send(change({ minPrice: 50, maxPrice: 120, minQuantity: 5, maxQuantity: 20, minNotional: 600 }))
    expect(book.replace(1, 10, 49)).toEqual(['rejected 1: PRICE_TOO_LOW'])
    expect(book.replace(1, 10, 121)).toEqual(['rejected 1: PRICE_TOO_HIGH'])
    expect(book.replace(1, 4, 120)).toEqual(['rejected 1: QUANTITY_TOO_SMALL'])
    expect(book.replace(1, 21, 120)).toEqual(['rejected 1: QUANTITY_TOO_LARGE'])
    expect(book.replace(1, 11, 54)).toEqual(['rejected 1: NOTIONAL_TOO_SMALL'])
    expect(book.replace(1, 5)).toEqual(['rejected 1: NOTIONAL_TOO_SMALL'])
    expect(book.replace(1, 12, 50)).toHaveLength(1)
    expect(book.order(1)).toMatchObject({ price: 50, quantity: 12 })
    book.send(change({ minPrice: 60 }))
    expect(book.replace(1, 12)).toEqual(['rejected 1: PRICE_TOO_LOW'])
    book.reduce(1, 11)
    expect(book.order(1)).toMatchObject({ price: 50, quantity: 1 })
    book.cancel(1)
    expect(book.order(1)).toBeUndefined()
  })

  it('of quantity hold for market orders, which have no price and no notional', () => {
    const book = new RuleBook({
      details: { minQuantity: 2, maxQuantity: 5, minPrice: 50, minNotional: 1000 },
    })
    book.sell(1, 5, 200)
    expect(book.market(2, 'buy', 1)).toEqual(['rejected 2: QUANTITY_TOO_SMALL'])
    expect(book.market(2, 'buy', 6)).toEqual(['rejected 2: QUANTITY_TOO_LARGE'])
    expect(book.market(2, 'buy', 2)[0]).toBe('accepted')
  })

  it('that contradict each other are refused: in one command before anything is written, else by the book', () => {
    const book = new RuleBook()
    expect(() => book.send(change({ minPrice: 6, maxPrice: 5 }))).toThrow(
      'minPrice must not be above maxPrice',
    )
    book.send(change({ minPrice: 5, maxPrice: 5, minQuantity: 3 }))
    expect(book.send(change({ minPrice: 6 }))).toEqual(['rejected 0: LIMITS_CONFLICT'])
    expect(book.send(change({ maxQuantity: 2 }))).toEqual(['rejected 0: LIMITS_CONFLICT'])
    expect(book.buy(1, 3, 5)).toEqual(['accepted'])
    expect(book.buy(2, 2, 6)).toEqual(['rejected 2: PRICE_TOO_HIGH'])
  })
})

describe('an instrument', () => {
  it('that is closed takes cancels only, until its phase is another one', () => {
    const book = new RuleBook()
    for (const id of [1, 2, 3]) book.buy(id, 5, 10, { timeInForce: 'DAY' })
    expect(book.phase('closed')).toEqual(['closed'])
    expect(book.buy(4, 5, 10)).toEqual(['rejected 4: INSTRUMENT_CLOSED'])
    expect(book.replace(1, 4)).toEqual(['rejected 1: INSTRUMENT_CLOSED'])
    expect(book.reduce(1, 1)).toEqual(['rejected 1: INSTRUMENT_CLOSED'])
    expect(book.cancel(1)).toHaveLength(1)
    expect(book.cancelAll(1002)).toHaveLength(1)
    expect(book.send({ type: 'expire', time: 1, endOfDay: true })).toHaveLength(1)
    book.phase('halted')
    expect(book.buy(4, 5, 10)).toEqual(['rejected 4: INSTRUMENT_HALTED'])
    expect(book.phase('continuous')).toEqual(['continuous'])
    expect(book.buy(4, 5, 10)).toEqual(['accepted'])
  })

  it('keeps in a snapshot what it says of itself, and its digest shows it', () => {
    const command: InstrumentCommand = {
      type: 'instrument',
      symbol: 'X',
      tickSize: '0.5',
      lotSize: '0.1',
      phase: 'closed',
      baseAsset: 'Ω',
      minPrice: '1.5',
      minNotional: 7,
      info: { a: [1, 'x', null] },
    }
    const engine = new MatchingEngine()
    const definition = instrumentFromCommand(command, 3)
    const words = new Int32Array(maxCommandWords)
    encodeInstrument(words, 0, 0, 0, definition)
    engine.apply(words, 0, new RecordBuffer())
    const copy = restoredFrom(engine)
    expect(copy.instrument(3)).toMatchObject({
      phase: 'closed',
      details: { baseAsset: 'Ω', minPrice: 3, minNotional: 140, info: '{"a":[1,"x",null]}' },
    })
    expect(copy.bookState(3)).toEqual(engine.bookState(3))
    expect(copy.digest(3)).toBe(engine.digest(3))
    const grids = commandGrids(definition)
    for (const fields of [{ minPrice: 2 }, { quoteAsset: 'Y' }, { info: null }] as const) {
      const before = copy.digest(3)
      encodeCommand(words, 0, { type: 'instrument-change', symbol: 'X', ...fields }, grids)
      copy.apply(words, 0, new RecordBuffer())
      expect(copy.digest(3)).not.toBe(before)
    }
  })

  it('has details of the longest kind in the longest record there is', () => {
    const asset = 'Ω'.repeat(16)
    // Numbers of sixteen digits in all ranges.
    const tickTable = Array.from({ length: limits.maxTickRanges }, (_, at) => ({
      from: LARGEST - limits.maxTickRanges + 1 + at,
      tick: LARGEST - limits.maxTickRanges + 1 + at,
    }))
    const info = { text: 'x'.repeat(limits.maxInfoBytes - '{"text":""}'.length) }
    const command: InstrumentCommand = {
      type: 'instrument',
      symbol: 's'.repeat(64),
      tickSize: '1'.padStart(32, '0'),
      lotSize: '1'.padStart(32, '0'),
      phase: 'halted',
      baseAsset: asset,
      quoteAsset: asset,
      minPrice: 1,
      maxPrice: LARGEST,
      minQuantity: 1,
      maxQuantity: LARGEST,
      minNotional: LARGEST,
      referencePrice: LARGEST,
      staticBand: LARGEST,
      staticBandBasisPoints: limits.maxBandBasisPoints,
      dynamicBand: LARGEST,
      dynamicBandBasisPoints: limits.maxBandBasisPoints,
      bandAction: 'interrupt',
      maxAccountOrders: limits.maxAccountOrders,
      tickTable,
      info,
    }
    const definition = instrumentFromCommand(command, 77)
    const words = new Int32Array(maxCommandWords)
    expect(encodeInstrument(words, 0, 5, 6, definition)).toBe(maxCommandWords)
    expect(decodeCommand(words, 0)).toMatchObject({ type: 'instrument', ...definition })
    const grids = commandGrids(definition)
    const { tickSize: _, lotSize: __, phase: ___, ...fields } = command
    encodeCommand(words, 0, { ...fields, type: 'instrument-change', tag: 9 } as SymbolCommand, grids)
    expect(decodeCommand(words, 0)).toMatchObject({
      set: definition.details,
      removed: [],
      tagLow: 9,
    })
    for (const more of [
      { baseAsset: `${asset}x` },
      { info: { text: `${info.text}x` } },
      { quoteAsset: '' },
    ]) {
      expect(() => instrumentFromCommand({ ...command, ...more }, 0)).toThrow(
        expect.objectContaining({ code: 'TIDEMARK_FIELD_RANGE' }),
      )
    }
  })

  it.each([
    [{ status: 'shut' }, 'TIDEMARK_FIELD_UNKNOWN', 'status'],
    [{ baseAsset: 5 }, 'TIDEMARK_FIELD_TYPE', 'baseAsset'],
    [{ baseAsset: '\ud800' }, 'TIDEMARK_FIELD_VALUE', 'baseAsset'],
    [{ minPrice: '0.3' }, 'TIDEMARK_OFF_GRID', 'minPrice'],
    [{ maxPrice: 0 }, 'TIDEMARK_FIELD_RANGE', 'maxPrice'],
    [{ minQuantity: true }, 'TIDEMARK_FIELD_TYPE', 'minQuantity'],
    [{ minNotional: '0.01' }, 'TIDEMARK_OFF_GRID', 'minNotional'],
    [{ minNotional: 'x' }, 'TIDEMARK_FIELD_VALUE', 'minNotional'],
    [{ minNotional: 1e30 }, 'TIDEMARK_FIELD_RANGE', 'minNotional'],
    [{ info: 'text' }, 'TIDEMARK_FIELD_TYPE', 'info'],
    [{ info: [1] }, 'TIDEMARK_FIELD_TYPE', 'info'],
    [{ info: { a: 5n } }, 'TIDEMARK_FIELD_VALUE', 'info'],
    [{ info: { a: Number.NaN } }, 'TIDEMARK_FIELD_VALUE', 'info'],
    [{ info: { a: () => 1 } }, 'TIDEMARK_FIELD_VALUE', 'info'],
    [{ info: { toJSON: () => 5 } }, 'TIDEMARK_FIELD_TYPE', 'info'],
    [{ minQuantity: 2, maxQuantity: 1 }, 'TIDEMARK_FIELD_CONFLICT', 'minQuantity'],
    [{ minimumPrice: 1 }, 'TIDEMARK_FIELD_UNKNOWN', 'minimumPrice'],
    [{ tickSize: '1' }, 'TIDEMARK_FIELD_UNKNOWN', 'tickSize'],
  ])('is not changed by %o', (fields, code, field) => {
    const grids = { instrumentId: 0, price: { mantissa: 5, scale: 1 }, quantity: { mantissa: 1, scale: 1 } }
    const words = new Int32Array(maxCommandWords).fill(-1)
    const command = { type: 'instrument-change', symbol: 'X', ...fields } as unknown as SymbolCommand
    expect(() => encodeCommand(words, 0, command, grids)).toThrow(
      expect.objectContaining({ code, details: expect.objectContaining({ field }) }),
    )
    expect(words.every((word) => word === -1)).toBe(true)
  })
})

describe('a notional', () => {
  it.each([
    ['10', '0.01', '0.00001', 100_000_000, '10'],
    ['0.0000001', '0.01', '0.00001', 1, '0.0000001'],
    ['2.50', '0.25', '0.1', 100, '2.5'],
    ['9007199254740991', '1', '1', LARGEST, '9007199254740991'],
    ['1e-20', '0.000000000000001', '0.00001', 1, '0.00000000000000000001'],
  ])('%s is exact in ticks times lots of %s and %s', (text, tickSize, lotSize, steps, shown) => {
    const base = {
      instrumentId: 0,
      symbol: 'X',
      replacePriority: 'keep-on-reduce',
      selfTradePrevention: 'none',
    } as const
    const grids = commandGrids({ ...base, tickSize, lotSize })
    expect(notionalSteps('minNotional', text, grids)).toBe(steps)
    expect(notionalText(steps, grids)).toBe(shown)
  })
})
