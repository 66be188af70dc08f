import { assert, broken } from '../../base/assert.js'
import type { BatchChunk } from './batch-walk.js'
import { LiveTail } from './live-tail.js'

const slabBytes = 64 * 1024

/**
 * Gives what the process's one tailer reads to every reader that has caught up. A chunk is copied once, whatever the number
 * of readers, and not at all when there is none. A reader that stops taking costs its own buffer and nothing else: when that
 * is full the reader gets nothing more, and continues in the files.
 */
export class LiveFeed {
  /** Called when a reader has caught up and no tailer runs. */
  onRequested: () => void = () => {}
  readonly #tails = new Set<LiveTail>()
  #members = 0
  #running = false
  #position = 0
  #slab = Buffer.alloc(0)
  #used = 0

  /** LSN up to which the tailer has read. */
  get position(): number {
    return this.#position
  }

  /** Whether a reader that has caught up once is open. */
  get requested(): boolean {
    return this.#members > 0
  }

  /** Readers that are attached now. */
  get attached(): number {
    return this.#tails.size
  }

  /** Notes that a reader has caught up. It calls `leave` once, when it is closed. */
  join(): void {
    this.#members++
    if (!this.#running) this.onRequested()
  }

  leave(): void {
    this.#members--
  }

  /**
   * Attaches a reader that has read up to `lsn`: its tail holds all from its `startLsn` on, and the reader gets what
   * lies before it from the files. `undefined` when no tailer runs, or when more than half of the reader's buffer lies
   * between the reader and the tailer: the buffer would be full before the reader came to it.
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

  /** The tailer begins, or begins again, at this LSN. */
  begin(lsn: number): void {
    this.#running = true
    this.#position = lsn
  }

  /** Takes a chunk whose memory is used again; it begins where the last one ended. */
  publish(chunk: BatchChunk): void {
    const { startLsn } = chunk
    assert(startLsn === this.#position, 'the feed gets the log without a gap', () => ({
      startLsn,
      position: this.#position,
    }))
    this.#position = chunk.endLsn
    if (this.#tails.size === 0) return
    const bytes = chunk.endLsn - startLsn
    const at = this.#copy(chunk.bytes, bytes)
    for (const tail of this.#tails) {
      // A reader that was further in the files than the tailer in the ring has the beginning already.
      const known = Math.min(bytes, Math.max(0, tail.endLsn - chunk.startLsn))
      if (tail.endLsn < startLsn) broken('a reader is fed without a gap', { endLsn: tail.endLsn, startLsn })
      if (!tail.add(this.#slab, at + known, at + bytes)) this.#tails.delete(tail)
    }
  }

  /** The tailer ends: each attached reader takes what its tail holds, then the files. */
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
