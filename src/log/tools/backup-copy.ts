import * as path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { AtomicFileSync } from '../disk/atomic-file.js'
import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { LogError } from '../errors.js'

const chunkBytes = 1024 * 1024

/** Copies files of a folder into another one, under temporary names until all are complete. */
export class BackupCopy {
  readonly target: string
  readonly #disk: Disk
  readonly #onProgress: (bytesDone: number, bytesTotal: number) => void
  readonly #chunk = Buffer.allocUnsafe(chunkBytes)
  readonly #files = new Map<string, AtomicFileSync>()
  #bytesTotal = 0
  /** Bytes copied so far. */
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

  /** Sets how many bytes there will be, for the progress. */
  expect(bytes: number): void {
    this.#bytesTotal = bytes
    this.#onProgress(0, bytes)
  }

  /** Where a file of this name will be in the target. */
  nameOf(name: string): string {
    return path.join(this.target, name)
  }

  /** Where the copy of this name is until it is published. */
  partOf(name: string): string {
    return this.#files.get(name)!.temporaryPath
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
   * Copies the first `bytes` of a file to `name` and syncs them.
   *
   * @throws LogError `TIDEMARK_LOG_IO`; `TIDEMARK_LOG_CORRUPT` when the file is shorter.
   */
  async file(from: string, name: string, bytes: number): Promise<void> {
    const source = attempt('open', from, () => this.#disk.open(from, 'read'))
    try {
      const target = new AtomicFileSync(this.#disk, this.target, name)
      this.#files.set(name, target)
      for (let done = 0; done < bytes; ) {
        const chunk = this.#chunk.subarray(0, Math.min(chunkBytes, bytes - done))
        const read = attempt('read', from, () => this.#disk.readSync(source, chunk, done))
        if (read === 0) throw tooShort(from, bytes)
        target.write(chunk.subarray(0, read))
        done += read
        this.bytes += read
        this.#onProgress(this.bytes, this.#bytesTotal)
        await setImmediate()
      }
      target.finish()
    } finally {
      this.#disk.close(source)
    }
  }

  /** Gives the files these names, in this order, and makes that durable. */
  publish(names: readonly string[]): void {
    AtomicFileSync.publishAll(names.map((name) => ({ file: this.#files.get(name)!, name })))
    const parent = path.dirname(this.target)
    attempt('sync', parent, () => this.#disk.syncDirectory(parent))
  }

  /** Removes what is not complete. */
  discard(): void {
    for (const file of this.#files.values()) file.discard()
  }
}

function tooShort(file: string, bytes: number): LogError {
  return new LogError(
    'TIDEMARK_LOG_CORRUPT',
    `The log is corrupt: ${file} ends before byte ${bytes}, which it had.`,
    { file, offset: bytes },
  )
}
