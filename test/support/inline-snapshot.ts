import { crc32 } from 'node:zlib'
import type { MemoryDisk } from '#tidemark/log/memory-disk.js'
import { rulesVersion } from '#tidemark/matching/index.js'
import type { Snapshot, SnapshotSection } from '#tidemark/pool/snapshot-file.js'
import { inlineDirectory } from './inline-log.js'

const headerBytes = 64
const sectionHeadBytes = 16
const temporary = `${inlineDirectory}/snapshot.tmp`

/**
 * Writes a snapshot in the format of docs/snapshot-format.md to a disk in memory, with the calls of the shipped writer,
 * whose file handles only the machine's disk has. Everything up to the highest LSN of a book must be durable.
 */
export function writeSnapshot(disk: MemoryDisk, sections: readonly SnapshotSection[]): void {
  const body = Buffer.concat(
    sections.flatMap(({ instrumentId, lsn, book }) => {
      const head = Buffer.alloc(sectionHeadBytes)
      head.writeUInt32LE(book.byteLength, 0)
      head.writeUInt32LE(instrumentId, 4)
      head.writeBigUInt64LE(BigInt(lsn), 8)
      return [head, Buffer.from(book.buffer, book.byteOffset, book.byteLength)]
    }),
  )
  const lsns = sections.map(({ lsn }) => lsn)
  const endLsn = Math.max(...lsns)
  const header = Buffer.alloc(headerBytes)
  header.write('TIDESNAP', 'latin1')
  header.writeUInt32LE(1, 8)
  header.writeUInt32LE(rulesVersion, 12)
  header.writeBigUInt64LE(BigInt(Math.min(...lsns)), 16)
  header.writeBigUInt64LE(BigInt(endLsn), 24)
  header.writeBigUInt64LE(BigInt(body.byteLength), 40)
  header.writeUInt32LE(sections.length, 48)
  header.writeUInt32LE(crc32(body), 52)
  header.writeUInt32LE(crc32(header.subarray(0, 56)), 56)

  const file = disk.create(temporary)
  disk.write(file, [body], headerBytes)
  disk.write(file, [header], 0)
  disk.syncData(file)
  disk.close(file)
  disk.rename(temporary, `${inlineDirectory}/snapshot-${String(endLsn).padStart(20, '0')}.snap`)
  disk.syncDirectory(inlineDirectory)
}

/** The newest sound snapshot of a disk in memory, as the shipped code that restores books takes it. */
export function newestSnapshot(disk: MemoryDisk): Snapshot | undefined {
  const names = disk.list(inlineDirectory).filter((name) => /^snapshot-\d{20}\.snap$/.test(name))
  for (const name of names.sort().reverse()) {
    const path = `${inlineDirectory}/${name}`
    const content = disk.contentOf(path)!
    if (content.byteLength < headerBytes) continue
    if (crc32(content.subarray(0, 56)) !== content.readUInt32LE(56)) continue
    const bytes = Number(content.readBigUInt64LE(40))
    const crc = content.readUInt32LE(52)
    if (crc32(content.subarray(headerBytes, headerBytes + bytes)) !== crc) continue
    const header = {
      rulesVersion: content.readUInt32LE(12),
      replayFromLsn: Number(content.readBigUInt64LE(16)),
      endLsn: Number(content.readBigUInt64LE(24)),
      createdUs: 0,
      bytes,
      sections: content.readUInt32LE(48),
      crc,
    }
    return { path, header }
  }
  return undefined
}
