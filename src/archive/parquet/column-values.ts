import type { Column, KeyTexts, RowSet } from '../tables/columns.js'
import type { Decimals } from './decimals.js'
import { deltaMax } from './encodings.js'

/**
 * The values of a column in some rows, as they are packed: those that are there, one after the other, and which they are. Whole
 * numbers stand as themselves; what a dictionary has, as places in it. The memory is used again for the next column.
 */
export class ColumnValues {
  readonly #texts: KeyTexts
  readonly #decimals: Decimals
  rows = 0
  /** 1 for each row that has a value. */
  present = new Uint8Array(0)
  /** How many have one. */
  count = 0
  /** Of `integer`, `int32`, `time`, `double` and `flag` the values; of `key`, `name` and `decimal` places in `dictionary`. */
  numbers = new Float64Array(0)
  /** What the places are of: texts, or of `decimal` bytes. */
  dictionary: (string | Uint8Array)[] = []
  /** Of `unsigned` and `text` the values. */
  others: (bigint | string)[] = []
  /** Of `numbers`, where they are no places. */
  min = 0
  max = 0

  constructor(texts: KeyTexts, decimals: Decimals) {
    this.#texts = texts
    this.#decimals = decimals
  }

  /** Whether the numbers can be packed by their differences. */
  get isSmall(): boolean {
    return this.count === 0 || (this.min >= 0 && this.max <= deltaMax)
  }

  take(column: Column, rows: RowSet, places: Uint32Array): void {
    this.#begin(places.length)
    switch (column.kind) {
      case 'key':
        this.#keys(column.name, rows, places)
        break
      case 'decimal':
        this.#takeDecimals(column, rows, places)
        break
      case 'name':
        this.#names(rows.numbers[column.name]!, column.names!, places)
        break
      case 'unsigned':
      case 'text':
        this.#takeOthers(rows.others[column.name]!, places)
        break
      default:
        this.#takeNumbers(rows.numbers[column.name]!, places)
    }
  }

  #begin(rows: number): void {
    if (this.present.length < rows) {
      this.present = new Uint8Array(rows)
      this.numbers = new Float64Array(rows)
    }
    this.rows = rows
    this.count = 0
    this.dictionary = []
    this.others = []
    this.min = Number.POSITIVE_INFINITY
    this.max = Number.NEGATIVE_INFINITY
  }

  #takeNumbers(values: Float64Array, places: Uint32Array): void {
    const { present, numbers } = this
    let [count, min, max] = [0, this.min, this.max]
    for (let i = 0; i < places.length; i++) {
      const value = values[places[i]!]!
      // NaN stands for none.
      const isThere = !Number.isNaN(value)
      present[i] = isThere ? 1 : 0
      if (!isThere) continue
      numbers[count++] = value
      if (value < min) min = value
      if (value > max) max = value
    }
    this.count = count
    this.min = min
    this.max = max
  }

  #takeOthers(values: readonly (bigint | string | undefined)[], places: Uint32Array): void {
    const { present, others } = this
    for (let i = 0; i < places.length; i++) {
      const value = values[places[i]!]
      present[i] = value === undefined ? 0 : 1
      if (value !== undefined) others.push(value)
    }
    this.count = others.length
  }

  #names(codes: Float64Array, names: Column['names'] & object, places: Uint32Array): void {
    const { present, numbers, dictionary } = this
    const known = new Int16Array(names.length).fill(-1)
    let count = 0
    for (let i = 0; i < places.length; i++) {
      const code = codes[places[i]!]!
      // What has no name, NaN among it, is none.
      const name = names[code]
      present[i] = name === undefined ? 0 : 1
      if (name === undefined) continue
      if (known[code] === -1) {
        known[code] = dictionary.length
        dictionary.push(name)
      }
      numbers[count++] = known[code]!
    }
    this.count = count
  }

  #keys(column: string, rows: RowSet, places: Uint32Array): void {
    const { present, numbers, dictionary } = this
    const { keys } = rows
    const known = new Map<string, number>()
    let lastKey = -1
    let last = -1
    for (let i = 0; i < places.length; i++) {
      const key = keys[places[i]!]!
      // Sorted by key: each of them comes once. Two keys may have one text.
      if (last < 0 || key !== lastKey) last = placeOf(this.#texts.text(column, key), known, dictionary)
      lastKey = key
      present[i] = 1
      numbers[i] = last
    }
    this.count = places.length
  }

  #takeDecimals({ of }: Column, rows: RowSet, places: Uint32Array): void {
    const { present, numbers, dictionary } = this
    const { keys } = rows
    const steps = rows.numbers[of!.steps]!
    let lastKey = Number.NaN
    let count = 0
    let bytesOf: (steps: number) => Uint8Array | undefined = () => undefined
    const known = new Map<number, number>()
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!
      const key = keys[place]!
      if (key !== lastKey) {
        // Its steps may be others.
        bytesOf = this.#decimals.of(key, of!.grid)
        known.clear()
        lastKey = key
      }
      const value = steps[place]!
      let at = Number.isNaN(value) ? -1 : known.get(value)
      if (at === undefined) {
        const bytes = bytesOf(value)
        at = bytes ? dictionary.push(bytes) - 1 : -1
        known.set(value, at)
      }
      present[i] = at < 0 ? 0 : 1
      if (at >= 0) numbers[count++] = at
    }
    this.count = count
  }
}

function placeOf(text: string, known: Map<string, number>, dictionary: (string | Uint8Array)[]): number {
  let at = known.get(text)
  if (at === undefined) {
    at = dictionary.push(text) - 1
    known.set(text, at)
  }
  return at
}
