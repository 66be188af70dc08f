import type { MemoryDisk } from '#tidemark/log/memory-disk.js'
import { segmentHeaderBytes } from '#tidemark/log/segment.js'
import { damage, segmentPaths } from './damaged-log.js'
import type { Random } from './random.js'

/** Flips bits, fills, cuts, swaps pieces and removes files, mostly near the end. */
export function mutate(disk: MemoryDisk, random: Random): void {
  const times = 1 + random.int(3)
  for (let i = 0; i < times; i++) {
    const files = segmentPaths(disk)
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
