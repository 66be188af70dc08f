import { broken } from '../../base/assert.js'
import {
  createSpscControl,
  SpscReader,
  SpscWriter,
  spscCapacity,
  spscStatistics,
} from '../../base/spsc-ring.js'

/**
 * The way of commands from the caller's thread to one shard: a ring of 32-bit words with one writer and one reader. A
 * command begins at its position mod the capacity and continues into an overhang of the largest command after the ring's
 * end, so it is contiguous and needs no padding.
 */
export interface InboundMemory {
  readonly control: SharedArrayBuffer
  readonly records: SharedArrayBuffer
}

/** Indexes into a `Float64Array` of the control block, counted by the shard. */
export const shardCounter = {
  commands: spscStatistics,
  trades: spscStatistics + 1,
  rejected: spscStatistics + 2,
  longestAnswerMs: spscStatistics + 3,
} as const

/** No command is longer: `maxCommandWords`, with room to grow. */
export const inboundRecordWordsMax = 512

/** Memory for at least `words` of commands that are not consumed yet. */
export function createInboundMemory(words: number): InboundMemory {
  const control = createSpscControl(words)
  return { control, records: new SharedArrayBuffer((spscCapacity(control) + inboundRecordWordsMax) * 4) }
}

/** The caller's end. */
export class InboundWriter extends SpscWriter {
  readonly counters: Float64Array
  /** The ring's words, for commands that are encoded where they stand. */
  readonly words: Int32Array
  #isReserved = false

  constructor(memory: InboundMemory) {
    super(memory.control)
    this.words = new Int32Array(memory.records)
    this.counters = new Float64Array(memory.control)
  }

  /** Whether so many words fit now. None do while a command is encoded in the room that was reserved. */
  override fits(words: number): boolean {
    return !this.#isReserved && super.fits(words)
  }

  /**
   * Word offset in `words` at which the next command may be encoded, of at most so many words; -1 when there is no room. The
   * shard sees it when it is committed. Nothing else finds room before that, or before `cancel`: a command is read by
   * getters and proxies of the caller's, and a call of the pool in one of them would write to the same place.
   */
  reserve(words: number): number {
    if (!this.fits(words)) return -1
    this.#isReserved = true
    return this.place
  }

  /** Gives up the room that was reserved. */
  cancel(): void {
    this.#isReserved = false
  }

  /** Hands over the command, of so many words, that was encoded where room was reserved. See `write` for `wake`. */
  commit(words: number): void {
    if (words > inboundRecordWordsMax) broken('a command fits into the overhang', { words })
    this.#isReserved = false
    this.publish(words)
  }

  /**
   * Writes the commands that stand one after the other in `words` from `from` to `to`; each says its length in the upper
   * half of its first word, in bytes. The caller has made sure that they fit, and calls `wake` when it has written all
   * that it has for now: waking a thread costs more than a command.
   */
  write(words: Int32Array, from: number, to: number): void {
    const records = this.words
    const { capacity, place } = this
    let split = to
    if (place + (to - from) > capacity) {
      split = from
      while (split < to && place + (split - from) < capacity) split += words[split]! >>> 18
    }
    copyWords(words, from, split, records, place)
    if (split < to) copyWords(words, split, to, records, place + (split - from) - capacity)
    this.publish(to - from)
  }
}

/** The shard's end. */
export class InboundReader extends SpscReader {
  readonly words: Int32Array
  readonly counters: Float64Array

  constructor(memory: InboundMemory) {
    super(memory.control)
    this.words = new Int32Array(memory.records)
    this.counters = new Float64Array(memory.control)
  }

  /** Word offset of the next command in `words`, or -1 when there is none now. */
  next(): number {
    return this.some ? this.place : -1
  }

  /** Takes the command at `offset`. Its words stay until `release`. */
  advance(offset: number): void {
    this.take(this.words[offset]! >>> 18)
  }
}

const loopWordsMax = 48

function copyWords(source: Int32Array, from: number, to: number, target: Int32Array, at: number): void {
  if (to - from > loopWordsMax) {
    target.set(source.subarray(from, to), at)
    return
  }
  for (let i = from; i < to; i++) target[at++] = source[i]!
}
