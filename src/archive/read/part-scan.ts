import * as path from 'node:path'
import type { DecodedArray } from 'hyparquet'
import type { Disk } from '../../log/index.js'
import type { ArchiveFile, ArchivePart } from '../manifest.js'
import type { ParquetPackages } from '../packages.js'
import { type FileEnd, isAllNull, ParquetFile, rangeOf } from '../parquet/read-file.js'
import type { Table } from '../tables/columns.js'

/** Which rows are asked for. What is left out asks for all. */
export interface RowFilter {
  /** Key columns and the text that they must have. */
  readonly keys: Readonly<Record<string, string>>
  /** Microseconds since 1970: from, and before. */
  readonly fromUs: number
  readonly toUs: number
  /** Numbers, each of which one of its columns must have. */
  readonly numbers: readonly { readonly columns: readonly string[]; readonly value: number }[]
}

/** Rows that were found in a row group: its columns, and the places of the rows in them. */
export interface FoundRows {
  readonly columns: Readonly<Record<string, DecodedArray>>
  readonly places: readonly number[]
}

/** How much of the archive was looked at. */
export interface ScanCounts {
  files: number
  groups: number
  groupsRead: number
}

type Ends = Map<string, FileEnd>
/** The ends of so many files are remembered, which say where their row groups are. */
const rememberedEndsMax = 256

/** Reads of an archive's files what a filter asks for, and of each file only the row groups that may have such rows. */
export class PartScan {
  readonly #packages: ParquetPackages
  readonly #disk: Disk
  readonly #archive: string
  readonly #ends: Ends = new Map()
  readonly counts: ScanCounts = { files: 0, groups: 0, groupsRead: 0 }

  constructor(packages: ParquetPackages, disk: Disk, archive: string) {
    this.#packages = packages
    this.#disk = disk
    this.#archive = archive
  }

  /**
   * Opens the files of a part in which the filter may find rows. All of them, before the first is read: a compaction may
   * remove them meanwhile, and what is open stays readable.
   *
   * @throws LogError `TIDEMARK_LOG_IO` with `errno` ENOENT when a compaction was faster.
   */
  open(part: ArchivePart, table: Table, filter: RowFilter): OpenPart {
    const files: OpenFile[] = []
    try {
      for (const entry of part.files) {
        if (entry.table !== table.name || !mayHave(entry, table, filter)) continue
        files.push({
          entry,
          file: new ParquetFile(this.#packages, this.#disk, path.join(this.#archive, entry.path)),
        })
      }
    } catch (error) {
      for (const { file } of files) file.close()
      throw error
    }
    files.sort((a, b) => a.entry.firstLsn - b.entry.firstLsn)
    return { table, filter, files }
  }

  /** The rows that the filter asks for, after an LSN, a row group at a time. Closes the files. */
  async *rows({ table, filter, files }: OpenPart, afterLsn: number): AsyncGenerator<FoundRows> {
    const columns = table.columns.filter(({ kind }) => kind !== 'decimal').map(({ name }) => name)
    try {
      for (const { entry, file } of files) {
        this.counts.files++
        const end = await this.#endOf(entry, file)
        for (const group of end.groups) {
          this.counts.groups++
          if (!groupMayHave(group, filter, afterLsn)) continue
          this.counts.groupsRead++
          const found = await file.group(end, group, columns)
          const places = placesIn(found, filter, afterLsn)
          if (places.length > 0) yield { columns: found, places }
        }
        file.close()
      }
    } finally {
      for (const { file } of files) file.close()
    }
  }

  async #endOf({ sha256 }: ArchiveFile, file: ParquetFile): Promise<FileEnd> {
    const known = this.#ends.get(sha256)
    if (known) {
      this.#ends.delete(sha256)
      this.#ends.set(sha256, known)
      return known
    }
    const end = await file.end()
    this.#ends.set(sha256, end)
    const [oldest] = this.#ends.keys()
    if (this.#ends.size > rememberedEndsMax && oldest !== undefined) this.#ends.delete(oldest)
    return end
  }
}

interface OpenFile {
  readonly entry: ArchiveFile
  readonly file: ParquetFile
}

export interface OpenPart {
  readonly table: Table
  readonly filter: RowFilter
  readonly files: readonly OpenFile[]
}

function mayHave(entry: ArchiveFile, table: Table, { keys, fromUs, toUs }: RowFilter): boolean {
  if (entry.lastTimeUs < fromUs || entry.firstTimeUs >= toUs) return false
  const first = table.columns.find(({ kind }) => kind === 'key')!.name
  const symbol = keys[first]
  if (symbol === undefined) return true
  if (entry.symbols.length === entry.symbolCount) return entry.symbols.includes(symbol)
  return !isOutside(symbol, entry.symbols[0]!, entry.symbols.at(-1)!)
}

type Group = FileEnd['groups'][number]

function groupMayHave(group: Group, filter: RowFilter, afterLsn: number): boolean {
  const times = rangeOf(group, 'time')
  if (times && (Number(times.max) < filter.fromUs || Number(times.min) >= filter.toUs)) return false
  const lsns = rangeOf(group, 'lsn')
  if (lsns && Number(lsns.max) <= afterLsn) return false
  for (const [column, text] of Object.entries(filter.keys)) {
    const range = rangeOf(group, column)
    if (range && isOutside(text, String(range.min), String(range.max))) return false
  }
  return filter.numbers.every(({ columns, value }) => columns.some((column) => mayHold(group, column, value)))
}

function mayHold(group: Group, column: string, value: number): boolean {
  const range = rangeOf(group, column)
  if (!range) return !isAllNull(group, column)
  return Number(range.min) <= value && value <= Number(range.max)
}

/** Texts are sorted by their bytes, as in the files. */
function isOutside(text: string, min: string, max: string): boolean {
  const bytes = Buffer.from(text)
  return Buffer.compare(bytes, Buffer.from(min)) < 0 || Buffer.compare(bytes, Buffer.from(max)) > 0
}

/** The places of the rows after an LSN that a filter asks for. */
export function placesIn(
  columns: Readonly<Record<string, DecodedArray>>,
  filter: RowFilter,
  afterLsn: number,
): number[] {
  const { fromUs, toUs } = filter
  const lsns = columns['lsn']!
  const times = columns['time']!
  const keys = Object.entries(filter.keys).map(([column, text]) => ({ values: columns[column]!, text }))
  const numbers = filter.numbers.map(({ columns: names, value }) => ({
    columns: names.map((column) => columns[column]!),
    value,
  }))
  const places: number[] = []
  for (let i = 0; i < lsns.length; i++) {
    if (!keys.every(({ values, text }) => values[i] === text)) continue
    const timeUs = Number(times[i])
    if (timeUs < fromUs || timeUs >= toUs || Number(lsns[i]) <= afterLsn) continue
    if (!numbers.every(({ columns, value }) => columns.some((values) => isNumber(values[i], value)))) continue
    places.push(i)
  }
  return places
}

function isNumber(found: unknown, value: number): boolean {
  return found !== null && found !== undefined && Number(found) === value
}
