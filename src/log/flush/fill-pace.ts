import { int32, int64, type LogMemory, LogViews } from '../ring/memory.js'

/** A segment is preallocated this many times as fast as the active one fills up. */
const headStart = 2
const restMs = 20

/**
 * How fast a segment is preallocated. The writes and syncs of zeros hold up the flusher's, so beside a busy log the
 * preallocator rests after each piece, as long as it is well ahead of the active segment; beside an idle log it does not rest.
 */
export class FillPace {
  readonly #views: LogViews
  #roomBytes = 1
  #begun = 0
  #seen = 0

  constructor(memory: LogMemory) {
    this.#views = new LogViews(memory)
  }

  /** Call when a segment is begun; the active one holds at most `roomBytes`. */
  begin(roomBytes: number): void {
    this.#roomBytes = roomBytes
    this.#begun = this.#released
    this.#seen = this.#begun
  }

  /** Rests if the log is busy and `filled`, the part of the segment that is done (0 to 1), is enough for now. */
  rest(filled: number): void {
    const released = this.#released
    const idle = released === this.#seen
    this.#seen = released
    if (idle || filled < (headStart * (released - this.#begun)) / this.#roomBytes) return
    const { control32 } = this.#views
    Atomics.wait(
      control32,
      int32.preallocatorSignal,
      Atomics.load(control32, int32.preallocatorSignal),
      restMs,
    )
  }

  get #released(): number {
    return Number(Atomics.load(this.#views.control64, int64.released))
  }
}
