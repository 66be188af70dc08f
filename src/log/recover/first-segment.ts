import * as path from 'node:path'
import { assert } from '../../base/assert.js'
import { AtomicFileSync } from '../disk/atomic-file.js'
import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import type { Ownership } from '../disk/ownership.js'
import { LogError } from '../errors.js'
import { batchHeaderBytes, resealBatch, writeBatchHeader } from '../format/batch.js'
import {
  encodeSegmentHeader,
  randomEpoch,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentName,
  segmentSeed,
} from '../format/segment.js'
import { BatchWalk } from '../read/batch-walk.js'
import { SegmentWindow } from '../read/segment-window.js'
import { corruptAt } from './damage-report.js'

/** What an opening needs to know for its first segment. */
export interface FirstSegmentSettings {
  readonly disk: Disk
  readonly directory: string
  readonly kind: string
  readonly contentVersion: number
  readonly maxBatchBytes: number
  /** Checks that the folder is still the caller's. Left out where no other process can take it. */
  readonly ownership?: Ownership | undefined
  /** The epoch of the segment; a random one unless it is stated. */
  readonly epoch?: bigint | undefined
  /** Bytes of new batches that the first segment of this opening may take. */
  readonly initialSegmentBytes: number
}

/** The first segment of an opening; new batches follow those that stand in it. */
export interface BegunSegment {
  readonly active: Segment
  readonly capacity: number
  /** The part of the capacity that is filled already, so that the file system has blocks for it. */
  readonly allocated: number
  /** Where the batches end that stand in it already. */
  readonly endLsn: number
}

/** So much of an opening's first segment is filled with zeros before anything is accepted, and the rest while it is written. */
const firstFillBytes = 1024 * 1024
/** The producer that a sync marker of a recovery names; the flusher's own name 0xffff. */
const recoveryProducer = 0xfffe

/**
 * Writes the first segment of this opening, whole or not at all: header, the batches from `fromLsn` to `endLsn` of `last`
 * under the new epoch, a sync marker that covers them if `marked`, zeros. So the marker is never found without what it
 * covers. The segment replaces `last` when it begins there.
 */
export function beginSegment(
  settings: FirstSegmentSettings,
  last: Segment | undefined,
  fromLsn: number,
  endLsn: number,
  marked: boolean,
): BegunSegment {
  const { disk, directory } = settings
  const header = nextHeader(settings, last, fromLsn, endLsn)
  const batches = last ? reseal(disk, last, fromLsn, endLsn, segmentSeed(header)) : Buffer.alloc(0)
  const kept = marked ? Buffer.concat([batches, syncMarker(endLsn, segmentSeed(header))]) : batches
  const capacity = kept.byteLength + settings.initialSegmentBytes
  const fillBytes = Math.min(settings.initialSegmentBytes, firstFillBytes)
  const name = segmentName(fromLsn)
  const file = new AtomicFileSync(disk, directory, 'recovery')
  try {
    file.write(Buffer.concat([encodeSegmentHeader(header), kept]))
    file.write(Buffer.alloc(fillBytes))
    file.finish()
    // When another owner has the folder by now, a segment of its own may have this name.
    settings.ownership?.check()
    file.publish(name)
  } catch (error) {
    file.discard()
    throw error
  }
  return {
    active: { path: path.join(directory, name), header },
    capacity,
    allocated: kept.byteLength + fillBytes,
    endLsn: fromLsn + kept.byteLength,
  }
}

/** The header of the first segment of this opening. One that replaces `last` takes its place in the chain. */
function nextHeader(
  settings: FirstSegmentSettings,
  last: Segment | undefined,
  fromLsn: number,
  endLsn: number,
): SegmentHeader {
  const own = {
    kind: settings.kind,
    contentVersion: settings.contentVersion,
    epoch: settings.epoch ?? randomEpoch(),
    firstLsn: fromLsn,
    maxBatchBytes: Math.max(settings.maxBatchBytes, last?.header.maxBatchBytes ?? 0),
    recycled: false,
  }
  if (last?.header.firstLsn === fromLsn) {
    // Retention takes this time for the sealing of the segment before: it stays.
    const { previous, createdUs } = last.header
    // With none of the old batches it begins with the next record: a repair may have cut all that there was.
    const withinRecord = last.header.withinRecord === true && endLsn > fromLsn
    return { ...own, previous, createdUs, ...(withinRecord && { withinRecord }) }
  }
  return {
    ...own,
    previous: last && {
      firstLsn: last.header.firstLsn,
      epoch: last.header.epoch,
    },
    createdUs: Date.now() * 1000,
  }
}

