import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { batchHeaderBytes } from '../format/batch.js'
import {
  headerCopyBytes as copyBytes,
  decodeSegmentHeader,
  type SegmentHeader,
  segmentHeaderBytes,
} from '../format/segment.js'

const copyOffsets = [0, segmentHeaderBytes / 2] as const

/** What a segment's first block says. */
export interface HeaderProbe {
  /** From the first valid copy. */
  readonly header: SegmentHeader | undefined
  /** The byte at which the first thing that is not as it should be stands, and what that is. */
  readonly damage: { readonly offset: number; readonly reason: string } | undefined
}

/**
 * Checks both copies of a header and that what is unused is zero.
 *
 * @throws LogError `TIDEMARK_LOG_FORMAT` for a format version that this build does not know.
 */
export function probeHeader(block: Buffer): HeaderProbe {
  const copies = copyOffsets.map((at) => plausible(decodeSegmentHeader(block.subarray(at, at + copyBytes))))
  const header = copies[0] ?? copies[1]
  const bad = copies.indexOf(undefined)
  if (bad >= 0) {
    const reason = header
      ? `copy ${bad + 1} of the header is damaged`
      : 'both copies of the header are damaged'
    return { header, damage: { offset: copyOffsets[bad]!, reason } }
  }
  const [first, second] = copyOffsets.map((at) => block.subarray(at, at + copyBytes)) as [Buffer, Buffer]
  if (!first.equals(second)) {
    return { header, damage: { offset: copyOffsets[1], reason: 'the two copies of the header differ' } }
  }
  for (const at of copyOffsets) {
    const from = at + copyBytes
    const stray = block.subarray(from, at + copyOffsets[1]).findIndex((byte) => byte !== 0)
    if (stray >= 0)
      return { header, damage: { offset: from + stray, reason: 'an unused header byte is not zero' } }
  }
  return { header, damage: undefined }
}

/** A header whose CRC fits may still hold numbers that no log has: then nothing is computed from them. */
function plausible(header: SegmentHeader | undefined): SegmentHeader | undefined {
  if (!header) return undefined
  const { firstLsn, previous, maxBatchBytes } = header
  const isLsn = (lsn: number) => Number.isSafeInteger(lsn) && lsn % 8 === 0
  if (!isLsn(firstLsn) || maxBatchBytes < batchHeaderBytes) return undefined
  if (previous && !(isLsn(previous.firstLsn) && previous.firstLsn < firstLsn)) return undefined
  return header
}

/** The first block of a file, as much as there is. */
export function readHeaderBlock(disk: Disk, file: string, handle: number): Buffer {
  const block = Buffer.alloc(segmentHeaderBytes)
  const bytes = attempt('read', file, () => disk.readSync(handle, block, 0))
  return block.subarray(0, bytes)
}
