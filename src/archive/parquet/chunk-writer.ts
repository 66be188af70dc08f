import type { ColumnChunk, Encoding, Statistics } from 'hyparquet'
import type { Column, RowSet } from '../tables/columns.js'
import { ByteSink } from './byte-sink.js'
import type { ColumnValues } from './column-values.js'
import { codec } from './compression.js'
import { bitWidth, writeDeltas, writeHybrid } from './encodings.js'
import {
  encodings,
  type PageEncoding,
  writeDataPageHeader,
  writeDictionaryPageHeader,
} from './page-header.js'
import { physicalType } from './schema.js'

const utf8 = new TextEncoder()

/** Values are packed with a dictionary where it has less than half as many. */
const repeatsMin = 2
/** So many of them are looked at first. */
const samples = 100

/** Writes the values of a column in a row group: its dictionary, if it has one, and one page. Makes no object for a value. */
export class ChunkWriter {
  readonly #compress: (bytes: Uint8Array) => Uint8Array
  readonly #values: ColumnValues
  /** The chunk, its levels, and the values before they are compressed. */
  readonly #chunk = new ByteSink()
  readonly #levels = new ByteSink()
  readonly #page = new ByteSink()
  #uncompressed = 0

  constructor(values: ColumnValues, compress: (bytes: Uint8Array) => Uint8Array) {
    this.#values = values
    this.#compress = compress
  }

  /** The bytes of the chunk, valid until the next, and what the end of the file says of it, which begins at `offset`. */
  write(
    column: Column,
    rows: RowSet,
    places: Uint32Array,
    offset: number,
  ): { bytes: Uint8Array; chunk: ColumnChunk } {
    const values = this.#values
    values.take(column, rows, places)
    this.#chunk.clear()
    this.#page.clear()
    this.#uncompressed = 0
    const dictionary = this.#dictionary(column)
    const encoding = dictionary > 0 ? 'RLE_DICTIONARY' : this.#plain(column)
    const pageAt = this.#chunk.at
    this.#writePage(column, encoding)
    const used: Encoding[] = dictionary > 0 ? ['PLAIN', encoding] : [encoding]
    const bytes = this.#chunk.written
    const statistics = this.#statistics(column)
    const chunk: ColumnChunk = {
      file_offset: BigInt(offset),
      meta_data: {
        type: physicalType(column),
        encodings: used,
        path_in_schema: [column.name],
        codec,
        num_values: BigInt(values.rows),
        total_uncompressed_size: BigInt(this.#uncompressed),
        total_compressed_size: BigInt(bytes.byteLength),
        data_page_offset: BigInt(offset + pageAt),
        ...(dictionary > 0 && { dictionary_page_offset: BigInt(offset) }),
        ...(statistics && { statistics }),
      },
    }
    return { bytes, chunk }
  }

  /** Writes the dictionary, and the places of the values in it as the page; returns how many it has, 0 for none. */
  #dictionary(column: Column): number {
    const values = this.#values
    if (column.kind === 'text') this.#gather()
    const { dictionary, count } = values
    if (dictionary.length === 0) return 0
    const page = this.#page
    for (const value of dictionary) writePlain(page, value)
    const compressed = this.#compress(page.written)
    const sizes = { uncompressedBytes: page.at, compressedBytes: compressed.byteLength }
    const before = this.#chunk.at
    writeDictionaryPageHeader(this.#chunk, { ...sizes, values: dictionary.length })
    this.#uncompressed += this.#chunk.at - before + page.at
    this.#chunk.append(compressed)
    page.clear()
    const width = bitWidth(dictionary.length - 1)
    page.byte(width)
    writeHybrid(page, values.numbers, count, width)
    return dictionary.length
  }

  /** Makes a dictionary of texts that repeat. */
  #gather(): void {
    const values = this.#values
    const { others, numbers } = values
    const known = new Map<string, number>()
    const limit = others.length / repeatsMin
    if (!isRepeating(others)) return
    for (let i = 0; i < others.length; i++) {
      const value = others[i]!
      let at = known.get(value)
      if (at === undefined) {
        at = known.size
        if (at + 1 > limit) return
        known.set(value, at)
      }
      numbers[i] = at
    }
    values.dictionary = [...known.keys()]
  }

