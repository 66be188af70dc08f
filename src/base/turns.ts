/** How long what reads may hold the event loop before everything else gets its turn. */
export const sliceMs = 2
/** The same while acknowledgements are due, which then have the event loop for as long before reading continues. */
export const busySliceMs = 1

interface Waiting {
  readonly resume: () => void
  readonly due: () => boolean
}

/**
 * Shares the event loop between all who read in this thread and everything else: reading gets one slice of time, and who
 * comes when it is used up waits for a later one, in the order in which they came. Between two slices every timer and socket
 * gets its turn; while acknowledgements are due, reading also waits as long as it has held the event loop, so it takes
 * half of it at most, however many read.
 */
export class Turns {
  readonly #now: () => number
  readonly #next: (turn: () => void) => void
  readonly #later: (turn: () => void, ms: number) => void
  readonly #waiting: Waiting[] = []
  readonly #turn = () => this.#resume()
  readonly #close = () => this.#closeSlice()
  #open = false
  #sinceMs = 0
  /** When the slice was found used up; 0 while it is not. */
  #usedUpMs = 0

  /** `next` calls back in the next turn of the event loop that is free for it, `later` after so many milliseconds. */
  constructor(
    now: () => number = () => performance.now(),
    next: (turn: () => void) => void = (turn) => void setImmediate(turn),
    later: (turn: () => void, ms: number) => void = (turn, ms) => void setTimeout(turn, ms),
  ) {
    this.#now = now
    this.#next = next
    this.#later = later
  }

  /**
   * Call between two pieces of work: `undefined`, or a promise that resolves when the next piece may begin. `due` says
   * whether acknowledgements are due that the reading would delay.
   */
  pass(due: () => boolean = never): Promise<void> | undefined {
    if (!this.#open) this.#openSlice()
    const nowMs = this.#now()
    const isUsedUp = this.#usedUpMs > 0 || nowMs - this.#sinceMs >= (due() ? busySliceMs : sliceMs)
    if (isUsedUp) this.#usedUpMs ||= nowMs
    else if (this.#waiting.length === 0) return undefined
    const passed = new Promise<void>((resume) => {
      this.#waiting.push({ resume, due })
    })
    // What is left of the slice belongs to who has waited longest.
    if (!isUsedUp) this.#waiting.shift()!.resume()
    return passed
  }

  #openSlice(): void {
    this.#open = true
    this.#sinceMs = this.#now()
    this.#usedUpMs = 0
    this.#next(this.#close)
  }

  #closeSlice(): void {
    if (this.#waiting.length === 0) this.#open = false
    // A slice that began while the loop looked for events ends in the same turn of it, before any timer.
    else if (this.#usedUpMs > 0) this.#next(this.#turn)
    else this.#resume()
  }

  #resume(): void {
    const { resume, due } = this.#waiting[0]!
    const restMs = this.#usedUpMs + (this.#usedUpMs - this.#sinceMs) - this.#now()
    if (this.#usedUpMs > 0 && restMs > 0 && due()) {
      this.#later(this.#turn, Math.ceil(restMs))
      return
    }
    this.#waiting.shift()
    this.#openSlice()
    resume()
  }
}

function never(): boolean {
  return false
}

/** The readers of this thread, of whatever log. */
export const readerTurns = new Turns()
