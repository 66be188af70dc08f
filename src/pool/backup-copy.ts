import * as path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { Disk } from '../log/disk.js'
import { LogError } from '../log/errors.js'
import { attempt } from '../log/segment.js'

const chunkBytes = 1024 * 1024
const partSuffix = '.part'

/** Files of a folder on their way into another: under names that nobody takes for theirs until all are complete. */
export class BackupCopy {
  readonly target: string
  readonly #disk: Disk
  readonly #onProgress: (bytesDone: number, bytesTotal: number) => void
  readonly #chunk = Buffer.allocUnsafe(chunkBytes)
  readonly #parts = new Set<string>()
  #bytesTotal = 0
  /** Copied so far. */
  bytes = 0

  constructor(
    disk: Disk,
    target: string,
    onProgress: (bytesDone: number, bytesTotal: number) => void = () => {},
  ) {
    this.#disk = disk
    this.target = target
    this.#onProgress = onProgress
  }

  /** Says how many bytes there will be. */
  expect(bytes: number): void {
    this.#bytesTotal = bytes
    this.#onProgress(0, bytes)
  }

  /** Where a file of this name is in the target, in the end and until then. */
  nameOf(name: string): string {
    return path.join(this.target, name)
  }

  partOf(name: string): string {
    return this.nameOf(name) + partSuffix
  }

  sizeOf(file: string): number {
    const handle = attempt('open', file, () => this.#disk.open(file, 'read'))
    try {
      return attempt('read', file, () => this.#disk.size(handle))
    } finally {
      this.#disk.close(handle)
    }
  }

  /**
   * Copies the first `bytes` of a file to `name` and syncs them; returns the CRC-32 of those from `crcFrom` on.
   *
   * @throws LogError `TIDEMARK_LOG_IO`; `TIDEMARK_LOG_CORRUPT` when the file is shorter.
   */
  async file(from: string, name: string, bytes: number, crcFrom = 0): Promise<number> {
    const to = this.partOf(name)
    const source = attempt('open', from, () => this.#disk.open(from, 'read'))
    try {
      const target = attempt('create', to, () => this.#disk.create(to))
      this.#parts.add(to)
      try {
        let crc = 0
        for (let done = 0; done < bytes; ) {
          const chunk = this.#chunk.subarray(0, Math.min(chunkBytes, bytes - done))
          const read = attempt('read', from, () => this.#disk.readSync(source, chunk, done))
          if (read === 0) throw tooShort(from, bytes)
          const piece = chunk.subarray(0, read)
          const written = attempt('write to', to, () => this.#disk.write(target, [piece], done))
          if (written !== read) throw full(to)
          crc = crc32(piece.subarray(Math.max(0, crcFrom - done)), crc)
          done += read
          this.bytes += read
          this.#onProgress(this.bytes, this.#bytesTotal)
          await setImmediate()
        }
        attempt('sync', to, () => this.#disk.syncData(target))
        return crc
      } finally {
        this.#disk.close(target)
      }
    } finally {
      this.#disk.close(source)
    }
  }

  /** Gives the files these names, in this order, and makes that durable. */
  publish(names: readonly string[]): void {
    for (const name of names) {
      const part = this.partOf(name)
      attempt('rename', part, () => this.#disk.rename(part, this.nameOf(name)))
      this.#parts.delete(part)
    }
    for (const folder of [this.target, path.dirname(this.target)]) {
      attempt('sync', folder, () => this.#disk.syncDirectory(folder))
    }
  }

  /** Removes what is not complete. */
  discard(): void {
    for (const part of this.#parts) {
      try {
        this.#disk.remove(part)
      } catch {
        // What brought the copy here is what the caller hears of.
      }
    }
  }
}

function tooShort(file: string, bytes: number): LogError {
  return new LogError(
    'TIDEMARK_LOG_CORRUPT',
    `The log is corrupt: ${file} ends before byte ${bytes}, which it had.`,
    { file, offset: bytes },
  )
}

function full(file: string): LogError {
  return new LogError('TIDEMARK_LOG_IO', `Could not write to ${file}: the disk may be full.`, { path: file })
}
