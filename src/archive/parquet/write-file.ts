import { createHash } from 'node:crypto'
import * as path from 'node:path'
import { AtomicFileSync, type Disk } from '../../log/index.js'
import { ArchiveError } from '../errors.js'
import type { ArchiveFile } from '../manifest.js'
import type { ParquetPackages } from '../packages.js'
import type { KeyTexts, RowSet } from '../tables/columns.js'
import { ChunkCheck } from './chunk-check.js'
import { ChunkWriter } from './chunk-writer.js'
import { ColumnValues } from './column-values.js'
import { codec, compressorOf, compressors, decompressorOf } from './compression.js'
import { Decimals } from './decimals.js'
import { ColumnEncoder } from './encode.js'
import { type FileEnd, ParquetFile } from './read-file.js'
import { sameValues } from './same-values.js'
import { declareDecimals, schemaOf } from './schema.js'

/** The statistics of so many rows are the index that queries use. */
const groupRows = 20_000
/** The manifest names no more symbols of a file than these; of more it names the first and the last. */
const namedSymbolsMax = 100

/** A file that is written, synced and checked, and has yet to get its name. */
export interface UnnamedFile {
  readonly file: AtomicFileSync
  readonly name: string
  readonly entry: ArchiveFile
}

/** Writes files of an archive. Blocks the thread; for worker threads. */
export class FileWriter {
  readonly #packages: ParquetPackages
  readonly #disk: Disk
  readonly #texts: KeyTexts
  readonly #values: ColumnValues
  readonly #encoder: ColumnEncoder
  readonly #chunks: ChunkCheck

  constructor(packages: ParquetPackages, disk: Disk, texts: KeyTexts) {
    this.#packages = packages
    this.#disk = disk
    this.#texts = texts
    const decimals = new Decimals(texts)
    this.#values = new ColumnValues(texts, decimals)
    this.#encoder = new ColumnEncoder(texts, decimals)
    this.#chunks = new ChunkCheck(texts, decimals, decompressorOf(packages))
  }

  /**
   * Writes rows in the order of `places` into a file of `folder`, which is called `name` once it is published, and reads
   * it back: what is on disk then decodes to these rows. All of it is decoded by the code that belongs to the writing, which is
   * fast; the first row group also by the package that reads Parquet files, which knows nothing of how it was written.
   *
   * @throws LogError `TIDEMARK_LOG_IO`; ArchiveError `TIDEMARK_ARCHIVE_DIFFERS`. Then nothing of it is left.
   */
  async write(
    root: string,
    folder: string,
    name: string,
    rows: RowSet,
    places: Uint32Array,
  ): Promise<UnnamedFile> {
    const bytes = this.#encode(rows, places)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const file = new AtomicFileSync(this.#disk, path.join(root, folder), name)
    try {
      file.write(bytes)
      file.finish()
      await this.#check(file.temporaryPath, sha256, rows, places)
    } catch (error) {
      file.discard()
      throw error
    }
    const entry: ArchiveFile = {
      table: rows.table.name,
      path: `${folder}/${name}`,
      bytes: bytes.byteLength,
      sha256,
      rows: places.length,
      ...this.#extent(rows, places),
    }
    return { file, name, entry }
  }

  #encode(rows: RowSet, places: Uint32Array): Uint8Array {
    const { table } = rows
    const { ByteWriter, ParquetWriter } = this.#packages.writer
    const schema = schemaOf(table)
    const writer = new ByteWriter()
    const parquet = new ParquetWriter({
      writer,
      schema,
      codec,
      compressors,
      // A symbol whose end is cut off would hide rows from a search by statistics.
      statisticsTruncateLength: Number.POSITIVE_INFINITY,
      createdBy: 'tidemark',
    })
    const chunks = new ChunkWriter(this.#values, compressorOf(parquet))
    for (let from = 0; from < places.length; from += groupRows) {
      const inGroup = places.subarray(from, from + groupRows)
      const start = writer.offset
      const columns = table.columns.map((column) => {
        const { bytes, chunk } = chunks.write(column, rows, inGroup, writer.offset)
        writer.appendBytes(bytes)
        return chunk
      })
      const uncompressed = columns.reduce(
        (sum, { meta_data }) => sum + meta_data!.total_uncompressed_size,
        0n,
      )
      parquet.row_groups.push({
        columns,
        total_byte_size: uncompressed,
        num_rows: BigInt(inGroup.length),
        total_compressed_size: BigInt(writer.offset - start),
      })
      parquet.num_rows += BigInt(inGroup.length)
    }
    declareDecimals(schema, table)
    parquet.finish()
    return writer.getBytes()
  }

