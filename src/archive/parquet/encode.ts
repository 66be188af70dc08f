import type { DecodedArray } from 'hyparquet'
import type { Column, KeyTexts, RowSet } from '../tables/columns.js'
import type { Decimals } from './decimals.js'

const int32Max = 0x7fff_ffff

/** Some rows of a table as a reader of the files gets them: one array a column, the rows in the order of `places`. */
export class ColumnEncoder {
  readonly #texts: KeyTexts
  readonly #decimals: Decimals

  constructor(texts: KeyTexts, decimals: Decimals) {
    this.#texts = texts
    this.#decimals = decimals
  }

  /** The values of a column; `undefined` where there is none. */
  values(column: Column, rows: RowSet, places: Uint32Array): DecodedArray {
    const { name, kind } = column
    switch (kind) {
      case 'key':
        return this.#keys(name, rows, places)
      case 'decimal':
        return this.#decimalsOf(column, rows, places)
      case 'unsigned': {
        const [lows, highs] = [rows.numbers[name]!, rows.highs[name]!]
        return Array.from(places, (place) =>
          Number.isNaN(lows[place]!) ? undefined : (BigInt(highs[place]!) << 32n) | BigInt(lows[place]!),
        )
      }
      case 'text': {
        const others = rows.others[name]!
        return Array.from(places, (place) => others[place])
      }
      case 'name':
        return named(rows.numbers[name]!, column.names!, places)
      case 'flag': {
        const numbers = rows.numbers[name]!
        return Array.from(places, (place) =>
          Number.isNaN(numbers[place]!) ? undefined : numbers[place] === 1,
        )
      }
      case 'double': {
        const numbers = rows.numbers[name]!
        return Array.from(places, (place) => (Number.isNaN(numbers[place]!) ? undefined : numbers[place]))
      }
      case 'int32':
        return column.nullable
          ? integers(rows.numbers[name]!, places)
          : Int32Array.from(places, (place) => rows.numbers[name]![place]!)
      default:
        return integers(rows.numbers[name]!, places)
    }
  }

  #keys(name: string, rows: RowSet, places: Uint32Array): string[] {
    const { keys } = rows
    const values: string[] = new Array(places.length)
    let lastKey = -1
    let text = ''
    for (let i = 0; i < places.length; i++) {
      const key = keys[places[i]!]!
      // Sorted by key: each of them comes once.
      if (key !== lastKey) text = this.#texts.text(name, key)
      lastKey = key
      values[i] = text
    }
    return values
  }

  #decimalsOf({ of }: Column, rows: RowSet, places: Uint32Array): (Uint8Array | undefined)[] {
    const { keys } = rows
    const steps = rows.numbers[of!.steps]!
    const values: (Uint8Array | undefined)[] = new Array(places.length)
    let lastKey = -1
    let bytesOf: (steps: number) => Uint8Array | undefined = () => undefined
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!
      const key = keys[place]!
      if (key !== lastKey) bytesOf = this.#decimals.of(key, of!.grid)
      lastKey = key
      const value = steps[place]!
      values[i] = Number.isNaN(value) ? undefined : bytesOf(value)
    }
    return values
  }
}

function named(numbers: Float64Array, names: Column['names'] & object, places: Uint32Array): DecodedArray {
  const values: (string | undefined)[] = new Array(places.length)
  for (let i = 0; i < places.length; i++) {
    const code = numbers[places[i]!]!
    values[i] = Number.isNaN(code) ? undefined : names[code]
  }
  return values
}

/** Whole numbers, as 32-bit numbers where all of them fit, and as bigints where one does not. */
function integers(numbers: Float64Array, places: Uint32Array): DecodedArray {
  let nulls = false
  let fits = true
  for (let i = 0; i < places.length; i++) {
    const value = numbers[places[i]!]!
    if (Number.isNaN(value)) nulls = true
    else if (value > int32Max) fits = false
  }
  if (nulls) {
    return Array.from(places, (place) => {
      const value = numbers[place]!
      return Number.isNaN(value) ? undefined : fits ? value : BigInt(value)
    })
  }
  if (fits) {
    const values = new Int32Array(places.length)
    for (let i = 0; i < places.length; i++) values[i] = numbers[places[i]!]!
    return values
  }
  const values = new BigInt64Array(places.length)
  for (let i = 0; i < places.length; i++) values[i] = BigInt(numbers[places[i]!]!)
  return values
}
