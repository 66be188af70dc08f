import { describe, expect, it } from 'vitest'
import { LADDER_ASKS, LADDER_BIDS, PriceLevels } from '#tidemark/matching/book/price-levels.js'
import { Random } from './support/random-commands.js'

/** Levels before the frontier, at most. */
const WALK = 16

function pricesOf(levels: PriceLevels, ladder: number): number[] {
  const prices: number[] = []
  for (let level = levels.best(ladder); level !== 0; level = levels.worse(level))
    prices.push(levels.price(level))
  return prices
}

describe.each([
  ['bids', LADDER_BIDS, -1],
  ['asks', LADDER_ASKS, 1],
])('the ladder of %s', (_name, ladder, direction) => {
  it('stays sorted, finds every level and keeps hash and map in step while levels come and go', () => {
    const levels = new PriceLevels(1)
    const random = new Random(7)
    const taken = new Map<number, number>()
    for (let step = 0; step < 30_000; step++) {
      const price = random.chance(3) ? Number.MAX_SAFE_INTEGER - random.below(50) : 1 + random.below(3000)
      const level = taken.get(price)
      expect(levels.find(ladder, price)).toBe(level ?? 0)
      if (level === undefined) taken.set(price, levels.insert(ladder, price))
      else if (random.chance(70)) {
        levels.remove(level)
        taken.delete(price)
      }
      if (step % 3000 === 0) {
        expect(pricesOf(levels, ladder)).toEqual([...taken.keys()].sort((a, b) => direction * (a - b)))
        levels.verify(ladder)
        expect(levels.live).toBe(taken.size)
      }
    }
  })

  it.each(['towards the best', 'towards the worst'])('finds 20,000 levels that come in sorted, %s', (way) => {
    const levels = new PriceLevels(1)
    const count = 20_000
    for (let i = 1; i <= count; i++) {
      const rank = way === 'towards the best' ? count - i : i
      levels.insert(ladder, 1_000_000_000 + direction * rank * 1000)
    }
    levels.verify(ladder)
    expect(levels.live).toBe(count)
    expect(levels.settled).toBeGreaterThanOrEqual(count - WALK)
  })

  it('forgets every settled level when the ladder empties from the best on', () => {
    const levels = new PriceLevels(1)
    for (let i = 0; i < 500; i++) levels.insert(ladder, 10_000 + direction * i * 7)
    for (let i = 0; i < 500; i++) {
      levels.remove(levels.best(ladder))
      levels.verify(ladder)
    }
    expect([levels.live, levels.settled, levels.best(ladder)]).toEqual([0, 0, 0])
  })

  it.each([0, 1, WALK - 1, WALK, WALK + 1])('finds the level at distance %d from the best', (distance) => {
    const levels = new PriceLevels(1)
    const made = Array.from({ length: 20 }, (_, i) => levels.insert(ladder, 1000 + direction * i * 2))
    expect(levels.find(ladder, 1000 + direction * distance * 2)).toBe(made[distance])
    expect(levels.find(ladder, 1000 + direction * (distance * 2 + 1))).toBe(0)
  })

  it('does not trust a position that a later change made stale', () => {
    const levels = new PriceLevels(1)
    const first = levels.insert(ladder, 100)
    levels.insert(ladder, 100 + direction * 10)
    expect(levels.find(ladder, 100 + direction * 5)).toBe(0)
    levels.remove(first)
    levels.insert(ladder, 100 + direction * 5)
    expect(pricesOf(levels, ladder)).toEqual([100 + direction * 5, 100 + direction * 10])
  })
})
