import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import { AtomicFile } from '../log/atomic-file.js'
import type { Disk } from '../log/disk.js'
import { attemptAsync, LogError } from '../log/errors.js'
import { NodeDisk } from '../log/node-disk.js'
import { attempt } from '../log/segment.js'

/**
 * A snapshot: every book of a pool, each at an LSN of its own. docs/snapshot-format.md has the tables.
 *
 * ```
 *  header, 64 bytes                              section, one a book
 *     0  8  magic "TIDESNAP"                        0  4  bytes of the book that follow
 *     8  4  format version                          4  4  instrument id
 *    12  4  version of the matching rules           8  8  LSN at which the book was taken
 *    16  8  replay from: the lowest LSN of a book  16  n  the book
 *    24  8  end: the highest LSN of a book
 *    32  8  created, microseconds since 1970
 *    40  8  bytes of all sections
 *    48  4  sections
 *    52  4  CRC-32 of all sections
 *    56  4  CRC-32 of bytes 0 to 55
 *    60  4  0
 * ```
 */
const magic = 'TIDESNAP'
const formatVersion = 1
const headerBytes = 64
const sectionHeadBytes = 16
const chunkBytes = 1024 * 1024
const nodeDisk = new NodeDisk()
const namePattern = /^snapshot-(\d{20})\.snap$/

export interface SnapshotHeader {
  readonly rulesVersion: number
  /** Replaying the log behind this LSN, each book from its own on, brings the snapshot up to date. */
  readonly replayFromLsn: number
  readonly endLsn: number
  readonly createdUs: number
  readonly bytes: number
  readonly sections: number
  readonly crc: number
}

export interface Snapshot {
  readonly path: string
  readonly header: SnapshotHeader
}

/** One book of a snapshot. */
export interface SnapshotSection {
  readonly instrumentId: number
  readonly lsn: number
  readonly book: Int32Array
}

/** Writes a snapshot; nobody finds it until `publish`. */
export class SnapshotWriter {
  readonly #directory: string
  readonly #file: AtomicFile
  #at = headerBytes
  #sections = 0
  #crc = 0
  #replayFromLsn = Number.POSITIVE_INFINITY
  #endLsn = 0

  static async create(directory: string, disk: Disk = nodeDisk): Promise<SnapshotWriter> {
    return new SnapshotWriter(directory, await AtomicFile.create(disk, directory, 'snapshot'))
  }

  private constructor(directory: string, file: AtomicFile) {
    this.#directory = directory
    this.#file = file
  }

  /** The highest LSN of a book so far: the snapshot may be published when it is durable. */
  get endLsn(): number {
    return this.#endLsn
  }

  async add({ instrumentId, lsn, book }: SnapshotSection): Promise<void> {
    const head = Buffer.alloc(sectionHeadBytes)
    head.writeUInt32LE(book.byteLength, 0)
    head.writeUInt32LE(instrumentId, 4)
    head.writeBigUInt64LE(BigInt(lsn), 8)
    const body = Buffer.from(book.buffer, book.byteOffset, book.byteLength)
    this.#crc = crc32(body, crc32(head, this.#crc))
    await this.#file.write(head, this.#at)
    await this.#file.write(body, this.#at + sectionHeadBytes)
    this.#at += sectionHeadBytes + body.byteLength
    this.#sections++
    this.#replayFromLsn = Math.min(this.#replayFromLsn, lsn)
    this.#endLsn = Math.max(this.#endLsn, lsn)
  }

