import type { SnapshotSection } from './snapshot-format.js'

/**
 * The way of a copy from a shard to the thread that writes the snapshot: a few chunks in shared memory, filled by the
 * shard and freed by the writer. One is made for each shard and checkpoint.
 *
 * ```
 *  control
 *
 *  byte   word               written by   read by
 *  -----  -----------------  -----------  -----------
 *      0  filled        i32  shard        writer        chunks so far
 *      4  state         i32  both         both          see `ringStates`
 *     16  section    5 x f64 shard        writer        what the snapshot says of it, once the state is `ended`
 *     64  lengths    n x i32 shard        writer        words in each chunk
 *    128  freed         i32  writer       shard         chunks so far
 * ```
 *
 * No wake-up is missed. `filled`, `state`, `freed`, `signal` and the decision are accessed atomically, so every thread sees
 * them in one order; `section` and `lengths` are written before the store of `state` or `filled` that a reader waits for.
 *
 * - The writer: (1) reads `signal`, (2) looks at the decision and at every shard's ring, and (3) if there was nothing, waits
 *   as long as `signal` is what it read. A shard, or the event loop that decides: (a) stores `filled`, `state` or the decision,
 *   and (b) adds one to `signal` and notifies. If (a) comes before (2), the writer sees it. If it comes after (2), so does (b),
 *   and `signal` is no longer what was read at (1): the wait returns at once, or is woken.
 * - The shard waits where it waits for commands, in the inbound ring, and looks there at `freed` and `state` as the other work
 *   that it may have. The writer stores `freed`, or cancels, and then wakes the inbound ring: why that is not missed is said
 *   at the ring.
 */
export interface CopyRingMemory {
  readonly control: SharedArrayBuffer
  readonly chunks: SharedArrayBuffer
  /** Counts the events that the writer waits for: a full chunk, an end, a decision. */
  readonly signal: SharedArrayBuffer
}

export const ringStates = {
  running: 0,
  /** All is in the ring. */
  ended: 1,
  /** The books changed faster than the chunks were freed. */
  overrun: 2,
  /** The writer failed, or the checkpoint was cancelled. */
  cancelled: 3,
} as const

const word = { filled: 0, state: 1, lengths: 64 >> 2, freed: 128 >> 2 } as const
const sectionAt = 16 >> 3
const controlBytes = 256
const chunksMax = 4
export const chunkWords = 65_536

export function createCopyRing(signal: SharedArrayBuffer): CopyRingMemory {
  return {
    control: new SharedArrayBuffer(controlBytes),
    chunks: new SharedArrayBuffer(chunksMax * chunkWords * 4),
    signal,
  }
}

export function raiseSignal(signal: SharedArrayBuffer): void {
  const words = new Int32Array(signal)
  Atomics.add(words, 0, 1)
  Atomics.notify(words, 0)
}

/** The shard's end. */
export class CopyRingWriter {
  readonly #control: Int32Array
  readonly #memory: CopyRingMemory
  readonly #chunks: Int32Array[]
  #filled = 0

  constructor(memory: CopyRingMemory) {
    this.#memory = memory
    this.#control = new Int32Array(memory.control)
    this.#chunks = Array.from(
      { length: chunksMax },
      (_, i) => new Int32Array(memory.chunks, i * chunkWords * 4, chunkWords),
    )
  }

  get state(): number {
    return Atomics.load(this.#control, word.state)
  }

  /** Chunks that may be filled now, the one that is being filled among them. */
  get free(): number {
    return chunksMax - (this.#filled - Atomics.load(this.#control, word.freed))
  }

  /** The chunk that is filled next; one must be free. */
  get chunk(): Int32Array {
    return this.#chunks[this.#filled % chunksMax]!
  }

  announce({ lsn, books, orders, orderNumbers, levelNumbers }: SnapshotSection): void {
    new Float64Array(this.#memory.control).set([lsn, books, orders, orderNumbers, levelNumbers], sectionAt)
  }

  /** Hands the chunk at hand over, with so many words in it. */
  push(words: number): void {
    this.#control[word.lengths + (this.#filled % chunksMax)] = words
    Atomics.store(this.#control, word.filled, ++this.#filled)
    raiseSignal(this.#memory.signal)
  }

  /** Says how the copy ended. The first of such calls counts. */
  end(state: number): void {
    Atomics.compareExchange(this.#control, word.state, ringStates.running, state)
    raiseSignal(this.#memory.signal)
  }
}

/** The end of the thread that writes the snapshot. */
export class CopyRingReader {
  readonly #control: Int32Array
  readonly #memory: CopyRingMemory
  readonly #bytes: Buffer[]
  #freed = 0

  constructor(memory: CopyRingMemory) {
    this.#memory = memory
    this.#control = new Int32Array(memory.control)
    this.#bytes = Array.from({ length: chunksMax }, (_, i) =>
      Buffer.from(memory.chunks, i * chunkWords * 4, chunkWords * 4),
    )
  }

  get state(): number {
    return Atomics.load(this.#control, word.state)
  }

  /** What the shard announced. */
  get section(): SnapshotSection {
    const values = new Float64Array(this.#memory.control).subarray(sectionAt)
    const [lsn = 0, books = 0, orders = 0, orderNumbers = 0, levelNumbers = 0] = values
    return { lsn, books, orders, orderNumbers, levelNumbers }
  }

  /** The next chunk, or `undefined` when there is none now. It is the caller's until `release`. */
  next(): Buffer | undefined {
    if (Atomics.load(this.#control, word.filled) === this.#freed) return undefined
    const chunk = this.#freed % chunksMax
    return this.#bytes[chunk]!.subarray(0, this.#control[word.lengths + chunk]! * 4)
  }

  release(): void {
    Atomics.store(this.#control, word.freed, ++this.#freed)
  }

  /** Has the shard stop the copy. */
  cancel(): void {
    Atomics.store(this.#control, word.state, ringStates.cancelled)
  }
}
