import { assert } from '../../base/assert.js'

/**
 * Which of several ranges that land in any order form one piece from the beginning: only that far is a log replicated. What
 * landed after a gap counts when the gap is closed.
 */
export class ContiguousPrefix {
  #endLsn: number
  /** Ranges after a gap: where each begins, and ends. */
  readonly #loose = new Map<number, number>()

  constructor(beginLsn: number) {
    this.#endLsn = beginLsn
  }

  /** Everything before this has landed. */
  get endLsn(): number {
    return this.#endLsn
  }

  /** Notes that a range landed, and returns the end of the prefix. A range that is known changes nothing. */
  add(startLsn: number, endLsn: number): number {
    assert(endLsn > startLsn, 'a range that landed is not empty', () => ({ startLsn, endLsn }))
    if (startLsn < this.#endLsn) return this.#endLsn
    this.#loose.set(startLsn, endLsn)
    for (let end = this.#loose.get(this.#endLsn); end !== undefined; end = this.#loose.get(this.#endLsn)) {
      this.#loose.delete(this.#endLsn)
      this.#endLsn = end
    }
    return this.#endLsn
  }
}
