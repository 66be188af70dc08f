import { isUint8Array } from 'node:util/types'
import { allAssertions, assert, broken } from '../../base/assert.js'
import { shown } from '../../base/shown.js'
import { closedError, LogError, LogPoisonedError } from '../errors.js'
import {
  batchHeaderBytes,
  batchHeaderWords,
  recordBytes,
  recordFlag,
  recordHeaderBytes,
  recordHeaderWords,
  recordTypeMax,
  writeBatchHeader,
  writeRecordHeader,
} from '../format/batch.js'
import { crcOfBytes } from '../format/crc.js'
import { int32, int64, type LogMemory, LogViews, logState, maxPayloadBytes } from './memory.js'
import { wakeFlusher } from './signals.js'

/** Copies of at most this many words are a loop; a typed-array `set` costs 30 ns before its first byte. */
const loopCopyWordsMax = 48
const spaceWaitMs = 100

/**
 * Writes batches into the ring; one for each thread that writes. A batch is built in memory of the thread's own, and its
 * records' CRC is made, before any shared word is touched. Then its space is claimed with one fetch-add, its header written,
 * and it is copied, and made visible with one ordered store of its length.
 *
 * `stage` and `publish` build batches here, for callers that have payloads. A caller that writes records by the million builds
 * the batch itself, in a buffer that begins with the words of a batch's header, and each record in it with those of a
 * record's; it hands that to `publishBuilt`, and nothing is copied but from there into the ring.
 *
 * `publish` and `publishBuilt` block the thread while the ring is full, so they are for worker threads; an event loop
 * uses `tryAppend`.
 */
export class LogProducer {
  /** The most bytes of a batch, its header included, and the most records in it. */
  readonly maxBatchBytes: number
  /** How many records a batch may have. */
  readonly recordsMax: number
  readonly #views: LogViews
  readonly #id: number
  readonly #staging: Int32Array
  readonly #staging8: Uint8Array
  readonly #maxPayload: number
  /** Bytes of the staged batch, its header included. */
  #staged = batchHeaderBytes
  #records = 0
  #limit: number
  /** The caller's memory that `publishBuilt` was last called with, and its bytes. */
  #built: Int32Array
  #built8: Uint8Array

  constructor(memory: LogMemory, producerId: number) {
    this.#views = new LogViews(memory)
    const { maxBatchBytes, recordsMax, control64 } = this.#views
    this.maxBatchBytes = maxBatchBytes
    this.recordsMax = recordsMax
    this.#id = producerId
    this.#staging = new Int32Array(maxBatchBytes >> 2)
    this.#staging8 = new Uint8Array(this.#staging.buffer)
    this.#built = this.#staging
    this.#built8 = this.#staging8
    this.#maxPayload = maxPayloadBytes(maxBatchBytes)
    this.#limit = Number(Atomics.load(control64, int64.claimLimit))
  }

