import { crc32 } from 'node:zlib'
import { LogError } from '../../log/thread.js'
import type { CopyCounts } from '../../matching/thread.js'

/**
 * The parts of a snapshot beside the books themselves: a header, and a table at the end of the file that says which
 * pieces belong to which shard. docs/snapshot-format.md has the tables.
 *
 * ```
 *  header, 64 bytes                              section, 32 bytes, one a shard
 *     0  8  magic "TIDESNAP"                        0  8  LSN at which its books were copied
 *     8  4  format version                          8  4  books
 *    12  4  version of the matching rules          12  4  orders
 *    16  8  replay from: the lowest LSN            16  4  numbers of orders are below this
 *    24  8  end: the highest LSN                   20  4  numbers of levels are below this
 *    32  8  created, microseconds since 1970       24  8  0
 *    40  8  bytes of all pieces
 *    48  4  sections                             piece, 12 bytes, in the order of the file
 *    52  4  pieces                                  0  4  section
 *    56  4  CRC-32 of the table                     4  4  bytes
 *    60  4  CRC-32 of bytes 0 to 59                 8  4  CRC-32 of these bytes
 * ```
 */
const magic = 'TIDESNAP'
const formatVersion = 4
export const snapshotHeaderBytes = 64
const sectionBytes = 32
const pieceBytes = 12

/** The books of one shard. Section i of n holds the instruments whose id mod n is i. */
export interface SnapshotSection extends CopyCounts {
  readonly lsn: number
}

/** Some records of a section, which stand one after the other in the file and have a CRC of their own. */
export interface SnapshotPiece {
  readonly section: number
  readonly bytes: number
  readonly crc: number
}

export interface SnapshotHeader {
  readonly rulesVersion: number
  /** Replaying the log after this LSN, each book from its own on, brings the snapshot up to date. */
  readonly replayFromLsn: number
  readonly endLsn: number
  readonly createdUs: number
  /** Of all pieces. */
  readonly bytes: number
  /** Of all sections. */
  readonly books: number
  readonly sections: readonly SnapshotSection[]
  readonly pieces: readonly SnapshotPiece[]
}

/** What the first bytes of a snapshot say, the table not yet read. */
export interface SnapshotPreface {
  readonly rulesVersion: number
  readonly replayFromLsn: number
  readonly endLsn: number
  readonly createdUs: number
  readonly bytes: number
  readonly sectionCount: number
  readonly pieceCount: number
  readonly tableCrc: number
}

export function tableBytesOf({ sectionCount, pieceCount }: SnapshotPreface): number {
  return sectionCount * sectionBytes + pieceCount * pieceBytes
}

export function encodeSnapshotHeader(header: SnapshotHeader, table: Buffer): Buffer {
  const block = Buffer.alloc(snapshotHeaderBytes)
  block.write(magic, 0, 'latin1')
  block.writeUInt32LE(formatVersion, 8)
  block.writeUInt32LE(header.rulesVersion, 12)
  block.writeBigUInt64LE(BigInt(header.replayFromLsn), 16)
  block.writeBigUInt64LE(BigInt(header.endLsn), 24)
  block.writeBigUInt64LE(BigInt(header.createdUs), 32)
  block.writeBigUInt64LE(BigInt(header.bytes), 40)
  block.writeUInt32LE(header.sections.length, 48)
  block.writeUInt32LE(header.pieces.length, 52)
  block.writeUInt32LE(crc32(table), 56)
  block.writeUInt32LE(crc32(block.subarray(0, 60)), 60)
  return block
}

/**
 * The preface in the first bytes of a file, or `undefined` when they are damaged.
 *
 * @throws LogError `TIDEMARK_LOG_FORMAT` for a whole header of another version.
 */
export function decodePreface(block: Buffer, file: string): SnapshotPreface | undefined {
  if (block.toString('latin1', 0, 8) !== magic) return undefined
  const version = block.readUInt32LE(8)
  // Version 1 has its CRC four bytes further in front.
  const crcAt = version === 1 ? 56 : 60
  if (crc32(block.subarray(0, crcAt)) !== block.readUInt32LE(crcAt)) return undefined
  if (version !== formatVersion) {
    throw new LogError(
      'TIDEMARK_LOG_FORMAT',
      `${file} has snapshot format ${version}; this build reads format ${formatVersion}.`,
      { file, version, supported: formatVersion },
    )
  }
  return {
    rulesVersion: block.readUInt32LE(12),
    replayFromLsn: Number(block.readBigUInt64LE(16)),
    endLsn: Number(block.readBigUInt64LE(24)),
    createdUs: Number(block.readBigUInt64LE(32)),
    bytes: Number(block.readBigUInt64LE(40)),
    sectionCount: block.readUInt32LE(48),
    pieceCount: block.readUInt32LE(52),
    tableCrc: block.readUInt32LE(56),
  }
}

export function encodeTable(sections: readonly SnapshotSection[], pieces: readonly SnapshotPiece[]): Buffer {
  const table = Buffer.alloc(sections.length * sectionBytes + pieces.length * pieceBytes)
  let at = 0
  for (const { lsn, books, orders, orderNumbers, levelNumbers } of sections) {
    table.writeBigUInt64LE(BigInt(lsn), at)
    table.writeUInt32LE(books, at + 8)
    table.writeUInt32LE(orders, at + 12)
    table.writeUInt32LE(orderNumbers, at + 16)
    table.writeUInt32LE(levelNumbers, at + 20)
    at += sectionBytes
  }
  for (const { section, bytes, crc } of pieces) {
    table.writeUInt32LE(section, at)
    table.writeUInt32LE(bytes, at + 4)
    table.writeUInt32LE(crc, at + 8)
    at += pieceBytes
  }
  return table
}

/** The whole header, or `undefined` when the table is damaged. */
export function decodeTable(preface: SnapshotPreface, table: Buffer): SnapshotHeader | undefined {
  const { sectionCount, pieceCount, tableCrc, ...rest } = preface
  if (crc32(table) !== tableCrc) return undefined
  const sections = Array.from({ length: sectionCount }, (_, i) => {
    const at = i * sectionBytes
    return {
      lsn: Number(table.readBigUInt64LE(at)),
      books: table.readUInt32LE(at + 8),
      orders: table.readUInt32LE(at + 12),
      orderNumbers: table.readUInt32LE(at + 16),
      levelNumbers: table.readUInt32LE(at + 20),
    }
  })
  const pieces = Array.from({ length: pieceCount }, (_, i) => {
    const at = sectionCount * sectionBytes + i * pieceBytes
    return {
      section: table.readUInt32LE(at),
      bytes: table.readUInt32LE(at + 4),
      crc: table.readUInt32LE(at + 8),
    }
  })
  if (pieces.reduce((total, { bytes }) => total + bytes, 0) !== preface.bytes) return undefined
  return { ...rest, books: booksOf(sections), sections, pieces }
}

export function booksOf(sections: readonly SnapshotSection[]): number {
  return sections.reduce((total, { books }) => total + books, 0)
}
