import { describe, expect, it } from 'vitest'
import { FailoverLife } from '../support/failover-life.js'
import { faultCases, faultCount } from '../support/fault-tier.js'

describe('three machines and a replicated log whose network loses, repeats and reorders', () => {
  it('lose nothing that was acknowledged, whichever of them is killed, cut off or promoted', async () => {
    const count = faultCount('failover-lives', { short: 300, full: 100_000 })
    const seen: Record<string, number> = {}
    let lives = 0
    for (const seed of faultCases(count)) {
      const { violations, acknowledged, promotions, counts } = await new FailoverLife(seed).live()
      expect(violations).toEqual([])
      lives++
      for (const [what, times] of Object.entries({ ...counts, acknowledged, promotions }))
        seen[what] = (seen[what] ?? 0) + times
    }
    // What never happened was not tested.
    if (lives >= 100)
      for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(lives / 20)
    expect(lives).toBeGreaterThan(0)
  })
})
