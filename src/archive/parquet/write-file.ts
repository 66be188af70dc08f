import { createHash } from 'node:crypto'
import * as path from 'node:path'
import { AtomicFileSync, type Disk } from '../../log/index.js'
import { ArchiveError } from '../errors.js'
import type { ArchiveFile } from '../manifest.js'
import type { ParquetPackages } from '../packages.js'
import type { KeyTexts, RowSet } from '../tables/columns.js'
import { codec, compressors } from './compression.js'
import { Decimals } from './decimals.js'
import { ColumnEncoder } from './encode.js'
import { ParquetFile } from './read-file.js'
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
  readonly #encoder: ColumnEncoder

  constructor(packages: ParquetPackages, disk: Disk, texts: KeyTexts) {
    this.#packages = packages
    this.#disk = disk
    this.#texts = texts
    this.#encoder = new ColumnEncoder(texts, new Decimals(texts))
  }

  /**
   * Writes rows in the order of `places` into a file of `folder`, which is called `name` once it is published, and reads
   * it back: what is on disk then decodes to these rows.
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
    for (let from = 0; from < places.length; from += groupRows) {
      const columnData = this.#encoder.columns(rows, places.subarray(from, from + groupRows))
      parquet.write({ columnData, rowGroupSize: groupRows, pageSize: 0 })
    }
    declareDecimals(schema, table)
    parquet.finish()
    return writer.getBytes()
  }

  async #check(temporary: string, sha256: string, rows: RowSet, places: Uint32Array): Promise<void> {
    const file = new ParquetFile(this.#packages, this.#disk, temporary)
    try {
      const found = file.checksum()
      if (found !== sha256) throw differs(temporary, 'its bytes are not those that were written')
      await compareRows(file, this.#encoder, rows, places)
    } finally {
      file.close()
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
  if (Number(end.metadata.num_rows) !== places.length) {
    throw differs(file.path, `it has ${end.metadata.num_rows} rows, not ${places.length}`)
  }
  const { columns } = rows.table
  const names = columns.map(({ name }) => name)
  for (const place of end.groups) {
    const found = await file.group(end, place, names)
    const expected = places.subarray(place.rowStart, place.rowEnd)
    for (const column of columns) {
      const row = sameValues(encoder.values(column, rows, expected), found[column.name]!)
      if (row === undefined) continue
      throw differs(file.path, `${column.name} of row ${place.rowStart + row} is another than in the log`)
    }
  }
}

function differs(file: string, reason: string): ArchiveError {
  return new ArchiveError('TIDEMARK_ARCHIVE_DIFFERS', `${file} is not what the log says: ${reason}.`, {
    file,
    reason,
  })
}
