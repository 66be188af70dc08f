import * as path from 'node:path'
import { errnoOf } from '../../base/errno.js'
import { TidemarkError } from '../../base/errors.js'
import { type Disk, LogError, listSegments, NodeDisk, requireKind } from '../../log/index.js'
import { ArchiveError } from '../errors.js'
import { type ArchiveFile, type ArchivePart, type Manifest, readManifest } from '../manifest.js'
import { type ParquetPackages, parquetPackages } from '../packages.js'
import { Decimals } from '../parquet/decimals.js'
import { ColumnEncoder } from '../parquet/encode.js'
import { ParquetFile } from '../parquet/read-file.js'
import { compareRows } from '../parquet/write-file.js'
import { dayText } from '../tables/columns.js'
import { type LogState, type PartRows, rowsAfter } from '../tables/rows-after.js'
import { checkLineage } from '../write/lineage.js'
import { readPart } from '../write/log-part.js'

/** What `verifyArchive` is called with. */
export interface VerifyOptions {
  /** The folder of the archive. */
  readonly archive: string
  /** Folder of the log: rows are compared with it as far as it is still there. */
  readonly log?: string | undefined
  /** Called after each file with how many are done, of how many. */
  readonly onProgress?:
    | ((progress: { readonly bytesDone: number; readonly bytes: number }) => void)
    | undefined
  /** The disk that has the files; by default the machine's own. For tests. @internal */
  readonly disk?: Disk | undefined
}

/** Something of an archive that is not as it must be. */
export interface ArchiveProblem {
  /** From the archive's folder. */
  readonly path: string
  /** What is wrong, as a part of a sentence. */
  readonly reason: string
}

/** What `verifyArchive` found. */
export interface VerifyReport {
  /** Where the archive begins. */
  readonly firstLsn: number
  /** Where it ends. */
  readonly endLsn: number
  /** How many files were read. */
  readonly files: number
  /** Their size, in bytes. */
  readonly bytes: number
  /** How many rows they have. */
  readonly rows: number
  /** Rows of those that were compared with the log. */
  readonly comparedRows: number
  /** What is wrong; empty for an archive that is whole. */
  readonly problems: readonly ArchiveProblem[]
}

/**
 * Checks every byte of an archive against its manifest, that its parts follow each other without a gap, and every row
 * against the log as far as that is still there. Changes nothing; an archiver and a compaction may be at work meanwhile.
 *
 * @throws ArchiveError `TIDEMARK_ARCHIVE_MISSING`, `TIDEMARK_ARCHIVE_OTHER_LOG` and others of the manifest; LogError
 *   `TIDEMARK_LOG_IO`, `TIDEMARK_LOG_CORRUPT` of the log.
 */
export async function verifyArchive(options: VerifyOptions): Promise<VerifyReport> {
  const { archive, log, disk = new NodeDisk() } = options
  const packages = await parquetPackages()
  const manifest = readManifest(disk, archive)
  if (!manifest) {
    throw new ArchiveError('TIDEMARK_ARCHIVE_MISSING', `There is no archive in ${archive}.`, { archive })
  }
  const logFirstLsn = log === undefined ? undefined : firstLsnOf(disk, manifest, log, archive)
  const problems: ArchiveProblem[] = gaps(manifest)
  const all = manifest.parts.flatMap(({ files }) => files)
  const bytes = all.reduce((sum, file) => sum + file.bytes, 0)
  let [bytesDone, comparedRows] = [0, 0]
  let state: LogState | undefined = manifest.kind === 'pool' ? manifest : { ...manifest, series: [] }
  for (const part of manifest.parts) {
    const isInLog = logFirstLsn !== undefined && logFirstLsn <= part.firstLsn
    const check = new PartCheck(packages, disk, archive, part)
    const found = await check.run(isInLog ? log : undefined, state)
    // What factors mean is said by the records before: without those their values can't be compared.
    if (manifest.kind === 'factors') state = found.state && { ...manifest, ...found.state }
    // A compaction put other files in the place of these, which it has checked.
    const isNamed =
      found.problems.length === 0 || readManifest(disk, archive)?.parts.some((other) => isSame(other, part))
    if (isNamed) problems.push(...found.problems)
    comparedRows += found.comparedRows
    bytesDone += part.files.reduce((sum, file) => sum + file.bytes, 0)
    options.onProgress?.({ bytesDone, bytes })
  }
  return {
    firstLsn: manifest.firstLsn,
    endLsn: manifest.endLsn,
    files: all.length,
    bytes,
    rows: all.reduce((sum, file) => sum + file.rows, 0),
    comparedRows,
    problems,
  }
}

function firstLsnOf(disk: Disk, manifest: Manifest, log: string, archive: string): number | undefined {
  requireKind(disk, log, manifest.kind)
  const segments = listSegments(disk, log)
  checkLineage(manifest, segments, { log, archive })
  return segments[0]?.firstLsn
}

