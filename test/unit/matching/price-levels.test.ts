import { describe, expect, it } from 'vitest'
import { PriceLevels, SIDE_ASKS, SIDE_BIDS } from '#tidemark/matching/book/price-levels.js'
import { Random } from './support/random-commands.js'

/** Levels before the first indexed one, at most. */
const WALK = 16

function pricesOf(levels: PriceLevels, bookSide: number): number[] {
  const prices: number[] = []
  for (let level = levels.best(bookSide); level !== 0; level = levels.worse(level))
    prices.push(levels.price(level))
  return prices
}

describe.each([
  ['bids', SIDE_BIDS, -1],
  ['asks', SIDE_ASKS, 1],
])('the book side of %s', (_name, bookSide, direction) => {
  it('stays sorted, finds every level and keeps hash and map in step while levels come and go', () => {
    const levels = new PriceLevels(1)
    const random = new Random(7)
    const taken = new Map<number, number>()
    for (let step = 0; step < 30_000; step++) {
      const price = random.chance(3) ? Number.MAX_SAFE_INTEGER - random.below(50) : 1 + random.below(3000)
      const level = taken.get(price)
      expect(levels.find(bookSide, price)).toBe(level ?? 0)
      if (level === undefined) taken.set(price, levels.insert(bookSide, price))
      else if (random.chance(70)) {
        levels.remove(level)
        taken.delete(price)
      }
      if (step % 3000 === 0) {
        expect(pricesOf(levels, bookSide)).toEqual([...taken.keys()].sort((a, b) => direction * (a - b)))
        levels.verify(bookSide)
        expect(levels.live).toBe(taken.size)
      }
    }
  })

  it.each(['towards the best', 'towards the worst'])('finds 20,000 levels that come in sorted, %s', (way) => {
    const levels = new PriceLevels(1)
    const count = 20_000
    for (let i = 1; i <= count; i++) {
      const rank = way === 'towards the best' ? count - i : i
      levels.insert(bookSide, 1_000_000_000 + direction * rank * 1000)
    }
    levels.verify(bookSide)
    expect(levels.live).toBe(count)
    expect(levels.indexed).toBeGreaterThanOrEqual(count - WALK)
  })

  it('forgets every indexed level when the book side empties from the best on', () => {
    const levels = new PriceLevels(1)
    for (let i = 0; i < 500; i++) levels.insert(bookSide, 10_000 + direction * i * 7)
    for (let i = 0; i < 500; i++) {
      levels.remove(levels.best(bookSide))
      levels.verify(bookSide)
    }
    expect([levels.live, levels.indexed, levels.best(bookSide)]).toEqual([0, 0, 0])
  })

  it.each([0, 1, WALK - 1, WALK, WALK + 1])('finds the level at distance %d from the best', (distance) => {
    const levels = new PriceLevels(1)
    const made = Array.from({ length: 20 }, (_, i) => levels.insert(bookSide, 1000 + direction * i * 2))
    expect(levels.find(bookSide, 1000 + direction * distance * 2)).toBe(made[distance])
    expect(levels.find(bookSide, 1000 + direction * (distance * 2 + 1))).toBe(0)
  })

  it('does not trust a position that a later change made stale', () => {
    const levels = new PriceLevels(1)
    const first = levels.insert(bookSide, 100)
    levels.insert(bookSide, 100 + direction * 10)
    expect(levels.find(bookSide, 100 + direction * 5)).toBe(0)
    levels.remove(first)
    levels.insert(bookSide, 100 + direction * 5)
    expect(pricesOf(levels, bookSide)).toEqual([100 + direction * 5, 100 + direction * 10])
  })
})
