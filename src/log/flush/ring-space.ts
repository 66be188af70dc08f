import { assert } from '../../base/assert.js'
import { float64, int32, int64, type LogViews, readerState, readerStateMask } from '../ring/memory.js'

const zeros = new Uint8Array(64 * 1024)

/** `fill` on shared memory goes byte by byte (1.7 GB/s); copying zeros does not (12 GB/s). */
function zero(bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at += zeros.byteLength) {
    bytes.set(to - at < zeros.byteLength ? zeros.subarray(0, to - at) : zeros, at)
  }
}

/** Frees space of the ring for producers: what is written and what the ring's reader has passed. The flusher's alone. */
export class RingSpace {
  readonly #views: LogViews
  /** LSN below which the space of the ring is free again. */
  #freed: number

  constructor(views: LogViews) {
    this.#views = views
    this.#freed = Number(Atomics.load(views.control64, int64.released))
  }

  /**
   * Frees what is written below `written`, is released (before `heldLsn`), and no reader needs. It is zeroed first, so that
   * a stale length never looks published. `heldLsn`: up to where the reader may read, where that is below `written`.
   *
   * A producer that waits for space adds itself to `spaceWaiters`, remembers `limitSignal`, and only then looks at
   * `claimLimit`. If `spaceWaiters` is still 0 here, it adds itself after this, so it sees the new limit: no notify is needed.
   */
  advance(written: number, heldLsn = written): void {
    const { control64, control32, ringBytes, ring8 } = this.#views
    // What is held may have been free a moment ago, as a part of a record that has ended since.
    const free = Math.max(this.#freed, Math.min(heldLsn, this.#attendReader(written, heldLsn)))
    if (free === this.#freed) return
    assert(
      free > this.#freed && free <= written,
      'free space of the ring only grows, up to what is written',
      () => ({
        freed: this.#freed,
        free,
        written,
      }),
    )
    const from = this.#freed % ringBytes
    const bytes = free - this.#freed
    zero(ring8, from, Math.min(ringBytes, from + bytes))
    if (from + bytes > ringBytes) zero(ring8, 0, from + bytes - ringBytes)
    this.#freed = free
    Atomics.store(control64, int64.claimLimit, BigInt(free + ringBytes))
    Atomics.add(control32, int32.limitSignal, 1)
    if (Atomics.load(control32, int32.spaceWaiters) > 0) Atomics.notify(control32, int32.limitSignal)
  }

  /**
   * Attaches the ring's reader if it asks for it, and detaches one that keeps half of the ring: it goes over to the files.
   * Returns the LSN below which neither it nor the flusher needs the ring.
   */
  #attendReader(written: number, heldLsn: number): number {
    const { control64, ringBytes } = this.#views
    for (;;) {
      const slot = Atomics.load(control64, int64.readerSlot)
      const state = slot & readerStateMask
      if (state === readerState.requested) {
        // The ring has everything from what is free on.
        const position = Math.max(this.#freed, heldLsn)
        const attached = BigInt(position) | readerState.attached
        if (Atomics.compareExchange(control64, int64.readerSlot, slot, attached) === slot) return position
        continue
      }
      if (state !== readerState.attached) return written
      const position = Number(slot & ~readerStateMask)
      assert(
        position >= this.#freed && position <= written,
        "the reader's place in the ring is between what is free and what is written",
        () => ({ freed: this.#freed, position, written }),
      )
      if (heldLsn - position <= ringBytes / 2) return position
      const detached = BigInt(position) | readerState.detached
      if (Atomics.compareExchange(control64, int64.readerSlot, slot, detached) === slot) {
        this.#views.statistics[float64.readerDetached]! += 1
        return written
      }
    }
  }
}
