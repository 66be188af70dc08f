import type { Column, Rows } from '../schema/columns.js'

/** Microseconds from 1970 to 2000, where PostgreSQL begins to count. */
const postgresEpochUs = 946_684_800_000_000
const wordRange = 0x1_0000_0000
/** The signature, no flags, no extension. */
const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const trailer = Buffer.from([0xff, 0xff])
const pieceBytes = 256 * 1024

/**
 * Rows in the binary form of PostgreSQL's COPY, in pieces of about 256 KiB: each row its number of columns, and each column
 * its length and its bytes, high ones first.
 */
export function* copyPieces(rows: Rows): Generator<Buffer> {
  yield header
  let piece = Buffer.allocUnsafe(pieceBytes)
  let at = 0
  for (let row = 0; row < rows.count; row++) {
    const bytes = rowBytesMax(rows, row)
    if (at + bytes > piece.length) {
      yield piece.subarray(0, at)
      piece = Buffer.allocUnsafe(Math.max(pieceBytes, bytes))
      at = 0
    }
    piece[at++] = rows.list.length >> 8
    piece[at++] = rows.list.length
    for (const column of rows.list) at = writeField(piece, at, column, row)
  }
  yield piece.subarray(0, at)
  yield trailer
}

/** At least what a row takes. */
function rowBytesMax(rows: Rows, row: number): number {
  let bytes = 2 + rows.list.length * 12
  for (const column of rows.list) if (column.type === 'text') bytes += (column.values[row]?.length ?? 0) * 3
  return bytes
}

function writeField(piece: Buffer, at: number, column: Column, row: number): number {
  switch (column.type) {
    case 'int16': {
      const value = column.values[row]!
      const next = writeWord(piece, at, 2)
      piece[next] = value >> 8
      piece[next + 1] = value
      return next + 2
    }
    case 'int32':
      return writeWord(piece, writeWord(piece, at, 4), column.values[row]!)
    case 'int64': {
      const { words } = column
      return writeWord(piece, writeWord(piece, writeWord(piece, at, 8), words[2 * row + 1]!), words[2 * row]!)
    }
    case 'time': {
      const value = column.get(row) - postgresEpochUs
      const high = Math.floor(value / wordRange)
      return writeWord(piece, writeWord(piece, writeWord(piece, at, 8), high), value - high * wordRange)
    }
    case 'float64': {
      const next = writeWord(piece, at, 8)
      piece.writeDoubleBE(column.values[row]!, next)
      return next + 8
    }
    case 'text': {
      const text = column.values[row]
      if (text === null || text === undefined) return writeWord(piece, at, -1)
      // PostgreSQL has no character 0 in a text.
      const length = piece.write(text.replaceAll('\0', '\ufffd'), at + 4, 'utf8')
      writeWord(piece, at, length)
      return at + 4 + length
    }
  }
}

function writeWord(piece: Buffer, at: number, value: number): number {
  piece[at] = value >> 24
  piece[at + 1] = value >> 16
  piece[at + 2] = value >> 8
  piece[at + 3] = value
  return at + 4
}
