import { isShortage, LogError, shortageError, shortageOf } from '../errors.js'
import { fullFor, int32, int64, type LogViews, logState, noteShortage } from '../ring/memory.js'
import { wakePreallocator } from '../ring/signals.js'
import type { SegmentWriter } from './segment-writer.js'

/** How long the flusher waits for room until it looks again. */
const lookMs = 1000
/** The flusher's bits of the diskFull word. */
const ownBits = fullFor.flusher | fullFor.ahead

/**
 * Makes room on the disk for the next batch, and says in shared memory how much there is and whether the disk is full for
 * it. The flusher's alone.
 */
export class SegmentRoom {
  readonly #views: LogViews
  readonly #segments: SegmentWriter
  readonly #rotate: () => void
  readonly #mayRotate: () => boolean
  readonly #onDisk: (full: LogError | undefined) => void
  #shortage: LogError | undefined

  /** `onDisk` is called with the reason when the disk has no room for the next batch, and without one when it has again. */
  constructor(options: {
    views: LogViews
    segments: SegmentWriter
    rotate: () => void
    /** Whether the log may continue in a new segment now. Default: at any time. */
    mayRotate?: () => boolean
    onDisk: (full: LogError | undefined) => void
  }) {
    this.#views = options.views
    this.#segments = options.segments
    this.#rotate = options.rotate
    this.#mayRotate = options.mayRotate ?? (() => true)
    this.#onDisk = options.onDisk
    this.#publishEnd()
  }

  /** Continues in a new segment, if the disk has room for it; returns whether it does. */
  tryRotate(): boolean {
    return this.#tryTo(this.#rotate, fullFor.flusher)
  }

  /** Opens the preallocated segment, if one waits for that. */
  openAhead(): void {
    const isFull = (Atomics.load(this.#views.control32, int32.diskFull) & fullFor.ahead) !== 0
    if (this.#segments.mayOpenAhead || isFull) this.#tryTo(() => this.#segments.openAhead(), fullFor.ahead)
  }

  /** While there was no room for something that nothing in the ring waits for, such as a sync marker, looks for some again. */
  retry(): void {
    if ((Atomics.load(this.#views.control32, int32.diskFull) & fullFor.flusher) !== 0) this.make()
  }

  /** Extends the active segment or continues in the next one, if it may; returns whether there is more room now. */
  make(): boolean {
    if (!this.#segments.canExtend && !this.#mayRotate()) return false
    if (this.#tryTo(() => this.#extend() || this.#rotate(), fullFor.flusher)) return true
    // The active segment can't be extended; a preallocated one has room already.
    return this.#segments.hasPreallocated && this.#mayRotate() && this.tryRotate()
  }

  /**
   * Makes room for a batch that has none. While the disk is full it waits, with the batch in the ring and nothing torn, for
   * the preallocator to find room: that wakes the flusher after it took its bit from `diskFull`.
   *
   * @throws LogError `TIDEMARK_DISK_FULL`, `TIDEMARK_TOO_MANY_FILES`, when the log closes, so that nothing can wait.
   */
  await(lsn: number): void {
    const { control32 } = this.#views
    const signal = Atomics.load(control32, int32.flusherSignal)
    if (this.make()) return
    if (Atomics.load(control32, int32.state) >= logState.closing) {
      throw shortageError(this.#segments.directory, shortageOf(this.#shortage) ?? 'space', { lsn })
    }
    Atomics.wait(control32, int32.flusherSignal, signal, lookMs)
  }

  /** With a preallocated segment to continue in, that the active one can't be extended is no shortage. */
  #extend(): boolean {
    try {
      return this.#segments.extend()
    } catch (error) {
      if (isShortage(error) && this.#segments.hasPreallocated && this.#mayRotate()) return false
      throw error
    }
  }

  /** Does what a shortage may refuse, and then leaves everything as it was; returns whether it was done. */
  #tryTo(action: () => unknown, bit: number): boolean {
    const { control32 } = this.#views
    try {
      action()
      this.#publishEnd()
      const before = Atomics.and(control32, int32.diskFull, ~bit)
      if ((before & bit) !== 0) {
        if ((before & ownBits & ~bit) === 0) this.#onDisk(undefined)
        // It may have kept its own bit for this one.
        wakePreallocator(control32)
      }
      return true
    } catch (error) {
      if (!(error instanceof LogError && isShortage(error))) throw error
      this.#shortage = error
      const before = noteShortage(control32, bit, shortageOf(error)!)
      if ((before & ownBits) === 0) this.#onDisk(error)
      wakePreallocator(control32)
      return false
    }
  }

  #publishEnd(): void {
    Atomics.store(this.#views.control64, int64.roomEnd, BigInt(this.#segments.limit))
  }
}