/** A sync marker that begins at `lsn` and says that the log was synced up to there. */
function syncMarker(lsn: number, seed: number): Buffer {
  const words = new Int32Array(batchHeaderBytes / 4)
  writeBatchHeader(words, 0, batchHeaderBytes, 0, recoveryProducer, lsn, lsn, Date.now() * 1000, seed)
  return Buffer.from(words.buffer)
}

/** The batches between two LSNs of a segment, with the CRC that another epoch gives them. */
function reseal(disk: Disk, segment: Segment, fromLsn: number, endLsn: number, seed: number): Buffer {
  if (endLsn === fromLsn) return Buffer.alloc(0)
  const batches = Buffer.alloc(endLsn - fromLsn)
  const window = new SegmentWindow(disk, segment)
  try {
    const walk = new BatchWalk(window, { fromLsn })
    let step = walk.step(endLsn)
    for (; step === 'batch'; step = walk.step(endLsn)) {
      const { lsn, length } = walk.header
      window.bytes.copy(batches, lsn - fromLsn, walk.batchStart, walk.batchStart + length)
      resealBatch(batches, lsn - fromLsn, length, seed)
    }
    if (step === 'end') return batches
    const reason = `no valid batch begins here, though the batches say that the log was synced up to LSN ${fromLsn}`
    throw corruptAt(segment, walk.position, reason, undefined)
  } finally {
    window.close()
  }
}

/**
 * Writes the batches between two LSNs of a segment to the places where they stand, and syncs them. After a sync that failed
 * the system may hold them in memory, take them for written, and lose them; what is written anew it writes to the disk. Should
 * the power fail meanwhile, each place has the bytes that it had, or these.
 */
export function writeAgain(disk: Disk, segment: Segment, fromLsn: number, endLsn: number): void {
  if (endLsn === fromLsn) return
  const window = new SegmentWindow(disk, segment)
  const file = attempt('open', segment.path, () => disk.open(segment.path, 'write'))
  try {
    for (let lsn = fromLsn; lsn < endLsn; ) {
      window.fill(lsn, endLsn)
      const { available } = window
      const written = attempt('write to', segment.path, () =>
        disk.write(file, [window.bytes.subarray(0, available)], window.filePosition(lsn)),
      )
      if (written !== available || available === 0) {
        throw new LogError(
          'TIDEMARK_LOG_IO',
          `Could not write to ${segment.path}: only ${written} bytes were taken.`,
          {
            path: segment.path,
            written,
          },
        )
      }
      lsn += available
    }
    attempt('sync', segment.path, () => disk.syncData(file))
  } finally {
    disk.close(file)
    window.close()
  }
}

/** Writes a segment again as it is, up to `endLsn`, whole or not at all: then all of that is on disk, and nothing after it. */
export function rewriteSegment(
  { disk, directory, ownership }: Pick<FirstSegmentSettings, 'disk' | 'directory' | 'ownership'>,
  segment: Segment,
  endLsn: number,
): void {
  const { firstLsn } = segment.header
  const file = new AtomicFileSync(disk, directory, 'recovery')
  const window = new SegmentWindow(disk, segment)
  try {
    file.write(encodeSegmentHeader(segment.header))
    for (let lsn = firstLsn; lsn < endLsn; lsn += window.available) {
      window.fill(lsn, endLsn)
      assert(window.available > 0, 'a segment that was scanned has the bytes that were found in it', () => ({
        lsn,
      }))
      file.write(window.bytes.subarray(0, window.available))
    }
    file.finish()
    ownership?.check()
    file.publish(segmentName(firstLsn))
  } catch (error) {
    file.discard()
    throw error
  } finally {
    window.close()
  }
}

/** Cuts the zeros off a segment that has a successor now. */
export function trim(disk: Disk, segment: Segment, endLsn: number): void {
  const file = attempt('open', segment.path, () => disk.open(segment.path, 'write'))
  try {
    const bytes = segmentHeaderBytes + endLsn - segment.header.firstLsn
    const size = attempt('read', segment.path, () => disk.size(file))
    if (size > bytes) attempt('truncate', segment.path, () => disk.truncate(file, bytes))
  } finally {
    disk.close(file)
  }
}
