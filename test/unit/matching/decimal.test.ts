import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CommandError, fromSteps, parseGrid, toSteps } from '#tidemark/matching/index.js'

function codeOf(value: unknown, tick: string): string {
  try {
    return `took ${toSteps('price', value, parseGrid('tickSize', tick))}`
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError)
    expect((error as CommandError).details).toEqual({ field: 'price', value })
    return (error as CommandError).code
  }
}

describe('decimals on a grid', () => {
  it.each([
    ['64000.00', '0.01', 6400000],
    ['64000', '0.01', 6400000],
    ['0064000.5', '0.01', 6400050],
    ['1.250', '0.25', 5],
    ['15', '5', 3],
    ['0.010', '0.0100', 1],
    ['1e3', '0.5', 2000],
    ['12.5E-1', '0.25', 5],
    ['90071992547409.91', '0.01', Number.MAX_SAFE_INTEGER],
    ['9007199254740991', '1', Number.MAX_SAFE_INTEGER],
    ['0.000000000000001', '0.000000000000001', 1],
    [0.3, '0.1', 3],
    [1e-7, '0.0000001', 1],
    [1e21, '1000000000000', 1e9],
    [123456.789, '0.001', 123456789],
  ])('%s at %s is %d steps', (value, tick, steps) => {
    expect(toSteps('price', value, parseGrid('tickSize', tick))).toBe(steps)
  })

  it.each([
    ['1.005', '0.01', 'TIDEMARK_OFF_GRID'],
    ['1.1', '0.25', 'TIDEMARK_OFF_GRID'],
    ['7', '5', 'TIDEMARK_OFF_GRID'],
    [0.1 + 0.2, '0.1', 'TIDEMARK_OFF_GRID'],
    ['0', '0.01', 'TIDEMARK_FIELD_RANGE'],
    ['0.00', '0.01', 'TIDEMARK_FIELD_RANGE'],
    ['-1', '0.01', 'TIDEMARK_FIELD_RANGE'],
    [-5, '1', 'TIDEMARK_FIELD_RANGE'],
    [0, '1', 'TIDEMARK_FIELD_RANGE'],
    [Number.NaN, '1', 'TIDEMARK_FIELD_RANGE'],
    [Number.POSITIVE_INFINITY, '1', 'TIDEMARK_FIELD_RANGE'],
    ['9007199254740992', '1', 'TIDEMARK_FIELD_RANGE'],
    ['90071992547409.92', '0.01', 'TIDEMARK_FIELD_RANGE'],
    [1e300, '1', 'TIDEMARK_FIELD_RANGE'],
    ['1e999999', '1', 'TIDEMARK_FIELD_VALUE'],
    ['9'.repeat(200), '1', 'TIDEMARK_FIELD_VALUE'],
    ['', '1', 'TIDEMARK_FIELD_VALUE'],
    ['1.', '1', 'TIDEMARK_FIELD_VALUE'],
    ['.5', '0.5', 'TIDEMARK_FIELD_VALUE'],
    [' 1', '1', 'TIDEMARK_FIELD_VALUE'],
    ['1,5', '0.5', 'TIDEMARK_FIELD_VALUE'],
    ['0x10', '1', 'TIDEMARK_FIELD_VALUE'],
    ['NaN', '1', 'TIDEMARK_FIELD_VALUE'],
    [null, '1', 'TIDEMARK_FIELD_TYPE'],
    [5n, '1', 'TIDEMARK_FIELD_TYPE'],
    [{}, '1', 'TIDEMARK_FIELD_TYPE'],
    [undefined, '1', 'TIDEMARK_FIELD_MISSING'],
  ])('%s at %s is refused', (value, tick, code) => {
    expect(codeOf(value, tick)).toBe(code)
  })

  it.each(['0', '-1', '', 'abc', '1e-2', '0.0000000000000001', '1234567890123456', undefined, 5])(
    '%s is no grid',
    (tick) => {
      expect(() => parseGrid('tickSize', tick)).toThrow(CommandError)
    },
  )

  it('writes what it read, with the grid’s decimals', () => {
    expect(fromSteps(6400000, parseGrid('t', '0.01'))).toBe('64000.00')
    expect(fromSteps(5, parseGrid('t', '0.25'))).toBe('1.25')
    expect(fromSteps(3, parseGrid('t', '5'))).toBe('15')
    expect(fromSteps(1, parseGrid('t', '0.00001'))).toBe('0.00001')
    expect(fromSteps(Number.MAX_SAFE_INTEGER, parseGrid('t', '0.25'))).toBe('2251799813685247.75')
  })

  it('takes back every string that it makes, and agrees with exact arithmetic', () => {
    const ticks = ['1', '0.01', '0.00001', '0.25', '5', '0.0005', '0.000000000001']
    const steps = fc.oneof(
      fc.integer({ min: 1, max: 10_000_000 }),
      fc.maxSafeNat().map((n) => n + 1 || 1),
    )
    fc.assert(
      fc.property(fc.constantFrom(...ticks), steps, (tick, n) => {
        const grid = parseGrid('tickSize', tick)
        const count = Math.min(n, Number.MAX_SAFE_INTEGER)
        expect(toSteps('price', fromSteps(count, grid), grid)).toBe(count)
      }),
      { numRuns: 2000 },
    )
  })

  it('takes a number exactly as it takes its String', () => {
    const grids = ['1', '0.01', '0.25', '0.00001'].map((tick) => [tick, parseGrid('tickSize', tick)] as const)
    const numbers = fc.oneof(
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.integer({ min: 1, max: 1e9 }).map((n) => n / 100),
      fc.integer({ min: 1, max: 1e9 }).map((n) => n / 100000),
    )
    fc.assert(
      fc.property(numbers, fc.constantFrom(...grids), (number, [tick]) => {
        const text = codeOf(String(number), tick)
        expect(codeOf(number, tick)).toBe(text)
      }),
      { numRuns: 3000 },
    )
  })
})
