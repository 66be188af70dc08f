import * as zlib from 'node:zlib'
import type { Compressors as Decompressors } from 'hyparquet'
import type { ParquetWriteOptions } from 'hyparquet-writer'
import { ArchiveError } from '../errors.js'

interface Zstd {
  zstdCompressSync?(bytes: Uint8Array): Uint8Array
  zstdDecompressSync?(bytes: Uint8Array): Uint8Array
}

/** Node has zstd since 22.15; before that files are compressed with snappy, which the packages bring along. */
const { zstdCompressSync: compress, zstdDecompressSync: decompress } = zlib as Zstd

export const codec: 'ZSTD' | 'SNAPPY' = compress && decompress ? 'ZSTD' : 'SNAPPY'

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
