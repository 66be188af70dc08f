import { describe, expect, it } from 'vitest'
import { FactorEngine, type Tick } from '#tidemark/factors/index.js'

function engineOf(definitions: Record<string, string>): {
  engine: FactorEngine
  tick(tick: Partial<Tick>): void
} {
  const engine = new FactorEngine()
  engine.registerAll('X', definitions)
  let timestamp = 0
  return {
    engine,
    tick: (tick) => void engine.processTick({ instrument: 'X', timestamp: ++timestamp, ...tick }),
  }
}

describe('a field that a tick leaves out', () => {
  it.each([
    ['vwap()', { last: 10, volume: 100 }, { last: 20 }],
    ['vwap()', { last: 10, volume: 100 }, { volume: 900 }],
    ['atr(1)', { last: 10, high: 11, low: 9 }, { last: 30 }],
    ['atr(1)', { last: 10, high: 11, low: 9 }, { last: 30, high: 31 }],
  ])('moves nothing of %s', (expression, whole, part) => {
    const { engine, tick } = engineOf({ f: expression, mean: 'mean(f, 1)', count: `count(${expression}, 5)` })
    tick(whole)
    const before = engine.getAll('X')
    expect(before['f']).toBeDefined()
    tick(part)
    expect(engine.getAll('X')).toEqual(before)
  })

  it('enters no pair of a correlation or a covariance a second time', () => {
    const definitions = { r: 'correlation(last, volume, 3)', c: 'covariance(last, volume, 3)' }
    const [some, all] = [engineOf(definitions), engineOf(definitions)]
    for (const [last, volume] of [
      [1, 5],
      [2, 7],
      [4, 6],
      [3, 9],
    ] as const) {
      all.tick({ last, volume })
      some.tick({ last: last + 100 })
      some.tick({ volume: volume + 100 })
      some.tick({ last, volume })
    }
    expect(all.engine.get('X', 'r')).toBeDefined()
    expect(some.engine.getAll('X')).toEqual(all.engine.getAll('X'))
  })

  it('moves arithmetic of the others as before', () => {
    const { engine, tick } = engineOf({
      spread: 'ask - bid',
      mean: 'mean(ask - bid, 2)',
      n: 'vwap(last, 1 + 1)',
    })
    tick({ bid: 9, ask: 11 })
    tick({ ask: 13 })
    tick({ last: 5 })
    expect(engine.getAll('X')).toEqual({ spread: 4, mean: 3, n: 5 })
  })
})

describe('a factor of numbers alone', () => {
  it('has its value from the beginning', () => {
    const { engine, tick } = engineOf({
      three: '3',
      six: '2 * three',
      half: '-(six / 12)',
      none: '1 / 0',
      sum: 'last + six',
    })
    expect(engine.getAll('X')).toEqual({ three: 3, six: 6, half: -0.5, none: undefined, sum: undefined })
    tick({ last: 1 })
    expect(engine.getAll('X')).toEqual({ three: 3, six: 6, half: -0.5, none: undefined, sum: 7 })
  })

  it('that an operator would have to take is refused', () => {
    const engine = new FactorEngine()
    expect(() => engine.registerAll('X', { m: 'mean(2 * 3, 5)' })).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_BAD_EXPRESSION' }),
    )
  })
})

describe('a factor or an instrument that is named as what every object has', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s', (name) => {
    const engine = new FactorEngine()
    engine.register(name, name, 'mean(last, 1)')
    engine.register(name, 'twice', `2 * ${name}`)
    engine.processTick({ instrument: name, timestamp: 1, last: 4 })
    const values = engine.getAll(name)
    expect(Object.entries(values)).toEqual([
      [name, 4],
      ['twice', 8],
    ])
    expect(engine.get(name, name)).toBe(4)
    expect(Object.getPrototypeOf(values)).toBe(Object.prototype)
  })
})
