import { alignFrame } from '../format/frame.js'
import { int32, int64, type LogMemory, LogViews, readerState, readerStateMask } from './memory.js'
import { wakeFlusher } from './signals.js'

/**
 * The one reader of the ring besides the flusher. It reads only below the mark, and copies what it reads: the flusher
 * may detach it at any moment, and a copy that was not finished before that is thrown away.
 */
export class RingReader {
  readonly #views: LogViews
  #position = 0

  constructor(memory: LogMemory) {
    this.#views = new LogViews(memory)
  }

  /** Asks the flusher for a place in the ring; `attachedAt` tells when and where it was given. */
  request(): void {
    Atomics.store(this.#views.control64, int64.readerSlot, readerState.requested)
    wakeFlusher(this.#views.control32)
  }

  /** The LSN from which the ring may be read, or `undefined` while the reader is not attached. */
  get attachedAt(): number | undefined {
    const slot = Atomics.load(this.#views.control64, int64.readerSlot)
    if ((slot & readerStateMask) !== readerState.attached) return undefined
    this.#position = Number(slot & ~readerStateMask)
    return this.#position
  }

  get detached(): boolean {
    return (Atomics.load(this.#views.control64, int64.readerSlot) & readerStateMask) === readerState.detached
  }

  /**
   * Copies whole frames from the reader's place up to `limitLsn` into `target` and moves on: as many as `bytesMax` holds,
   * or one that is larger. Returns the bytes copied, or `undefined` when the reader was detached; then nothing of `target` may be used.
   */
  read(target: Uint8Array, limitLsn: number, bytesMax = target.byteLength): number | undefined {
    const { ring8, ring32, ringBytes, control64, control32 } = this.#views
    const from = this.#position
    // A reader that was attached within a group stands above the mark until the group ends.
    const wanted = Math.max(0, Math.min(limitLsn - from, bytesMax))
    const first = Math.max(0, Math.min(limitLsn - from, target.byteLength))
    let offset = from % ringBytes
    let copied = 0
    if (wanted === limitLsn - from && offset + wanted <= ringBytes) {
      target.set(ring8.subarray(offset, offset + wanted))
      copied = wanted
    } else {
      let runStart = offset
      let run = 0
      while (copied + run < wanted) {
        // Below the mark nothing is written any more, and the mark was loaded before.
        const frameBytes = alignFrame(ring32[offset >> 2]!)
        const room = copied + run === 0 ? first : wanted
        if (frameBytes === 0 || copied + run + frameBytes > room) break
        run += frameBytes
        offset += frameBytes
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
    this.#position = from + copied
    if (Atomics.load(control32, int32.spaceWaiters) > 0) wakeFlusher(control32)
    return copied
  }

  /** Gives the place back. */
  release(): void {
    Atomics.store(this.#views.control64, int64.readerSlot, readerState.none)
    wakeFlusher(this.#views.control32)
  }
}
