import { describe, expect, it } from 'vitest'
import { FactorEngine } from '#tidemark/factors/engine/engine.js'
import {
  ExponentialAverage,
  RollingDeviation,
  RollingMean,
} from '#tidemark/factors/engine/operators/index.js'
import { collectUncaught } from '../../support/uncaught.js'
import { Random } from './support/series.js'

function walk(engine: FactorEngine, instrument: string, count: number, seed = 1): void {
  const random = new Random(seed)
  for (let i = 0; i < count; i++) {
    const last = 100 + random.normal()
    engine.processTick({
      instrument,
      timestamp: i,
      last,
      bid: last - 0.5,
      ask: last + 0.5,
      volume: random.below(9),
    })
  }
}

describe('a factor engine', () => {
  it('computes an expression over other factors as the operators by hand do', () => {
    const engine = new FactorEngine()
    engine.registerAll('X', {
      trend: '(ema12 - ema26) / std20',
      ema12: 'ema(last, 12)',
      ema26: { operator: 'ema', of: 'last', parameters: [26] },
      std20: { operator: 'std', of: 'last', parameters: [20], estimate: 'sample' },
      smooth: 'mean(trend, 5) * -2 + 1',
      middle: '(bid + ask) / 2',
    })
    const [fast, slow] = [new ExponentialAverage(12), new ExponentialAverage(26)]
    const deviation = new RollingDeviation(20, 'sample')
    const mean = new RollingMean(5)
    const random = new Random(4)
    for (let i = 0; i < 200; i++) {
      const last = 100 + random.normal()
      engine.processTick({ instrument: 'X', timestamp: i, last, bid: last - 1, ask: last + 2 })
      for (const operator of [fast, slow, deviation]) operator.update(last)
      const defined = fast.value !== undefined && slow.value !== undefined && deviation.value !== undefined
      const trend = defined ? (fast.value - slow.value) / deviation.value : undefined
      if (trend !== undefined) mean.update(trend)
      expect(engine.get('X', 'trend')).toBe(trend)
      expect(engine.get('X', 'smooth')).toBe(mean.value === undefined ? undefined : mean.value * -2 + 1)
      expect(engine.get('X', 'middle')).toBe((last - 1 + (last + 2)) / 2)
    }
  })

  it('names every output of an operator that has several', () => {
    const engine = new FactorEngine()
    engine.registerAll('X', { trend: 'macd(last)', band: 'bollinger(last, 20, 2)', up: 'band.upper - last' })
    walk(engine, 'X', 60)
    const values = engine.getAll('X')
    expect(Object.keys(values)).toEqual([
      'trend.line',
      'trend.signal',
      'trend.histogram',
      'band.upper',
      'band.middle',
      'band.lower',
      'band.bandwidth',
      'band.percentB',
      'up',
    ])
    expect(Object.values(values).every(Number.isFinite)).toBe(true)
    expect(() => engine.get('X', 'trend')).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_UNKNOWN_FACTOR' }),
    )
  })

  it('computes equal parts once a tick', () => {
    const engine = new FactorEngine()
    engine.registerAll('X', { a: 'count(last, 1000)', b: 'count(last, 1000) + count(close, 1000)', c: 'a' })
    walk(engine, 'X', 10)
    // Had any part its own counter, or one been updated twice, these would differ.
    expect(engine.getAll('X')).toEqual({ a: 10, b: 20, c: 10 })
    expect(engine.instrument('X').program.used).toBe(9 + 2 + 1)
  })

  it('moves only the factors whose fields a tick has', () => {
    const engine = new FactorEngine()
    engine.registerAll('X', {
      trades: 'count(last, 100)',
      quotes: 'count(bid + ask, 100)',
      both: 'count(last - bid, 100)',
    })
    engine.processTick({ instrument: 'X', timestamp: 1, last: 10 })
    expect(engine.getAll('X')).toEqual({ trades: 1, quotes: undefined, both: undefined })
    engine.processTick({ instrument: 'X', timestamp: 2, bid: 9, ask: 11 })
    engine.processTick({ instrument: 'X', timestamp: 3, last: 10 })
    expect(engine.getAll('X')).toEqual({ trades: 2, quotes: 1, both: 2 })
  })

  it('takes bars, with the close as last', () => {
    const engine = new FactorEngine()
    engine.registerAll('X', { range: 'atr(2)', average: 'mean(close, 2)', price: 'vwap()' })
    engine.processBar({ instrument: 'X', timestamp: 1, open: 9, high: 12, low: 8, close: 10, volume: 1 })
    engine.processBar({ instrument: 'X', timestamp: 2, open: 10, high: 11, low: 10, close: 11, volume: 3 })
    expect(engine.getAll('X')).toEqual({ range: 2.5, average: 10.5, price: 10.75 })
  })

  it('calls listeners after each tick, until they are removed', () => {
    const engine = new FactorEngine()
    engine.register('X', 'n', 'count(last, 9)')
    const seen: unknown[] = []
    const stop = engine.onUpdate((instrument, timestamp) =>
      seen.push([instrument.name, timestamp, instrument.get('n')]),
    )
    engine.processTick({ instrument: 'X', timestamp: 5, last: 1 })
    stop()
    engine.processTick({ instrument: 'X', timestamp: 6, last: 1 })
    expect(seen).toEqual([['X', 5, 1]])
  })

  it('is not disturbed by a listener that throws, and neither are the other listeners', async () => {
    const uncaught = collectUncaught()
    const engine = new FactorEngine()
    engine.register('X', 'n', 'count(last, 9)')
    const bug = new Error('a bug in the application')
    engine.onUpdate(() => {
      throw bug
    })
    const seen: unknown[] = []
    engine.onUpdate((instrument) => seen.push(instrument.get('n')))
    for (let timestamp = 0; timestamp < 3; timestamp++)
      engine.processTick({ instrument: 'X', timestamp, last: 1 })
    expect(seen).toEqual([1, 2, 3])
    await new Promise((resolve) => setImmediate(resolve))
    expect(uncaught).toEqual([bug, bug, bug])
  })

  it('ranks instruments at a barrier, equal values sharing the mean of their places', () => {
    const engine = new FactorEngine()
    const prices = { A: 5, B: 9, C: 5, D: 1, E: 7 }
    for (const name of Object.keys(prices))
      engine.registerAll(name, { price: 'mean(last, 2)', place: 'rank(price)' })
    for (const [instrument, last] of Object.entries(prices)) {
      for (let i = 0; i < (instrument === 'E' ? 1 : 2); i++)
        engine.processTick({ instrument, timestamp: i, last })
    }
    expect(engine.get('B', 'place')).toBeUndefined()
    engine.barrier(3)
    expect(Object.keys(prices).map((name) => engine.get(name, 'place'))).toEqual([2.5, 1, 2.5, 4, undefined])
  })

  it('continues bit by bit the same from a saved state', () => {
    const whole = new FactorEngine()
    const definitions = {
      a: 'ema(last, 9)',
      b: 'kurtosis(last, 7)',
      c: 'vwap()',
      d: 'a / b - correlation(bid, last, 5)',
    }
    whole.registerAll('X', definitions)
    walk(whole, 'X', 40)
    const again = new FactorEngine()
    for (const state of structuredClone(whole.save()).instruments) again.restoreInstrument(state)
    walk(whole, 'X', 50, 2)
    walk(again, 'X', 50, 2)
    expect(Buffer.from(again.save().instruments[0]!.cells.buffer)).toEqual(
      Buffer.from(whole.save().instruments[0]!.cells.buffer),
    )
    expect(again.ticks).toBe(90)
  })

  it('names the value of a tick that is text as text', () => {
    const engine = new FactorEngine()
    engine.register('A', 'm', 'mean(last, 2)')
    const tick = { instrument: 'A', timestamp: 1, last: '5' as unknown as number }
    expect(() => engine.processTick(tick)).toThrow(/^last of a tick of A is "5"; use a finite number/)
  })

  it('keeps the windows of known factors when others are added later', () => {
    const engine = new FactorEngine()
    engine.register('X', 'n', 'count(last, 1000)')
    walk(engine, 'X', 10)
    for (let i = 0; i < 30; i++) engine.register('X', `mean${i}`, `mean(last, ${i + 1})`)
    walk(engine, 'X', 10)
    expect(engine.get('X', 'n')).toBe(20)
    expect(engine.get('X', 'mean9')).toBeDefined()
    expect(engine.get('X', 'mean10')).toBeUndefined()
  })
})

