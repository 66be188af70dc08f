import { type Disk, type ListedSegment, listSegments, NodeDisk, requireKind } from '../../log/index.js'
import { ArchiveError } from '../errors.js'
import { withArchive } from '../folder.js'
import {
  type ArchivedInstrument,
  type ArchiveKind,
  emptyManifest,
  type Manifest,
  readManifest,
  writeManifest,
} from '../manifest.js'
import { parquetPackages } from '../packages.js'
import { rowsAfter } from '../tables/rows-after.js'
import { checkLineage, withSegments } from './lineage.js'
import { readPart } from './log-part.js'
import { writePart } from './part-writer.js'

/** A part ends when a table has so many rows: they are in memory until they are sorted and written. Larger ones take longer for each row. */
const partRowsMax = 200_000

/** What `archiveLog` is called with. */
export interface ArchiverOptions {
  /** Folder of the log. Its owner may be at work: nothing is locked or written there. */
  readonly log: string
  /** Folder of the archive; made when it is not there. */
  readonly archive: string
  /** The kind of the log. */
  readonly kind: ArchiveKind
  /**
   * What a new archive may begin with when the beginning of the log is gone: the instruments that were created there.
   * Without it such a log is refused.
   */
  readonly beginWith?: readonly ArchivedInstrument[] | undefined
  /** Asked between two parts: whether to end early. */
  readonly stopped?: (() => boolean) | undefined
  /** Called when a part is in the archive. */
  readonly onProgress?: ((progress: ArchiveProgress) => void) | undefined
  /** How long to wait while another archiver or a compaction is at work. Default 0. */
  readonly waitMs?: number | undefined
  /** How many rows of its largest table a part may have. @internal */
  readonly partRows?: number | undefined
  /** The disk that has the files; by default the machine's own. For tests. @internal */
  readonly disk?: Disk | undefined
}

type ArchiveOfLog = Pick<ArchiverOptions, 'log' | 'archive' | 'kind' | 'beginWith'>

/** How far an archiver has come. */
export interface ArchiveProgress {
  /** Up to where records are archived, and where the last sealed segment ends. */
  readonly endLsn: number
  /** Where the last sealed segment ends: as far as can be archived now. */
  readonly sealedLsn: number
}

/** What an archiver did. */
export interface ArchiverReport extends ArchiveProgress {
  /** Where the archive begins. */
  readonly firstLsn: number
  /** How many records were archived. */
  readonly records: number
  /** How many parts were written. */
  readonly parts: number
  /** How many Parquet files were written. */
  readonly files: number
  /** Of those files. */
  readonly bytes: number
  /** How many rows were written, by table. */
  readonly rows: Readonly<Record<string, number>>
}

/**
 * Archives the sealed segments of a log that the archive does not have yet. Each part is written, synced, read back and
 * compared before the manifest names it: records up to `endLsn` are in the archive, verified, and on its disk.
 *
 * Blocks the thread for as long as a part takes; for worker threads.
 *
 * @throws ArchiveError `TIDEMARK_ARCHIVE_PACKAGE_MISSING`, `TIDEMARK_ARCHIVE_IN_USE`, `TIDEMARK_ARCHIVE_OTHER_LOG`,
 *   `TIDEMARK_ARCHIVE_GAP`, `TIDEMARK_ARCHIVE_DIFFERS`, `TIDEMARK_ARCHIVE_DAMAGED`; LogError `TIDEMARK_LOG_KIND`,
 *   `TIDEMARK_LOG_IO`, `TIDEMARK_LOG_CORRUPT`. The parts before it stay archived.
 */
export async function archiveLog(options: ArchiverOptions): Promise<ArchiverReport> {
  const { log, archive, disk = new NodeDisk(), waitMs = 0 } = options
  requireKind(disk, log, options.kind)
  const packages = await parquetPackages()
  return withArchive(disk, archive, waitMs, async (found) => {
    const segments = listSegments(disk, log)
    let manifest = found ?? begin(options, segments)
    checkKind(manifest, options)
    checkLineage(manifest, segments, { log, archive })
    const sealedLsn = segments.findLast(({ endLsn }) => endLsn !== undefined)?.endLsn ?? manifest.endLsn
    const done = { records: 0, parts: 0, files: 0, bytes: 0, rows: {} as Record<string, number> }
    const rows = rowsAfter(manifest)
    while (manifest.endLsn < sealedLsn && !options.stopped?.()) {
      for (const set of rows.sets) set.clear()
      const full = () => rows.sets.some((set) => set.rows >= (options.partRows ?? partRowsMax))
      const range = { fromLsn: manifest.endLsn, limitLsn: sealedLsn }
      const { endLsn, records } = readPart(disk, log, range, rows, full)
      // A record that ends in a segment that is not sealed yet.
      if (endLsn === manifest.endLsn) break
      const part = await writePart(packages, disk, archive, rows, { firstLsn: manifest.endLsn, endLsn })
      manifest = {
        ...manifest,
        endLsn,
        segments: withSegments(manifest.segments, segments, endLsn),
        parts: [...manifest.parts, part],
        ...rows.state,
      }
      writeManifest(disk, archive, manifest)
      done.records += records
      done.parts++
      for (const { table, bytes, rows: count } of part.files) {
        done.files++
        done.bytes += bytes
        done.rows[table] = (done.rows[table] ?? 0) + count
      }
      options.onProgress?.({ endLsn, sealedLsn })
    }
    return { firstLsn: manifest.firstLsn, endLsn: manifest.endLsn, sealedLsn, ...done }
  })
}

/**
 * Up to where an archive has a log, or where a new one would begin; writes nothing.
 *
 * @throws as `archiveLog`, where the archive is not of this log.
 */
export function requireArchiveOf(options: ArchiveOfLog): number {
  const { log, archive } = options
  const disk = new NodeDisk()
  requireKind(disk, log, options.kind)
  const segments = listSegments(disk, log)
  const found = readManifest(disk, archive) ?? begin(options, segments)
  checkKind(found, options)
  checkLineage(found, segments, { log, archive })
  return found.endLsn
}

/** A new archive. Where the beginning of the log is gone, it begins there only if the caller says what was before. */
function begin(
  { log, archive, kind, beginWith }: ArchiveOfLog,
  segments: readonly ListedSegment[],
): Manifest {
  const firstLsn = segments[0]?.firstLsn ?? 0
  if (firstLsn > 0 && !beginWith) {
    throw new ArchiveError(
      'TIDEMARK_ARCHIVE_GAP',
      `There is no archive in ${archive}, and the log in ${log} begins at LSN ${firstLsn}, after a part that was deleted. ` +
        'If it was archived elsewhere, give that folder (is its disk mounted?); else begin an archive here with "tidemark archive sync --begin".',
      { log, archive, firstLsn },
    )
  }
  return { ...emptyManifest(kind, firstLsn), instruments: beginWith ?? [] }
}

function checkKind(manifest: Manifest, { log, archive, kind }: ArchiveOfLog): void {
  if (manifest.kind === kind) return
  throw new ArchiveError(
    'TIDEMARK_ARCHIVE_OTHER_LOG',
    `The archive ${archive} is of a log of kind ${manifest.kind}, and the one in ${log} is of kind ${kind}. Archive into a folder of its own.`,
    { log, archive, kind, archived: manifest.kind },
  )
}
