import type { Disk } from '../disk/disk.js'
import { decodeSegmentHeader } from '../format/segment.js'
import { BatchWalk } from '../read/batch-walk.js'
import { SegmentWindow } from '../read/segment-window.js'
import { readHeaderBlock } from './header-probe.js'
import { listLogFiles, openLogFile } from './log-files.js'

/** Batches of different threads, and clocks that are set back, are out of order by less than this. */
const disorderUs = 60_000_000
/** Most first batches are smaller; a larger one is read as a whole. */
const chunkBytes = 4096

/**
 * LSN of a segment before which nothing was written at or after a time: of the last that begins a minute before it. 0 when
 * there is none. Segments whose beginning can't be read are passed over; reading from there reports what is wrong with them.
 */
export function segmentBefore(disk: Disk, directory: string, timeUs: number): number {
  for (const file of listLogFiles(disk, directory).reverse()) {
    const opened = openLogFile(disk, directory, file)
    if (!opened) continue
    try {
      const header = decodeSegmentHeader(readHeaderBlock(disk, opened.path, opened.handle))
      if (header?.firstLsn !== file.firstLsn) continue
      const window = new SegmentWindow(
        disk,
        { path: opened.path, header },
        { file: opened.handle, chunkBytes },
      )
      const walk = new BatchWalk(window)
      const isFirst = walk.step(window.fileEndLsn) === 'batch'
      if (isFirst && walk.header.timestampUs <= timeUs - disorderUs) return file.firstLsn
    } finally {
      disk.close(opened.handle)
    }
  }
  return 0
}
