import type { Disk } from '../disk/disk.js'
import {
  listSegmentNames,
  requireSegmentHeader,
  type SegmentHeader,
  segmentNameLsn,
  segmentPath,
} from '../format/segment.js'

/** The headers of the segments in a folder, by first LSN. @throws LogError `TIDEMARK_LOG_CORRUPT`, `TIDEMARK_LOG_IO`. */
export function localSegments(disk: Disk, directory: string): SegmentHeader[] {
  return listSegmentNames(disk, directory).map((name) => {
    const firstLsn = segmentNameLsn(name)!
    return requireSegmentHeader(disk, segmentPath(directory, firstLsn), firstLsn)
  })
}
