import type { ColumnMetaData } from 'hyparquet'
import type { Column, KeyTexts, RowSet } from '../tables/columns.js'
import { ByteSource } from './byte-source.js'
import type { Decimals } from './decimals.js'
import { readDeltas, readHybrid } from './encodings.js'
import { encodings, readDataPageHeader, readDictionaryPageHeader } from './page-header.js'
import { decimalBytes } from './schema.js'

const utf8 = new TextDecoder()
const wordRange = 0x1_0000_0000

/**
 * Reads the chunks that `ChunkWriter` writes, and compares each value with the row that it was made of: so that what is on disk is
 * known to be read as these rows before the log that they were in is deleted. Makes no object for a value but for texts.
 */
export class ChunkCheck {
  readonly #texts: KeyTexts
  readonly #decimals: Decimals
  readonly #decompress: (bytes: Uint8Array, bytesLong: number) => Uint8Array
  readonly #source = new ByteSource()
  #present = new Uint8Array(0)
  #numbers = new Float64Array(0)
  #highs = new Float64Array(0)

  constructor(
    texts: KeyTexts,
    decimals: Decimals,
    decompress: (bytes: Uint8Array, bytesLong: number) => Uint8Array,
  ) {
    this.#texts = texts
    this.#decimals = decimals
    this.#decompress = decompress
  }

