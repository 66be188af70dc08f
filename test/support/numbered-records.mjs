/** Record `i` of a producer: both numbers, and bytes that follow from them; now and then one that takes several batches. */
export function recordOf(producerId, i, seed) {
  const mixed = Math.imul((i + 1) * 2654435761 + seed, 0x85ebca6b) >>> 0
  const bytes = 8 + (mixed % (mixed % 31 === 0 ? 12_000 : 200))
  const record = Buffer.alloc(bytes, mixed & 0xff)
  record.writeUInt32LE(producerId, 0)
  record.writeUInt32LE(i, 4)
  return record
}