describe('what an engine refuses', () => {
  const code = (text: string) => expect.objectContaining({ code: text })

  it.each([
    ['a cycle', { a: 'b + 1', b: 'mean(c, 3)', c: 'a' }, 'TIDEMARK_FACTOR_CYCLE'],
    ['a factor of itself', { a: 'a + 1' }, 'TIDEMARK_FACTOR_CYCLE'],
    ['an unknown name', { a: 'mean(lost, 3)' }, 'TIDEMARK_UNKNOWN_FACTOR'],
    ['a name twice', { n: 'last' }, 'TIDEMARK_DUPLICATE_FACTOR'],
    ['the name of a field', { bid: 'last' }, 'TIDEMARK_DUPLICATE_FACTOR'],
    ['a name with a blank', { 'a b': 'last' }, 'TIDEMARK_BAD_NAME'],
    ['a name too long', { [`a${'b'.repeat(128)}`]: 'last' }, 'TIDEMARK_BAD_NAME'],
    ['a bad period', { a: 'mean(last, 0)' }, 'TIDEMARK_BAD_PARAMETER'],
    ['an unknown operator', { a: 'median(last, 5)' }, 'TIDEMARK_BAD_EXPRESSION'],
    ['too few numbers', { a: 'mean(last)' }, 'TIDEMARK_BAD_EXPRESSION'],
    ['too many numbers', { a: 'mean(last, 5, 6)' }, 'TIDEMARK_BAD_EXPRESSION'],
    ['a series for a number', { a: 'mean(last, bid)' }, 'TIDEMARK_BAD_EXPRESSION'],
    ['an output without a name', { a: 'macd(last) + 1' }, 'TIDEMARK_BAD_EXPRESSION'],
    ['an output that is not there', { a: 'macd(last).upper' }, 'TIDEMARK_BAD_EXPRESSION'],
    ['a rank within an expression', { a: 'rank(last) / 10' }, 'TIDEMARK_BAD_EXPRESSION'],
    ['an operator for nothing', { a: { operator: 'median', of: 'last' } }, 'TIDEMARK_BAD_EXPRESSION'],
    ...[
      '',
      '1 +',
      '(last',
      'last)',
      'last last',
      '2last',
      'mean(last,5',
      'last.',
      '#',
      'a,b',
      '1e999',
      '-',
    ].map((text) => [`"${text}"`, { a: text }, 'TIDEMARK_BAD_EXPRESSION'] as const),
    [
      'a thousand parentheses',
      { a: `${'('.repeat(1000)}last${')'.repeat(1000)}` },
      'TIDEMARK_BAD_EXPRESSION',
    ],
    ['a text without end', { a: `last${' + last'.repeat(5000)}` }, 'TIDEMARK_BAD_EXPRESSION'],
  ] as [string, Record<string, string>, string][])(
    '%s, and then nothing was registered',
    (_what, definitions, expected) => {
      const engine = new FactorEngine()
      engine.register('X', 'n', 'count(last, 5)')
      const { used } = engine.instrument('X').program
      const call = () => engine.registerAll('X', { fine: 'ema(last, 7)', ...definitions })
      expect(call).toThrow(code(expected))
      expect(engine.instrument('X').factors).toEqual(['n'])
      expect(engine.instrument('X').program.used).toBe(used)
      if (!('n' in definitions)) expect(() => engine.registerAll('New', definitions)).toThrow(code(expected))
      expect(engine.instruments.map(({ name }) => name)).toEqual(['X'])
      engine.register('X', 'fine', 'ema(last, 1)')
      engine.processTick({ instrument: 'X', timestamp: 1, last: 3 })
      expect(engine.getAll('X')).toEqual({ n: 1, fine: 3 })
    },
  )

  it.each([
    ['NaN', { last: Number.NaN }],
    ['infinity', { bid: 1, ask: Number.POSITIVE_INFINITY }],
    ['a number no operator takes', { last: 1e300 }],
    ['a negative volume', { last: 1, volume: -1 }],
    ['a high below the low', { high: 1, low: 2 }],
    ['nothing at all', {}],
    ['a text', { last: '5' as unknown as number }],
    ['a time that is none', { last: 1, timestamp: Number.NaN }],
  ])('a tick with %s, and then no factor has moved', (_what, fields) => {
    const engine = new FactorEngine()
    engine.registerAll('X', { n: 'count(last, 5)', m: 'mean(bid, 1)' })
    engine.processTick({ instrument: 'X', timestamp: 1, last: 3, bid: 2 })
    const before = engine.save()
    expect(() => engine.processTick({ instrument: 'X', timestamp: 2, ...fields })).toThrow(
      code('TIDEMARK_BAD_TICK'),
    )
    expect(engine.save()).toEqual(before)
  })

  it('an instrument and a factor it does not know', () => {
    const engine = new FactorEngine()
    engine.register('X', 'n', 'count(last, 5)')
    expect(() => engine.processTick({ instrument: 'Y', timestamp: 1, last: 1 })).toThrow(
      code('TIDEMARK_UNKNOWN_INSTRUMENT'),
    )
    expect(() => engine.get('Y', 'n')).toThrow(code('TIDEMARK_UNKNOWN_INSTRUMENT'))
    expect(() => engine.get('X', 'm')).toThrow(code('TIDEMARK_UNKNOWN_FACTOR'))
    expect(() => engine.register('', 'n', 'last')).toThrow(code('TIDEMARK_BAD_NAME'))
    expect(() => engine.register('y'.repeat(257), 'n', 'last')).toThrow(code('TIDEMARK_BAD_NAME'))
  })
})
