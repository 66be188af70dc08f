import { NodeDisk } from '../src/log/node-disk.js'
import type { SealedSegment } from '../src/log/sealed-check.js'
import { segmentCrc } from '../src/log/segment-scan.js'

/** Whether a sealed segment has the CRC that its successor says. */
export default function check({ segment, endLsn, crc }: SealedSegment): boolean {
  return segmentCrc(new NodeDisk(), segment, endLsn) === crc
}
