import type { BatchChunk } from './batch-walk.js'
import { LiveTail } from './live-tail.js'

const slabBytes = 64 * 1024

/**
 * Gives what the process's one follower reads to every reader that has caught up. A chunk is copied once, whatever the
 * number of readers, and not at all when there is none. A reader that stops taking costs its own buffer and nothing
 * else: when that is full it gets nothing more, and goes over to the files.
 */
export class LiveFeed {
  /** Called when somebody wants what nobody reads yet. */
  onWanted: () => void = () => {}
  readonly #tails = new Set<LiveTail>()
  #members = 0
  #running = false
  #position = 0
  #slab = Buffer.alloc(0)
  #used = 0

  /** LSN up to which the follower has read. */
  get position(): number {
    return this.#position
  }

  /** Whether any reader keeps up, or did until a moment ago, and is not closed. */
  get wanted(): boolean {
    return this.#members > 0
  }

  /** Readers that are attached now. */
  get attached(): number {
    return this.#tails.size
  }

  /** Says that a reader has caught up and wants what comes next; as many calls of `leave` follow. */
  join(): void {
    this.#members++
    if (!this.#running) this.onWanted()
  }

  leave(): void {
    this.#members--
  }

  /**
   * Attaches a reader that has read up to `lsn`: its tail holds all from its `startLsn` on, and the reader gets what
   * lies before it from the files. `undefined` when nobody follows the log now, or when the reader is behind by more
   * than half of its buffer: it would be full before the reader was there.
   */
  attach(lsn: number, bufferBytes: number): LiveTail | undefined {
    if (!this.#running || this.#position - lsn > bufferBytes / 2) return undefined
    const tail = new LiveTail(Math.max(lsn, this.#position), bufferBytes)
    this.#tails.add(tail)
    return tail
  }

  detach(tail: LiveTail): void {
    this.#tails.delete(tail)
  }

  /** The follower begins, or begins again, at this LSN. */
  begin(lsn: number): void {
    this.#running = true
    this.#position = lsn
  }

  /** Takes a chunk whose memory is used again; it begins where the last one ended. */
  publish(chunk: BatchChunk): void {
    this.#position = chunk.endLsn
    if (this.#tails.size === 0) return
    const bytes = chunk.endLsn - chunk.startLsn
    const at = this.#copy(chunk.bytes, bytes)
    for (const tail of this.#tails) {
      // One that read the files further than the follower was has the beginning already.
      const known = Math.min(bytes, Math.max(0, tail.endLsn - chunk.startLsn))
      if (!tail.add(this.#slab, at + known, at + bytes)) this.#tails.delete(tail)
    }
  }

  /** The follower ends: who is attached reads what it has, then the files. */
  end(): void {
    this.#running = false
    for (const tail of this.#tails) tail.end()
    this.#tails.clear()
    this.#slab = Buffer.alloc(0)
    this.#used = 0
  }

  #copy(bytes: Buffer, length: number): number {
    if (this.#used + length > this.#slab.byteLength) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, length))
      this.#used = 0
    }
    const at = this.#used
    bytes.copy(this.#slab, at, 0, length)
    this.#used += length
    return at
  }
}
