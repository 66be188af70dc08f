import { crc32 } from 'node:zlib'
import { batchHeaderBytes } from '#tidemark/log/format/batch.js'
import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
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

/** Changes bytes of some frames, header or payload, and makes their CRCs fit: what only a writer's error can do. */
export function mutateSealed(disk: MemoryDisk, random: Random, directory?: string): void {
  const times = 1 + random.int(4)
  for (let i = 0; i < times; i++) {
    const files = segmentPaths(disk, directory)
    const file = files[random.int(files.length)]!
    damage(disk, file, (content) => {
      const frames = framesIn(content)
      const frame = frames[random.int(frames.length)]
      if (frame) mutateFrame(content.subarray(frame.from, frame.to), content.subarray(16, 24), random)
      return content
    })
  }
  chainAnew(disk, directory)
}

/** Writes the CRC of each segment into the header of the next. */
function chainAnew(disk: MemoryDisk, directory?: string): void {
  const files = segmentPaths(disk, directory)
  for (const [i, file] of files.entries()) {
    const before = files[i - 1] && disk.contentOf(files[i - 1]!)
    if (!before || before.byteLength < segmentHeaderBytes) continue
    damage(disk, file, (content) => {
      if (content.byteLength < segmentHeaderBytes) return content
      const bytes = Number(content.readBigUInt64LE(24) - before.readBigUInt64LE(24))
      const crc = crc32(before.subarray(segmentHeaderBytes, segmentHeaderBytes + bytes))
      for (const at of [0, 2048]) {
        content.writeUInt32LE(crc, at + 60)
        content.writeUInt32LE(crc32(content.subarray(at, at + 64)), at + 64)
      }
      return content
    })
  }
}

function mutateFrame(frame: Buffer, epoch: Buffer, random: Random): void {
  const payload = frame.subarray(batchHeaderBytes)
  const changes = 1 + random.int(3)
  for (let i = 0; i < changes; i++) {
    const at = random.int(Math.max(1, payload.byteLength))
    switch (random.int(6)) {
      case 0:
        // Type, flags or producer, time, or what was synced.
        frame[[8, 9, 10, 12, 13, 14, 15, 24, 28, 31][random.int(10)]!] = random.int(256)
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
        // Shorter, down to nothing; the rest becomes a frame that is none.
        frame.writeUInt32LE(batchHeaderBytes + random.int(payload.byteLength + 1), 0)
    }
  }
  const length = Math.min(frame.readUInt32LE(0), frame.byteLength)
  frame.writeUInt32LE(0, 4)
  const ofPayload = crc32(frame.subarray(batchHeaderBytes, length), crc32(epoch))
  frame.writeUInt32LE(crc32(frame.subarray(0, batchHeaderBytes), ofPayload), 4)
}

function framesIn(content: Buffer): { from: number; to: number }[] {
  const frames: { from: number; to: number }[] = []
  for (let at = segmentHeaderBytes; at + batchHeaderBytes <= content.byteLength; ) {
    const length = content.readUInt32LE(at)
    if (length < batchHeaderBytes || at + length > content.byteLength) break
    frames.push({ from: at, to: at + length })
    at += Math.ceil(length / 8) * 8
  }
  return frames
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

/** A header whose CRC fits and whose numbers are anything, and frames that claim to be large. */
function plausibleHeader(content: Buffer, random: Random): void {
  content.write('TIDEMARK', 0, 'latin1')
  content.writeUInt32LE(1, 8)
  if (random.int(2) === 0) content.writeUInt32LE(1, 12)
  if (random.int(2) === 0) content.writeBigUInt64LE(BigInt(random.int(3) * 4096 * 8), 24)
  if (random.int(2) === 0) content.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 32)
  if (random.int(2) === 0) content.writeUInt32LE(0xffff_ffff, 56)
  content.writeUInt32LE(crc32(content.subarray(0, 64)), 64)
  content.copy(content, 2048, 0, 68)
  for (let at = segmentHeaderBytes; at + 32 < content.byteLength; at += 8 * (1 + random.int(40))) {
    content.writeUInt32LE(random.int(2) === 0 ? 0x7fff_fff8 : 32 + random.int(9000), at)
    const lsn = content.readBigUInt64LE(24) + BigInt(at - segmentHeaderBytes)
    content.writeBigUInt64LE(lsn & 0xffff_ffff_ffff_ffffn, at + 16)
  }
}
