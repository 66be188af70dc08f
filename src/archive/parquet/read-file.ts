import { createHash } from 'node:crypto'
import type { AsyncBuffer, DecodedArray, FileMetaData, RowGroup } from 'hyparquet'
import { attempt, attemptAsync, type Disk } from '../../log/index.js'
import { damaged } from '../errors.js'
import type { ParquetPackages } from '../packages.js'
import { decompressors } from './compression.js'
import { decimalsAsBytes } from './schema.js'

/** What the end of a file says of it. */
export interface FileEnd {
  readonly metadata: FileMetaData
  readonly groups: readonly GroupPlace[]
}

/** A row group: which rows of the file it has, and where they stand. */
interface GroupPlace {
  readonly rowStart: number
  readonly rowEnd: number
  readonly group: RowGroup
}

/** The smallest and largest value of a column in a row group, as numbers or texts; `undefined` where it is not said. */
export interface Range {
  readonly min: number | string
  readonly max: number | string
}

/** How much is read at once while a checksum is made. */
const chunkBytes = 1 << 20

/** A Parquet file that is open: what was opened can be read also when it was removed meanwhile. */
export class ParquetFile {
  readonly path: string
  readonly bytes: number
  readonly #packages: ParquetPackages
  readonly #disk: Disk
  readonly #file: number
  #closed = false

  /** @throws LogError `TIDEMARK_LOG_IO`. */
  constructor(packages: ParquetPackages, disk: Disk, path: string) {
    this.path = path
    this.#packages = packages
    this.#disk = disk
    this.#file = attempt('open', path, () => disk.open(path, 'read'))
    this.bytes = attempt('look at', path, () => disk.size(this.#file))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    attempt('close', this.path, () => this.#disk.close(this.#file))
  }

  /** The SHA-256 of all bytes, in hexadecimal. */
  checksum(): string {
    const hash = createHash('sha256')
    const buffer = new Uint8Array(Math.min(chunkBytes, this.bytes))
    for (let at = 0; at < this.bytes; ) {
      const bytes = attempt('read', this.path, () => this.#disk.readSync(this.#file, buffer, at))
      if (bytes === 0) throw damaged(this.path, `it ends at byte ${at} of ${this.bytes}`)
      hash.update(buffer.subarray(0, bytes))
      at += bytes
    }
    return hash.digest('hex')
  }

  /** All bytes. Blocks the thread. @throws LogError `TIDEMARK_LOG_IO`; ArchiveError `TIDEMARK_ARCHIVE_DAMAGED`. */
  all(): Uint8Array {
    const whole = new Uint8Array(this.bytes)
    for (let at = 0; at < this.bytes; ) {
      const bytes = attempt('read', this.path, () => this.#disk.readSync(this.#file, whole.subarray(at), at))
      if (bytes === 0) throw damaged(this.path, `it ends at byte ${at} of ${this.bytes}`)
      at += bytes
    }
    return whole
  }

  /** Reads the end of the file. @throws ArchiveError `TIDEMARK_ARCHIVE_DAMAGED`. */
  async end(): Promise<FileEnd> {
    let metadata: FileMetaData
    try {
      metadata = await this.#packages.reader.parquetMetadataAsync(this.#range(0, this.bytes), {
        parsers,
        geoparquet: false,
      })
    } catch (cause) {
      throw this.#explain(cause)
    }
    metadata.schema = decimalsAsBytes(metadata.schema)
    let rowStart = 0
    const groups = metadata.row_groups.map((group): GroupPlace => {
      const place = { rowStart, rowEnd: rowStart + Number(group.num_rows), group }
      rowStart = place.rowEnd
      return place
    })
    return { metadata, groups }
  }

  /** Some columns of one row group. Of decimals the bytes. @throws ArchiveError `TIDEMARK_ARCHIVE_DAMAGED`. */
  async group(end: FileEnd, place: GroupPlace, columns: string[]): Promise<Record<string, DecodedArray>> {
    const found: Record<string, DecodedArray> = {}
    try {
      await this.#packages.reader.parquetRead({
        file: await this.#groupBytes(place, columns),
        metadata: end.metadata,
        columns,
        rowStart: place.rowStart,
        rowEnd: place.rowEnd,
        parsers,
        compressors: decompressors,
        onChunk: ({ columnName, columnData }) => {
          const before = found[columnName]
          found[columnName] = before ? Array.from(before).concat(Array.from(columnData)) : columnData
        },
      })
    } catch (cause) {
      throw this.#explain(cause)
    }
    const rows = place.rowEnd - place.rowStart
    for (const column of columns) {
      if (found[column]?.length !== rows) {
        throw damaged(this.path, `column ${column} has ${found[column]?.length ?? 0} values, not ${rows}`)
      }
    }
    return found
  }

  /** The columns of a group stand beside each other: one read gets them all. */
  async #groupBytes({ group }: GroupPlace, columns: readonly string[]): Promise<AsyncBuffer> {
    let from = this.bytes
    let to = 0
    for (const { meta_data: chunk } of group.columns) {
      if (!chunk || !columns.includes(chunk.path_in_schema[0]!)) continue
      const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset)
      from = Math.min(from, start)
      to = Math.max(to, start + Number(chunk.total_compressed_size))
    }
    if (to > this.bytes || from >= to) throw damaged(this.path, 'a row group lies outside of it')
    const bytes = await this.#read(from, to)
    return {
      byteLength: this.bytes,
      slice: (start, end = this.bytes) => {
        if (start < from || end > to) return this.#read(start, end)
        return bytes.slice(start - from, end - from)
      },
    }
  }

  #range(from: number, to: number): AsyncBuffer {
    return { byteLength: to - from, slice: (start, end = to) => this.#read(from + start, from + end) }
  }

  async #read(from: number, to: number): Promise<ArrayBuffer> {
    const buffer = new Uint8Array(Math.max(0, to - from))
    for (let done = 0; done < buffer.byteLength; ) {
      const bytes = await attemptAsync('read', this.path, () =>
        this.#disk.read(this.#file, buffer.subarray(done), from + done),
      )
      if (bytes === 0) throw damaged(this.path, `it ends at byte ${from + done} of ${to}`)
      done += bytes
    }
    return buffer.buffer
  }

  /** What the package says of bytes that are not what they must be, as an error of ours. */
  #explain(cause: unknown): Error {
    if (cause instanceof Error && 'details' in cause) return cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    return damaged(this.path, reason, { cause })
  }
}

/** Times as what they are: microseconds. */
const parsers = { timestampFromMicroseconds: (us: bigint) => us as unknown as Date }

/** The range of a column in a row group; `undefined` when the file does not say it, or no row has a value. */
export function rangeOf({ group }: GroupPlace, column: string): Range | undefined {
  const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === column)?.meta_data
  const min = plain(chunk?.statistics?.min_value)
  const max = plain(chunk?.statistics?.max_value)
  return min === undefined || max === undefined ? undefined : { min, max }
}

/** Whether no row of a group has a value in a column. */
export function isAllNull({ group, rowStart, rowEnd }: GroupPlace, column: string): boolean {
  const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === column)?.meta_data
  return chunk?.statistics?.null_count === BigInt(rowEnd - rowStart)
}

function plain(value: unknown): number | string | undefined {
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'number' || typeof value === 'string' ? value : undefined
}
