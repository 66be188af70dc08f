import type { Disk } from './disk.js'
import { FileReader, type FrameChunk } from './file-reader.js'
import type { LogMemory } from './memory.js'
import { LogViews } from './memory.js'
import type { ReleasedSignal } from './released-signal.js'
import { RingReader } from './ring-reader.js'

/**
 * Follows the log live, once a process: from the ring while it keeps up, from the files when it was detached, and
 * back. Chunks arrive in LSN order without gaps, always below the mark, and end at group ends or within a group whose
 * rest the next chunk brings.
 */
export class LogFollower {
  readonly #signal: ReleasedSignal
  readonly #ring: RingReader
  readonly #disk: Disk
  readonly #directory: string
  readonly #buffer: Buffer
  #files: FileReader | undefined
  #position: number
  #stopped = false
  #wake: (() => void) | undefined
  #done: Promise<void> | undefined

  constructor(options: {
    memory: LogMemory
    signal: ReleasedSignal
    disk: Disk
    directory: string
    fromLsn: number
  }) {
    const { ringBytes, maxFrameBytes } = new LogViews(options.memory)
    this.#signal = options.signal
    this.#ring = new RingReader(options.memory)
    this.#disk = options.disk
    this.#directory = options.directory
    this.#position = options.fromLsn
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(maxFrameBytes, Math.min(ringBytes >> 3, 1024 * 1024)))
    this.#ring.request()
  }

  get position(): number {
    return this.#position
  }

  /**
   * Gives every chunk to `onChunk`, whose memory is used again for the next one, until `stop`. Rejects with what
   * `onChunk` throws, or when the files cannot be read. `wanted` says whether anybody waits for what comes; while
   * nobody does, nothing keeps the process alive.
   */
  start(onChunk: (chunk: FrameChunk) => void): Promise<void> {
    this.#done ??= this.#run(onChunk).finally(() => this.#release())
    return this.#done
  }

  /** Ends `start` after what is released now was delivered. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake?.()
    await this.#done
  }

  async #run(onChunk: (chunk: FrameChunk) => void): Promise<void> {
    for (;;) {
      const released = this.#signal.released
      if (this.#position >= released) {
        if (this.#stopped) return
        await this.#moved(released)
        continue
      }
      const chunk = this.#fromRing(released) ?? (await this.#fromFiles(released))
      if (!chunk) continue
      this.#position = chunk.endLsn
      onChunk(chunk)
    }
  }

  #fromRing(released: number): FrameChunk | undefined {
    const attachedAt = this.#ring.attachedAt
    if (attachedAt === undefined) {
      if (this.#ring.detached) this.#ring.request()
      return undefined
    }
    if (this.#position < attachedAt) return undefined
    const bytes = this.#ring.read(this.#buffer, released)
    if (!bytes) return undefined
    this.#files?.close()
    this.#files = undefined
    const startLsn = this.#position
    return { bytes: this.#buffer.subarray(0, bytes), startLsn, endLsn: startLsn + bytes }
  }

  async #fromFiles(released: number): Promise<FrameChunk | undefined> {
    this.#files ??= new FileReader(this.#disk, this.#directory, this.#position)
    const attachedAt = this.#ring.attachedAt ?? released
    return this.#files.next(Math.min(released, Math.max(attachedAt, this.#position)))
  }

  #moved(seen: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      this.#signal.until(() => this.#stopped || this.#signal.released !== seen).then(resolve)
    })
  }

  #release(): void {
    this.#files?.close()
    this.#ring.release()
  }
}
