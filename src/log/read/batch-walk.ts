import { assert } from '../../base/assert.js'
import {
  BatchDecoder,
  type BatchFinding,
  type BatchView,
  batchHeaderBytes,
  recordEndsAt,
} from '../format/batch.js'
import { segmentSeed } from '../format/segment.js'
import type { SegmentWindow } from './segment-window.js'

/** Why no valid batch begins at a place. */
export type BatchDamage = Exclude<BatchFinding, 'none'>

/** What a step came to: a valid batch, the limit, or a place where no valid batch begins, with the reason. */
export type WalkStep = 'batch' | 'end' | BatchDamage

/** What a search after damage found. */
export interface BatchSearch {
  /** LSN at which the next valid batch begins, if there is one. */
  readonly lsn: number | undefined
  /**
   * LSN after the last byte looked at that this use of the file has written: the last one that is not zero, or, in a
   * recycled file, which is full of other bytes, the last header that carries the LSN of its place.
   */
  readonly lastWrittenLsn: number
}

/** Whole batches, one after the other, in memory that the next read may use again. */
export interface BatchChunk {
  readonly bytes: Buffer
  readonly startLsn: number
  readonly endLsn: number
  /** Of the records in it, those count that end after `fromLsn` and at or before `toLsn`: a reader may begin or end within a batch. */
  readonly fromLsn: number
  readonly toLsn: number
}

/** A chunk of which every record counts. */
export function wholeChunk(bytes: Buffer, startLsn: number, endLsn: number): BatchChunk {
  return { bytes, startLsn, endLsn, fromLsn: startLsn, toLsn: endLsn }
}

const blankBytes = 64 * 1024
const blank = Buffer.alloc(blankBytes)

/**
 * Steps through the batches of one segment file, checking each: the one walk of all that read segments, be it strictly (up
 * to the first damage, which is an error), beside a writer (below an LSN that is known to be written), or tolerantly (from
 * the next valid batch on). What stands in a batch is read by
 * `RecordAssembler`.
 *
 * Where no valid batch begins the walk stays: the caller sets `position`, or gives up.
 */
export class BatchWalk {
  readonly window: SegmentWindow
  readonly #decoder: BatchDecoder
  readonly #seed: number
  readonly #verify: boolean
  #batchLsn = 0
  /** How many bytes the batch at `position` has, as far as it is known. */
  #neededBytes = 0
  /** LSN of the next batch to check. */
  position: number

  /** Without `verify` the CRCs are not checked: for what was verified a moment ago. */
  constructor(window: SegmentWindow, options: { fromLsn?: number; verify?: boolean } = {}) {
    const { header } = window.segment
    this.window = window
    this.#decoder = new BatchDecoder(header.maxBatchBytes)
    this.#seed = segmentSeed(header)
    this.#verify = options.verify ?? true
    this.position = options.fromLsn ?? header.firstLsn
    assert(this.position >= header.firstLsn, 'a segment is walked from its first LSN or a later one', () => ({
      position: this.position,
      firstLsn: header.firstLsn,
    }))
  }

  /** The header of the last valid batch; used again by the next step. */
  get header(): BatchView {
    return this.#decoder.view
  }

  /** Where the bytes of the last valid batch begin and end in `window.bytes`. */
  get batchStart(): number {
    return this.#batchLsn - this.window.startLsn
  }

  get batchEnd(): number {
    return this.batchStart + this.#decoder.view.length
  }

  /** Checks the batch at `position` and moves to its end, reading from the file as needed. Blocks the thread. */
  step(limitLsn: number): WalkStep {
    for (;;) {
      const step = this.stepInMemory(limitLsn)
      if (step !== 'unread') return step
      if (!this.load(limitLsn)) return 'truncated'
    }
  }

