import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import type { Disk } from '../../log/thread.js'
import {
  AtomicFileSync,
  attempt,
  attemptAsync,
  isTemporaryName,
  LogError,
  NodeDisk,
  type SnapshotFile,
  SnapshotNames,
  shortageOf,
} from '../../log/thread.js'
import {
  booksOf,
  decodePreface,
  decodeTable,
  encodeSnapshotHeader,
  encodeTable,
  type SnapshotHeader,
  type SnapshotPiece,
  type SnapshotSection,
  snapshotHeaderBytes,
  tableBytesOf,
} from './snapshot-format.js'

const chunkBytes = 1024 * 1024
/** The log's syncs wait for the snapshot's: one of so many bytes takes a few milliseconds. */
const syncBytes = 4 * 1024 * 1024
const nodeDisk = new NodeDisk()
/** Begins the names of files that are not finished. */
const temporaryLabel = 'snapshot'
const names = new SnapshotNames('snapshot-', '.snap')

export interface PoolSnapshot {
  readonly path: string
  readonly header: SnapshotHeader
}

/** Writes a snapshot, which has no name of its own until `publish`. Blocks the thread; for worker threads. */
export class SnapshotWriter {
  readonly #directory: string
  readonly #file: AtomicFileSync
  readonly #pieces: SnapshotPiece[] = []
  #bytes = 0
  #syncedBytes = 0

  /** @throws LogError `TIDEMARK_LOG_IO`. */
  constructor(directory: string, disk: Disk = nodeDisk) {
    this.#directory = directory
    this.#file = new AtomicFileSync(disk, directory, temporaryLabel)
  }

