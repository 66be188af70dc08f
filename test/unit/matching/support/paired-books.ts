import {
  type DecodedCommand,
  type DecodedEvent,
  decodeCommand,
  decodeEvents,
  MatchingEngine,
  RecordBuffer,
} from '#tidemark/matching/index.js'
import { NaiveEngine } from '../../../support/naive-book.js'

/** The fast engine and the naive one side by side; every difference throws. */
export class PairedBooks {
  readonly engine: MatchingEngine
  readonly naive = new NaiveEngine()
  readonly #record = new RecordBuffer()
  /** What the last command caused. */
  lastEvents: DecodedEvent[] = []

  constructor(hashSeed: number) {
    this.engine = new MatchingEngine({ hashSeed })
  }

  /** Gives the command at a word offset to both and compares what they report. */
  apply(words: Int32Array, at: number, verify = true): DecodedCommand {
    const record = this.#record
    record.reset()
    this.engine.apply(words, at, record)
    const command = decodeCommand(words, at)!
    const expected = this.naive.apply(command)
    const actual = decodeEvents(record.i32, 0, record.byteLength / 4)
    if (!same(actual, expected)) {
      throw new Error(`${show(command)}\n   fast: ${show(actual)}\n  naive: ${show(expected)}`)
    }
    this.lastEvents = actual
    if (verify) this.engine.verify()
    return command
  }

  /** Compares the whole state of a book. */
  compareState(instrumentId: number): void {
    const actual = this.engine.bookState(instrumentId)
    const expected = this.naive.bookState(instrumentId)
    if (!same(actual, expected))
      throw new Error(`state\n   fast: ${show(actual)}\n  naive: ${show(expected)}`)
  }
}

function show(value: unknown): string {
  return JSON.stringify(value)
}

/** Deep equality of plain data; much faster than the assertion libraries' own. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  let keys = 0
  for (const key in left) {
    if (!same(left[key], right[key])) return false
    keys++
  }
  for (const _ in right) keys--
  return keys === 0
}
