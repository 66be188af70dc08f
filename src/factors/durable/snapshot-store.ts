import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import type { Disk } from '../../log/thread.js'
import {
  AtomicFile,
  makeFolder,
  NodeDisk,
  newestSnapshotSync,
  removeTemporaries,
  type SnapshotFile,
  SnapshotNames,
} from '../../log/thread.js'
import { FactorError } from '../errors.js'

/** What a snapshot says of itself. */
export interface SnapshotInfo {
  /** The name that it was given. */
  readonly checkpointId: string
  /** Everything up to here is in it; recovery reads the log from here on. */
  readonly lsn: number
  /** The greatest source timestamp in it. */
  readonly timestamp: number | undefined
}

/** Series known to the log at a snapshot: what the numbers after it mean. */
export interface SnapshotSeries {
  readonly number: number
  readonly instrument: string
  readonly factors: readonly string[]
  /** Whether an engine computes them from ticks. */
  readonly computed: boolean
  /** The last values that were sent, if any were: float64 little-endian in base64, and their time. */
  readonly last?: { readonly values: string; readonly timestamp: number } | undefined
}

/** A snapshot of factors as it was read. */
export interface FactorSnapshot {
  /** Where and when it was made. */
  readonly info: SnapshotInfo
  /** The series that the log had by then. */
  readonly series: readonly SnapshotSeries[]
  /** What the snapshot's owner put in: the state of an engine. */
  readonly state: Uint8Array
}

/**
 * ```
 *  byte  size  field
 *     0     8  magic        "TMFACTOR"
 *     8     4  version
 *    12     4  crc          CRC-32 of the whole file with these four bytes zero
 *    16     8  headBytes    of the JSON that follows (float64)
 *    24     …  JSON {info, series}, zeros up to a multiple of 8, then the state
 * ```
 */
const magic = Buffer.from('TMFACTOR', 'latin1')
const version = 1
const headAt = 24
const crcAt = 12
const names = new SnapshotNames('factors-', '.snapshot')

/** The snapshot files of one folder. */
export class SnapshotStore {
  /** The folder of the snapshots. */
  readonly dir: string
  readonly #disk: Disk

