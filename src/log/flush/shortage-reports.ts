import type { DiskMessage } from '../errors.js'
import { int32 } from '../ring/memory.js'

/**
 * Makes one pair of reports, of a shortage and of its end, out of those of two threads. Their messages come in no order
 * between the threads, so the end is read from the diskFull word: the thread that clears its last bit sends a message after that.
 */
export class ShortageReports {
  readonly #control32: Int32Array
  #reported = false

  constructor(control32: Int32Array) {
    this.#control32 = control32
  }

  /** Whether the owner is to hear of this message. */
  passes({ kind }: Exclude<DiskMessage, { kind: 'preallocation-failed' }>): boolean {
    const full = kind === 'disk-full'
    if (full === this.#reported) return false
    if (!full && Atomics.load(this.#control32, int32.diskFull) !== 0) return false
    this.#reported = full
    return true
  }
}
