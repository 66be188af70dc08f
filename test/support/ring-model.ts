import type { Disk } from '#tidemark/log/disk/disk.js'
import { Flusher } from '#tidemark/log/flush/flusher.js'
import { SegmentWriter } from '#tidemark/log/flush/segment-writer.js'
import { BatchDecoder } from '#tidemark/log/format/batch.js'
import { createLogMemory, int32, int64, type LogMemory, startLogMemory } from '#tidemark/log/ring/memory.js'
import { LogProducer } from '#tidemark/log/ring/producer.js'
import { RingReader } from '#tidemark/log/ring/ring-reader.js'

export const ringBytes = 64 * 1024
const maxBatchBytes = 4096
export const maxPayload = maxBatchBytes - 40
/** Bytes of a batch with one record. */
export const batchBytesOf = (payloadBytes: number) => 32 + Math.ceil((8 + payloadBytes) / 8) * 8

const batchOf = (payloads: readonly Uint8Array[]) =>
  payloads.reduce((sum, { byteLength }) => sum + batchBytesOf(byteLength) - 32, 32)
const crcSeed = 0x5eed
const historyBytes = 4 * ringBytes
const zeros = Buffer.alloc(ringBytes)

/** A batch, whose records have one type and flags; a sync marker has none. */
interface ModelBatch {
  readonly payloads: readonly Uint8Array[]
  readonly type: number
  readonly flags: number
}

/**
 * The ring of the log as a list: what was appended and is not written yet, and four positions. Around it stand the
 * parts that ship, with a disk below them that compares every batch that comes out with the one that went in.
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
  #wholeEnd: number
  /** Where the attached reader stands. */
  #position: number | undefined
  #requested = false
  #published: number
  readonly #batches: ModelBatch[] = []
  #next = 0
  readonly #ring: Buffer
  readonly #taken = Buffer.alloc(ringBytes)
  readonly #history = Buffer.alloc(historyBytes)
  readonly #copy = Buffer.alloc(ringBytes)
  readonly #decoder = new BatchDecoder(maxBatchBytes)

  /** Begins at `startLsn`, with the 32-bit counters at `counter`. */
  constructor(startLsn: number, counter: number) {
    this.memory = createLogMemory(ringBytes, maxBatchBytes)
    startLogMemory(this.memory, startLsn, crcSeed)
    this.control32 = new Int32Array(this.memory.control)
    this.control64 = new BigInt64Array(this.memory.control)
    for (const word of [int32.published, int32.limitSignal, int32.releasedSignal, int32.flusherSignal]) {
      this.control32[word] = counter
    }
    this.#published = counter | 0
    this.tail = startLsn
    this.#written = startLsn
    this.#wholeEnd = startLsn
    this.limit = startLsn + ringBytes
    this.#ring = Buffer.from(this.memory.ring)
    const header = {
      kind: 'log',
      contentVersion: 1,
      epoch: 1n,
      firstLsn: startLsn,
      previous: undefined,
      createdUs: 0,
      maxBatchBytes,
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

  /** Notes a batch with one record that is claimed next; returns where it ends. */
  claim(payload: Uint8Array, type: number, flags: number): number {
    return this.claimTogether([payload], type, flags)
  }

  /** Notes a batch of several records. */
  claimTogether(payloads: readonly Uint8Array[], type: number, flags: number): number {
    this.#batches.push({ payloads, type, flags })
    this.tail += batchOf(payloads)
    return this.tail
  }

  /** How a producer puts records into batches: as many as fit, and one that is larger than a batch by itself. */
  batchesOf(payloads: readonly Uint8Array[]): { batches: Uint8Array[][]; bytes: number } {
    const batches: Uint8Array[][] = []
    for (const payload of payloads) {
      const last = batches.at(-1)
      const joins = last !== undefined && batchOf([...last, payload]) <= maxBatchBytes
      if (joins) last.push(payload)
      else batches.push([payload])
    }
    return { batches, bytes: batches.reduce((sum, batch) => sum + batchOf(batch), 0) }
  }

  /** Notes a record: one batch, or one after the other, with its pieces, when it is larger. */
  claimRecord(payload: Uint8Array, type: number, flags: number): number {
    let began = 0
    for (let at = 0; at + maxPayload < payload.byteLength; at += maxPayload) {
      this.claim(payload.subarray(at, at + maxPayload), type, flags | 1 | began)
      began = 2
    }
    const rest = payload.byteLength === 0 ? 0 : ((payload.byteLength - 1) % maxPayload) + 1
    return this.claim(payload.subarray(payload.byteLength - rest), type, flags | began)
  }

  /** Notes that records became visible. */
  publish(records: number): void {
    this.#published = (this.#published + records) | 0
  }

  writeSyncMarker(): void {
    const fits = this.tail + 32 <= this.limit
    if (this.flusher.writeSyncMarker() !== fits)
      throw new Error(`a sync marker ${fits ? 'did not fit' : 'fitted'}`)
    if (!fits) return
    this.#batches.push({ payloads: [], type: 0, flags: 0 })
    this.tail += 32
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
    const copied = this.reader.read(this.#copy.subarray(0, bytes), this.#wholeEnd)
    if (copied === undefined) throw new Error('the reader was detached')
    if (copied === 0 && bytes >= maxBatchBytes && at < this.#wholeEnd)
      throw new Error('the reader got nothing')
    if (copied > 0 && at + copied > this.#wholeEnd) throw new Error('the reader got what is not released')
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
    this.#same('released', Number(control64[int64.released]), this.#wholeEnd)
    this.#same('synced', Number(control64[int64.synced]), this.#wholeEnd)
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

  /** Compares the batches that one write takes with the next ones of the list. */
  #take(pieces: readonly Uint8Array[]): number {
    let bytes = 0
    for (const piece of pieces) {
      this.#taken.set(piece, bytes)
      bytes += piece.byteLength
    }
    for (let at = 0; at < bytes; ) {
      const lsn = this.#written
      const fault = this.#decoder.decode(this.#taken, at, bytes, lsn, crcSeed)
      if (fault !== 'none') throw new Error(`the batch at LSN ${lsn} came out as ${fault}`)
      const { length: batchBytes, records, continues } = this.#decoder.view
      const expected = this.#batches[this.#next++]
      const same = expected?.payloads.length === records && this.#isSame(expected, at + 32)
      if (!same) throw new Error(`the batch at LSN ${lsn} is not the one that went in`)
      const from = lsn % historyBytes
      const first = Math.min(batchBytes, historyBytes - from)
      this.#taken.copy(this.#history, from, at, at + first)
      if (first < batchBytes) this.#taken.copy(this.#history, 0, at + first, at + batchBytes)
      at += batchBytes
      this.#written += batchBytes
      if (!continues) this.#wholeEnd = this.#written
    }
    if (this.#next > 10_000) {
      this.#batches.splice(0, this.#next)
      this.#next = 0
    }
    return bytes
  }

  /** Whether the records at a place of what was taken are the expected ones. */
  #isSame({ payloads, type, flags }: ModelBatch, from: number): boolean {
    const taken = this.#taken
    let at = from
    for (const payload of payloads) {
      const length = 8 + payload.byteLength
      if (taken.readUInt32LE(at) !== length || taken[at + 4] !== type || taken[at + 5] !== flags) return false
      if (taken.compare(payload, 0, payload.byteLength, at + 8, at + length) !== 0) return false
      at += batchBytesOf(payload.byteLength) - 32
    }
    return true
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
