import type { Disk } from '#tidemark/log/disk/disk.js'
import { Flusher } from '#tidemark/log/flush/flusher.js'
import { SegmentWriter } from '#tidemark/log/flush/segment-writer.js'
import { FrameDecoder, syncMarkerType } from '#tidemark/log/format/frame.js'
import { createLogMemory, int32, int64, type LogMemory, startLogMemory } from '#tidemark/log/ring/memory.js'
import { LogProducer } from '#tidemark/log/ring/producer.js'
import { RingReader } from '#tidemark/log/ring/ring-reader.js'

export const ringBytes = 64 * 1024
const maxFrameBytes = 4096
export const maxPayload = maxFrameBytes - 32
export const frameBytesOf = (payloadBytes: number) => Math.ceil((32 + payloadBytes) / 8) * 8
const crcSeed = 0x5eed
const historyBytes = 4 * ringBytes
const zeros = Buffer.alloc(ringBytes)

interface ModelFrame {
  readonly payload: Uint8Array
  readonly type: number
  readonly flags: number
}

/**
 * The ring of the log as a list: what was appended and is not written yet, and four positions. Around it stand the
 * parts that ship, with a disk below them that compares every frame that comes out with the one that went in.
 */
export class RingModel {
  readonly memory: LogMemory
  readonly flusher: Flusher
  readonly producers: readonly LogProducer[]
  readonly reader: RingReader
  readonly control32: Int32Array
  readonly control64: BigInt64Array
  tail: number
  limit: number
  #written: number
  #groupEnd: number
  /** Where the attached reader stands. */
  #position: number | undefined
  #requested = false
  #published: number
  readonly #frames: ModelFrame[] = []
  #next = 0
  readonly #ring: Buffer
  readonly #taken = Buffer.alloc(ringBytes)
  readonly #history = Buffer.alloc(historyBytes)
  readonly #copy = Buffer.alloc(ringBytes)
  readonly #decoder = new FrameDecoder(maxFrameBytes)

  /** Begins at `startLsn`, with the 32-bit counters at `counter`. */
  constructor(startLsn: number, counter: number) {
    this.memory = createLogMemory(ringBytes, maxFrameBytes)
    startLogMemory(this.memory, startLsn, crcSeed)
    this.control32 = new Int32Array(this.memory.control)
    this.control64 = new BigInt64Array(this.memory.control)
    for (const word of [int32.published, int32.limitSignal, int32.releasedSignal, int32.flusherSignal]) {
      this.control32[word] = counter
    }
    this.#published = counter | 0
    this.tail = startLsn
    this.#written = startLsn
    this.#groupEnd = startLsn
    this.limit = startLsn + ringBytes
    this.#ring = Buffer.from(this.memory.ring)
    const header = {
      contentVersion: 1,
      epoch: 1n,
      firstLsn: startLsn,
      previous: undefined,
      createdUs: 0,
      maxFrameBytes,
      recycled: false,
    }
    this.flusher = new Flusher({
      memory: this.memory,
      segments: new SegmentWriter({
        disk: this.#disk(),
        directory: '/log',
        preallocated: { ready: undefined, take: () => {} },
        segmentBytes: 5 * ringBytes,
        active: { path: '/log/first', header },
        capacity: 3 * ringBytes,
        crc: 0,
        endLsn: startLsn,
      }),
      settings: { batchSize: 1, batchDelayMs: 0, durability: 'group' },
    })
    this.producers = [new LogProducer(this.memory, 1), new LogProducer(this.memory, 2)]
    this.reader = new RingReader(this.memory)
  }

  get empty(): boolean {
    return this.#written === this.tail
  }

  /** Notes a frame that is claimed next; returns where it ends. */
  claim(payload: Uint8Array, type: number, flags: number): number {
    this.#frames.push({ payload, type, flags })
    this.tail += frameBytesOf(payload.byteLength)
    return this.tail
  }

  /** Notes a group: one frame, or one after the other when it is larger. */
  claimGroup(payload: Uint8Array, type: number, flags: number): number {
    for (let at = 0; at + maxPayload < payload.byteLength; at += maxPayload) {
      this.claim(payload.subarray(at, at + maxPayload), type, flags | 1)
    }
    const rest = payload.byteLength === 0 ? 0 : ((payload.byteLength - 1) % maxPayload) + 1
    return this.claim(payload.subarray(payload.byteLength - rest), type, flags)
  }

  /** Notes that groups became visible. */
  publish(groups: number): void {
    this.#published = (this.#published + groups) | 0
  }

  writeSyncMarker(): void {
    const fits = this.tail + 32 <= this.limit
    if (this.flusher.writeSyncMarker() !== fits)
      throw new Error(`a sync marker ${fits ? 'did not fit' : 'fitted'}`)
    if (!fits) return
    this.claim(new Uint8Array(0), syncMarkerType, 0)
    this.publish(1)
  }

  flush(): void {
    this.flusher.flush()
    this.#advance()
  }

