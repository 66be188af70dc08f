import { randomBytes } from 'node:crypto'
import * as path from 'node:path'
import crc32 from 'crc-32'
import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { LogError } from '../errors.js'
import { crcSeedOf } from './batch.js'

/**
 * A segment: one file of the log. Its first 4096 bytes are the header, written twice; what has LSN n stands at
 * byte 4096 + n - firstLsn. docs/wal-format.md has the table.
 *
 * ```
 *  byte  size  field (copy 1 at 0, copy 2 at 2048)
 *     0     8  magic           "TIDEMARK"
 *     8     2  formatVersion
 *    10     2  flags           bit 0: made of a file that was used before; bit 1: begins within a record
 *    12     4  contentVersion  of what the application writes
 *    16     8  epoch           random, of the opening that wrote the segment
 *    24     8  firstLsn
 *    32     8  previousLsn     firstLsn of the segment before, or 2^64-1
 *    40     8  previousEpoch   of the segment before, or 0
 *    48     8  createdUs       microseconds since 1970
 *    56     4  maxBatchBytes
 *    60    16  kind            what wrote the log: 1 to 16 of a-z, 0-9 and "-", then zeros
 *    76     4  crc             CRC-32 of the 76 bytes before
 * ```
 */
export const segmentHeaderBytes = 4096
const segmentFormatVersion = 2
const secondCopyAt = 2048
export const headerCopyBytes = 80
const recycledFlag = 1
const withinRecordFlag = 2
const knownFlags = recycledFlag | withinRecordFlag
const magic = Buffer.from('TIDEMARK', 'latin1')
const noPrevious = 0xffff_ffff_ffff_ffffn
const kindAt = 60
const kindBytes = 16
/** Where a header of format 1 holds its CRC, of all bytes before: enough to know it and to refuse it by its name. */
const format1CrcAt = 64

export interface SegmentHeader {
  /** What wrote the log, such as `pool`; see `checkKind`. */
  readonly kind: string
  readonly contentVersion: number
  readonly epoch: bigint
  readonly firstLsn: number
  /** The segment that this one continues. */
  readonly previous: PreviousSegment | undefined
  readonly createdUs: number
  readonly maxBatchBytes: number
  /**
   * Whether the file was a segment before, so that bytes of that use stand after the batches. They carry other LSNs
   * than their places have now: first LSNs only rise, and a byte's LSN is the first LSN plus its place in the file.
   */
  readonly recycled: boolean
  /** Whether it begins within a record, so that the log cannot begin with it. */
  readonly withinRecord?: boolean
}

interface PreviousSegment {
  readonly firstLsn: number
  readonly epoch: bigint
}

export interface Segment {
  readonly path: string
  readonly header: SegmentHeader
}

export function randomEpoch(): bigint {
  return randomBytes(8).readBigUInt64LE()
}

export function segmentSeed(header: SegmentHeader): number {
  return crcSeedOf(header.epoch)
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const block = Buffer.alloc(segmentHeaderBytes)
  magic.copy(block)
  block.writeUInt16LE(segmentFormatVersion, 8)
  block.writeUInt16LE((header.recycled ? recycledFlag : 0) | (header.withinRecord ? withinRecordFlag : 0), 10)
  block.writeUInt32LE(header.contentVersion, 12)
  block.writeBigUInt64LE(header.epoch, 16)
  block.writeBigUInt64LE(BigInt(header.firstLsn), 24)
  block.writeBigUInt64LE(header.previous ? BigInt(header.previous.firstLsn) : noPrevious, 32)
  block.writeBigUInt64LE(header.previous?.epoch ?? 0n, 40)
  block.writeBigUInt64LE(BigInt(header.createdUs), 48)
  block.writeUInt32LE(header.maxBatchBytes, 56)
  block.write(header.kind, kindAt, kindBytes, 'latin1')
  block.writeInt32LE(crc32.buf(block.subarray(0, headerCopyBytes - 4)), headerCopyBytes - 4)
  block.copy(block, secondCopyAt, 0, headerCopyBytes)
  return block
}

/** One copy of the header, which is all that there is to know of a segment beside its batches. */
export function encodeHeaderCopy(header: SegmentHeader): Buffer {
  return encodeSegmentHeader(header).subarray(0, headerCopyBytes)
}

