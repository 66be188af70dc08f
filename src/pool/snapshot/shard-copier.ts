import type { MatchingEngine } from '../../matching/thread.js'
import { type CopyTarget, copyStepRecords, type ShardCopy } from '../../matching/thread.js'
import { type CopyRingMemory, CopyRingWriter, chunkWords, ringStates } from './copy-ring.js'

/**
 * Chunks that commands may copy ahead of their changes while the writer of the snapshot has none free: 64 MiB. A shard that is
 * swept while its disk stands still gives the copy up rather than wait or take memory without bound.
 */
const aheadChunksMax = 256

/** Makes the copy of a shard's books for a snapshot, in the shard's thread, between commands. */
export class ShardCopier implements CopyTarget {
  /** Where in the log the books stand as they are copied. */
  readonly lsn: number
  readonly #ring: CopyRingWriter
  readonly #copy: ShardCopy
  /** Chunks that found no room in the ring, oldest first. */
  readonly #waiting: { words: Int32Array; filled: number }[] = []
  readonly #waitingMax: number
  #current: Int32Array
  #isInRing = false
  #isCopied = false

  constructor(
    engine: MatchingEngine,
    memory: CopyRingMemory,
    lsn: number,
    waitingMax: number = aheadChunksMax,
  ) {
    this.lsn = lsn
    this.#waitingMax = waitingMax
    this.#ring = new CopyRingWriter(memory)
    this.#current = this.#ring.chunk
    this.#isInRing = true
    this.#copy = engine.copy(this)
    this.#ring.announce({ lsn, ...this.#copy.counts })
  }

  /** Whether a step may be made now: a step fills at most one chunk beside the one at hand. */
  get ready(): boolean {
    if (this.#ring.state !== ringStates.running) return true
    this.#drain()
    return this.#waiting.length === 0 && this.#ring.free > (this.#isInRing ? 1 : 0)
  }

  /** Copies on, when `ready`; returns whether there is nothing more to do. */
  step(): boolean {
    if (this.#ring.state !== ringStates.running) {
      this.#copy.stop()
      return true
    }
    if (!this.#isCopied && !this.#copy.step(copyStepRecords)) return false
    this.#isCopied = true
    this.#drain()
    if (this.#waiting.length > 0) return false
    this.#ring.end(ringStates.ended)
    return true
  }

  swap(filledWords: number): Int32Array {
    this.finish(filledWords)
    this.#isInRing = this.#waiting.length === 0 && this.#ring.free > 0
    if (this.#isInRing) this.#current = this.#ring.chunk
    else {
      const chunk = this.#waiting.length < this.#waitingMax ? tryAllocate(chunkWords) : undefined
      if (chunk) this.#current = chunk
      else this.#ring.end(ringStates.overrun)
    }
    return this.#current
  }

  finish(filledWords: number): void {
    if (filledWords === 0) return
    if (this.#isInRing) this.#ring.push(filledWords)
    else {
      if (this.#ring.state === ringStates.running)
        this.#waiting.push({ words: this.#current, filled: filledWords })
      this.#drain()
    }
  }

  #drain(): void {
    while (this.#waiting.length > 0 && this.#ring.free > 0) {
      const { words, filled } = this.#waiting.shift()!
      this.#ring.chunk.set(filled === words.length ? words : words.subarray(0, filled))
      this.#ring.push(filled)
    }
  }
}

/** Returns undefined when there is no memory: a command that copies ahead of its change must not fail for the snapshot. */
function tryAllocate(words: number): Int32Array | undefined {
  try {
    return new Int32Array(words)
  } catch {
    return undefined
  }
}
