import { isUint8Array } from 'node:util/types'
import { allAssertions, assert, broken } from '../../base/assert.js'
import { shown } from '../../base/shown.js'
import { closedError, LogError, LogPoisonedError } from '../errors.js'
import { copyWithCrc, crcOfBytes } from '../format/crc.js'
import {
  alignFrame,
  frameFlag,
  frameHeaderBytes,
  maxApplicationType,
  syncMarkerType,
  writeFrameHeader,
} from '../format/frame.js'
import { int32, int64, type LogMemory, LogViews, logState } from './memory.js'
import { wakeFlusher } from './signals.js'

/** Copies of at most this many words are a loop; a typed-array `set` costs 30 ns before its first byte. */
const loopCopyWordsMax = 48
const spaceWaitMs = 100
/** Longer payloads are copied and checked by the runtime's own functions. */
const wordsByLoopMax = 128
const noPayload = new Uint8Array(0)

/**
 * Writes groups into the ring; one for each thread that writes. A group is staged in the thread's own memory, with its
 * payload's CRC, before any shared word is touched. `publish` then claims the space of everything staged with one fetch-add,
 * fills in the LSNs, copies it, and makes it visible with one ordered store: the flusher walks from frame to frame, so a
 * first length of zero hides all that follow.
 *
 * `append` and `publish` block the thread while the ring is full, so they are for worker threads; an event loop
 * uses `tryAppend`.
 */
export class LogProducer {
  readonly #views: LogViews
  readonly #id: number
  readonly #staging32: Int32Array
  readonly #staging8: Uint8Array
  /** Held as a number: V8 does not inline a view's `byteLength` here. */
  readonly #stagingBytes: number
  readonly #maxPayload: number
  #stagedBytes = 0
  #stagedGroups = 0
  #limit: number

  constructor(memory: LogMemory, producerId: number) {
    this.#views = new LogViews(memory)
    this.#id = producerId
    this.#staging32 = new Int32Array(this.#views.maxFrameBytes >> 2)
    this.#staging8 = new Uint8Array(this.#staging32.buffer)
    this.#stagingBytes = this.#views.maxFrameBytes
    this.#maxPayload = this.#views.maxFrameBytes - frameHeaderBytes
    this.#limit = Number(Atomics.load(this.#views.control64, int64.claimLimit))
  }

  /** Bytes of frames that wait for `publish`. */
  get stagedBytes(): number {
    return this.#stagedBytes
  }

  /** Stages one group and publishes it with all that was staged before; returns the LSN of its end. */
  append(type: number, flags: number, payload: Uint8Array): number {
    this.stage(type, flags, payload)
    return this.publish()
  }

