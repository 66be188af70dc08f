import * as zlib from 'node:zlib'
import type { Compressors as Decompressors } from 'hyparquet'
import type { ParquetWriteOptions, ParquetWriter } from 'hyparquet-writer'
import { ArchiveError } from '../errors.js'
import type { ParquetPackages } from '../packages.js'

interface Zstd {
  zstdCompressSync?(bytes: Uint8Array): Uint8Array
  zstdDecompressSync?(bytes: Uint8Array): Uint8Array
}

/** Node has zstd since 22.15; before that files are compressed with snappy, which the packages bring along. */
const { zstdCompressSync: compress, zstdDecompressSync: decompress } = zlib as Zstd

export const codec: 'ZSTD' | 'SNAPPY' = compress && decompress ? 'ZSTD' : 'SNAPPY'

/** How the bytes of a page are made smaller. */
export function compressorOf({ compressors }: ParquetWriter): (bytes: Uint8Array) => Uint8Array {
  return compressors[codec]!
}

/** The way back, for who knows how many bytes come out. */
export function decompressorOf({
  reader,
}: ParquetPackages): (bytes: Uint8Array, bytesLong: number) => Uint8Array {
  return (bytes, bytesLong) => {
    if (codec === 'ZSTD') return decompressors.ZSTD!(bytes, bytesLong)
    const whole = new Uint8Array(bytesLong)
    if (bytesLong > 0) reader.snappyUncompress(bytes, whole)
    return whole
  }
}

export const compressors: NonNullable<ParquetWriteOptions['compressors']> = compress ? { ZSTD: compress } : {}

export const decompressors: Decompressors = {
  ZSTD: (bytes) => {
    if (decompress) return decompress(bytes)
    throw new ArchiveError(
      'TIDEMARK_ARCHIVE_COMPRESSION',
      `The archive has files that are compressed with zstd, which Node ${process.version} does not know: read it with Node 22.15 or later.`,
      { node: process.version },
    )
  },
}
