import { describe, expect, it } from 'vitest'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { type LedgerCounts, randomLedgerRun } from '../unit/ledger/support/random-ledger.js'

const seeds = faultCount('ledger-differential', { short: 1, full: 200 })
const commands = seeds < 200 ? 1500 : 20_000

describe('the ledger against the naive one, over every kind of order and phase', () => {
  it('has the same balances and holds after every record, and nothing below its holds', () => {
    const counts: LedgerCounts = new Map()
    for (const seed of faultCases(seeds, commands)) {
      for (const [name, count] of randomLedgerRun(1000 + seed, commands))
        counts.set(name, (counts.get(name) ?? 0) + count)
    }
    if (counts.size > 0) expect(counts.get('TIDEMARK_INSUFFICIENT_FUNDS')).toBeGreaterThan(0)
  })
})
