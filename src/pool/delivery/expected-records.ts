import { Queue } from '@datastructures-js/queue'
import { broken } from '../../base/assert.js'
import { commandKindNames, commandTagHigh, commandTagLow } from '../../matching/index.js'

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
      const isCommand = commandKindNames[words[at]! & 0xff] !== undefined
      this.#expected.enqueue({
        instrument: isCommand ? words[at + 1]! : undefined,
        tagLow: isCommand ? commandTagLow(words, at) : words[at + 2]! >>> 0,
        tagHigh: isCommand ? commandTagHigh(words, at) : words[at + 3]! >>> 0,
      })
    }
  }

  /** Checks the record whose command is at `from`. `more`: another record of the same command follows. */
  check(words: Int32Array, from: number, lsn: number, more: boolean): void {
    const expected = this.#expected.front()
    const instrument = words[from + 1]!
    const tagLow = commandTagLow(words, from)
    const tagHigh = commandTagHigh(words, from)
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
