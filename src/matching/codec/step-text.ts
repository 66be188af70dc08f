import { fromSteps, type Grid } from './decimal.js'

/** A power of two. At most so many texts are kept, of whatever instruments are busy: less than half a megabyte. */
const slots = 4096

/**
 * The last texts that were made of numbers of steps: the prices of a market repeat, and so do its quantities, and making a
 * text costs ten times as much as finding it.
 */
class StepTexts {
  readonly #steps = new Float64Array(slots).fill(-1)
  readonly #mantissas = new Float64Array(slots)
  readonly #scales = new Uint8Array(slots)
  readonly #texts: string[] = new Array(slots).fill('')

  /** As `fromSteps`. */
  of(steps: number, grid: Grid): string {
    const slot = steps & (slots - 1)
    if (
      this.#steps[slot] === steps &&
      this.#scales[slot] === grid.scale &&
      this.#mantissas[slot] === grid.mantissa
    ) {
      return this.#texts[slot]!
    }
    const text = fromSteps(steps, grid)
    this.#steps[slot] = steps
    this.#scales[slot] = grid.scale
    this.#mantissas[slot] = grid.mantissa
    this.#texts[slot] = text
    return text
  }
}

/** Prices and quantities by themselves, so that neither drives the other out. */
const prices = new StepTexts()
const quantities = new StepTexts()

/** A price in ticks as a decimal string. */
export function priceText(ticks: number, grid: Grid): string {
  return prices.of(ticks, grid)
}

/** A quantity in lots as a decimal string. */
export function quantityText(lots: number, grid: Grid): string {
  return quantities.of(lots, grid)
}