  /**
   * Like `step`, without reading, and for several batches at once: until `bytes` of them are passed, at least one. Returns
   * `batch` then; `unread` when the next batch is not in memory as a whole: see `load`. Batches may have been passed in any
   * case, up to `position`. One loop, because it runs for every batch of a replay.
   */
  stepInMemory(limitLsn: number, bytes = 1): WalkStep | 'unread' {
    const { window, position } = this
    this.#neededBytes = 0
    if (position >= limitLsn) return 'end'
    const { bytes: memory, startLsn } = window
    const decoder = this.#decoder
    const end = Math.min(window.available, limitLsn - startLsn)
    let at = position - startLsn
    const stop = at + bytes
    if (at < 0 || at >= end) return 'unread'
    do {
      const lsn = startLsn + at
      const found = this.#verify
        ? decoder.decode(memory, at, end, lsn, this.#seed)
        : decoder.bound(memory, at, end, lsn)
      if (found !== 'none') {
        this.position = lsn
        if (found !== 'truncated') return found
        this.#neededBytes = decoder.bytesNeeded
        return 'unread'
      }
      this.#batchLsn = lsn
      at += decoder.view.length
    } while (at < stop && at < end)
    this.position = startLsn + at
    return at >= stop ? 'batch' : this.position >= limitLsn ? 'end' : 'unread'
  }

  /** Reads from `position` on, anew what is in memory already. Returns `false` when that brought nothing more. */
  load(limitLsn: number): boolean {
    const before = this.#inMemory
    this.window.fill(this.position, limitLsn, this.#neededBytes)
    return this.window.available > before
  }

  /** Like `load`, without blocking the thread. */
  async loadAsync(limitLsn: number): Promise<boolean> {
    const before = this.#inMemory
    await this.window.fillAsync(this.position, limitLsn, this.#neededBytes)
    return this.window.available > before
  }

  get #inMemory(): number {
    return this.window.startLsn === this.position ? this.window.available : 0
  }

  /** Whether a valid batch begins at an LSN when its bytes are read anew: a writer may have been at work there. */
  isValidNow(lsn: number, limitLsn: number): boolean {
    const { position } = this
    this.position = lsn
    this.load(limitLsn)
    const valid = this.step(limitLsn) === 'batch'
    this.position = position
    return valid
  }

  /**
   * Where the batch begins in which the record after `lsn` stands: at `lsn`, or before it, where a record of the batch ends
   * exactly there. `undefined` when there is no such batch below `limitLsn`. `position` is that place then, else `lsn`. The
   * CRCs are checked in any case. Blocks the thread.
   */
  seek(lsn: number, limitLsn: number): number | undefined {
    this.position = lsn
    const isBatch = this.#isValid(this.step(limitLsn))
    const { beganBefore } = this.header
    this.position = lsn
    if (isBatch) return beganBefore ? undefined : lsn
    const [from, bytes] = this.#spanRange(lsn)
    this.window.fill(from, limitLsn, bytes)
    return this.#findSpanning(lsn, limitLsn)
  }

  /** As `seek`, without blocking the thread. */
  async seekAsync(lsn: number, limitLsn: number): Promise<number | undefined> {
    this.position = lsn
    let step = this.stepInMemory(limitLsn)
    while (step === 'unread' && (await this.loadAsync(limitLsn))) step = this.stepInMemory(limitLsn)
    const isBatch = this.#isValid(step)
    const { beganBefore } = this.header
    this.position = lsn
    if (isBatch) return beganBefore ? undefined : lsn
    const [from, bytes] = this.#spanRange(lsn)
    await this.window.fillAsync(from, limitLsn, bytes)
    return this.#findSpanning(lsn, limitLsn)
  }

  /** Whether a step has passed a valid batch: without `verify` it has only looked at the header, which a payload may hold too. */
  #isValid(step: WalkStep | 'unread'): boolean {
    if (step !== 'batch' || this.#verify) return step === 'batch'
    const { bytes } = this.window
    return this.#decoder.decode(bytes, this.batchStart, this.batchEnd, this.#batchLsn, this.#seed) === 'none'
  }

  /** From where on the batches begin that can span an LSN, and how many bytes there are to the end of the longest. */
  #spanRange(lsn: number): [from: number, bytes: number] {
    const { firstLsn, maxBatchBytes } = this.window.segment.header
    const from = Math.max(firstLsn, lsn - maxBatchBytes)
    return [from, lsn - from + maxBatchBytes]
  }

  /** Looks backwards in memory for the batch that spans an LSN: the first valid one does, or none. */
  #findSpanning(lsn: number, limitLsn: number): number | undefined {
    const { bytes, startLsn, available } = this.window
    const end = Math.min(available, limitLsn - startLsn)
    const words = new Int32Array(bytes.buffer, 0, bytes.byteLength >> 2)
    for (let at = Math.min(lsn - startLsn, end) - 8; at >= 0; at -= 8) {
      if (!carriesLsn(words, at >> 2, startLsn + at)) continue
      if (this.#decoder.decode(bytes, at, end, startLsn + at, this.#seed) !== 'none') continue
      if (!recordEndsAt(bytes, at, startLsn + at, lsn)) return undefined
      if (startLsn + at + this.#decoder.view.length === lsn) return undefined
      this.position = startLsn + at
      return this.position
    }
    return undefined
  }

  /** Looks after `position` for the next valid batch that ends at `limitLsn` or before. `position` stays. */
  findNext(limitLsn: number): BatchSearch {
    const { window } = this
    const end = Math.min(limitLsn, window.fileEndLsn)
    const { recycled } = window.segment.header
    let lastWrittenLsn = this.position
    let bytes = 0
    let readFor = -1
    for (let from = this.position; from < end; ) {
      window.fill(from, end, bytes)
      bytes = 0
      const { available } = window
      const words = new Int32Array(window.bytes.buffer, 0, window.bytes.byteLength >> 2)
      const isLast = from + available >= end
      let at = 0
      for (; at + 8 <= available; at += 8) {
        if (at % blankBytes === 0 && this.#isBlank(at)) {
          at += blankBytes - 8
          continue
        }
        if (at + batchHeaderBytes > available && !isLast) break
        const word = at >> 2
        const lsn = from + at
        if (!recycled && (words[word] !== 0 || words[word + 1] !== 0)) lastWrittenLsn = Math.min(end, lsn + 8)
        // A place that carries its own LSN is all that is worth a look; whole segments of other bytes may follow.
        if (words[word + 4] !== (lsn | 0) || !carriesLsn(words, word, lsn)) continue
        if (at + batchHeaderBytes > available) continue
        if (recycled) lastWrittenLsn = Math.min(end, lsn + batchHeaderBytes)
        if (lsn === this.position) continue
        const found = this.#decoder.decode(window.bytes, at, available, lsn, this.#seed)
        if (found === 'none') return { lsn, lastWrittenLsn }
        // It may end after the window: then it is looked at again, once, with all of its bytes.
        const needed = this.#decoder.bytesNeeded
        if (found !== 'truncated' || isLast || lsn === readFor || lsn + needed > end) continue
        bytes = needed
        readFor = lsn
        break
      }
      if (isLast && bytes === 0) {
        const rest = window.bytes.subarray(at, available)
        if (!recycled && rest.some((byte) => byte !== 0)) lastWrittenLsn = end
        break
      }
      if (at === 0 && bytes === 0) break
      from += at
    }
    return { lsn: undefined, lastWrittenLsn }
  }

  #isBlank(at: number): boolean {
    const { bytes, available } = this.window
    return at + blankBytes <= available && bytes.subarray(at, at + blankBytes).equals(blank)
  }
}

function carriesLsn(words: Int32Array, word: number, lsn: number): boolean {
  return (words[word + 4]! >>> 0) + (words[word + 5]! >>> 0) * 0x1_0000_0000 === lsn
}

/** Where the batch ends that begins at `at` of memory that holds valid batches one after the other. */
export function batchEndAt(memory: Buffer, at: number): number {
  return at + memory.readInt32LE(at)
}
