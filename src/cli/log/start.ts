import { NodeDisk } from '../../log/disk/node-disk.js'
import { frameField, frameHeaderBytes } from '../../log/format/frame.js'
import { segmentHeaderBytes } from '../../log/format/segment.js'
import { listLogFiles, openLogFile } from '../../log/tools/inspection-header.js'

/** Frames of different threads, and clocks that are set back, are out of order by less than this. */
const disorderUs = 60_000_000

/**
 * LSN of a segment before which nothing was written at or after a time: of the last that begins a minute before it.
 * Segments that can't be read so far are passed over; reading from there says what is wrong with them.
 */
export function segmentBefore(directory: string, timeUs: number): number {
  const disk = new NodeDisk()
  for (const file of listLogFiles(disk, directory).reverse()) {
    const opened = openLogFile(disk, directory, file)
    if (!opened) continue
    try {
      const header = Buffer.alloc(frameHeaderBytes)
      const read = disk.readSync(opened.handle, header, segmentHeaderBytes)
      const begins = Number(header.readBigUInt64LE(frameField.lsn)) === file.firstLsn
      const firstUs = Number(header.readBigUInt64LE(frameField.timestamp))
      const isFrame = read === header.length && begins && header.readUInt32LE(frameField.length) > 0
      if (isFrame && firstUs <= timeUs - disorderUs) return file.firstLsn
    } finally {
      disk.close(opened.handle)
    }
  }
  return 0
}
