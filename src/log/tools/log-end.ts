import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { LogError } from '../errors.js'
import { decodeSegmentHeader, type Segment } from '../format/segment.js'
import { corruptAt } from '../recover/damage-report.js'
import { type SegmentScan, scanSegment, searchAfter } from '../recover/segment-scan.js'
import { probeHeader, readHeaderBlock } from './header-probe.js'
import { listLogFiles, openLogFile } from './log-files.js'

/**
 * The successor of the segment that begins at `firstLsn`, if there is one by now. Its header is only written when all before
 * it is on disk.
 */
export function successorOf(disk: Disk, directory: string, firstLsn: number): Segment | undefined {
  const next = listLogFiles(disk, directory).find((file) => file.firstLsn > firstLsn)
  const opened = next && openLogFile(disk, directory, next)
  if (!opened) return undefined
  try {
    const { header } = probeHeader(readHeaderBlock(disk, opened.path, opened.handle))
    return header?.previous?.firstLsn === firstLsn ? { path: opened.path, header } : undefined
  } finally {
    disk.close(opened.handle)
  }
}

/**
 * Up to where a segment that may be written meanwhile holds valid batches. Whatever was acknowledged before the call is
 * below the result's `wholeEndLsn`, if the segment was the log's last one then: it was written before, and reads see it.
 *
 * Where the valid batches end, a writer may be at work, and what it writes while this looks says nothing: a place is
 * corrupt only if it is read and is not valid after something else was read that says that the place was synced before.
 *
 * @throws LogError `TIDEMARK_LOG_CORRUPT`, also when the batches end below `knownLsn`, which the caller knows to be written,
 *   and when the file is not the segment's any more.
 */
export function scanWritten(
  disk: Disk,
  directory: string,
  segment: Segment,
  knownLsn: number,
  limitLsn: number = Number.POSITIVE_INFINITY,
): SegmentScan {
  return withFileOf(disk, segment, (file) => {
    let scan = scanSegment(disk, segment, limitLsn, undefined, file)
    while (scan.endLsn < limitLsn) {
      const syncedLsn = Math.max(knownLsn, syncedAfter(disk, directory, segment, scan, file))
      if (syncedLsn <= scan.endLsn) break
      const later = scanSegment(disk, segment, limitLsn, scan, file)
      if (later.endLsn === scan.endLsn) throw corrupt(segment, scan, syncedLsn)
      if (scan.endLsn >= knownLsn) break
      scan = later
    }
    return scan
  })
}

/**
 * Where the last whole record ends before the end of a segment that is sealed, which was synced up to there: its batches reach
 * that end, or it is corrupt.
 *
 * @throws LogError as of `scanWritten`.
 */
export function lastWholeEndIn(disk: Disk, segment: Segment, endLsn: number): number {
  const scan = withFileOf(disk, segment, (file) => scanSegment(disk, segment, endLsn, undefined, file))
  if (scan.endLsn < endLsn) throw corrupt(segment, scan, endLsn)
  return scan.wholeEndLsn
}

/**
 * Reads a segment whose header was read before, from one file. An opening may have put another file in its place since, and
 * a removed one is used again: its batches would then seem to be none, and the log to end where they begin. A file gets
 * another header before it gets other batches, so its header is compared after the reading.
 */
function withFileOf<T>(disk: Disk, segment: Segment, read: (file: number) => T): T {
  const { path: file, header } = segment
  const handle = attempt('open', file, () => disk.open(file, 'read'))
  const isStill = () => {
    const now = decodeSegmentHeader(readHeaderBlock(disk, file, handle))
    return now?.epoch === header.epoch && now.firstLsn === header.firstLsn
  }
  try {
    const result = read(handle)
    if (isStill()) return result
    const lsn = header.firstLsn
    const reason = 'it has another header than a moment ago'
    throw new LogError('TIDEMARK_LOG_CORRUPT', `${file} was replaced while it was read: ${reason}.`, {
      file,
      offset: 0,
      lsn,
      reason,
    })
  } finally {
    disk.close(handle)
  }
}

/** The highest LSN up to which the log was synced, by the batches of a segment or because it has a successor. */
function syncedAfter(
  disk: Disk,
  directory: string,
  segment: Segment,
  scan: SegmentScan,
  file: number,
): number {
  const { proof } = searchAfter(disk, segment, scan.endLsn, file)
  const sealedAt = successorOf(disk, directory, segment.header.firstLsn)?.header.firstLsn
  return Math.max(scan.syncedLsn, proof?.synced ?? 0, sealedAt ?? 0)
}

function corrupt(segment: Segment, { endLsn, damage }: SegmentScan, syncedLsn: number): LogError {
  const reason = `${damage ?? 'it ends here'}, though the log was synced up to LSN ${syncedLsn}`
  return corruptAt(segment, endLsn, reason, undefined)
}
