/**
 * The way of commands from the caller's thread to one shard: a ring in shared memory with one writer and one reader.
 * Positions count 32-bit words and wrap at 2^32; a record begins at its position mod the capacity and runs on into
 * the overhang, so records are contiguous and need no padding.
 *
 * ```
 *  control, one 128-byte line for each writer
 *
 *  byte   word                written by   read by
 *  -----  ------------------  -----------  -----------
 *      0  capacityWords       opener       both
 *    128  writePosition  i32  caller       shard
 *    256  readPosition   i32  shard        caller
 *    384  asleep         i32  both         both (wait)
 *    512  stop           i32  opener       shard
 *    640  statistics     f64  shard        opener
 * ```
 */
export interface InboundMemory {
  readonly control: SharedArrayBuffer
  readonly records: SharedArrayBuffer
}

const word = { capacity: 0, write: 128 >> 2, read: 256 >> 2, asleep: 384 >> 2, stop: 512 >> 2 } as const

/** Indexes into a `Float64Array` of the control block, counted by the shard. */
export const shardCounter = {
  commands: 640 >> 3,
  trades: 648 >> 3,
  rejected: 656 >> 3,
  longestAnswerMs: 664 >> 3,
} as const

const controlBytes = 768
/** No record is longer. */
export const inboundRecordWordsMax = 256

/** Memory for at least `words` of records that are not consumed yet. */
export function createInboundMemory(words: number): InboundMemory {
  const capacity = 2 ** Math.ceil(Math.log2(words))
  const memory = {
    control: new SharedArrayBuffer(controlBytes),
    records: new SharedArrayBuffer((capacity + inboundRecordWordsMax) * 4),
  }
  new Int32Array(memory.control)[word.capacity] = capacity
  return memory
}

/** The caller's end. */
export class InboundWriter {
  readonly counters: Float64Array
  readonly #control: Int32Array
  readonly #records: Int32Array
  /** Words of records that fit when the shard has taken everything. */
  readonly capacityWords: number
  #write = 0
  #free = 0

  constructor(memory: InboundMemory) {
    this.#control = new Int32Array(memory.control)
    this.#records = new Int32Array(memory.records)
    this.counters = new Float64Array(memory.control)
    this.capacityWords = this.#control[word.capacity]!
  }

  /** Whether so many words of records fit now. */
  fits(words: number): boolean {
    if (words <= this.#free) return true
    this.#free = this.capacityWords - ((this.#write - Atomics.load(this.#control, word.read)) >>> 0)
    return words <= this.#free
  }

  /** Words of records that the shard has not given back yet. */
  get queuedWords(): number {
    return (this.#write - Atomics.load(this.#control, word.read)) >>> 0
  }

  /**
   * Writes records that stand behind one another in `words` from `from` to `to`; each says its length in the upper
   * half of its first word, in bytes. The caller has seen to it that they fit, and calls `wake` when it has written
   * all that it has for now: waking a thread costs more than a command.
   */
  write(words: Int32Array, from: number, to: number): void {
    const records = this.#records
    const capacity = this.capacityWords
    const offset = this.#write & (capacity - 1)
    let split = to
    if (offset + (to - from) > capacity) {
      split = from
      while (split < to && offset + (split - from) < capacity) split += words[split]! >>> 18
    }
    copyWords(words, from, split, records, offset)
    if (split < to) copyWords(words, split, to, records, offset + (split - from) - capacity)
    this.#free -= to - from
    this.#write = (this.#write + (to - from)) | 0
    Atomics.store(this.#control, word.write, this.#write)
  }

  /** Tells the shard to end when it has consumed everything. */
  stop(): void {
    Atomics.store(this.#control, word.stop, 1)
    this.wake()
  }

  /** Wakes the shard if it sleeps. */
  wake(): void {
    if (Atomics.load(this.#control, word.asleep) === 0) return
    Atomics.store(this.#control, word.asleep, 0)
    Atomics.notify(this.#control, word.asleep)
  }
}

/** The shard's end. */
export class InboundReader {
  readonly words: Int32Array
  readonly counters: Float64Array
  readonly #control: Int32Array
  readonly #mask: number
  #read = 0
  #seen = 0

  constructor(memory: InboundMemory) {
    this.#control = new Int32Array(memory.control)
    this.words = new Int32Array(memory.records)
    this.counters = new Float64Array(memory.control)
    this.#mask = this.#control[word.capacity]! - 1
  }

  /** Word offset of the next record in `words`, or -1 when there is none now. */
  next(): number {
    if (this.#read === this.#seen) {
      this.#seen = Atomics.load(this.#control, word.write)
      if (this.#read === this.#seen) return -1
    }
    return this.#read & this.#mask
  }

  /** Passes over the record at `offset`. */
  advance(offset: number): void {
    this.#read = (this.#read + (this.words[offset]! >>> 18)) | 0
  }

  /** Gives the space of everything passed back to the writer. */
  release(): void {
    Atomics.store(this.#control, word.read, this.#read)
  }

  get stopped(): boolean {
    return Atomics.load(this.#control, word.stop) !== 0
  }

  /** Blocks until there is a record, the ring is stopped, or somebody wakes the shard because `work` is ready. */
  sleep(work?: { readonly ready: boolean }): void {
    const control = this.#control
    Atomics.store(control, word.asleep, 1)
    if (Atomics.load(control, word.write) === this.#read && !this.stopped && work?.ready !== true)
      Atomics.wait(control, word.asleep, 1)
    Atomics.store(control, word.asleep, 0)
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