  /** Stages one group; `payload` may be used again at once. What does not fit beside it is published first. */
  stage(type: number, flags: number, payload: Uint8Array): void {
    checkRecord(type, flags)
    const payloadBytes = bytesOf(payload)
    const length = frameHeaderBytes + payloadBytes
    if (payloadBytes > this.#maxPayload) {
      // A plain view, because a subclass may have a `subarray` of its own.
      const plain = new Uint8Array(payload.buffer, payload.byteOffset, payloadBytes)
      this.publish()
      this.#publishInPieces(type, flags, plain)
      return
    }
    const bytes = alignFrame(length)
    if (this.#stagedBytes + bytes > this.#stagingBytes) this.publish()
    this.#stageFrame(length, bytes, type, flags, payload)
    this.#stagedGroups++
  }

  /**
   * As `stage`, for a payload of `count` words from the beginning of `words`. The shortest way: copying and CRC are one
   * pass, and no view is needed.
   */
  stageWords(type: number, flags: number, words: Int32Array, count: number): void {
    const length = frameHeaderBytes + count * 4
    const bytes = alignFrame(length)
    if (bytes > this.#stagingBytes || count > wordsByLoopMax) {
      this.stage(type, flags, new Uint8Array(words.buffer, words.byteOffset, count * 4))
      return
    }
    checkRecord(type, flags)
    if (this.#stagedBytes + bytes > this.#stagingBytes) this.publish()
    const staging32 = this.#staging32
    const at = this.#stagedBytes >> 2
    staging32[at] = length
    staging32[at + 2] = type | (flags << 8)
    staging32[at + (bytes >> 2) - 1] = 0
    staging32[at + 1] = copyWithCrc(
      words,
      0,
      count,
      staging32,
      at + frameHeaderBytes / 4,
      this.#views.crcSeed,
    )
    this.#stagedBytes += bytes
    this.#stagedGroups++
  }

  /** Claims and publishes everything staged; returns the LSN of its end, or the claim tail if there was nothing. */
  publish(): number {
    const views = this.#views
    const bytes = this.#stagedBytes
    if (bytes === 0) return Number(Atomics.load(views.control64, int64.claimTail))
    checkOpen(views.control32)
    const start = Number(Atomics.add(views.control64, int64.claimTail, BigInt(bytes)))
    this.#finishHeaders(start)
    this.#awaitSpace(start + bytes)
    this.#copyAndPublish(start)
    return start + bytes
  }

  /**
   * Stages and publishes one group if the ring has room for it now; returns the LSN of its end, or `undefined` when
   * it has none, and then nothing was claimed. Never blocks.
   */
  tryAppend(type: number, flags: number, payload: Uint8Array): number | undefined {
    checkRecord(type, flags)
    checkOpen(this.#views.control32)
    return this.#tryAppend(type, flags, payload)
  }

  /** Like `tryAppend`, for a sync marker, which the flusher may still append while the log closes. */
  tryAppendSyncMarker(): number | undefined {
    return this.#tryAppend(syncMarkerType, 0, noPayload)
  }

  /**
   * Like `tryAppend`, for many groups: all of them, one after the other, or none.
   *
   * @throws also LogError `TIDEMARK_BATCH_TOO_LARGE` for more than the whole ring holds.
   */
  tryAppendBatch(type: number, flags: number, payloads: readonly Uint8Array[]): number | undefined {
    checkRecord(type, flags)
    // The array is the caller's too, and read once.
    const own = [...payloads]
    checkOpen(this.#views.control32)
    let bytes = 0
    for (const payload of own) bytes += alignFrame(frameHeaderBytes + this.#payloadBytes(payload))
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
      const length = frameHeaderBytes + bytesOf(payload)
      const frameBytes = alignFrame(length)
      if (this.#stagedBytes + frameBytes > this.#stagingBytes) start = this.#publishAt(start)
      this.#stageFrame(length, frameBytes, type, flags, payload)
      this.#stagedGroups++
    }
    const end = this.#publishAt(start)
    assert(end === claimEnd, 'the frames of a batch fill its claim', () => ({ end, claimEnd }))
    return end
  }

  #tryAppend(type: number, flags: number, payload: Uint8Array): number | undefined {
    const length = frameHeaderBytes + this.#payloadBytes(payload)
    const bytes = alignFrame(length)
    const start = this.#tryClaim(bytes)
    if (start === undefined) return undefined
    this.#stageFrame(length, bytes, type, flags, payload)
    this.#stagedGroups++
    return this.#publishAt(start)
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

  /** Publishes what is staged in space that was claimed at `start` and is free; returns where it ends. */
  #publishAt(start: number): number {
    const end = start + this.#stagedBytes
    if (end === start) return end
    this.#finishHeaders(start)
    this.#copyAndPublish(start)
    return end
  }

  #payloadBytes(payload: Uint8Array): number {
    const bytes = bytesOf(payload)
    if (bytes > this.#maxPayload) {
      throw new LogError(
        'TIDEMARK_BAD_RECORD',
        `The record has ${bytes} bytes; one record takes at most ${this.#maxPayload}. Raise maxFrameBytes or split it.`,
        { bytes, bytesMax: this.#maxPayload },
      )
    }
    return bytes
  }

  #stageFrame(length: number, bytes: number, type: number, flags: number, payload: Uint8Array): void {
    const at = this.#stagedBytes
    const word = at >> 2
    const staging32 = this.#staging32
    staging32[word] = length
    staging32[word + 2] = type | (flags << 8)
    staging32[(at + bytes - 4) >> 2] = 0
    if (bytes > frameHeaderBytes) staging32[(at + bytes - 8) >> 2] = 0
    const from = at + frameHeaderBytes
    this.#staging8.set(payload, from)
    staging32[word + 1] = crcOfBytes(
      this.#staging8,
      staging32,
      from,
      length - frameHeaderBytes,
      this.#views.crcSeed,
    )
    this.#stagedBytes = at + bytes
  }

  /** Gives every staged frame its LSN, and its CRC the header. */
  #finishHeaders(start: number): void {
    const staging32 = this.#staging32
    const synced = Number(Atomics.load(this.#views.control64, int64.synced))
    const nowUs = Date.now() * 1000
    const id = this.#id
    const end = this.#stagedBytes
    for (let at = 0; at < end; ) {
      const word = at >> 2
      const length = staging32[word]!
      writeFrameHeader(
        staging32,
        word,
        length,
        staging32[word + 2]!,
        id,
        start + at,
        synced,
        nowUs,
        staging32[word + 1]!,
      )
      at += alignFrame(length)
    }
  }

  #copyAndPublish(start: number): void {
    const { ring32, ringBytes, control32 } = this.#views
    const staging32 = this.#staging32
    const bytes = this.#stagedBytes
    const offset = start % ringBytes
    if (allAssertions) this.#checkClaim(start, bytes)
    const firstLength = staging32[0]!
    staging32[0] = 0
    const firstLap = offset + bytes <= ringBytes ? bytes : this.#bytesBeforeWrap(offset, firstLength)
    this.#copy(0, firstLap, offset)
    if (firstLap < bytes) this.#copy(firstLap, bytes, offset + firstLap - ringBytes)
    Atomics.store(ring32, offset >> 2, firstLength)
    const groups = this.#stagedGroups
    this.#stagedBytes = 0
    this.#stagedGroups = 0
    // The flusher's `#sleep` says why this order lets it miss no publication.
    const published = (Atomics.add(control32, int32.published, groups) + groups) | 0
    const isDue = ((published - Atomics.load(control32, int32.wakeAt)) | 0) >= 0
    if (isDue || Atomics.load(control32, int32.asleep) !== 0) wakeFlusher(control32)
  }

  #checkClaim(start: number, bytes: number): void {
    const end = start + bytes
    const values = { start, end, limit: this.#limit }
    if (start % 8 !== 0 || bytes % 8 !== 0) broken('claims begin and end at multiples of eight', values)
    if (end > this.#limit) broken('a claim is written only below the limit', values)
    const { ring32, ringBytes } = this.#views
    if (Atomics.load(ring32, (start % ringBytes) >> 2) !== 0)
      broken('the length of a frame is zero until it is published', values)
  }

  /** How many staged bytes belong before the wrap: up to the first frame that would begin at the ring's end or after it. */
  #bytesBeforeWrap(offset: number, firstLength: number): number {
    const staging32 = this.#staging32
    let at = alignFrame(firstLength)
    while (at < this.#stagedBytes && offset + at < this.#views.ringBytes)
      at += alignFrame(staging32[at >> 2]!)
    return at
  }

  #copy(from: number, to: number, ringOffset: number): void {
    const words = (to - from) >> 2
    if (words > loopCopyWordsMax) {
      this.#views.ring8.set(this.#staging8.subarray(from, to), ringOffset)
      return
    }
    const ring32 = this.#views.ring32
    const staging32 = this.#staging32
    const source = from >> 2
    const target = ringOffset >> 2
    for (let i = 0; i < words; i++) ring32[target + i] = staging32[source + i]!
  }

  /**
   * A group larger than the largest frame: continuation frames inside one claim. The claim may exceed the ring,
   * because each piece is published, and drained, before the next one waits for its space.
   */
  #publishInPieces(type: number, flags: number, payload: Uint8Array): void {
    const step = this.#maxPayload
    let claimBytes = 0
    for (let from = 0; from < payload.byteLength; from += step) {
      claimBytes += alignFrame(frameHeaderBytes + Math.min(step, payload.byteLength - from))
    }
    checkOpen(this.#views.control32)
    let start = Number(Atomics.add(this.#views.control64, int64.claimTail, BigInt(claimBytes)))
    for (let from = 0; from < payload.byteLength; from += step) {
      const piece = payload.subarray(from, Math.min(payload.byteLength, from + step))
      const last = from + step >= payload.byteLength
      const length = frameHeaderBytes + piece.byteLength
      const bytes = alignFrame(length)
      this.#stageFrame(length, bytes, type, last ? flags : flags | frameFlag.continues, piece)
      if (last) this.#stagedGroups++
      this.#finishHeaders(start)
      this.#awaitSpace(start + bytes)
      this.#copyAndPublish(start)
      if (!last) wakeFlusher(this.#views.control32)
      start += bytes
    }
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
   * notifies it. P4 is for a flusher that sleeps or gathers a batch: the space may be that of frames which it has not
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
  if (!(type >= 1 && type <= maxApplicationType && Number.isInteger(type))) {
    throw new LogError('TIDEMARK_BAD_RECORD', `The record type is ${type}; use 1 to ${maxApplicationType}.`, {
      type,
    })
  }
  if (!Number.isInteger(flags) || (flags & ~frameFlag.applicationMask) !== 0) {
    throw new LogError('TIDEMARK_BAD_RECORD', `The record flags are ${flags}; only bits 4 to 7 are yours.`, {
      flags,
    })
  }
}