function isSame(a: ArchivePart, b: ArchivePart): boolean {
  return a.firstLsn === b.firstLsn && a.endLsn === b.endLsn
}

/** The parts follow each other from the beginning of the archive to its end. */
function gaps({ firstLsn, endLsn, parts }: Manifest): ArchiveProblem[] {
  const problems: ArchiveProblem[] = []
  let lsn = firstLsn
  for (const part of parts) {
    if (part.firstLsn !== lsn || part.endLsn <= part.firstLsn) {
      const reason = `the part at LSN ${part.firstLsn} to ${part.endLsn} does not follow the one before, which ends at ${lsn}`
      problems.push({ path: 'manifest.json', reason })
    }
    lsn = part.endLsn
  }
  if (lsn !== endLsn)
    problems.push({ path: 'manifest.json', reason: `it ends at LSN ${endLsn}, and its last part at ${lsn}` })
  return problems
}

interface PartFindings {
  readonly problems: readonly ArchiveProblem[]
  readonly comparedRows: number
  /** What is known of the log after the part, if its rows were compared. */
  readonly state: Partial<LogState> | undefined
}

/** The check of one part. */
class PartCheck {
  readonly #packages: ParquetPackages
  readonly #disk: Disk
  readonly #archive: string
  readonly #part: ArchivePart
  readonly #problems: ArchiveProblem[] = []

  constructor(packages: ParquetPackages, disk: Disk, archive: string, part: ArchivePart) {
    this.#packages = packages
    this.#disk = disk
    this.#archive = archive
    this.#part = part
  }

  /** With `state`, what is known of the log at the part's beginning, and `log` the rows are compared. */
  async run(log: string | undefined, state: LogState | undefined): Promise<PartFindings> {
    for (const entry of this.#part.files)
      await this.#noting(entry.path, entry, (file) => this.#bytes(file, entry))
    const rows = log === undefined || this.#problems.length > 0 ? undefined : this.#rowsOf(log, state)
    if (!rows) return { problems: this.#problems, comparedRows: 0, state: undefined }
    const comparedRows = await this.#compare(rows)
    return { problems: this.#problems, comparedRows, state: rows.state }
  }

  async #bytes(file: ParquetFile, entry: ArchiveFile): Promise<void> {
    if (file.bytes !== entry.bytes)
      return this.#note(entry.path, `it has ${file.bytes} bytes, not ${entry.bytes}`)
    if (file.checksum() !== entry.sha256)
      return this.#note(entry.path, 'its checksum is not that of the manifest')
    const { metadata } = await file.end()
    if (Number(metadata.num_rows) !== entry.rows)
      this.#note(entry.path, `it has ${metadata.num_rows} rows, not ${entry.rows}`)
  }

  /** Makes the rows of the part anew; `undefined` when the log does not have its records any more. */
  #rowsOf(log: string, state: LogState | undefined): PartRows | undefined {
    if (!state) return undefined
    const { firstLsn, endLsn } = this.#part
    const rows = rowsAfter(state)
    try {
      readPart(this.#disk, log, { fromLsn: firstLsn, limitLsn: endLsn }, rows)
      return rows
    } catch (error) {
      // Deleted a moment ago, since it is archived.
      if (error instanceof LogError && error.code === 'TIDEMARK_BAD_LSN') return undefined
      throw error
    }
  }

  /** Compares each value of the files with the rows. Returns how many rows there are. */
  async #compare(rows: PartRows): Promise<number> {
    const { firstLsn, endLsn, files } = this.#part
    const encoder = new ColumnEncoder(rows.texts, new Decimals(rows.texts))
    const unmatched = new Set(files.map(({ path: name }) => name))
    let compared = 0
    for (const set of rows.sets) {
      for (const [day, places] of set.daysSorted(rows.texts)) {
        const folder = `${set.table.name}/date=${dayText(day)}/`
        const entry = files.find(({ path: name }) => name.startsWith(folder))
        if (!entry) {
          this.#note(folder, `it has no file with the ${places.length} rows of LSN ${firstLsn} to ${endLsn}`)
          continue
        }
        unmatched.delete(entry.path)
        await this.#noting(entry.path, entry, (file) => compareRows(file, encoder, set, places))
        compared += places.length
      }
    }
    for (const name of unmatched) this.#note(name, 'the log has no rows that belong there')
    return compared
  }

  /** Runs a check of a file; what it throws of the file is a problem. */
  async #noting(
    name: string,
    entry: ArchiveFile,
    check: (file: ParquetFile) => Promise<void>,
  ): Promise<void> {
    let file: ParquetFile | undefined
    try {
      file = new ParquetFile(this.#packages, this.#disk, path.join(this.#archive, entry.path))
      await check(file)
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error
      const isMissing = errnoOf(error.cause) === 'ENOENT'
      this.#note(name, isMissing ? 'it is missing' : String(error.details['reason'] ?? error.message))
    } finally {
      file?.close()
    }
  }

  #note(name: string, reason: string): void {
    this.#problems.push({ path: name, reason })
  }
}