  /**
   * The first of the rows of `places` of which a column of the file says something else; `undefined` when there is none.
   *
   * @throws RangeError when the bytes are no chunk of so many rows.
   */
  firstDifference(
    file: Uint8Array,
    chunk: ColumnMetaData,
    column: Column,
    rows: RowSet,
    places: Uint32Array,
  ): number | undefined {
    if (this.#present.length < places.length) {
      this.#present = new Uint8Array(places.length)
      this.#numbers = new Float64Array(places.length)
      this.#highs = new Float64Array(places.length)
    }
    const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset)
    const end = start + Number(chunk.total_compressed_size)
    if (end > file.byteLength) throw new RangeError('a row group lies outside of it')
    const bytes = file.subarray(start, end)
    const dictionary =
      chunk.dictionary_page_offset === undefined ? undefined : this.#dictionary(bytes, column)
    const at = Number(chunk.data_page_offset) - start
    const encoding = this.#page(bytes.subarray(at), column, places.length)
    return this.#compare(column, rows, places, dictionary, encoding)
  }

  #dictionary(bytes: Uint8Array, column: Column): (string | Uint8Array)[] {
    const source = this.#source
    source.reset(bytes)
    const { values, compressedBytes, uncompressedBytes } = readDictionaryPageHeader(source)
    source.reset(this.#decompress(source.take(compressedBytes), uncompressedBytes))
    return Array.from({ length: values }, () => readPlain(source, column))
  }

  /** Reads which rows have a value, and the numbers of those that do; what else there is stays in the source. */
  #page(bytes: Uint8Array, { kind, nullable }: Column, rows: number): number {
    const source = this.#source
    source.reset(bytes)
    const page = readDataPageHeader(source)
    if (page.values !== rows) throw new RangeError(`it has ${page.values} rows, not ${rows}`)
    const levels = source.take(page.levelBytes)
    const compressed = source.take(page.compressedBytes - page.levelBytes)
    const values = this.#decompress(compressed, page.uncompressedBytes - page.levelBytes)
    source.reset(levels)
    if (nullable) readHybrid(source, this.#present, rows, 1)
    else this.#present.fill(1, 0, rows)
    const count = rows - page.nulls
    source.reset(values)
    if (page.encoding === encodings.RLE_DICTIONARY) readHybrid(source, this.#numbers, count, source.byte())
    else if (page.encoding === encodings.DELTA_BINARY_PACKED) readDeltas(source, this.#numbers, count)
    else if (page.encoding === encodings.RLE) {
      source.take(4)
      readHybrid(source, this.#numbers, count, 1)
    } else if (kind === 'double') {
      const floats = new DataView(values.buffer, values.byteOffset, values.byteLength)
      for (let i = 0; i < count; i++) this.#numbers[i] = floats.getFloat64(8 * i, true)
    } else if (kind === 'unsigned') {
      const words = new DataView(values.buffer, values.byteOffset, values.byteLength)
      for (let i = 0; i < count; i++) {
        this.#numbers[i] = words.getUint32(8 * i, true)
        this.#highs[i] = words.getUint32(8 * i + 4, true)
      }
    } else if (kind === 'integer' || kind === 'time') {
      const words = new DataView(values.buffer, values.byteOffset, values.byteLength)
      for (let i = 0; i < count; i++) this.#numbers[i] = Number(words.getBigInt64(8 * i, true))
    }
    return page.encoding
  }

  #compare(
    column: Column,
    rows: RowSet,
    places: Uint32Array,
    dictionary: readonly (string | Uint8Array)[] | undefined,
    encoding: number,
  ): number | undefined {
    switch (column.kind) {
      case 'key':
        return this.#compareKeys(column.name, rows, places, dictionary!)
      case 'decimal':
        return this.#compareDecimals(column, rows, places, dictionary ?? [])
      case 'name':
        return this.#compareNames(rows.numbers[column.name]!, column.names!, places, dictionary ?? [])
      case 'unsigned':
        return this.#compareWide(rows.numbers[column.name]!, rows.highs[column.name]!, places, encoding)
      case 'text':
        return this.#compareOthers(column, rows.others[column.name]!, places, dictionary, encoding)
      default:
        return this.#compareNumbers(rows.numbers[column.name]!, places)
    }
  }

  #compareNumbers(expected: Float64Array, places: Uint32Array): number | undefined {
    const present = this.#present
    const numbers = this.#numbers
    let at = 0
    for (let i = 0; i < places.length; i++) {
      const value = expected[places[i]!]!
      // NaN stands for none.
      if (Number.isNaN(value) ? present[i] === 1 : present[i] === 0 || numbers[at++] !== value) return i
    }
    return undefined
  }

  #compareNames(
    codes: Float64Array,
    names: Column['names'] & object,
    places: Uint32Array,
    dictionary: readonly unknown[],
  ): number | undefined {
    let at = 0
    for (let i = 0; i < places.length; i++) {
      const code = codes[places[i]!]!
      const name = Number.isNaN(code) ? undefined : names[code]
      if ((name !== undefined) !== (this.#present[i] === 1)) return i
      if (name !== undefined && dictionary[this.#numbers[at++]!] !== name) return i
    }
    return undefined
  }

  #compareKeys(
    name: string,
    { keys }: RowSet,
    places: Uint32Array,
    dictionary: readonly unknown[],
  ): number | undefined {
    let lastKey = Number.NaN
    let text = ''
    for (let i = 0; i < places.length; i++) {
      const key = keys[places[i]!]!
      if (key !== lastKey) text = this.#texts.text(name, key)
      lastKey = key
      if (dictionary[this.#numbers[i]!] !== text) return i
    }
    return undefined
  }

  #compareDecimals(
    { of }: Column,
    rows: RowSet,
    places: Uint32Array,
    dictionary: readonly unknown[],
  ): number | undefined {
    const steps = rows.numbers[of!.steps]!
    let lastKey = Number.NaN
    let bytesOf: (steps: number) => Uint8Array | undefined = () => undefined
    /** What each place in the dictionary is known to be, in steps of the key. */
    const known = new Float64Array(dictionary.length).fill(Number.NaN)
    let at = 0
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!
      const key = rows.keys[place]!
      if (key !== lastKey) {
        bytesOf = this.#decimals.of(key, of!.grid)
        known.fill(Number.NaN)
        lastKey = key
      }
      const value = steps[place]!
      const isThere = this.#present[i] === 1
      if (isThere) {
        const index = this.#numbers[at++]!
        if (known[index] === value) continue
        const expected = Number.isNaN(value) ? undefined : bytesOf(value)
        if (!expected || !sameBytes(dictionary[index], expected)) return i
        known[index] = value
      } else if (!Number.isNaN(value) && bytesOf(value) !== undefined) return i
    }
    return undefined
  }

  #compareWide(
    lows: Float64Array,
    highs: Float64Array,
    places: Uint32Array,
    encoding: number,
  ): number | undefined {
    // Packed by their differences they stand whole in `numbers`.
    const isWhole = encoding === encodings.DELTA_BINARY_PACKED
    let at = 0
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!
      const low = lows[place]!
      if (Number.isNaN(low) !== (this.#present[i] === 0)) return i
      if (Number.isNaN(low)) continue
      const high = highs[place]!
      const isSame = isWhole
        ? this.#numbers[at] === high * wordRange + low
        : this.#numbers[at] === low && this.#highs[at] === high
      if (!isSame) return i
      at++
    }
    return undefined
  }

  #compareOthers(
    column: Column,
    expected: readonly (string | undefined)[],
    places: Uint32Array,
    dictionary: readonly unknown[] | undefined,
    encoding: number,
  ): number | undefined {
    let at = 0
    for (let i = 0; i < places.length; i++) {
      const value = expected[places[i]!]
      if ((value !== undefined) !== (this.#present[i] === 1)) return i
      if (value === undefined) continue
      const isPlaced = encoding === encodings.RLE_DICTIONARY
      const found = isPlaced ? dictionary![this.#numbers[at++]!] : readPlain(this.#source, column)
      if (found !== value) return i
    }
    return undefined
  }
}

function readPlain(source: ByteSource, { kind }: Column): string | Uint8Array {
  if (kind === 'decimal') return source.take(decimalBytes)
  const length = source.take(4)
  return utf8.decode(source.take(new DataView(length.buffer, length.byteOffset, 4).getUint32(0, true)))
}

function sameBytes(found: unknown, expected: Uint8Array): boolean {
  return found instanceof Uint8Array && Buffer.compare(found, expected) === 0
}
