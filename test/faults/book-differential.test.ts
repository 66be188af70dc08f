import { describe, expect, it } from 'vitest'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { differentialRun } from '../unit/matching/support/differential-run.js'

const COMMANDS = 5000
const seeds = faultCount('book-differential', { short: 2, full: 200 })

describe('the fast book against the naive one, over every kind of order and phase', () => {
  it('reports the same and stays consistent', () => {
    const events = new Map<string, number>()
    let runs = 0
    for (const seed of faultCases(seeds, COMMANDS)) {
      runs++
      for (const [name, count] of differentialRun(1000 + seed, COMMANDS).events)
        events.set(name, (events.get(name) ?? 0) + count)
    }
    if (runs === 0) return
    // What can't come about by chance is not tested by it.
    for (const name of [
      'entered',
      'triggered',
      'cancelled list',
      'cancelled self-trade',
      'rejected FOK_NOT_FILLABLE',
    ])
      expect(events.get(name) ?? 0, name).toBeGreaterThan(0)
  })
})
