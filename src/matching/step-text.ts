import { fromSteps, type Grid } from './decimal.js'

/** A power of two. At most so many texts are kept, of whatever instruments are busy: less than a megabyte. */
const slots = 4096
const steps = new Float64Array(slots).fill(-1)
const mantissas = new Float64Array(slots)
const scales = new Uint8Array(slots)
const texts: string[] = new Array(slots).fill('')

/**
 * As `fromSteps`, with the last texts kept: the prices and quantities of a market repeat, and making a text costs ten times as
 * much as finding it.
 */
export function stepText(count: number, grid: Grid): string {
  const slot = (count ^ (grid.scale * 0x9e5)) & (slots - 1)
  if (steps[slot] === count && scales[slot] === grid.scale && mantissas[slot] === grid.mantissa) {
    return texts[slot]!
  }
  const text = fromSteps(count, grid)
  steps[slot] = count
  scales[slot] = grid.scale
  mantissas[slot] = grid.mantissa
  texts[slot] = text
  return text
}
