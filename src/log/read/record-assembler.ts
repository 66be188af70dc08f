import { allAssertions, assert, broken } from '../../base/assert.js'
import { alignFrame, frameField, frameFlag, frameHeaderBytes, maxApplicationType } from '../format/frame.js'
import type { BatchChunk } from './batch-walk.js'

const headerWords = frameHeaderBytes >> 2
const kindWord = frameField.type >> 2
const lsnWord = frameField.lsn >> 2
const timestampWord = frameField.timestamp >> 2
const continuesBit = frameFlag.continues << 8
const wordRange = 0x1_0000_0000

/** Takes records where they stand. */
export interface RecordVisitor {
  /** One of the application's. Its payload is `words` from `from` to `to`, valid during the call; `lsn` is where it ends. */
  visit(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    type: number,
    flags: number,
    producer: number,
  ): void
  /** One of the log's own, such as a sync marker. */
  logRecord?(type: number, lsn: number): void
  /** The end of the record that `skipRest` passed over. */
  rest?(lsn: number): void
}

/**
 * Reads the records in valid batches, chunk after chunk, and puts those together that stand in several: the one assembler of
 * all that read the log. It allocates nothing for a record in one piece, of which there are millions; what few visitors ask
 * for (`payload`, `timestampUs` …) is read when they ask.
 */
export class RecordAssembler {
  readonly #visitor: RecordVisitor
  #words: Int32Array = new Int32Array(0)
  #bytes: Uint8Array = new Uint8Array(0)
  /** Word at which the header stands of the piece that ended the record being visited. */
  #at = 0
  #nextLsn: number | undefined
  #pieces: Uint8Array[] = []
  /** LSN at which the first of `#pieces` begins. */
  #piecesLsn = 0
  #whole: Uint8Array | undefined
  #mayLackBeginning = false
  #inRest = false
  #unfinished = false
  /** Nothing but whole records so far: then the next one needs no look at what came before. */
  #plain = true

  constructor(visitor: RecordVisitor) {
    this.#visitor = visitor
  }

  /** Whether the last piece was not the last of its record. */
  get unfinished(): boolean {
    return this.#unfinished
  }

  /** Where the record begins of which only the beginning was read so far, if there is one. */
  get unfinishedLsn(): number | undefined {
    return this.#pieces.length > 0 ? this.#piecesLsn : undefined
  }

  /** During a visit: the bytes of the payload, of which `words` has only whole words. Valid during the call. */
  get payload(): Uint8Array {
    if (this.#whole) return this.#whole
    const start = this.#at * 4
    return this.#bytes.subarray(start + frameHeaderBytes, start + this.#words[this.#at]!)
  }

  /** During a visit: where the record begins. */
  get startLsn(): number {
    return this.#whole ? this.#piecesLsn : this.#number(lsnWord)
  }

  /** During a visit: microseconds since 1970 by the writer's clock. */
  get timestampUs(): number {
    return this.#number(timestampWord)
  }

  /** During a visit: whether the record stands in several batches. */
  get inPieces(): boolean {
    return this.#whole !== undefined
  }

  /**
   * During a visit: whether the record may be the rest of one whose beginning is lost, because nothing valid stands before
   * it. Pieces do not say that they are not the first.
   */
  get mayLackBeginning(): boolean {
    return this.#mayLackBeginning
  }

  /** Visits the records that end in a chunk, which begins where the last one ended. */
  walk(chunk: BatchChunk): void {
    this.take(chunk.bytes, 0, chunk.endLsn - chunk.startLsn, chunk.startLsn)
  }

  /** As `walk`, for the batches of `bytes` from one place to another; the first begins at `startLsn`. */
  take(bytes: Buffer, start: number, stop: number, startLsn: number): void {
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
      const length = words[at]!
      const kind = words[at + kindWord]!
      const next = at + (alignFrame(length) >> 2)
      const lsn = startLsn + (next - base) * 4
      if (length < frameHeaderBytes || next > end) this.#broken(length, startLsn + (at - base) * 4, end - at)
      this.#at = at
      if (allAssertions) this.#checkPlace(startLsn + (at - base) * 4)
      if (this.#plain && (kind & 0xff) <= maxApplicationType && (kind & continuesBit) === 0) {
        visitor.visit(
          words,
          at + headerWords,
          at + (length >> 2),
          lsn,
          kind & 0xff,
          (kind >> 8) & 0xff,
          kind >>> 16,
        )
      } else {
        this.#piece(lsn, kind)
      }
      at = next
    }
    this.#nextLsn = startLsn + (at - base) * 4
  }

  /** What comes next does not follow what came before: an unfinished record is dropped. */
  interrupt(): void {
    this.#reset()
    this.#nextLsn = undefined
    this.#mayLackBeginning = true
    this.#plain = false
  }

  /** What comes next is the beginning of all there is, and begins with a record. */
  begin(): void {
    this.#reset()
    this.#nextLsn = undefined
  }

  /** What comes next is the rest of a record whose beginning was removed: it is passed over. */
  skipRest(): void {
    this.begin()
    this.#inRest = true
    this.#plain = false
  }

  #reset(): void {
    this.#pieces = []
    this.#inRest = false
    this.#unfinished = false
    this.#mayLackBeginning = false
    this.#plain = true
  }

  /** A piece of a record, a record of the log's own, or one after which the state changes. */
  #piece(lsn: number, kind: number): void {
    const type = kind & 0xff
    if (type > maxApplicationType) {
      // The log writes its own between whole records only: what was unfinished has no end.
      this.#reset()
      this.#visitor.logRecord?.(type, lsn)
      return
    }
    const isLast = (kind & continuesBit) === 0
    this.#unfinished = !isLast
    if (this.#inRest) {
      if (!isLast) return
      this.#reset()
      this.#visitor.rest?.(lsn)
      return
    }
    this.#plain = false
    if (!isLast || this.#pieces.length > 0) {
      if (this.#pieces.length === 0) this.#piecesLsn = this.startLsn
      this.#pieces.push(Uint8Array.from(this.payload))
      if (!isLast) return
      this.#whole = concatenate(this.#pieces)
    }
    try {
      this.#visit(lsn, kind)
    } finally {
      this.#whole = undefined
      this.#reset()
    }
  }

  #visit(lsn: number, kind: number): void {
    const [type, flags, producer] = [kind & 0xff, (kind >> 8) & 0xff, kind >>> 16]
    const whole = this.#whole
    if (whole) {
      const words = new Int32Array(whole.buffer, 0, whole.byteLength >> 2)
      this.#visitor.visit(words, 0, words.length, lsn, type, flags, producer)
    } else {
      const at = this.#at
      const to = at + (this.#words[at]! >> 2)
      this.#visitor.visit(this.#words, at + headerWords, to, lsn, type, flags, producer)
    }
  }

  #number(word: number): number {
    const at = this.#at + word
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
    broken('a batch that is read has a header and ends where the next begins', {
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
