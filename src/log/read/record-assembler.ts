import { allAssertions, assert, broken } from '../../base/assert.js'
import {
  batchField,
  batchHeaderBytes,
  batchHeaderWords,
  beganBeforeBit,
  continuesBit,
  recordHeaderBytes,
  recordHeaderWords,
} from '../format/batch.js'
import type { BatchChunk } from './batch-walk.js'

const countsWord = batchField.records >> 2
const lsnWord = batchField.lsn >> 2
const timestampWord = batchField.timestamp >> 2
const pieceBits = continuesBit | beganBeforeBit
const wordRange = 0x1_0000_0000

/** Takes records where they stand. */
export interface RecordVisitor {
  /** Its payload is `words` from `from` to `to`, valid during the call; `lsn` is where the record ends. */
  visit(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    type: number,
    flags: number,
    producer: number,
  ): void
  /** A sync marker, by where it ends. */
  syncMarker?(lsn: number): void
  /** The end of a record that was passed over because its beginning is not there. */
  rest?(lsn: number): void
}

/**
 * Reads the records in valid batches, chunk after chunk, and puts those together that stand in several: the one assembler of
 * all that read the log. It allocates nothing for a record in one piece, of which there are millions; what few visitors ask
 * for (`payload`, `timestampUs` …) is read when they ask.
 *
 * Of a record whose first pieces are not there, because what came before was removed, nothing is visited. After an
 * `interrupt`, where tools look at what damage has left, the rest of such a record is.
 */
export class RecordAssembler {
  readonly #visitor: RecordVisitor
  #words: Int32Array = new Int32Array(0)
  #bytes: Uint8Array = new Uint8Array(0)
  /** Words at which the headers stand of the batch and of the record being visited, or of the piece that ended it. */
  #batchAt = 0
  #at = 0
  #nextLsn: number | undefined
  #pieces: Uint8Array[] = []
  /** LSN at which the first of `#pieces` begins. */
  #piecesLsn = 0
  #whole: Uint8Array | undefined
  /** Whether pieces are visited whose beginning is lost, and whether `#pieces` are such. */
  #takesRest = false
  #isRest = false

  constructor(visitor: RecordVisitor) {
    this.#visitor = visitor
  }

  /** Where the record begins of which only the beginning was read so far, if there is one. */
  get unfinishedLsn(): number | undefined {
    return this.#pieces.length > 0 ? this.#piecesLsn : undefined
  }

