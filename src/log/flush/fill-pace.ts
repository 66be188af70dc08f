import { int32, int64, type LogMemory, LogViews } from '../ring/memory.js'

/** A spare is filled this much faster than the segment before it is used up. */
const headStart = 2
const restMs = 20

/**
 * How fast a spare segment is filled. Its writes and syncs hold up the flusher's, so beside a busy log the preparer
 * rests after each piece, as long as it is well ahead of what is used up; beside an idle log it does not rest.
 */
export class FillPace {
  readonly #views: LogViews
  #roomBytes = 1
  #begun = 0
  #seen = 0

  constructor(memory: LogMemory) {
    this.#views = new LogViews(memory)
  }

  /** A spare is begun, while the active segment holds at most `roomBytes`. */
  begin(roomBytes: number): void {
    this.#roomBytes = roomBytes
    this.#begun = this.#released
    this.#seen = this.#begun
  }

  /** Rests if the log is busy and `filled`, the part of the spare that is done (0 to 1), is enough for now. */
  rest(filled: number): void {
    const released = this.#released
    const idle = released === this.#seen
    this.#seen = released
    if (idle || filled < (headStart * (released - this.#begun)) / this.#roomBytes) return
    const { control32 } = this.#views
    Atomics.wait(control32, int32.preparerSignal, Atomics.load(control32, int32.preparerSignal), restMs)
  }

  get #released(): number {
    return Number(Atomics.load(this.#views.control64, int64.released))
  }
}
