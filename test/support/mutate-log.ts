import { crc32 } from 'node:zlib'
import { batchHeaderBytes, recordHeaderBytes } from '#tidemark/log/format/batch.js'
import { headerCopyBytes, segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { damage, segmentPaths } from './damaged-log.js'
import { MemoryDisk } from './memory-disk.js'
import type { Random } from './random.js'

/** Flips bits, fills, cuts, swaps pieces and removes files, mostly near the end. */
export function mutate(disk: MemoryDisk, random: Random, directory?: string): void {
  const times = 1 + random.int(3)
  for (let i = 0; i < times; i++) {
    const files = segmentPaths(disk, directory)
    const file = files[random.int(2) === 0 ? files.length - 1 : random.int(files.length)]!
    damage(disk, file, (content) => {
      const used = content.byteLength - trailingZeros(content)
      const at = random.int(Math.max(1, random.int(3) === 0 ? content.byteLength : used))
      const bytes = 1 + random.int(random.int(2) === 0 ? 8 : 2000)
      switch (random.int(5)) {
        case 0:
          content[at]! ^= 1 << random.int(8)
          return content
        case 1:
          return content.fill(
            random.int(2) === 0 ? 0 : random.int(256),
            at,
            Math.min(content.byteLength, at + bytes),
          )
        case 2:
          return content.subarray(0, Math.max(at, segmentHeaderBytes))
        case 3:
          content.copyWithin(at, random.int(used), random.int(used))
          return content
        default:
          return Buffer.from(content).fill(0, Math.max(segmentHeaderBytes, used - bytes))
      }
    })
  }
}

function trailingZeros(content: Buffer): number {
  let zeros = 0
  while (zeros < content.byteLength && content[content.byteLength - 1 - zeros] === 0) zeros++
  return zeros
}

/** Changes bytes of some batches, headers or records, and makes their CRCs fit: what only a writer's error can do. */
export function mutateSealed(disk: MemoryDisk, random: Random, directory?: string): void {
  const times = 1 + random.int(4)
  for (let i = 0; i < times; i++) {
    const files = segmentPaths(disk, directory)
    const file = files[random.int(files.length)]!
    damage(disk, file, (content) => {
      const batches = batchesIn(content)
      const batch = batches[random.int(batches.length)]
      if (batch) mutateBatch(content.subarray(batch.from, batch.to), content.subarray(16, 24), random)
      return content
    })
  }
}

function mutateBatch(batch: Buffer, epoch: Buffer, random: Random): void {
  // The bytes of the first record's payload most of the time: what else stands there is refused by the log's own checks.
  const first = batchHeaderBytes + recordHeaderBytes
  const payload =
    batch.byteLength > first && random.int(4) > 0
      ? batch.subarray(first, batchHeaderBytes + Math.max(recordHeaderBytes, firstLength(batch)))
      : batch.subarray(batchHeaderBytes)
  const changes = 1 + random.int(3)
  for (let i = 0; i < changes; i++) {
    const at = random.int(Math.max(1, payload.byteLength))
    switch (random.int(6)) {
      case 0:
        // Producer, what was synced, or time.
        batch[[10, 11, 12, 13, 14, 15, 24, 28, 31][random.int(9)]!] = random.int(256)
        break
      case 1:
        if (payload.byteLength > 0) payload[at]! ^= 1 << random.int(8)
        break
      case 2:
        payload.fill(
          [0, 255, random.int(256)][random.int(3)]!,
          at,
          Math.min(payload.byteLength, at + 1 + random.int(16)),
        )
        break
      case 3:
        payload.copyWithin(at, random.int(payload.byteLength + 1), random.int(payload.byteLength + 1))
        break
      case 4:
        payload.set(random.bytes(Math.min(payload.byteLength - Math.min(at, payload.byteLength), 8)), at)
        break
      default:
        mutateRecord(batch, random)
    }
  }
  const length = Math.min(batch.readUInt32LE(0), batch.byteLength)
  batch.writeUInt32LE(0, 4)
  const ofRecords = crc32(batch.subarray(batchHeaderBytes, length), crc32(epoch))
  batch.writeUInt32LE(crc32(batch.subarray(0, batchHeaderBytes), ofRecords), 4)
}

/** Another type, other flags, another length of the first record within its padding, or another number of records. */
function mutateRecord(batch: Buffer, random: Random): void {
  if (batch.byteLength <= batchHeaderBytes) return
  const length = firstLength(batch)
  switch (random.int(4)) {
    case 0:
      batch[batchHeaderBytes + 4] = random.int(256)
      break
    case 1:
      batch[batchHeaderBytes + 5] = random.int(2) === 0 ? random.int(256) : random.int(4)
      break
    case 2:
      batch.writeUInt32LE(
        Math.max(recordHeaderBytes, Math.ceil(length / 8) * 8 - random.int(9)),
        batchHeaderBytes,
      )
      break
    default:
      batch.writeUInt16LE(random.int(5), 8)
  }
}

function firstLength(batch: Buffer): number {
  return Math.min(batch.readUInt32LE(batchHeaderBytes), batch.byteLength - batchHeaderBytes)
}

function batchesIn(content: Buffer): { from: number; to: number }[] {
  const batches: { from: number; to: number }[] = []
  for (let at = segmentHeaderBytes; at + batchHeaderBytes <= content.byteLength; ) {
    const length = content.readUInt32LE(at)
    if (length < batchHeaderBytes || at + length > content.byteLength) break
    batches.push({ from: at, to: at + length })
    at += length
  }
  return batches
}

/** A folder of random files, some of which have a header whose CRC fits and whose numbers are anything. */
export function randomFiles(random: Random, directory: string): MemoryDisk {
  const disk = new MemoryDisk()
  const files = 1 + random.int(3)
  for (let i = 0; i < files; i++) {
    const content = Buffer.from(random.bytes(random.int(9000)))
    if (random.int(2) === 0 && content.byteLength >= segmentHeaderBytes) plausibleHeader(content, random)
    const firstLsn = random.int(4) === 0 ? '99999999999999999999' : String(random.int(3) * 4096 * 8)
    disk.replace(`${directory}/${firstLsn.padStart(20, '0')}.wal`, content)
  }
  return disk
}

/** A header whose CRC fits and whose numbers are anything, and batches that claim to be large. */
function plausibleHeader(content: Buffer, random: Random): void {
  content.write('TIDEMARK', 0, 'latin1')
  content.writeUInt32LE(2, 8)
  if (random.int(2) === 0) content.writeUInt32LE(1, 12)
  if (random.int(2) === 0) content.writeBigUInt64LE(BigInt(random.int(3) * 4096 * 8), 24)
  if (random.int(2) === 0) content.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 32)
  if (random.int(2) === 0) content.writeUInt32LE(0xffff_ffff, 56)
  const kind = ['pool', 'jobs', 'factors'][random.int(4)]
  if (kind) content.fill(0, 60, 76).write(kind, 60, 'latin1')
  content.writeUInt32LE(crc32(content.subarray(0, 76)), 76)
  content.copy(content, 2048, 0, headerCopyBytes)
  for (let at = segmentHeaderBytes; at + 32 < content.byteLength; at += 8 * (1 + random.int(40))) {
    content.writeUInt32LE(random.int(2) === 0 ? 0x7fff_fff8 : 32 + random.int(9000), at)
    const lsn = content.readBigUInt64LE(24) + BigInt(at - segmentHeaderBytes)
    content.writeBigUInt64LE(lsn & 0xffff_ffff_ffff_ffffn, at + 16)
  }
}