  /** LSN up to which space is claimed, by all producers. */
  get tailLsn(): number {
    return Number(Atomics.load(this.#views.control64, int64.claimTail))
  }

  /** Bytes of the batch that waits for `publish`; 0 when nothing does. */
  get stagedBytes(): number {
    return this.#records === 0 ? 0 : this.#staged
  }

  /** Stages one record and publishes it with all that was staged before; returns its LSN. */
  append(type: number, flags: number, payload: Uint8Array): number {
    this.stage(type, flags, payload)
    return this.publish()
  }

  /** Stages one record; `payload` may be used again at once. What does not fit beside it is published first. */
  stage(type: number, flags: number, payload: Uint8Array): void {
    checkRecord(type, flags)
    const payloadBytes = bytesOf(payload)
    if (payloadBytes > this.#maxPayload) {
      // A plain view, because a subclass may have a `subarray` of its own.
      const plain = new Uint8Array(payload.buffer, payload.byteOffset, payloadBytes)
      this.publish()
      this.#publishInPieces(type, flags, plain)
      return
    }
    if (!this.#fits(recordBytes(payloadBytes))) this.publish()
    this.#stage(type, flags, payload, payloadBytes)
  }

  /** Claims and publishes everything staged; returns the LSN of its end, or the claim tail if there was nothing. */
  publish(): number {
    if (this.#records === 0) return this.tailLsn
    const [bytes, records] = [this.#staged, this.#records]
    const crc = this.#crc(this.#staging, this.#staging8, 0, bytes)
    const start = this.#claim(bytes)
    this.#unstage()
    this.#put(this.#staging, this.#staging8, 0, bytes, records, crc, start, records)
    return start + bytes
  }

  /**
   * Publishes a batch that stands in the caller's memory, the words from `from` to `to`: eight for the batch's header, and
   * `records` records, each with its header (`writeRecordHeader`) and its padding. Returns the LSN of its end. The memory may
   * be used again then.
   */
  publishBuilt(words: Int32Array, from: number, to: number, records: number): number {
    const bytes8 = this.#bytesOf(words)
    const bytes = (to - from) * 4
    if (allAssertions) this.#checkBuilt(bytes, records)
    const crc = this.#crc(words, bytes8, from, bytes)
    const start = this.#claim(bytes)
    this.#put(words, bytes8, from, bytes, records, crc, start, records)
    return start + bytes
  }

  /**
   * Publishes one record that is larger than a batch may be, and stands in the caller's memory: its header's words begin at
   * `at`, after eight words of which nothing is needed any more, and its payload ends at `to`. In pieces, each of which takes
   * the words before it for its headers. Returns the record's LSN.
   */
  publishLarge(words: Int32Array, at: number, to: number, type: number, flags: number): number {
    const bytes8 = this.#bytesOf(words)
    const payloadBytes = (to - at - recordHeaderWords) * 4
    const step = this.#maxPayload
    let start = this.#claim(this.#bytesInPieces(payloadBytes))
    for (let done = 0; done < payloadBytes; done += step) {
      const bytes = Math.min(step, payloadBytes - done)
      const head = at + (done >> 2)
      writeRecordHeader(
        words,
        head,
        recordHeaderBytes + bytes,
        type,
        flags | pieceFlags(done, bytes, payloadBytes),
      )
      start = this.#putPiece(
        words,
        bytes8,
        head - batchHeaderWords,
        bytes,
        start,
        done + bytes === payloadBytes,
      )
    }
    return start
  }

  /**
   * Publishes one record, with all that was staged before, if the ring has room for it now; returns its LSN, or `undefined`
   * when the ring has none, and then nothing was claimed. Never blocks.
   */
  tryAppend(type: number, flags: number, payload: Uint8Array): number | undefined {
    if (this.#records > 0) return this.tryAppendBatch(type, flags, [payload])
    checkRecord(type, flags)
    checkOpen(this.#views.control32)
    const payloadBytes = this.#payloadBytes(payload)
    const start = this.#tryClaim(batchHeaderBytes + recordBytes(payloadBytes))
    if (start === undefined) return undefined
    this.#stage(type, flags, payload, payloadBytes)
    return this.#publishAt(start)
  }

  /** Publishes a sync marker if the ring has room, also while the log closes; returns its end. For the flusher. */
  tryAppendSyncMarker(): number | undefined {
    const start = this.#tryClaim(batchHeaderBytes)
    if (start === undefined) return undefined
    // What is staged stays: the words of its header are free until it is published.
    this.#put(this.#staging, this.#staging8, 0, batchHeaderBytes, 0, this.#views.crcSeed, start, 0)
    return start + batchHeaderBytes
  }

  /**
   * Like `tryAppend`, for many records: all of them, one after the other, or none. They stand in as few batches as can be. For
   * no record at all it publishes what was staged.
   *
   * @throws also LogError `TIDEMARK_BATCH_TOO_LARGE` for more than the whole ring holds.
   */
  tryAppendBatch(type: number, flags: number, payloads: readonly Uint8Array[]): number | undefined {
    checkRecord(type, flags)
    // The array is the caller's too, and read once.
    const own = [...payloads]
    checkOpen(this.#views.control32)
    const bytes = this.#bytesInBatches(own)
    if (bytes === batchHeaderBytes) return this.tailLsn
    const { ringBytes } = this.#views
    if (bytes > ringBytes) {
      throw new LogError(
        'TIDEMARK_BATCH_TOO_LARGE',
        `The batch takes ${bytes} bytes of the log; the ring holds ${ringBytes} (ringBytes). Split it or raise ringBytes.`,
        { records: own.length, bytes, ringBytes },
      )
    }
    let start = this.#tryClaim(bytes)
    if (start === undefined) return undefined
    const claimEnd = start + bytes
    for (const payload of own) {
      const payloadBytes = bytesOf(payload)
      if (!this.#fits(recordBytes(payloadBytes))) start = this.#publishAt(start)
      this.#stage(type, flags, payload, payloadBytes)
    }
    const end = this.#publishAt(start)
    assert(end === claimEnd, 'the batches of a claim fill it', () => ({ end, claimEnd }))
    return end
  }

  /** Whether a record of so many bytes has room in the staged batch. */
  #fits(bytes: number): boolean {
    return this.#staged + bytes <= this.maxBatchBytes && this.#records < this.recordsMax
  }

  #stage(type: number, flags: number, payload: Uint8Array, payloadBytes: number): void {
    const at = this.#staged
    const word = at >> 2
    const end = at + recordBytes(payloadBytes)
    const staging = this.#staging
    // The padding first: the payload ends within the last eight bytes.
    staging[(end >> 2) - 1] = 0
    staging[(end >> 2) - 2] = 0
    writeRecordHeader(staging, word, recordHeaderBytes + payloadBytes, type, flags)
    this.#staging8.set(payload, at + recordHeaderBytes)
    this.#staged = end
    this.#records++
  }

  #unstage(): void {
    this.#staged = batchHeaderBytes
    this.#records = 0
  }

  /** Publishes what is staged in space that was claimed at `start` and is free; returns its end. */
  #publishAt(start: number): number {
    const [bytes, records] = [this.#staged, this.#records]
    this.#unstage()
    const crc = this.#crc(this.#staging, this.#staging8, 0, bytes)
    this.#put(this.#staging, this.#staging8, 0, bytes, records, crc, start, records)
    return start + bytes
  }

  /** The bytes of what is staged and of more records, put into batches one after the other as `tryAppendBatch` does. */
  #bytesInBatches(payloads: readonly Uint8Array[]): number {
    let full = 0
    let bytes = this.#staged
    let records = this.#records
    for (const payload of payloads) {
      const more = recordBytes(this.#payloadBytes(payload))
      if (bytes + more > this.maxBatchBytes || records === this.recordsMax) {
        full += bytes
        bytes = batchHeaderBytes
        records = 0
      }
      bytes += more
      records++
    }
    return full + bytes
  }

  #bytesInPieces(payloadBytes: number): number {
    const whole = Math.floor(payloadBytes / this.#maxPayload)
    const rest = payloadBytes - whole * this.#maxPayload
    return whole * this.maxBatchBytes + (rest === 0 ? 0 : batchHeaderBytes + recordBytes(rest))
  }

  #payloadBytes(payload: Uint8Array): number {
    const bytes = bytesOf(payload)
    if (bytes > this.#maxPayload) {
      throw new LogError(
        'TIDEMARK_BAD_RECORD',
        `The record has ${bytes} bytes; one record takes at most ${this.#maxPayload}. Raise maxBatchBytes or split it.`,
        { bytes, bytesMax: this.#maxPayload },
      )
    }
    return bytes
  }

  /**
   * A record larger than the largest batch: pieces inside one claim. The claim may exceed the ring, because each piece is
   * published, and drained, before the next one waits for its space.
   */
  #publishInPieces(type: number, flags: number, payload: Uint8Array): void {
    const step = this.#maxPayload
    const total = payload.byteLength
    let start = this.#claim(this.#bytesInPieces(total))
    for (let done = 0; done < total; done += step) {
      const piece = payload.subarray(done, Math.min(total, done + step))
      this.#stage(type, flags | pieceFlags(done, piece.byteLength, total), piece, piece.byteLength)
      this.#unstage()
      const isLast = done + step >= total
      start = this.#putPiece(this.#staging, this.#staging8, 0, piece.byteLength, start, isLast)
    }
  }

  /** Publishes one piece, whose batch begins at the word `from`; returns where it ends. */
  #putPiece(
    words: Int32Array,
    bytes8: Uint8Array,
    from: number,
    payloadBytes: number,
    start: number,
    isLast: boolean,
  ): number {
    const bytes = batchHeaderBytes + recordBytes(payloadBytes)
    const crc = this.#crc(words, bytes8, from, bytes)
    this.#put(words, bytes8, from, bytes, 1, crc, start, isLast ? 1 : 0)
    if (!isLast) wakeFlusher(this.#views.control32)
    return start + bytes
  }

  /** CRC of the records of a batch that begins at a word. */
  #crc(words: Int32Array, bytes8: Uint8Array, from: number, bytes: number): number {
    const at = from * 4 + batchHeaderBytes
    return crcOfBytes(bytes8, words, at, bytes - batchHeaderBytes, this.#views.crcSeed)
  }

  #bytesOf(words: Int32Array): Uint8Array {
    if (this.#built !== words) {
      this.#built = words
      this.#built8 = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
    }
    return this.#built8
  }

  /** Claims space; it may not be free yet. */
  #claim(bytes: number): number {
    const { control32, control64 } = this.#views
    checkOpen(control32)
    return Number(Atomics.add(control64, int64.claimTail, BigInt(bytes)))
  }

  /** Claims space if the ring has it now; returns where it begins. */
  #tryClaim(bytes: number): number | undefined {
    const { control64 } = this.#views
    for (;;) {
      const tail = Atomics.load(control64, int64.claimTail)
      const end = Number(tail) + bytes
      if (end > this.#limit) {
        this.#limit = Number(Atomics.load(control64, int64.claimLimit))
        if (end > this.#limit) return undefined
      }
      if (Atomics.compareExchange(control64, int64.claimTail, tail, tail + BigInt(bytes)) === tail)
        return Number(tail)
    }
  }

  /**
   * Writes the header of the batch at the word `from`, waits for the space that was claimed for it at `start`, copies it
   * there, and makes it visible. `counted` of its records end in it.
   */
  #put(
    words: Int32Array,
    bytes8: Uint8Array,
    from: number,
    bytes: number,
    records: number,
    crc: number,
    start: number,
    counted: number,
  ): void {
    const { ring8, ring32, ringBytes, control32, control64 } = this.#views
    // Who reads the files beside this process takes what is below for settled, so it must be acknowledged too.
    const settled = this.#views.isReplicated ? int64.released : int64.synced
    const synced = Number(Atomics.load(control64, settled))
    writeBatchHeader(words, from, bytes, records, this.#id, start, synced, Date.now() * 1000, crc)
    this.#awaitSpace(start + bytes)
    if (allAssertions) this.#checkClaim(start, bytes)
    // The length stays zero until all else is there: the flusher walks from batch to batch, and stops at a zero.
    words[from] = 0
    const offset = start % ringBytes
    const count = bytes >> 2
    if (count > loopCopyWordsMax) {
      ring8.set(bytes8.subarray(from * 4, from * 4 + bytes), offset)
    } else {
      const target = offset >> 2
      for (let i = 0; i < count; i++) ring32[target + i] = words[from + i]!
    }
    Atomics.store(ring32, offset >> 2, bytes)
    // The flusher's `#sleep` says why this order lets it miss no publication.
    const published = (Atomics.add(control32, int32.published, counted) + counted) | 0
    const isDue = ((published - Atomics.load(control32, int32.wakeAt)) | 0) >= 0
    if (isDue || Atomics.load(control32, int32.asleep) !== 0) wakeFlusher(control32)
  }

  #checkBuilt(bytes: number, records: number): void {
    const isBatch = bytes > batchHeaderBytes && bytes <= this.maxBatchBytes && bytes % 8 === 0
    if (!isBatch || records < 1 || records > this.recordsMax)
      broken('a batch is no larger than the log allows', { bytes, records, recordsMax: this.recordsMax })
  }

  #checkClaim(start: number, bytes: number): void {
    const end = start + bytes
    const values = { start, end, limit: this.#limit }
    if (start % 8 !== 0 || bytes % 8 !== 0) broken('claims begin and end at multiples of eight', values)
    if (end > this.#limit) broken('a claim is written only below the limit', values)
    const { ring32, ringBytes } = this.#views
    if (Atomics.load(ring32, (start % ringBytes) >> 2) !== 0)
      broken('the length of a batch is zero until it is published', values)
  }

  /**
   * Blocks until the ring may be written up to `end`. The claim stands, and everything claimed after it waits for it, so
   * the wait has no bound of its own: it lasts while the disk has no room, and ends at the latest when the log is closed or
   * poisoned. If a producer before this one died with its claim unfilled, the flusher poisons the log.
   *
   * ```
   *  producer                                     flusher
   *  P1  spaceWaiters += 1                        F1  claimLimit = LSN
   *  P2  remembers limitSignal                    F2  limitSignal += 1
   *  P3  looks at claimLimit and the state        F3  notifies limitSignal if spaceWaiters is above 0
   *  P4  flusherSignal += 1, notify
   *  P5  waits while limitSignal is what P2 remembers
   * ```
   *
   * A limit that P3 does not see (F1) comes after it, so F2 comes after P2, and F3 after P1: P5 finds the word changed, or F3
   * notifies it. P4 is for a flusher that sleeps or gathers a batch: the space may be that of batches which it has not
   * written yet, or of what the reader has passed since it looked.
   */
  #awaitSpace(end: number): void {
    if (end <= this.#limit) return
    const { control32, control64 } = this.#views
    this.#limit = Number(Atomics.load(control64, int64.claimLimit))
    if (end <= this.#limit) return
    Atomics.add(control32, int32.spaceWaiters, 1)
    try {
      for (;;) {
        const signal = Atomics.load(control32, int32.limitSignal)
        this.#limit = Number(Atomics.load(control64, int64.claimLimit))
        if (end <= this.#limit) return
        if (Atomics.load(control32, int32.state) >= logState.closed) {
          throw new LogPoisonedError(closedError())
        }
        wakeFlusher(control32)
        Atomics.wait(control32, int32.limitSignal, signal, spaceWaitMs)
      }
    } finally {
      Atomics.sub(control32, int32.spaceWaiters, 1)
    }
  }
}

const byteLength = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'byteLength')!
  .get!

/**
 * The bytes of a payload, as the engine knows them. A payload is the caller's object: no getter or proxy of the caller's may
 * run once its place is claimed. One that throws would leave a claim that is never filled, which everything after it waits
 * for, and one that appends would stage its record in the same memory.
 */
function bytesOf(payload: Uint8Array): number {
  if (isUint8Array(payload)) return byteLength.call(payload)
  throw new LogError('TIDEMARK_BAD_RECORD', `A record is a Uint8Array, not ${shown(payload)}.`, {
    type: typeof payload,
  })
}

function checkOpen(control32: Int32Array): void {
  const state = Atomics.load(control32, int32.state)
  if (state === logState.open) return
  if (state === logState.poisoned)
    throw new LogPoisonedError(new Error('a write, a sync or a thread failed.'))
  throw closedError()
}

function checkRecord(type: number, flags: number): void {
  if (!(type >= 1 && type <= recordTypeMax && Number.isInteger(type))) {
    throw new LogError('TIDEMARK_BAD_RECORD', `The record type is ${type}; use 1 to ${recordTypeMax}.`, {
      type,
    })
  }
  if (!Number.isInteger(flags) || (flags & ~recordFlag.applicationMask) !== 0) {
    throw new LogError('TIDEMARK_BAD_RECORD', `The record flags are ${flags}; only bits 4 to 7 are yours.`, {
      flags,
    })
  }
}

/** The flags of the piece that follows `done` of all bytes of a record's payload. */
function pieceFlags(done: number, bytes: number, total: number): number {
  return (done > 0 ? recordFlag.beganBefore : 0) | (done + bytes < total ? recordFlag.continues : 0)
}