  async #check(temporary: string, sha256: string, rows: RowSet, places: Uint32Array): Promise<void> {
    const file = new ParquetFile(this.#packages, this.#disk, temporary)
    try {
      const bytes = file.all()
      const found = createHash('sha256').update(bytes).digest('hex')
      if (found !== sha256) throw differs(temporary, 'its bytes are not those that were written')
      const end = await file.end()
      requireRows(file, end, places)
      this.#compare(file, end, bytes, rows, places)
      await compareGroups(file, end, end.groups.slice(0, 1), this.#encoder, rows, places)
    } finally {
      file.close()
    }
  }

  /** Compares every value of a file with the rows. @throws ArchiveError `TIDEMARK_ARCHIVE_DIFFERS`. */
  #compare(file: ParquetFile, end: FileEnd, bytes: Uint8Array, rows: RowSet, places: Uint32Array): void {
    const { columns } = rows.table
    for (const { rowStart, rowEnd, group } of end.groups) {
      const expected = places.subarray(rowStart, rowEnd)
      for (const [i, column] of columns.entries()) {
        let row: number | undefined
        try {
          row = this.#chunks.firstDifference(bytes, group.columns[i]!.meta_data!, column, rows, expected)
        } catch (cause) {
          throw differs(file.path, `${column.name} can't be read: ${(cause as Error).message}`)
        }
        if (row !== undefined) throw otherValue(file, column.name, rowStart + row)
      }
    }
  }

  #extent(
    rows: RowSet,
    places: Uint32Array,
  ): Omit<ArchiveFile, 'table' | 'path' | 'bytes' | 'sha256' | 'rows'> {
    const lsns = rows.numbers['lsn']!
    const times = rows.numbers['time']!
    let [firstLsn, lastLsn, firstTimeUs, lastTimeUs] = [
      Number.POSITIVE_INFINITY,
      0,
      Number.POSITIVE_INFINITY,
      0,
    ]
    const keys = new Set<number>()
    for (const place of places) {
      firstLsn = Math.min(firstLsn, lsns[place]!)
      lastLsn = Math.max(lastLsn, lsns[place]!)
      firstTimeUs = Math.min(firstTimeUs, times[place]!)
      lastTimeUs = Math.max(lastTimeUs, times[place]!)
      keys.add(rows.keys[place]!)
    }
    const column = rows.table.columns.find(({ kind }) => kind === 'key')!.name
    const symbols = [...new Set([...keys].map((key) => this.#texts.text(column, key)))]
    const ends = [symbols[0]!, symbols.at(-1)!]
    return {
      firstLsn,
      lastLsn,
      firstTimeUs,
      lastTimeUs,
      symbols: symbols.length > namedSymbolsMax ? ends : symbols,
      symbolCount: symbols.length,
    }
  }
}

/**
 * Compares every value of a file with rows in the order of `places`.
 *
 * @throws ArchiveError `TIDEMARK_ARCHIVE_DIFFERS` with the first that differs.
 */
export async function compareRows(
  file: ParquetFile,
  encoder: ColumnEncoder,
  rows: RowSet,
  places: Uint32Array,
): Promise<void> {
  const end = await file.end()
  requireRows(file, end, places)
  await compareGroups(file, end, end.groups, encoder, rows, places)
}

function requireRows(file: ParquetFile, { metadata }: FileEnd, places: Uint32Array): void {
  if (Number(metadata.num_rows) === places.length) return
  throw differs(file.path, `it has ${metadata.num_rows} rows, not ${places.length}`)
}

async function compareGroups(
  file: ParquetFile,
  end: FileEnd,
  groups: FileEnd['groups'],
  encoder: ColumnEncoder,
  rows: RowSet,
  places: Uint32Array,
): Promise<void> {
  const { columns } = rows.table
  const names = columns.map(({ name }) => name)
  for (const place of groups) {
    const found = await file.group(end, place, names)
    const expected = places.subarray(place.rowStart, place.rowEnd)
    for (const column of columns) {
      const row = sameValues(encoder.values(column, rows, expected), found[column.name]!)
      if (row === undefined) continue
      throw otherValue(file, column.name, place.rowStart + row)
    }
  }
}

function otherValue(file: ParquetFile, column: string, row: number): ArchiveError {
  return differs(file.path, `${column} of row ${row} is another than in the log`)
}

function differs(file: string, reason: string): ArchiveError {
  return new ArchiveError('TIDEMARK_ARCHIVE_DIFFERS', `${file} is not what the log says: ${reason}.`, {
    file,
    reason,
  })
}
