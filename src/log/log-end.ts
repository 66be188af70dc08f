import type { Disk } from './disk.js'
import { LogError } from './errors.js'
import { listLogFiles, openLogFile, probeHeader, readHeaderBlock } from './inspection-header.js'
import { type Segment, segmentHeaderBytes } from './segment.js'
import { type SegmentScan, scanSegment, searchBehind } from './segment-scan.js'

/**
 * The segment that goes on from the one that begins at `firstLsn`, if there is one by now. Its header is only written
 * when all before it is on disk.
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
 * Up to where a segment that may be written meanwhile holds valid frames. Whatever was acknowledged before the call is
 * below the result's `groupEndLsn`, if the segment was the log's last one then: it was written before, and reads see it.
 *
 * Where the valid frames end, a writer may be at work, and what it writes while this looks says nothing: a place is
 * corrupt only if it is read and is not valid after something else was read that says that the place was synced before.
 *
 * @throws LogError `TIDEMARK_LOG_CORRUPT`, also when the frames end below `knownLsn`, which the caller knows to be written.
 */
export function scanWritten(
  disk: Disk,
  directory: string,
  segment: Segment,
  knownLsn: number,
  limitLsn: number = Number.POSITIVE_INFINITY,
): SegmentScan {
  let scan = scanSegment(disk, segment, limitLsn)
  while (scan.endLsn < limitLsn) {
    const syncedLsn = Math.max(knownLsn, syncedBehind(disk, directory, segment, scan))
    if (syncedLsn <= scan.endLsn) break
    const later = scanSegment(disk, segment, limitLsn, scan)
    if (later.endLsn === scan.endLsn) throw corrupt(segment, scan, syncedLsn)
    if (scan.endLsn >= knownLsn) break
    scan = later
  }
  return scan
}

/** The highest LSN that the frames of a segment, or the header of its successor, say was synced. */
function syncedBehind(disk: Disk, directory: string, segment: Segment, scan: SegmentScan): number {
  const { proof } = searchBehind(disk, segment, scan.endLsn)
  const sealedAt = successorOf(disk, directory, segment.header.firstLsn)?.header.firstLsn
  return Math.max(scan.syncedLsn, proof?.synced ?? 0, sealedAt ?? 0)
}

function corrupt(
  { path: file, header }: Segment,
  { endLsn, fault }: SegmentScan,
  syncedLsn: number,
): LogError {
  const offset = segmentHeaderBytes + endLsn - header.firstLsn
  const reason = `${fault ?? 'it ends here'}, though the log was synced up to LSN ${syncedLsn}`
  return new LogError(
    'TIDEMARK_LOG_CORRUPT',
    `The log is corrupt at LSN ${endLsn}, byte ${offset} of ${file}: ${reason}.`,
    { file, offset, lsn: endLsn, reason },
  )
}