/** The header of a segment's first block, from the first copy that is valid, or `undefined`. */
export function decodeSegmentHeader(block: Buffer): SegmentHeader | undefined {
  for (const at of [0, secondCopyAt]) {
    if (block.byteLength < at + headerCopyBytes) return undefined
    const copy = block.subarray(at, at + headerCopyBytes)
    if (!copy.subarray(0, 8).equals(magic)) continue
    const version = copy.readUInt16LE(8)
    const crcAt = version === 1 ? format1CrcAt : headerCopyBytes - 4
    if (crc32.buf(copy.subarray(0, crcAt)) !== copy.readInt32LE(crcAt)) continue
    const flags = copy.readUInt16LE(10)
    if (version !== segmentFormatVersion || (flags & ~knownFlags) !== 0) {
      throw new LogError(
        'TIDEMARK_LOG_FORMAT',
        `The log has format version ${version}, flags ${flags}; this build reads version ${segmentFormatVersion}, flags 0 to ${knownFlags}. Open it with the build that wrote it.`,
        { found: version, flags, supported: segmentFormatVersion },
      )
    }
    const previousLsn = copy.readBigUInt64LE(32)
    return {
      kind: copy.toString('latin1', kindAt, kindAt + kindBytes).replace(/\0+$/, ''),
      contentVersion: copy.readUInt32LE(12),
      epoch: copy.readBigUInt64LE(16),
      firstLsn: Number(copy.readBigUInt64LE(24)),
      previous:
        previousLsn === noPrevious
          ? undefined
          : { firstLsn: Number(previousLsn), epoch: copy.readBigUInt64LE(40) },
      createdUs: Number(copy.readBigUInt64LE(48)),
      maxBatchBytes: copy.readUInt32LE(56),
      recycled: (flags & recycledFlag) !== 0,
      ...((flags & withinRecordFlag) !== 0 && { withinRecord: true }),
    }
  }
  return undefined
}

const segmentPattern = /^(\d{20})\.wal$/
const preallocatedPattern = /^spare-\d+\.wal$/
const recycledPattern = /^recycled-\d{20}\.wal$/

export function segmentName(firstLsn: number): string {
  return `${String(firstLsn).padStart(20, '0')}.wal`
}

export function preallocatedName(serial: number): string {
  return `spare-${serial}.wal`
}

/**
 * The first name of a segment that the flusher makes itself. No preallocated segment has the same: their numbers never begin
 * with a zero.
 */
export function notPreallocatedName(serial: number): string {
  return `spare-0${serial}.wal`
}

/** The LSN that a segment file's name says, or `undefined` when the name is not a segment's. */
export function segmentNameLsn(name: string): number | undefined {
  const match = segmentPattern.exec(name)
  return match ? Number(match[1]) : undefined
}

export function isPreallocatedName(name: string): boolean {
  return preallocatedPattern.test(name)
}

/** The name of a segment that was removed and whose file waits to be used again; it is no segment whatever its header says. */
export function recycledName(firstLsn: number): string {
  return `recycled-${segmentName(firstLsn)}`
}

export function isRecycledName(name: string): boolean {
  return recycledPattern.test(name)
}

/** Whether a folder holds a log, were it only a first segment that was never begun. */
export function holdsLog(disk: Disk, directory: string): boolean {
  return attempt('read', directory, () => disk.list(directory)).some(
    (name) => segmentPattern.test(name) || isPreallocatedName(name),
  )
}

/** Names of the segment files of a folder, by first LSN. */
export function listSegmentNames(disk: Disk, directory: string): string[] {
  return attempt('read', directory, () => disk.list(directory))
    .filter((name) => segmentPattern.test(name))
    .sort()
}

/** Reads a segment's header block; `undefined` when neither copy is valid. */
export function readSegmentHeader(disk: Disk, file: string): SegmentHeader | undefined {
  const handle = attempt('open', file, () => disk.open(file, 'read'))
  try {
    const block = Buffer.alloc(segmentHeaderBytes)
    const bytes = attempt('read', file, () => disk.readSync(handle, block, 0))
    return decodeSegmentHeader(block.subarray(0, bytes))
  } finally {
    disk.close(handle)
  }
}

/** Like `readSegmentHeader`, for a file that must be the segment its name says. */
export function requireSegmentHeader(disk: Disk, file: string, firstLsn: number): SegmentHeader {
  const header = readSegmentHeader(disk, file)
  if (header?.firstLsn === firstLsn) return header
  throw new LogError(
    'TIDEMARK_LOG_CORRUPT',
    header
      ? `The log is corrupt: the header of ${file} says LSN ${header.firstLsn}, which is not its name.`
      : `The log is corrupt: both headers of ${file} are damaged.`,
    { file, offset: 0, lsn: firstLsn },
  )
}

export function segmentPath(directory: string, firstLsn: number): string {
  return path.join(directory, segmentName(firstLsn))
}