  /** Writes everything out; a ring that does not move any more is an error. */
  drain(): void {
    for (let i = 0; !this.empty; i++) {
      if (i > 1000) throw new Error(`the ring stands still at LSN ${this.#written} of ${this.tail}`)
      this.flush()
    }
  }

  requestReader(): void {
    this.reader.request()
    this.#position = undefined
    this.#requested = true
  }

  releaseReader(): void {
    this.reader.release()
    this.#position = undefined
    this.#requested = false
  }

  /** Lets the reader copy up to `bytes`, if it is attached, and compares what it got. */
  read(bytes: number): void {
    const at = this.reader.attach()
    if (at !== this.#position) throw new Error(`the reader is attached at ${at}, not at ${this.#position}`)
    if (at === undefined) return
    const copied = this.reader.read(this.#copy.subarray(0, bytes), this.#groupEnd)
    if (copied === undefined) throw new Error('the reader was detached')
    if (copied === 0 && bytes >= maxFrameBytes && at < this.#groupEnd)
      throw new Error('the reader got nothing')
    if (copied > 0 && at + copied > this.#groupEnd) throw new Error('the reader got what is not released')
    const from = at % historyBytes
    const first = Math.min(copied, historyBytes - from)
    const same =
      this.#copy.compare(this.#history, from, from + first, 0, first) === 0 &&
      this.#copy.compare(this.#history, 0, copied - first, first, copied) === 0
    if (!same) throw new Error(`the reader got other bytes at LSN ${at}`)
    this.#position = at + copied
  }

  /** Compares every shared word with the model. */
  check(): void {
    const { control64, control32 } = this
    this.#same('tail', Number(control64[int64.claimTail]), this.tail)
    this.#same('limit', Number(control64[int64.claimLimit]), this.limit)
    this.#same('released', Number(control64[int64.released]), this.#groupEnd)
    this.#same('synced', Number(control64[int64.synced]), this.#groupEnd)
    this.#same('published', control32[int32.published]!, this.#published)
  }

  /** Checks that all space that may be claimed is zero. */
  checkFree(): void {
    const from = this.tail % ringBytes
    const free = Math.max(0, this.limit - this.tail)
    const first = Math.min(free, ringBytes - from)
    const clean =
      this.#ring.compare(zeros, 0, first, from, from + first) === 0 &&
      this.#ring.compare(zeros, 0, free - first, 0, free - first) === 0
    if (!clean) throw new Error(`free space after LSN ${this.tail} is not zero`)
  }

  #same(name: string, actual: number, expected: number): void {
    if (actual !== expected) throw new Error(`${name} is ${actual}, not ${expected}`)
  }

  /** What the flusher does for claims and the reader: the rules of `advanceLimit`, in plain numbers. */
  #advance(): void {
    if (this.#requested) {
      this.#requested = false
      this.#position = this.#written
    }
    if (this.#position !== undefined && this.#written - this.#position > ringBytes / 2)
      this.#position = undefined
    this.limit = Math.min(this.#written, this.#position ?? this.#written) + ringBytes
  }

  /** Compares the frames that one write takes with the next ones of the list. */
  #take(pieces: readonly Uint8Array[]): number {
    let bytes = 0
    for (const piece of pieces) {
      this.#taken.set(piece, bytes)
      bytes += piece.byteLength
    }
    for (let at = 0; at < bytes; ) {
      const lsn = this.#written
      const fault = this.#decoder.decode(this.#taken, at, bytes, lsn, crcSeed)
      if (fault !== 'none') throw new Error(`the frame at LSN ${lsn} came out as ${fault}`)
      const { length, type, flags } = this.#decoder.view
      const expected = this.#frames[this.#next++]
      const same =
        expected?.type === type &&
        expected.flags === flags &&
        this.#taken.compare(expected.payload, 0, expected.payload.byteLength, at + 32, at + length) === 0
      if (!same) throw new Error(`the frame at LSN ${lsn} is not the one that went in`)
      const frameBytes = frameBytesOf(length - 32)
      const from = lsn % historyBytes
      const first = Math.min(frameBytes, historyBytes - from)
      this.#taken.copy(this.#history, from, at, at + first)
      if (first < frameBytes) this.#taken.copy(this.#history, 0, at + first, at + frameBytes)
      at += frameBytes
      this.#written += frameBytes
      if ((flags & 1) === 0) this.#groupEnd = this.#written
    }
    if (this.#next > 10_000) {
      this.#frames.splice(0, this.#next)
      this.#next = 0
    }
    return bytes
  }

  #disk(): Disk {
    const write = (_file: number, pieces: Uint8Array[], position: number) =>
      // At 0 stands the header of a segment.
      position === 0 ? pieces[0]!.byteLength : this.#take(pieces)
    const nothing = () => {}
    const calls = { open: () => 1, create: () => 1, write, syncData: nothing, rename: nothing }
    return { ...calls, close: nothing, syncDirectory: nothing } as unknown as Disk
  }
}
