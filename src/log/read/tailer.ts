import { setTimeout as sleep } from 'node:timers/promises'
import { assert } from '../../base/assert.js'
import { Turns } from '../../base/turns.js'
import type { Disk } from '../disk/disk.js'
import { isShortage } from '../errors.js'
import type { LogMemory } from '../ring/memory.js'
import { LogViews } from '../ring/memory.js'
import type { ReleasedSignal } from '../ring/released-signal.js'
import { RingReader } from '../ring/ring-reader.js'
import { type BatchChunk, wholeChunk } from './batch-walk.js'
import { FileReader } from './file-reader.js'
import type { LiveFeed } from './live-feed.js'

/** What is delivered at once: a few hundred small records. */
const chunkBytes = 32 * 1024

/** How long it waits for a descriptor until it tries again. */
const descriptorRetryMs = 50

/**
 * Reads the log as it becomes durable, once a process: from the ring while it keeps up, from the files when the flusher had
 * to detach it, and from the ring again. Chunks arrive in LSN order without gaps, always below the durable LSN; a record may
 * continue in the next chunk. Each chunk goes to the feed as well, for the readers that have caught up.
 */
export class LogTailer {
  readonly #signal: ReleasedSignal
  readonly #ring: RingReader
  readonly #disk: Disk
  readonly #directory: string
  readonly #feed: LiveFeed
  readonly #onlyForFeed: boolean
  readonly #chunkBytes: number
  readonly #buffer: Buffer
  /** Its own, not the readers': acknowledgements come out of this one, and must not wait for readers. */
  readonly #turns: Turns
  #files: FileReader | undefined
  #position: number
  #stopped = false
  #idle = false
  #wake: (() => void) | undefined
  #done: Promise<void> | undefined

  /** With `onlyForFeed` it leaves the ring while no reader needs the feed, and begins again at the durable LSN. */
  constructor(options: {
    memory: LogMemory
    signal: ReleasedSignal
    disk: Disk
    directory: string
    fromLsn: number
    feed: LiveFeed
    onlyForFeed?: boolean
    turns?: Turns
  }) {
    const { ringBytes, maxBatchBytes } = new LogViews(options.memory)
    this.#signal = options.signal
    this.#ring = new RingReader(options.memory)
    this.#disk = options.disk
    this.#directory = options.directory
    this.#feed = options.feed
    this.#onlyForFeed = options.onlyForFeed ?? false
    this.#position = options.fromLsn
    this.#chunkBytes = Math.min(ringBytes >> 3, chunkBytes)
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(maxBatchBytes, this.#chunkBytes))
    this.#turns = options.turns ?? new Turns()
    this.#ring.request()
    this.#feed.begin(this.#position)
    this.#feed.onRequested = () => this.#wake?.()
  }

  get position(): number {
    return this.#position
  }

  /** The LSN from which on it may still read the files: segments below may be removed. */
  get neededLsn(): number {
    return this.#idle ? Number.POSITIVE_INFINITY : this.#position
  }

  /**
   * Gives every chunk to `onChunk`, whose memory is used again for the next one, until `stop`. Rejects with what
   * `onChunk` throws, or when the files cannot be read. Nothing here keeps the process alive.
   */
  start(onChunk: (chunk: BatchChunk) => void): Promise<void> {
    this.#done ??= this.#run(onChunk).finally(() => this.#release())
    return this.#done
  }

  /** Ends `start` after what is released now was delivered. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake?.()
    await this.#done
  }

  async #run(onChunk: (chunk: BatchChunk) => void): Promise<void> {
    let passedLsn = this.#position
    for (;;) {
      if (this.#onlyForFeed && !this.#feed.requested) {
        if (this.#stopped) return
        await this.#pause()
        continue
      }
      const released = this.#signal.released
      if (this.#position >= released) {
        if (this.#stopped) return
        await this.#moved(released)
        continue
      }
      const chunk = this.#fromRing(released) ?? (await this.#fromFilesWhenPossible(released))
      if (!chunk) continue
      const position = this.#position
      assert(
        chunk.startLsn === position && chunk.endLsn <= released,
        'the log is tailed without a gap, below the durable LSN',
        () => ({
          startLsn: chunk.startLsn,
          endLsn: chunk.endLsn,
          position,
          released,
        }),
      )
      this.#position = chunk.endLsn
      onChunk(chunk)
      this.#feed.publish(chunk)
      if (chunk.endLsn - passedLsn < this.#chunkBytes) continue
      passedLsn = chunk.endLsn
      // What this chunk resolved runs now, within the slice, and not only when all chunks are delivered.
      await undefined
      await this.#turns.pass()
    }
  }

  #fromRing(released: number): BatchChunk | undefined {
    const attachedAt = this.#ring.attach()
    if (attachedAt === undefined) {
      if (this.#ring.detached) this.#ring.request()
      return undefined
    }
    if (this.#position < attachedAt) return undefined
    const bytes = this.#ring.read(this.#buffer, released, this.#chunkBytes)
    if (!bytes) return undefined
    this.#files?.close()
    this.#files = undefined
    const startLsn = this.#position
    return wholeChunk(this.#buffer.subarray(0, bytes), startLsn, startLsn + bytes)
  }

  /** When no descriptor is free it waits: then what it delivers comes later, and nothing is lost. */
  async #fromFilesWhenPossible(released: number): Promise<BatchChunk | undefined> {
    try {
      return await this.#fromFiles(released)
    } catch (error) {
      if (!isShortage(error) || this.#stopped) throw error
      await sleep(descriptorRetryMs, undefined, { ref: false })
      return undefined
    }
  }

  async #fromFiles(released: number): Promise<BatchChunk | undefined> {
    this.#files ??= new FileReader(this.#disk, this.#directory, this.#position, {
      chunkBytes: this.#chunkBytes,
    })
    const attachedAt = this.#ring.attach() ?? released
    return this.#files.next(Math.min(released, Math.max(attachedAt, this.#position)))
  }

  /** Leaves the ring until a reader needs the feed, and begins again at the durable LSN. */
  async #pause(): Promise<void> {
    this.#release()
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    if (this.#stopped) return
    this.#idle = false
    this.#position = this.#signal.released
    this.#ring.request()
    this.#feed.begin(this.#position)
  }

  /** Resolves when more than `seen` is released, or when it is to look again for another reason. */
  #moved(seen: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#signal.remove(look)
        resolve()
      }
      const look = () => {
        if (this.#stopped || this.#signal.released !== seen) done()
      }
      this.#wake = done
      this.#signal.add(look)
      look()
    })
  }

  #release(): void {
    this.#idle = true
    this.#files?.close()
    this.#files = undefined
    this.#ring.release()
    this.#feed.end()
  }
}
