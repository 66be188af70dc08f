import type { KeyTexts } from '../tables/columns.js'
import { decimalBytes, decimalScale } from './schema.js'

const limit = 10n ** 38n
/** So many different values are remembered for each grid; prices and quantities come again and again. */
const rememberedMax = 100_000

/** Makes the bytes of decimals out of ticks and lots: 16 bytes, the highest first, scaled by 10^15. */
export class Decimals {
  readonly #texts: KeyTexts
  readonly #byGrid = new Map<string, Map<number, Uint8Array | undefined>>()

  constructor(texts: KeyTexts) {
    this.#texts = texts
  }

  /** How the steps of a key become bytes; `undefined` for what 38 digits can't hold. */
  of(key: number, grid: 'price' | 'quantity'): (steps: number) => Uint8Array | undefined {
    const { mantissa, scale } = this.#texts.grid(key, grid)
    const unit = BigInt(mantissa) * 10n ** BigInt(decimalScale - scale)
    const name = `${mantissa}/${scale}`
    let known = this.#byGrid.get(name)
    if (!known) {
      known = new Map()
      this.#byGrid.set(name, known)
    }
    const remembered = known
    return (steps) => {
      const found = remembered.get(steps)
      if (found !== undefined || remembered.has(steps)) return found
      const bytes = bytesOf(BigInt(steps) * unit)
      if (remembered.size >= rememberedMax) remembered.clear()
      remembered.set(steps, bytes)
      return bytes
    }
  }
}

function bytesOf(value: bigint): Uint8Array | undefined {
  if (value >= limit) return undefined
  const bytes = new Uint8Array(decimalBytes)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, value >> 64n)
  view.setBigUint64(8, value & 0xffff_ffff_ffff_ffffn)
  return bytes
}