  /** Adds whole records of a section. The bytes may be used again when this returns. @throws LogError `TIDEMARK_LOG_IO`. */
  add(section: number, piece: Uint8Array): void {
    this.#pieces.push({ section, bytes: piece.byteLength, crc: crc32(piece) })
    this.#file.write(piece, snapshotHeaderBytes + this.#bytes)
    this.#bytes += piece.byteLength
    if (this.#bytes - this.#syncedBytes < syncBytes) return
    this.#file.sync()
    this.#syncedBytes = this.#bytes
  }

  /**
   * Completes the file, syncs it, gives it its name and syncs the folder. Everything up to the highest LSN of a section
   * must be on disk.
   *
   * @throws LogError `TIDEMARK_LOG_IO`.
   */
  publish(rulesVersion: number, sections: readonly SnapshotSection[]): PoolSnapshot {
    const lsns = sections.map(({ lsn }) => lsn)
    const header: SnapshotHeader = {
      rulesVersion,
      replayFromLsn: Math.min(...lsns),
      endLsn: Math.max(...lsns),
      createdUs: Date.now() * 1000,
      bytes: this.#bytes,
      books: booksOf(sections),
      sections,
      pieces: this.#pieces,
    }
    const table = encodeTable(sections, this.#pieces)
    this.#file.write(table, snapshotHeaderBytes + this.#bytes)
    this.#file.write(encodeSnapshotHeader(header, table), 0)
    const name = names.nameOf(header.endLsn)
    this.#file.publish(name)
    return { path: path.join(this.#directory, name), header }
  }

  /** Removes the file. */
  discard(): void {
    this.#file.discard()
  }
}

/**
 * The valid snapshots of a folder, newest first. A file that is damaged, that cannot be read or that is of another format
 * is passed over: one such file must not keep every later checkpoint from removing what is kept no longer.
 *
 * @throws LogError `TIDEMARK_TOO_MANY_FILES` when no descriptor is free: that says nothing of any file. `TIDEMARK_LOG_IO`
 *   when the folder cannot be read.
 */
export async function validSnapshots(directory: string, disk: Disk = nodeDisk): Promise<PoolSnapshot[]> {
  const snapshots: PoolSnapshot[] = []
  for (const { path: file } of await listSnapshots(directory, disk)) {
    const header = await verifySnapshot(file, disk).catch((error) => {
      if (shortageOf(error)) throw error
      return undefined
    })
    if (header) snapshots.push({ path: file, header })
  }
  return snapshots
}

/**
 * Removes the files of snapshots that were not finished. Only while no snapshot is being written: after its thread ended,
 * which then could not do it.
 *
 * @throws LogError `TIDEMARK_LOG_IO`.
 */
export async function removeUnfinishedSnapshots(directory: string, disk: Disk = nodeDisk): Promise<void> {
  const listed = await attemptAsync('read', directory, () => disk.async.list(directory))
  for (const name of listed) {
    if (!name.startsWith(`${temporaryLabel}.`) || !isTemporaryName(name)) continue
    const file = path.join(directory, name)
    await attemptAsync('remove', file, () => disk.async.remove(file))
  }
}

/** All snapshot files of a folder, newest first. @throws LogError `TIDEMARK_LOG_IO`. */
export async function listSnapshots(directory: string, disk: Disk = nodeDisk): Promise<SnapshotFile[]> {
  const listed = await attemptAsync('read', directory, () => disk.async.list(directory))
  return names.among(directory, listed)
}

/** Removes a snapshot file. The removal is durable when the folder was synced. */
export async function removeSnapshot(file: string): Promise<void> {
  await attemptAsync('remove', file, () => nodeDisk.async.remove(file))
}

/**
 * The header of a snapshot whose header, table and length are valid, or `undefined`. Its pieces are not read:
 * `readPieces` checks each as it comes.
 *
 * @throws LogError `TIDEMARK_LOG_IO`; `TIDEMARK_LOG_FORMAT` for another version of the format.
 */
export async function readSnapshotHeader(
  file: string,
  disk: Disk = nodeDisk,
): Promise<SnapshotHeader | undefined> {
  const handle = await attemptAsync('open', file, () => disk.async.open(file, 'read'))
  try {
    return await headerOf(handle, file, disk)
  } finally {
    await disk.async.close(handle)
  }
}

/** The header of a snapshot all of whose bytes are valid, or `undefined`. @throws as `readSnapshotHeader`. */
export async function verifySnapshot(
  file: string,
  disk: Disk = nodeDisk,
): Promise<SnapshotHeader | undefined> {
  const handle = await attemptAsync('open', file, () => disk.async.open(file, 'read'))
  try {
    const header = await headerOf(handle, file, disk)
    if (!header) return undefined
    const chunk = Buffer.allocUnsafe(chunkBytes)
    let position = snapshotHeaderBytes
    for (const { bytes, crc } of header.pieces) {
      let actual = 0
      for (let done = 0; done < bytes; ) {
        const part = chunk.subarray(0, Math.min(chunkBytes, bytes - done))
        const read = await attemptAsync('read', file, () => disk.read(handle, part, position + done))
        if (read === 0) return undefined
        actual = crc32(chunk.subarray(0, read), actual)
        done += read
      }
      if (actual !== crc) return undefined
      position += bytes
    }
    return header
  } finally {
    await disk.async.close(handle)
  }
}

async function headerOf(handle: number, file: string, disk: Disk): Promise<SnapshotHeader | undefined> {
  const fill = async (bytes: number, position: number) => {
    const buffer = Buffer.alloc(bytes)
    for (let done = 0; done < bytes; ) {
      const read = await attemptAsync('read', file, () =>
        disk.read(handle, buffer.subarray(done), position + done),
      )
      if (read === 0) return undefined
      done += read
    }
    return buffer
  }
  const block = await fill(snapshotHeaderBytes, 0)
  const preface = block && decodePreface(block, file)
  if (!preface) return undefined
  const tableBytes = tableBytesOf(preface)
  const size = await attemptAsync('look at', file, () => disk.async.size(handle))
  if (size !== snapshotHeaderBytes + preface.bytes + tableBytes) return undefined
  const table = await fill(tableBytes, snapshotHeaderBytes + preface.bytes)
  return table && decodeTable(preface, table)
}

/** A piece as it was read; `words` is used again for the next one. */
export interface ReadPiece {
  readonly section: number
  readonly words: Int32Array
  /** How many of them the piece has. */
  readonly length: number
}

/**
 * Gives the pieces of those sections that `isNeeded` accepts, in their order, each checked. Blocks the thread; for worker
 * threads.
 *
 * @throws LogError `TIDEMARK_LOG_CORRUPT` for a damaged piece, `TIDEMARK_LOG_IO`.
 */
export function* readPieces(
  { path: name, header }: PoolSnapshot,
  isNeeded: (section: number) => boolean = () => true,
  disk: Disk = nodeDisk,
): Generator<ReadPiece> {
  const file = attempt('open', name, () => disk.open(name, 'read'))
  try {
    const largest = header.pieces.reduce((most, { bytes }) => Math.max(most, bytes), 0)
    const buffer = Buffer.allocUnsafeSlow(largest)
    const words = new Int32Array(buffer.buffer, buffer.byteOffset, largest >> 2)
    let position = snapshotHeaderBytes
    for (const { section, bytes, crc } of header.pieces) {
      if (isNeeded(section)) {
        const piece = buffer.subarray(0, bytes)
        for (let done = 0; done < bytes; ) {
          const at = position + done
          const read = attempt('read', name, () => disk.readSync(file, piece.subarray(done), at))
          if (read === 0) throw damaged(name, at)
          done += read
        }
        if (crc32(piece) !== crc) throw damaged(name, position)
        yield { section, words, length: bytes >> 2 }
      }
      position += bytes
    }
  } finally {
    disk.close(file)
  }
}

function damaged(file: string, offset: number): LogError {
  return new LogError('TIDEMARK_LOG_CORRUPT', `${file} is damaged in the piece at byte ${offset}.`, {
    file,
    offset,
  })
}

export async function syncDirectory(directory: string): Promise<void> {
  await attemptAsync('sync', directory, () => nodeDisk.async.syncDirectory(directory))
}