  /** Completes the file, syncs it, gives it its name and syncs the folder. */
  async publish(rulesVersion: number): Promise<Snapshot> {
    const header: SnapshotHeader = {
      rulesVersion,
      replayFromLsn: this.#sections === 0 ? 0 : this.#replayFromLsn,
      endLsn: this.#endLsn,
      createdUs: Date.now() * 1000,
      bytes: this.#at - headerBytes,
      sections: this.#sections,
      crc: this.#crc,
    }
    await this.#file.write(encodeHeader(header), 0)
    const name = `snapshot-${String(this.#endLsn).padStart(20, '0')}.snap`
    await this.#file.publish(name)
    return { path: path.join(this.#directory, name), header }
  }

  /** Gives up: the file goes. */
  discard(): Promise<void> {
    return this.#file.discard()
  }
}

/** The sound snapshots of a folder, newest first. A file that is damaged, whole or in part, is passed over. */
export async function soundSnapshots(directory: string, disk: Disk = nodeDisk): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = []
  for (const file of await snapshotPaths(directory, disk)) {
    const header = await verifySnapshot(file, disk)
    if (header) snapshots.push({ path: file, header })
  }
  return snapshots
}

/** The paths of all snapshot files of a folder, newest first. */
export async function snapshotPaths(directory: string, disk: Disk = nodeDisk): Promise<string[]> {
  const names = await attemptAsync('read', directory, () => disk.async.list(directory))
  return names
    .filter((name) => namePattern.test(name))
    .sort()
    .reverse()
    .map((name) => path.join(directory, name))
}

/** Removes a snapshot file. The removal is durable when the folder was synced. */
export async function removeSnapshot(file: string): Promise<void> {
  await attemptAsync('remove', file, () => nodeDisk.async.remove(file))
}

/** The header of a snapshot all of whose bytes are sound, or `undefined`. */
export async function verifySnapshot(
  file: string,
  disk: Disk = nodeDisk,
): Promise<SnapshotHeader | undefined> {
  const handle = await attemptAsync('open', file, () => disk.async.open(file, 'read'))
  try {
    const block = Buffer.alloc(headerBytes)
    for (let done = 0; done < headerBytes; ) {
      const read = await attemptAsync('read', file, () => disk.read(handle, block.subarray(done), done))
      if (read === 0) return undefined
      done += read
    }
    const header = decodeHeader(block)
    if (!header) return undefined
    const chunk = Buffer.allocUnsafe(chunkBytes)
    let crc = 0
    for (let done = 0; done < header.bytes; ) {
      const wanted = chunk.subarray(0, Math.min(chunkBytes, header.bytes - done))
      const read = await attemptAsync('read', file, () => disk.read(handle, wanted, headerBytes + done))
      if (read === 0) return undefined
      crc = crc32(chunk.subarray(0, read), crc)
      done += read
    }
    const size = await attemptAsync('look at', file, () => disk.async.size(handle))
    return crc === header.crc && size === headerBytes + header.bytes ? header : undefined
  } finally {
    await disk.async.close(handle)
  }
}

/** Gives the sections of a snapshot that was verified, one after the other. Blocks the thread; for worker threads. */
export function* readSections(snapshot: Snapshot, disk: Disk = nodeDisk): Generator<SnapshotSection> {
  const { path: name } = snapshot
  const file = attempt('open', name, () => disk.open(name, 'read'))
  const fill = (buffer: Buffer, position: number) => {
    for (let done = 0; done < buffer.byteLength; ) {
      const rest = buffer.subarray(done)
      const read = attempt('read', name, () => disk.readSync(file, rest, position + done))
      if (read === 0) throw new LogError('TIDEMARK_LOG_IO', `${name} is shorter than it was.`, { path: name })
      done += read
    }
  }
  try {
    const head = Buffer.alloc(sectionHeadBytes)
    for (let at = headerBytes; at < headerBytes + snapshot.header.bytes; ) {
      fill(head, at)
      const bytes = Buffer.allocUnsafeSlow(head.readUInt32LE(0))
      fill(bytes, at + sectionHeadBytes)
      yield {
        instrumentId: head.readUInt32LE(4),
        lsn: Number(head.readBigUInt64LE(8)),
        book: new Int32Array(bytes.buffer, 0, bytes.byteLength >> 2),
      }
      at += sectionHeadBytes + bytes.byteLength
    }
  } finally {
    disk.close(file)
  }
}

function encodeHeader(header: SnapshotHeader): Buffer {
  const block = Buffer.alloc(headerBytes)
  block.write(magic, 0, 'latin1')
  block.writeUInt32LE(formatVersion, 8)
  block.writeUInt32LE(header.rulesVersion, 12)
  block.writeBigUInt64LE(BigInt(header.replayFromLsn), 16)
  block.writeBigUInt64LE(BigInt(header.endLsn), 24)
  block.writeBigUInt64LE(BigInt(header.createdUs), 32)
  block.writeBigUInt64LE(BigInt(header.bytes), 40)
  block.writeUInt32LE(header.sections, 48)
  block.writeUInt32LE(header.crc, 52)
  block.writeUInt32LE(crc32(block.subarray(0, 56)), 56)
  return block
}

function decodeHeader(block: Buffer): SnapshotHeader | undefined {
  if (block.toString('latin1', 0, 8) !== magic || block.readUInt32LE(8) !== formatVersion) return undefined
  if (crc32(block.subarray(0, 56)) !== block.readUInt32LE(56) || block.readUInt32LE(60) !== 0)
    return undefined
  return {
    rulesVersion: block.readUInt32LE(12),
    replayFromLsn: Number(block.readBigUInt64LE(16)),
    endLsn: Number(block.readBigUInt64LE(24)),
    createdUs: Number(block.readBigUInt64LE(32)),
    bytes: Number(block.readBigUInt64LE(40)),
    sections: block.readUInt32LE(48),
    crc: block.readUInt32LE(52),
  }
}

export async function syncDirectory(directory: string): Promise<void> {
  await attemptAsync('sync', directory, () => nodeDisk.async.syncDirectory(directory))
}