  /** Writes the values themselves as the page. */
  #plain({ kind }: Column): PageEncoding {
    const { numbers, highs, others, count, isSmall } = this.#values
    const page = this.#page
    switch (kind) {
      case 'integer':
      case 'int32':
      case 'time':
        if (isSmall) {
          writeDeltas(page, numbers, count)
          return 'DELTA_BINARY_PACKED'
        }
        for (let i = 0; i < count; i++) page.int64(BigInt(numbers[i]!))
        return 'PLAIN'
      case 'unsigned':
        if (isSmall) {
          writeDeltas(page, numbers, count)
          return 'DELTA_BINARY_PACKED'
        }
        for (let i = 0; i < count; i++) {
          page.uint32(numbers[i]!)
          page.uint32(highs[i]!)
        }
        return 'PLAIN'
      case 'flag': {
        const bits = this.#levels
        bits.clear()
        writeHybrid(bits, numbers, count, 1)
        page.uint32(bits.at)
        page.append(bits.written)
        return 'RLE'
      }
      case 'double':
        for (let i = 0; i < count; i++) page.float64(numbers[i]!)
        return 'PLAIN'
      default:
        for (const value of others) writePlain(page, value)
        return 'PLAIN'
    }
  }

  #writePage({ nullable }: Column, encoding: PageEncoding): void {
    const { present, rows, count } = this.#values
    const levels = this.#levels
    levels.clear()
    if (nullable) writeHybrid(levels, present, rows, 1)
    const compressed = this.#compress(this.#page.written)
    const before = this.#chunk.at
    writeDataPageHeader(this.#chunk, {
      uncompressedBytes: levels.at + this.#page.at,
      compressedBytes: levels.at + compressed.byteLength,
      values: rows,
      nulls: rows - count,
      encoding: encodings[encoding],
      levelBytes: levels.at,
    })
    this.#uncompressed += this.#chunk.at - before + levels.at + this.#page.at
    this.#chunk.append(levels.written)
    this.#chunk.append(compressed)
  }

  /** The least and the greatest of 64-bit numbers. */
  #wideExtent() {
    const { numbers, highs, count, isSmall, min, max } = this.#values
    if (isSmall) return { min_value: BigInt(min), max_value: BigInt(max) }
    let [least, most] = [0, 0]
    for (let i = 1; i < count; i++) {
      if (highs[i]! < highs[least]! || (highs[i] === highs[least] && numbers[i]! < numbers[least]!)) least = i
      if (highs[i]! > highs[most]! || (highs[i] === highs[most] && numbers[i]! > numbers[most]!)) most = i
    }
    const whole = (i: number) => (BigInt(highs[i]!) << 32n) | BigInt(numbers[i]!)
    return { min_value: whole(least), max_value: whole(most) }
  }

  /** The least and the greatest value. None of decimals: those of the ticks and lots say the same. */
  #statistics({ kind }: Column): Statistics | undefined {
    if (kind === 'decimal') return undefined
    const { min, max, rows, count, dictionary, others } = this.#values
    const null_count = BigInt(rows - count)
    if (count === 0) return { null_count }
    switch (kind) {
      case 'key':
      case 'name':
        return { null_count, ...extent(dictionary as string[], byBytes) }
      case 'text':
        return { null_count, ...extent(dictionary.length > 0 ? (dictionary as string[]) : others, byBytes) }
      case 'unsigned':
        return { null_count, ...this.#wideExtent() }
      case 'flag':
        return { null_count, min_value: min === 1, max_value: max === 1 }
      case 'int32':
        return { null_count, min_value: min, max_value: max }
      case 'double':
        // Of the two zeros the lower one is the least, and the other the greatest.
        return { null_count, min_value: min === 0 ? -0 : min, max_value: max === 0 ? 0 : max }
      default:
        return { null_count, min_value: BigInt(min), max_value: BigInt(max) }
    }
  }
}

/** Whether texts repeat, as far as a look at some of them shows. */
function isRepeating(values: readonly string[]): boolean {
  const step = Math.max(1, Math.floor(values.length / samples))
  const seen = new Set<string>()
  let looked = 0
  for (let i = 0; i < values.length; i += step) {
    seen.add(values[i]!)
    looked++
  }
  return seen.size * repeatsMin <= looked
}

function extent(values: readonly string[], compare: (a: string, b: string) => number) {
  let min_value = values[0]!
  let max_value = values[0]!
  for (const value of values) {
    if (compare(value, min_value) < 0) min_value = value
    else if (compare(value, max_value) > 0) max_value = value
  }
  return { min_value, max_value }
}

/** As readers of Parquet compare texts. Plain letters compare like that by themselves. */
function byBytes(a: string, b: string): number {
  if (a === b) return 0
  return isPlain(a) && isPlain(b) ? (a < b ? -1 : 1) : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}

/** A text with its length, or bytes of a fixed one. */
function writePlain(sink: ByteSink, value: string | Uint8Array): void {
  if (typeof value !== 'string') {
    sink.append(value)
    return
  }
  const bytes = utf8.encode(value)
  sink.uint32(bytes.byteLength)
  sink.append(bytes)
}
