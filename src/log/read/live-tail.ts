import { type BatchChunk, batchEndAt, wholeChunk } from './batch-walk.js'

/** A reader gets about this much at once, so that it decodes for a moment and not for a whole buffer. */
export const takeBytes = 16 * 1024

interface Run {
  readonly memory: Buffer
  from: number
  to: number
}

/**
 * What one reader has not taken yet of the live log: contiguous, bounded in bytes, shared with other readers. When it
 * is full it takes nothing more, and what it holds stays whole.
 */
export class LiveTail {
  readonly #bytesMax: number
  readonly #runs: Run[] = []
  #startLsn: number
  #bytes = 0
  #ended = false
  #full = false
  #wake: (() => void) | undefined

  constructor(startLsn: number, bytesMax: number) {
    this.#startLsn = startLsn
    this.#bytesMax = bytesMax
  }

  /** LSN of the first byte that `take` gives. */
  get startLsn(): number {
    return this.#startLsn
  }

  /** LSN after the last byte that is here. */
  get endLsn(): number {
    return this.#startLsn + this.#bytes
  }

  get bufferedBytes(): number {
    return this.#bytes
  }

  /** Whether nothing more is added: it was full, or the tailer ended. What is here can still be taken. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether it ended because it was full. */
  get full(): boolean {
    return this.#full
  }

  /** Adds the batches of `memory` from `from` to `to`, which are at `endLsn`; returns whether there was room. */
  add(memory: Buffer, from: number, to: number): boolean {
    if (this.#bytes + to - from > this.#bytesMax) {
      this.#full = true
      this.end()
      return false
    }
    if (from === to) return true
    const last = this.#runs.at(-1)
    if (last?.memory === memory && last.to === from) last.to = to
    else this.#runs.push({ memory, from, to })
    this.#bytes += to - from
    this.#wake?.()
    return true
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  /** The next batches, or `undefined` when there are none now. Their memory stays as it is. */
  take(): BatchChunk | undefined {
    const run = this.#runs[0]
    if (!run) return undefined
    const from = run.from
    run.from = run.to - from <= takeBytes ? run.to : batchesEnd(run.memory, from, run.to)
    if (run.from === run.to) this.#runs.shift()
    const bytes = run.from - from
    const startLsn = this.#startLsn
    this.#startLsn += bytes
    this.#bytes -= bytes
    return wholeChunk(run.memory.subarray(from, run.from), startLsn, this.#startLsn)
  }

  /** Resolves when there is something to take, when nothing more will be added, or when `abort` fires. */
  ready(abort: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        abort.removeEventListener('abort', done)
        this.#wake = undefined
        resolve()
      }
      if (this.#bytes > 0 || this.#ended || abort.aborted) resolve()
      else {
        this.#wake = done
        abort.addEventListener('abort', done)
      }
    })
  }
}

/** Where the batch ends that passes `takeBytes`: one batch at least. */
function batchesEnd(memory: Buffer, from: number, to: number): number {
  let at = from
  while (at < to && at - from < takeBytes) at = batchEndAt(memory, at)
  return at
}
