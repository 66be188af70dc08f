import { describe, expect, it } from 'vitest'
import { CommandRates } from '#tidemark/ledger/commands/command-rates.js'
import { ManualClock } from '../../support/manual-clock.js'

describe('the commands that accounts have sent', () => {
  it('are remembered for as long as they count, however many accounts send some', () => {
    const clock = new ManualClock()
    const rates = new CommandRates(clock)
    rates.take(1, 1)
    expect(rates.has(1, 1)).toBe(false)
    for (let account = 2; account <= 30_000; account++) rates.take(account, 1)
    expect(rates.has(1, 1)).toBe(false)
    clock.advance(999)
    expect(rates.has(1, 1)).toBe(false)
    clock.advance(1)
    expect(rates.has(1, 1)).toBe(true)
    clock.advance(1)
    for (let account = 40_000; account <= 70_000; account++) rates.take(account, 1)
    expect(rates.has(1, 1)).toBe(true)
    expect(rates.has(80_000, 0)).toBe(false)
  })

  it('are released, also of an account that is forgotten since', () => {
    const clock = new ManualClock()
    const rates = new CommandRates(clock)
    rates.take(1, 1)
    rates.release(1)
    expect(rates.has(1, 1)).toBe(true)
    clock.advance(1001)
    for (let account = 2; account <= 30_000; account++) rates.take(account, 1)
    rates.release(1)
    rates.take(1, 1)
    expect(rates.has(1, 1)).toBe(false)
  })
})