  /** During a visit: the bytes of the payload, of which `words` has only whole words. Valid during the call. */
  get payload(): Uint8Array {
    if (this.#whole) return this.#whole
    const start = this.#at * 4
    return this.#bytes.subarray(start + recordHeaderBytes, start + this.#words[this.#at]!)
  }

  /** During a visit: where the record before it ends, or its batch begins: what a reader that is to begin with it starts from. */
  get startLsn(): number {
    if (this.#whole) return this.#piecesLsn
    const words = this.#at - this.#batchAt
    return this.#number(lsnWord) + (words === batchHeaderWords ? 0 : words * 4)
  }

  /** During a visit: microseconds since 1970 by the writer's clock, when the record's batch was published. */
  get timestampUs(): number {
    return this.#number(timestampWord)
  }

  /** During a visit: whether the record stands in several batches. */
  get inPieces(): boolean {
    return this.#whole !== undefined
  }

  /** During a visit: whether it is the rest of a record whose beginning is lost. */
  get lacksBeginning(): boolean {
    return this.#whole !== undefined && this.#isRest
  }

  /** Visits the records that end in a chunk, which begins where the last one ended. */
  walk(chunk: BatchChunk): void {
    const { bytes, startLsn, endLsn, fromLsn, toLsn } = chunk
    if (fromLsn === startLsn && toLsn === endLsn) this.take(bytes, 0, endLsn - startLsn, startLsn)
    else this.#takePart(chunk)
  }

  /** As `walk`, for the batches of `bytes` from one place to another; the first begins at `startLsn`. */
  take(bytes: Buffer, start: number, stop: number, startLsn: number): void {
    this.#take(bytes, start, stop, startLsn, 0, Number.POSITIVE_INFINITY)
  }

  /** Takes a chunk at whose beginning or end are records that do not count. */
  #takePart({ bytes, startLsn, endLsn, fromLsn, toLsn }: BatchChunk): void {
    this.#take(bytes, 0, endLsn - startLsn, startLsn, fromLsn, toLsn)
  }

  #take(bytes: Buffer, start: number, stop: number, startLsn: number, fromLsn: number, toLsn: number): void {
    assert(
      this.#nextLsn === undefined || this.#nextLsn === startLsn,
      'batches are read in the order of their LSNs, without a gap',
      () => ({ startLsn, nextLsn: this.#nextLsn }),
    )
    if (this.#words.buffer !== bytes.buffer) this.#look(bytes)
    const words = this.#words
    const visitor = this.#visitor
    const base = (bytes.byteOffset + start) >> 2
    const end = base + ((stop - start) >> 2)
    let at = base
    while (at < end) {
      const batchAt = at
      const batchLength = words[at]!
      const batchEnd = at + (batchLength >> 2)
      if (batchLength < batchHeaderBytes || batchEnd > end)
        this.#broken(batchLength, startLsn + (at - base) * 4, end - at)
      this.#batchAt = at
      if (allAssertions) this.#checkPlace(startLsn + (at - base) * 4)
      const producer = words[at + countsWord]! >>> 16
      at += batchHeaderWords
      if (at === batchEnd) this.#marker(startLsn + (at - base) * 4)
      while (at < batchEnd) {
        const length = words[at]!
        const kind = words[at + 1]!
        const next = at + (((length + 7) >> 3) << 1)
        if (length < recordHeaderBytes || next > batchEnd)
          this.#broken(length, startLsn + (at - base) * 4, batchEnd - at)
        const lsn = startLsn + (next - base) * 4
        this.#at = at
        // Nothing counts any more after the LSN at which a reader ends, pieces neither.
        if (lsn > toLsn) {
          at = next
          continue
        }
        if ((kind & pieceBits) !== 0) this.#piece(lsn, kind, producer)
        else if (lsn > fromLsn)
          visitor.visit(
            words,
            at + recordHeaderWords,
            at + (length >> 2),
            lsn,
            kind & 0xff,
            (kind >> 8) & 0xff,
            producer,
          )
        at = next
      }
      // What was unfinished has no end when a whole record follows.
      if (this.#pieces.length > 0 && (words[batchAt + batchHeaderWords + 1]! & pieceBits) === 0) this.#reset()
    }
    this.#nextLsn = startLsn + (at - base) * 4
  }

  /** What comes next does not follow what came before: an unfinished record is dropped. */
  interrupt(): void {
    this.#reset()
    this.#nextLsn = undefined
    this.#takesRest = true
  }

  /** What comes next is the beginning of all there is; the rest of a record is passed over. */
  begin(): void {
    this.#reset()
    this.#nextLsn = undefined
    this.#takesRest = false
  }

  #reset(): void {
    this.#pieces = []
    this.#isRest = false
  }

  #marker(lsn: number): void {
    // The log writes its own between whole records only: what was unfinished has no end.
    this.#reset()
    this.#visitor.syncMarker?.(lsn)
  }

  #piece(lsn: number, kind: number, producer: number): void {
    const isLast = (kind & continuesBit) === 0
    if ((kind & beganBeforeBit) === 0) this.#reset()
    else if (this.#pieces.length === 0) {
      if (!this.#takesRest) {
        if (isLast) this.#visitor.rest?.(lsn)
        return
      }
      this.#isRest = true
    }
    if (this.#pieces.length === 0) this.#piecesLsn = this.startLsn
    this.#pieces.push(Uint8Array.from(this.payload))
    if (!isLast) return
    const whole = concatenate(this.#pieces)
    this.#whole = whole
    try {
      const words = new Int32Array(whole.buffer, 0, whole.byteLength >> 2)
      const flags = (kind >> 8) & 0xff & ~(pieceBits >> 8)
      this.#visitor.visit(words, 0, words.length, lsn, kind & 0xff, flags, producer)
    } finally {
      this.#whole = undefined
      this.#reset()
    }
  }

  #number(word: number): number {
    const at = this.#batchAt + word
    return (this.#words[at]! >>> 0) + (this.#words[at + 1]! >>> 0) * wordRange
  }

  #look(bytes: Buffer): void {
    this.#words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2)
    this.#bytes = new Uint8Array(bytes.buffer)
  }

  #checkPlace(lsn: number): void {
    const found = this.#number(lsnWord)
    if (found !== lsn) broken('a batch that is read carries the LSN of its place', { lsn, found })
  }

  #broken(length: number, lsn: number, words: number): never {
    broken('a batch that is read ends where the next begins, and holds whole records', {
      lsn,
      length,
      bytesLeft: words * 4,
    })
  }
}

/** The pieces in memory of their own, of whole words. */
function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const byteLength = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
  const whole = new Uint8Array(new ArrayBuffer((byteLength + 3) & ~3), 0, byteLength)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.byteLength
  }
  return whole
}
