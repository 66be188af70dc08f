import { NodeDisk } from '../src/log/disk/node-disk.js'
import type { SealedSegment } from '../src/log/recover/sealed-check.js'
import { segmentCrc } from '../src/log/recover/segment-scan.js'

/** Whether a sealed segment has the CRC that its successor says. */
export default function check({ segment, endLsn, crc }: SealedSegment): boolean {
  return segmentCrc(new NodeDisk(), segment, endLsn) === crc
}
