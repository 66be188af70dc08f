import { assert } from '../../base/assert.js'
import { int32, int64, type LogMemory, LogViews, readerState, readerStateMask } from './memory.js'
import { wakeFlusher } from './signals.js'

/**
 * The one reader of the ring besides the flusher. It reads only below the durable LSN, and copies what it reads.
 *
 * Its place and state are one word, `readerSlot`, which the flusher changes too: it attaches a reader that requests a place,
 * and detaches one that is too slow, at any moment. So `read` copies first, and then moves the place by a compare-and-exchange:
 * if that fails, the flusher may have overwritten what was copied, and the copy is discarded.
 */
export class RingReader {
  readonly #views: LogViews
  #position = 0

  constructor(memory: LogMemory) {
    this.#views = new LogViews(memory)
  }

  /** Requests a place in the ring of the flusher; `attach` takes it. */
  request(): void {
    Atomics.store(this.#views.control64, int64.readerSlot, readerState.requested)
    wakeFlusher(this.#views.control32)
  }

  /** Continues at the place that the flusher gave, and returns its LSN; `undefined` while there is none. */
  attach(): number | undefined {
    const slot = Atomics.load(this.#views.control64, int64.readerSlot)
    if ((slot & readerStateMask) !== readerState.attached) return undefined
    this.#position = Number(slot & ~readerStateMask)
    return this.#position
  }

  get detached(): boolean {
    return (Atomics.load(this.#views.control64, int64.readerSlot) & readerStateMask) === readerState.detached
  }

  /**
   * Copies whole batches from the reader's place up to `limitLsn` into `target` and moves on: as many as `bytesMax` holds,
   * or one that is larger. Returns the bytes copied, or `undefined` when the reader was detached: then nothing of `target`
   * may be used.
   */
  read(target: Uint8Array, limitLsn: number, bytesMax = target.byteLength): number | undefined {
    const { ring8, ring32, ringBytes, control64, control32 } = this.#views
    const from = this.#position
    // A reader that was attached within a record in pieces stands above the durable LSN until the record ends.
    const bytes = Math.max(0, Math.min(limitLsn - from, bytesMax))
    const first = Math.max(0, Math.min(limitLsn - from, target.byteLength))
    let offset = from % ringBytes
    let copied = 0
    if (bytes === limitLsn - from && offset + bytes <= ringBytes) {
      target.set(ring8.subarray(offset, offset + bytes))
      copied = bytes
    } else {
      let runStart = offset
      let run = 0
      while (copied + run < bytes) {
        // Batches below the durable LSN don't change while this reader is attached, and `limitLsn` was loaded before.
        const batchBytes = ring32[offset >> 2]!
        const room = copied + run === 0 ? first : bytes
        if (batchBytes === 0 || copied + run + batchBytes > room) break
        run += batchBytes
        offset += batchBytes
        if (offset < ringBytes) continue
        target.set(ring8.subarray(runStart, runStart + run), copied)
        copied += run
        run = 0
        offset -= ringBytes
        runStart = offset
      }
      target.set(ring8.subarray(runStart, runStart + run), copied)
      copied += run
    }
    const before = BigInt(from) | readerState.attached
    const after = BigInt(from + copied) | readerState.attached
    if (Atomics.compareExchange(control64, int64.readerSlot, before, after) !== before) return undefined
    // Only now: what a detached reader has copied may be anything.
    assert(
      copied % 8 === 0 && from + copied <= Math.max(from, limitLsn) && copied <= target.byteLength,
      'a reader of the ring copies whole batches below the durable LSN',
      () => ({ from, copied, limitLsn, targetBytes: target.byteLength }),
    )
    this.#position = from + copied
    if (Atomics.load(control32, int32.spaceWaiters) > 0) wakeFlusher(control32)
    return copied
  }

  /** Leaves the ring. */
  release(): void {
    Atomics.store(this.#views.control64, int64.readerSlot, readerState.none)
    wakeFlusher(this.#views.control32)
  }
}