  /**
   * Opens the store for the process that has the lock of the log in the folder above, and removes what a crash left of
   * unfinished snapshots.
   *
   * @throws FactorError `TIDEMARK_SNAPSHOT_IO`.
   */
  static open(dir: string, disk?: Disk): SnapshotStore {
    const store = new SnapshotStore(dir, disk)
    try {
      removeTemporaries(store.#disk, dir)
    } catch (cause) {
      throw snapshotIo('open', dir, cause)
    }
    return store
  }

  /** @throws FactorError `TIDEMARK_SNAPSHOT_IO`. */
  constructor(dir: string, disk: Disk = new NodeDisk()) {
    this.dir = dir
    this.#disk = disk
    try {
      makeFolder(disk, dir)
    } catch (cause) {
      throw snapshotIo('create', dir, cause)
    }
  }

  /**
   * Writes a snapshot whole or not at all. Everything up to its LSN must be on disk before. The thread is held while the
   * bytes are put together, and not by the disk.
   *
   * @throws FactorError `TIDEMARK_SNAPSHOT_IO`.
   */
  async write(snapshot: FactorSnapshot): Promise<void> {
    const target = this.#path(snapshot.info.lsn)
    try {
      await AtomicFile.write(this.#disk, target, [encode(snapshot)])
    } catch (cause) {
      throw snapshotIo('write', target, cause)
    }
  }

  /** LSNs of the snapshots, newest first. */
  lsns(): number[] {
    return this.#files().map(({ lsn }) => lsn)
  }

  /**
   * Reads the snapshot at an LSN.
   *
   * @throws FactorError `TIDEMARK_SNAPSHOT_CORRUPT`, `TIDEMARK_SNAPSHOT_IO`.
   */
  read(lsn: number): FactorSnapshot {
    const file = this.#path(lsn)
    let bytes: Buffer
    try {
      bytes = readWhole(this.#disk, file)
    } catch (cause) {
      throw snapshotIo('read', file, cause)
    }
    return decode(bytes, file, lsn)
  }

  /**
   * The newest valid snapshot at or below `maxLsn`; `skipped` are those that were newer and not valid. A snapshot above
   * `endLsn`, the end of the log, belongs to another log.
   *
   * @throws FactorError `TIDEMARK_SNAPSHOT_CORRUPT`.
   */
  newest(endLsn: number, maxLsn = endLsn): { snapshot: FactorSnapshot | undefined; skipped: FactorError[] } {
    const files = this.#files()
    const [first] = files
    if (first && first.lsn > endLsn) {
      throw corrupt(first.path, `it was taken at LSN ${first.lsn}, and the log ends at ${endLsn}`)
    }
    const skipped: FactorError[] = []
    const usable = files.filter(({ lsn }) => lsn <= maxLsn)
    const snapshot = newestSnapshotSync(usable, ({ lsn }) => {
      try {
        return this.read(lsn)
      } catch (error) {
        if (!(error instanceof FactorError && error.code === 'TIDEMARK_SNAPSHOT_CORRUPT')) throw error
        skipped.push(error)
        return undefined
      }
    })
    return { snapshot, skipped }
  }

  /** Removes all but the newest `keep`; returns the LSN of the oldest that is left. */
  async prune(keep: number): Promise<number | undefined> {
    const lsns = this.lsns()
    for (const lsn of lsns.slice(keep)) {
      await this.#disk.async.remove(this.#path(lsn)).catch((cause) => {
        throw snapshotIo('remove', this.#path(lsn), cause)
      })
    }
    return lsns.slice(0, keep).at(-1)
  }

  #path(lsn: number): string {
    return path.join(this.dir, names.nameOf(lsn))
  }

  /** The snapshot files, newest first. */
  #files(): SnapshotFile[] {
    try {
      return names.among(this.dir, this.#disk.list(this.dir))
    } catch (cause) {
      throw snapshotIo('read', this.dir, cause)
    }
  }
}

function readWhole(disk: Disk, name: string): Buffer {
  const file = disk.open(name, 'read')
  try {
    const bytes = Buffer.allocUnsafeSlow(disk.size(file))
    for (let done = 0; done < bytes.byteLength; ) {
      const read = disk.readSync(file, bytes.subarray(done), done)
      if (read === 0) return bytes.subarray(0, done)
      done += read
    }
    return bytes
  } finally {
    disk.close(file)
  }
}

function encode({ info, series, state }: FactorSnapshot): Buffer {
  const head = Buffer.from(JSON.stringify({ info, series }))
  const stateAt = headAt + Math.ceil(head.byteLength / 8) * 8
  const bytes = Buffer.alloc(stateAt + state.byteLength)
  magic.copy(bytes)
  bytes.writeUInt32LE(version, 8)
  bytes.writeDoubleLE(head.byteLength, 16)
  head.copy(bytes, headAt)
  bytes.set(state, stateAt)
  bytes.writeUInt32LE(crc32(bytes), crcAt)
  return bytes
}

function decode(bytes: Buffer, file: string, lsn: number): FactorSnapshot {
  if (bytes.byteLength < headAt || !bytes.subarray(0, 8).equals(magic)) {
    throw corrupt(file, 'it does not begin as one')
  }
  if (bytes.readUInt32LE(8) !== version) throw corrupt(file, `its version is ${bytes.readUInt32LE(8)}`)
  const crc = bytes.readUInt32LE(crcAt)
  bytes.writeUInt32LE(0, crcAt)
  if (crc32(bytes) !== crc) throw corrupt(file, 'its check sum is wrong')
  const headBytes = bytes.readDoubleLE(16)
  const { info, series } = JSON.parse(bytes.toString('utf8', headAt, headAt + headBytes))
  if (info.lsn !== lsn) throw corrupt(file, `it was taken at LSN ${info.lsn}`)
  return { info, series, state: bytes.subarray(headAt + Math.ceil(headBytes / 8) * 8) }
}

function corrupt(file: string, reason: string): FactorError {
  return new FactorError(
    'TIDEMARK_SNAPSHOT_CORRUPT',
    `${file} is no snapshot of this log: ${reason}. Move it away to recover from an older one.`,
    { file, reason },
  )
}

function snapshotIo(action: string, file: string, cause: unknown): FactorError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new FactorError(
    'TIDEMARK_SNAPSHOT_IO',
    `Could not ${action} ${file}: ${reason}.`,
    { path: file },
    { cause },
  )
}
