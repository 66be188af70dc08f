import { describe, expect, it } from 'vitest'
import { randomLedgerRun } from './support/random-ledger.js'

const seeds = 3
const commands = 1500

describe('the ledger against the naive one', () => {
  // test/faults/ledger-differential.test.ts goes through more seeds.
  it('has the same balances and holds after every record of any flow, and nothing below its holds', () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= seeds; seed++)
      for (const name of randomLedgerRun(seed, commands).keys()) seen.add(name)
    expect([...seen]).toEqual(
      expect.arrayContaining([
        'new',
        'replace',
        'reduce',
        'list',
        'phase',
        'bust',
        'TIDEMARK_INSUFFICIENT_FUNDS',
        'TIDEMARK_HOLD_UNBOUNDED',
        'TIDEMARK_AMOUNT_TOO_LARGE',
        'TIDEMARK_PRICE_DISTANCE_LIMIT',
        'TIDEMARK_POSITION_LIMIT',
        'below zero',
      ]),
    )
  })
})
