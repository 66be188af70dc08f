import { Queue } from '@datastructures-js/queue'
import { broken } from '../../base/assert.js'
import { commandKinds } from '../../matching/index.js'

/** What the records of a command repeat of it. */
interface Expected {
  /** Undefined for a request that becomes commands in several instruments. */
  readonly instrument: number | undefined
  readonly tagLow: number
  readonly tagHigh: number
}

/**
 * Checks that a shard logs the commands in the order in which they were handed over, on which it rests that each promise
 * gets the report of its own command. An assertion that costs as much as a submit: for the tests.
 */
export class ExpectedRecords {
  readonly #expected = new Queue<Expected>()

  /** Notes the commands from `from` to `to` in `words`. */
  add(words: Int32Array, from: number, to: number): void {
    for (let at = from; at < to; at += words[at]! >>> 18) {
      const isCommand = (words[at]! & 0xff) <= commandKinds['instrument-change']
      const instrument = isCommand ? words[at + 1]! : undefined
      this.#expected.enqueue({ instrument, tagLow: words[at + 2]!, tagHigh: words[at + 3]! })
    }
  }

  /** Checks the record whose command is at `from`. `more`: another record of the same command follows. */
  check(words: Int32Array, from: number, lsn: number, more: boolean): void {
    const expected = this.#expected.front()
    const [, instrument, tagLow, tagHigh] = words.subarray(from, from + 4)
    const isExpected =
      expected !== null &&
      (expected.instrument ?? instrument) === instrument &&
      expected.tagLow === tagLow &&
      expected.tagHigh === tagHigh
    if (!isExpected) {
      broken('a shard logs commands in the order in which they were handed over', {
        lsn,
        instrument,
        tagLow,
        tagHigh,
        ...(expected && { expectedInstrument: expected.instrument, expectedTagLow: expected.tagLow }),
      })
    }
    if (!more) this.#expected.dequeue()
  }
}
