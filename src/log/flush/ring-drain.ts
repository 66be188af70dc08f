import { allAssertions, assert, broken } from '../../base/assert.js'
import { batchField, batchHeaderBytes, batchHeaderWords, continuesBit } from '../format/batch.js'
import { int32, int64, type LogViews } from '../ring/memory.js'

/** One write takes at most about this much, so that the first of a long queue is not held up by the last. */
const takeBytesGoal = 4 * 1024 * 1024

/** Takes published batches out of the ring, in LSN order. The flusher's alone. */
export class RingDrain {
  readonly #views: LogViews
  readonly #recordsMax: number
  readonly #takeBytesMax: number
  /** What the last `take` took, where it stands in the ring. */
  readonly pieces: Uint8Array[] = []
  /** How many records ended in it. */
  records = 0
  /** LSN up to which batches were taken, and where the last of them ended that left no record unfinished. */
  #end: number
  #wholeEnd: number
  #offset: number
  /** Records taken since the start, as the producers' `published` word counts them. */
  #taken = 0
  #lastIsMarker = false
  #onlySyncMarkers = true

  /** `recordsMax`: a write takes no more records, though what else a batch holds comes along. */
  constructor(views: LogViews, recordsMax: number) {
    this.#views = views
    this.#recordsMax = recordsMax
    this.#takeBytesMax = Math.max(views.maxBatchBytes, Math.min(views.ringBytes >> 2, takeBytesGoal))
    this.#end = Number(Atomics.load(views.control64, int64.released))
    this.#wholeEnd = this.#end
    this.#offset = this.#end % views.ringBytes
  }

  get end(): number {
    return this.#end
  }

  get wholeEnd(): number {
    return this.#wholeEnd
  }

  /** Whether nothing but sync markers was taken since `syncMarkerWritten`, or ever. */
  get onlySyncMarkers(): boolean {
    return this.#onlySyncMarkers
  }

  get endsWithSyncMarker(): boolean {
    return this.#lastIsMarker
  }

  /** Whether the next batch is published. */
  get hasPublished(): boolean {
    return Atomics.load(this.#views.ring32, this.#offset >> 2) !== 0
  }

  /** Whether every byte that was claimed has been taken. */
  get isEmpty(): boolean {
    return Number(Atomics.load(this.#views.control64, int64.claimTail)) === this.#end
  }

  /** Records that were published and not taken, as far as their producers have counted them. */
  get pendingRecords(): number {
    return (Atomics.load(this.#views.control32, int32.published) - this.#taken) | 0
  }

  /** What `published` will be when so many more records are counted. */
  publishedAfter(records: number): number {
    return (this.#taken + records) | 0
  }

  syncMarkerWritten(): void {
    this.#onlySyncMarkers = true
  }

  /** When the ring is empty, nothing is pending: what a producer that ended did not count is left out. */
  forgetLostCounts(): void {
    if (this.isEmpty) this.#taken = Atomics.load(this.#views.control32, int32.published)
  }

  /** Takes the published batches that fit in `roomBytes`, as many as one write takes; sets `pieces`, returns their bytes. */
  take(roomBytes: number): number {
    const { ring32, ring8, ringBytes } = this.#views
    const room = Math.min(roomBytes, this.#takeBytesMax)
    const pieces = this.pieces
    pieces.length = 0
    let offset = this.#offset
    let pieceStart = offset
    let bytes = 0
    let records = 0
    while (records < this.#recordsMax) {
      const at = offset >> 2
      const batchBytes = Atomics.load(ring32, at)
      if (batchBytes === 0) break
      if (allAssertions) this.#checkBatch(offset, batchBytes, this.#end + bytes)
      if (bytes + batchBytes > room) break
      bytes += batchBytes
      const count = ring32[at + (batchField.records >> 2)]! & 0xffff
      this.#lastIsMarker = count === 0
      if (count > 0) this.#onlySyncMarkers = false
      // Of the records in several batches, whose pieces stand alone, the last piece counts.
      if (count !== 1 || (ring32[at + batchHeaderWords + 1]! & continuesBit) === 0) {
        records += count
        this.#wholeEnd = this.#end + bytes
      }
      offset += batchBytes
      if (offset >= ringBytes) {
        pieces.push(ring8.subarray(pieceStart, offset))
        offset -= ringBytes
        pieceStart = offset
      }
    }
    if (offset > pieceStart) pieces.push(ring8.subarray(pieceStart, offset))
    this.records = records
    this.#offset = offset
    this.#end += bytes
    this.#taken = (this.#taken + records) | 0
    this.#checkEnd()
    return bytes
  }

  #checkBatch(offset: number, length: number, lsn: number): void {
    const at = (offset + batchField.lsn) >> 2
    const { ring32, maxBatchBytes } = this.#views
    const found = (ring32[at]! >>> 0) + (ring32[at + 1]! >>> 0) * 2 ** 32
    if (length >= batchHeaderBytes && length <= maxBatchBytes && length % 8 === 0 && found === lsn) return
    broken('a published batch has a length within bounds and the LSN of its place', { lsn, found, length })
  }

  #checkEnd(): void {
    const tail = Number(Atomics.load(this.#views.control64, int64.claimTail))
    assert(
      this.#end <= tail && this.#wholeEnd <= this.#end && this.#end % 8 === 0 && this.#wholeEnd % 8 === 0,
      'batches end within a claim, at a multiple of eight',
      () => ({ end: this.#end, wholeEnd: this.#wholeEnd, tail }),
    )
  }
}
