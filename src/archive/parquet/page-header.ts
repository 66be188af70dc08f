import type { ByteSink } from './byte-sink.js'
import type { ByteSource } from './byte-source.js'

// What stands before each page, in Thrift's compact protocol:
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift

export const encodings = { PLAIN: 0, RLE: 3, DELTA_BINARY_PACKED: 5, RLE_DICTIONARY: 8 } as const
export type PageEncoding = keyof typeof encodings

const pageTypes = { dictionary: 2, dataV2: 3 } as const
const wireTypes = { int32: 5, struct: 12 } as const
const dictionaryField = 7
const dataV2Field = 8

/** A page of values. Its levels stand before them, and are never compressed. */
export interface DataPage {
  readonly uncompressedBytes: number
  readonly compressedBytes: number
  readonly values: number
  readonly nulls: number
  readonly encoding: number
  readonly levelBytes: number
}

export interface DictionaryPage {
  readonly uncompressedBytes: number
  readonly compressedBytes: number
  readonly values: number
}

export function writeDataPageHeader(sink: ByteSink, page: DataPage): void {
  writePageSizes(sink, pageTypes.dataV2, page.uncompressedBytes, page.compressedBytes)
  sink.byte(((dataV2Field - 3) << 4) | wireTypes.struct)
  for (const value of [page.values, page.nulls, page.values, page.encoding, page.levelBytes, 0])
    writeInt32(sink, value)
  sink.byte(0)
  sink.byte(0)
}

export function writeDictionaryPageHeader(sink: ByteSink, page: DictionaryPage): void {
  writePageSizes(sink, pageTypes.dictionary, page.uncompressedBytes, page.compressedBytes)
  sink.byte(((dictionaryField - 3) << 4) | wireTypes.struct)
  for (const value of [page.values, encodings.PLAIN]) writeInt32(sink, value)
  sink.byte(0)
  sink.byte(0)
}

/** @throws RangeError when another header stands there. */
export function readDataPageHeader(source: ByteSource): DataPage {
  const [uncompressedBytes, compressedBytes] = readPageSizes(source, pageTypes.dataV2)
  expectByte(source, ((dataV2Field - 3) << 4) | wireTypes.struct)
  const [values, nulls, rows, encoding, levelBytes, repetitionBytes] = Array.from({ length: 6 }, () =>
    readInt32(source),
  ) as [number, number, number, number, number, number]
  expectByte(source, 0)
  expectByte(source, 0)
  if (rows !== values || repetitionBytes !== 0) throw new RangeError('its page is not one of rows')
  return { uncompressedBytes, compressedBytes, values, nulls, encoding, levelBytes }
}

/** @throws RangeError when another header stands there. */
export function readDictionaryPageHeader(source: ByteSource): DictionaryPage {
  const [uncompressedBytes, compressedBytes] = readPageSizes(source, pageTypes.dictionary)
  expectByte(source, ((dictionaryField - 3) << 4) | wireTypes.struct)
  const values = readInt32(source)
  if (readInt32(source) !== encodings.PLAIN) throw new RangeError('its dictionary has another encoding')
  expectByte(source, 0)
  expectByte(source, 0)
  return { uncompressedBytes, compressedBytes, values }
}

function writePageSizes(sink: ByteSink, type: number, uncompressed: number, compressed: number): void {
  for (const value of [type, uncompressed, compressed]) writeInt32(sink, value)
}

function readPageSizes(source: ByteSource, type: number): [uncompressed: number, compressed: number] {
  if (readInt32(source) !== type) throw new RangeError('another kind of page stands there')
  return [readInt32(source), readInt32(source)]
}

/** The next field of a structure. */
function writeInt32(sink: ByteSink, value: number): void {
  sink.byte((1 << 4) | wireTypes.int32)
  sink.zigzag(value)
}

function readInt32(source: ByteSource): number {
  expectByte(source, (1 << 4) | wireTypes.int32)
  return source.zigzag()
}

function expectByte(source: ByteSource, expected: number): void {
  if (source.byte() !== expected) throw new RangeError('its page header is another')
}
