import { describe, expect, it } from 'vitest'
import { bytes, count, duration, percent, rate } from '#tidemark/cli/number-format.js'

describe('numbers for people', () => {
  it('groups digits in threes', () => {
    expect([0, 999, 1000, 1234567].map(count)).toEqual(['0', '999', '1,000', '1,234,567'])
  })

  it('gives a part as a percentage, and nothing of nothing as 0%', () => {
    expect([percent(4931, 5232), percent(94, 94), percent(0, 7), percent(0, 0)]).toEqual([
      '94.2%',
      '100%',
      '0%',
      '0%',
    ])
  })

  it('picks the unit of bytes by powers of 1024', () => {
    expect([0, 1023, 1536, 5 * 1024 ** 3].map(bytes)).toEqual(['0 B', '1,023 B', '1.5 KiB', '5.0 GiB'])
  })

  it('keeps three significant digits of a time', () => {
    expect([0.0123, 0.85, 12.34, 999, 4567].map(duration)).toEqual([
      '12.3 us',
      '850 us',
      '12.3 ms',
      '999 ms',
      '4.57 s',
    ])
  })

  it('gives rates in units, thousands or millions', () => {
    expect([0.26, 812, 45_600, 999_900].map(rate)).toEqual(['0.26', '812', '45.6 k', '1.00 M'])
  })
})
