import type { FactorInstrument } from './instrument.js'

/**
 * Sets every rank column: among the instruments with a rank of the same name, 1 is the greatest value, equal ones
 * share the mean of their places, and what isn't defined has no rank.
 */
export function rankAcross(instruments: readonly FactorInstrument[]): void {
  const groups = new Map<string, { cells: Float64Array; cell: number; value: number }[]>()
  for (const { program } of instruments) {
    for (const { name, cell, of } of program.ranks) {
      const group = groups.get(name) ?? []
      groups.set(name, group)
      const value = program.cells[of]!
      program.cells[cell] = Number.NaN
      if (!Number.isNaN(value)) group.push({ cells: program.cells, cell, value })
    }
  }
  for (const group of groups.values()) {
    group.sort((a, b) => b.value - a.value)
    for (const [i, rank] of ranksOf(group).entries()) group[i]!.cells[group[i]!.cell] = rank
  }
}

/** The ranks of what is sorted, greatest first. */
export function ranksOf(sorted: readonly { readonly value: number }[]): number[] {
  const ranks: number[] = []
  for (let first = 0; first < sorted.length; ) {
    let next = first + 1
    while (next < sorted.length && sorted[next]!.value === sorted[first]!.value) next++
    for (let i = first; i < next; i++) ranks.push((first + 1 + next) / 2)
    first = next
  }
  return ranks
}
