import type { Disk } from '../disk/disk.js'
import {
  listSegmentNames,
  readSegmentHeader,
  type SegmentHeader,
  segmentNameLsn,
  segmentPath,
} from '../format/segment.js'

/** A segment of a log, as its header and its successor say. */
export interface ListedSegment {
  readonly firstLsn: number
  /** Where its successor begins; `undefined` for the last one, which may be written. */
  readonly endLsn: number | undefined
  readonly header: SegmentHeader
}

/**
 * The segments of a folder by first LSN. All but the last are sealed: what is in them up to their end is synced, and stays as
 * it is until they are removed. Takes no lock: it may be asked beside the owner.
 *
 * The list ends before a segment whose header can't be read, or that does not continue the one before.
 *
 * @throws LogError `TIDEMARK_LOG_IO`.
 */
export function listSegments(disk: Disk, directory: string): ListedSegment[] {
  const headers: SegmentHeader[] = []
  for (const name of listSegmentNames(disk, directory)) {
    const firstLsn = segmentNameLsn(name)!
    const header = readSegmentHeader(disk, segmentPath(directory, firstLsn))
    const before = headers.at(-1)
    if (header?.firstLsn !== firstLsn) break
    if (before && header.previous?.firstLsn !== before.firstLsn) break
    headers.push(header)
  }
  return headers.map((header, i) => ({
    firstLsn: header.firstLsn,
    endLsn: headers[i + 1]?.firstLsn,
    header,
  }))
}
