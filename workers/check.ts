import { NodeDisk } from '../src/log/disk/node-disk.js'
import type { SealedSegment } from '../src/log/recover/sealed-check.js'
import { isSealedValid } from '../src/log/recover/segment-scan.js'

/** Whether every batch of a sealed segment is valid. */
export default function check({ segment, endLsn }: SealedSegment): boolean {
  return isSealedValid(new NodeDisk(), segment, endLsn)
}
