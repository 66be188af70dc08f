import type { Column, KeyTexts, RowSet } from '../tables/columns.js'
import type { Decimals } from './decimals.js'
import { deltaMax } from './encodings.js'

const wordRange = 0x1_0000_0000
/** Of a code that had no row yet; -1 is one without a name. */
const unseen = -2

/**
 * The values of a column in some rows, as they are packed: those that are there, one after the other, and which they are. Whole
 * numbers stand as themselves; what a dictionary has, as places in it. The memory is used again for the next column.
 */
export class ColumnValues {
  readonly #texts: KeyTexts
  readonly #decimals: Decimals
  rows = 0
  /** 1 for each row that has a value. */
  present: Uint8Array = new Uint8Array(0)
  /** How many have one. */
  count = 0
  /** Of `integer`, `int32`, `time`, `double`, `flag` and `unsigned` the values; of `key`, `name` and `decimal` places in `dictionary`. */
  numbers: Float64Array = new Float64Array(0)
  /** What the places are of: texts, or of `decimal` bytes. */
  dictionary: (string | Uint8Array)[] = []
  /** Of `unsigned`, whose low 32 bits are the numbers, the high ones. */
  highs: Float64Array = new Float64Array(0)
  /** Of `text` the values. */
  others: string[] = []
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
        this.#takeWide(rows.numbers[column.name]!, rows.highs[column.name]!, places)
        break
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
      this.highs = new Float64Array(rows)
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

  /** Numbers that can be packed by their differences stand whole in `numbers`: then `isSmall` holds. */
  #takeWide(lows: Float64Array, highs: Float64Array, places: Uint32Array): void {
    this.#takeNumbers(lows, places)
    if (this.count === 0) return
    const { numbers } = this
    let max = 0
    let min = Number.POSITIVE_INFINITY
    for (let i = 0, at = 0; i < places.length; i++) {
      if (this.present[i] === 0) continue
      const high = highs[places[i]!]!
      this.highs[at] = high
      const whole = high * wordRange + numbers[at]!
      if (whole > max) max = whole
      if (whole < min) min = whole
      at++
    }
    this.min = min
    this.max = max
    if (max > deltaMax) return
    for (let at = 0; at < this.count; at++) numbers[at]! += this.highs[at]! * wordRange
  }

  #takeOthers(values: readonly (string | undefined)[], places: Uint32Array): void {
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
    const known = new Int16Array(names.length).fill(unseen)
    let count = 0
    for (let i = 0; i < places.length; i++) {
      const code = codes[places[i]!]!
      // An array that is asked for what is no place in it takes many times as long.
      let at = Number.isNaN(code) ? -1 : known[code]!
      if (at === unseen) {
        const name = names[code]
        at = name === undefined ? -1 : dictionary.push(name) - 1
        known[code] = at
      }
      present[i] = at < 0 ? 0 : 1
      if (at >= 0) numbers[count++] = at
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
