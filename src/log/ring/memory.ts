import { assert } from '../../base/assert.js'
import { LatencyHistogram, latencyHistogramBytes } from '../../base/latency-histogram.js'
import { badSetting, type Shortage } from '../errors.js'
import { batchHeaderBytes, batchRecordsMax, recordHeaderBytes } from '../format/batch.js'

/**
 * The map of the memory that the threads of one log share. Nothing else in the project knows an offset of it.
 *
 * ```
 *  control (SharedArrayBuffer, one 128-byte line for each writer, so that no two writers share a cache line)
 *
 *  byte   word                  type     written by                          read by
 *  -----  --------------------  -------  ----------------------------------  --------------------
 *      0  constants                      the opener, once                    all
 *    128  claimTail             i64      producers (fetch-add)               flusher, opener
 *    256  claimLimit            i64      flusher                             producers
 *    264  limitSignal           i32      flusher                             producers (wait)
 *    384  synced                i64      flusher                             producers, opener, replicator
 *    392  syncedSignal          i32      flusher, opener (close, poison)     replicator (waitAsync)
 *    396  releaseAwaited        i32      flusher                             replicator
 *    512  published             i32      producers (add)                     flusher
 *    640  wakeAt                i32      flusher                             producers
 *    644  flusherSignal         i32      all that wake it (add)              flusher (wait)
 *    648  asleep                i32      flusher                             producers
 *    768  spaceWaiters          i32      producers (add)                     flusher, publisher
 *    896  state                 i32      opener (closing), flusher           all
 *   1024  readerSlot            i64      publisher, flusher (CAS)            both
 *   1088  rotationsRequested         i32      opener                              flusher
 *   1096  rotationsCompleted         i32      flusher                             opener
 *   1104  activeFirst           i64      flusher                             opener
 *   1112  roomEnd               i64      flusher                             opener
 *   1120  syncRequested         i64      opener                              flusher
 *   1152  preallocatorSignal    i32      all that wake it (add)               preallocator (wait)
 *   1156  preallocatedSerial    i32      preallocator                        flusher
 *   1160  preallocatedTaken     i32      flusher                             preallocator
 *   1164  preallocatedRecycled  i32      preallocator, before the serial     flusher
 *   1168  diskFull              i32      preallocator, flusher               opener, flusher
 *   1172  shortage              i32      preallocator, flusher               opener
 *   1176  preallocatedBytes     i64      preallocator, before the serial     flusher
 *   1280  statistics            f64 x n  flusher                             opener
 *   1408  released              i64      flusher, or the replicator          all
 *   1416  releasedSignal        i32      flusher, replicator, opener         opener (waitAsync)
 *   1536  replicated            i64      replicator                          opener
 *   1544  unreplicatedSinceUs   i64      replicator                          opener
 *   1552  windowFirst           i64      replicator                          opener
 *   1560  replicatorState       i32      replicator                          flusher, opener
 *   2048  flushLatency          f64 x n  flusher                             opener
 *
 *  ring (SharedArrayBuffer)
 *
 *  0                                          ringBytes          + maxBatchBytes
 *  +------------------------------------------+------------------+
 *  | batches at LSN mod ringBytes             | overhang         |
 *  +------------------------------------------+------------------+
 * ```
 *
 * A batch that begins before `ringBytes` extends into the overhang, and the next one begins at its own LSN mod
 * `ringBytes`: batches are contiguous and need no padding. Every byte that is free to be claimed is zero, so the
 * length word of a batch is zero until its producer publishes it.
 */
export interface LogMemory {
  /** The words that the threads of a log share; src/log/ring/memory.ts draws them. */
  readonly control: SharedArrayBuffer
  /** The ring that records go through. */
  readonly ring: SharedArrayBuffer
}

/** Indexes into `Int32Array` views of the control block. */
export const int32 = {
  ringBytes: 0,
  maxBatchBytes: 1,
  crcSeed: 2,
  recordsMax: 3,
  releasedBy: 4,
  limitSignal: 264 >> 2,
  syncedSignal: 392 >> 2,
  releaseAwaited: 396 >> 2,
  published: 512 >> 2,
  wakeAt: 640 >> 2,
  flusherSignal: 644 >> 2,
  asleep: 648 >> 2,
  spaceWaiters: 768 >> 2,
  state: 896 >> 2,
  rotationsRequested: 1088 >> 2,
  rotationsCompleted: 1096 >> 2,
  preallocatorSignal: 1152 >> 2,
  preallocatedSerial: 1156 >> 2,
  preallocatedTaken: 1160 >> 2,
  preallocatedRecycled: 1164 >> 2,
  diskFull: 1168 >> 2,
  shortage: 1172 >> 2,
  releasedSignal: 1416 >> 2,
  replicatorState: 1560 >> 2,
} as const

/** Indexes into `BigInt64Array` views of the control block. */
export const int64 = {
  claimTail: 128 >> 3,
  claimLimit: 256 >> 3,
  synced: 384 >> 3,
  readerSlot: 1024 >> 3,
  activeFirst: 1104 >> 3,
  roomEnd: 1112 >> 3,
  syncRequested: 1120 >> 3,
  preallocatedBytes: 1176 >> 3,
  released: 1408 >> 3,
  replicated: 1536 >> 3,
  unreplicatedSinceUs: 1544 >> 3,
  windowFirst: 1552 >> 3,
} as const

/** Indexes into `Float64Array` views of the control block; every one is written by the flusher alone. */
export const float64 = {
  flushes: 1280 >> 3,
  records: 1288 >> 3,
  bytes: 1296 >> 3,
  rotations: 1304 >> 3,
  unpreparedRotations: 1312 >> 3,
  syncMarkers: 1320 >> 3,
  readerDetached: 1328 >> 3,
} as const

/** Where the histogram of the flushes' durations begins. */
const flushLatencyAt = 2048

const controlBytes = flushLatencyAt + latencyHistogramBytes

/**
 * Bits of the diskFull word, each set while there is no room or no descriptor for one thing: making the next segment
 * (`preallocator`), what is in the ring (`flusher`), opening the segment that is ready (`ahead`). The thread that sets a bit
 * clears it.
 */
export const fullFor = { preallocator: 1, flusher: 2, ahead: 4 } as const

/** Values of the shortage word: what was missing when a bit of the diskFull word was set last. */
export const shortages: readonly Shortage[] = ['space', 'files']

/** Stores what there is a shortage of, then sets a bit of the diskFull word; returns the bits that were set before. */
export function noteShortage(control32: Int32Array, bit: number, shortage: Shortage): number {
  Atomics.store(control32, int32.shortage, shortages.indexOf(shortage))
  return Atomics.or(control32, int32.diskFull, bit)
}

/** Values of the state word. They only grow. */
export const logState = { open: 0, closing: 1, closed: 2, poisoned: 3 } as const

/**
 * Who moves the released LSN. The flusher does it when something is synced. In a log whose acknowledgements wait for other
 * machines the replicator does it alone, when what is synced is replicated too.
 */
export const releasedBy = { flusher: 0, replicator: 1 } as const

/**
 * Values of the replicatorState word. `none`: the log has no replicator. `ended`: nothing more will be replicated, since the
 * log is closed, or was closed and its replicator has stopped waiting for the engine.
 */
export const replicatorState = { none: 0, shipping: 1, stalled: 2, ended: 3 } as const

/** The low three bits of the reader slot: LSNs are multiples of eight. */
export const readerState = { none: 0n, attached: 1n, detached: 2n, requested: 3n } as const
export const readerStateMask = 7n

export const ringBytesMin = 64 * 1024
export const ringBytesMax = 1024 * 1024 * 1024
const maxBatchBytesMin = 4096

/** Views of one thread on the shared memory. */
export class LogViews {
  readonly ringBytes: number
  readonly maxBatchBytes: number
  readonly crcSeed: number
  /** Records that a batch may have. */
  readonly recordsMax: number
  /** Whether the released LSN waits for the replicator. */
  readonly isReplicated: boolean
  readonly control32: Int32Array
  readonly control64: BigInt64Array
  readonly statistics: Float64Array
  readonly flushLatency: LatencyHistogram
  readonly ring8: Uint8Array
  readonly ring32: Int32Array

  constructor(memory: LogMemory) {
    this.control32 = new Int32Array(memory.control)
    this.control64 = new BigInt64Array(memory.control)
    this.statistics = new Float64Array(memory.control)
    this.flushLatency = new LatencyHistogram(memory.control, flushLatencyAt)
    this.ring8 = new Uint8Array(memory.ring)
    this.ring32 = new Int32Array(memory.ring)
    this.ringBytes = this.control32[int32.ringBytes]!
    this.maxBatchBytes = this.control32[int32.maxBatchBytes]!
    this.crcSeed = this.control32[int32.crcSeed]!
    this.recordsMax = this.control32[int32.recordsMax]!
    this.isReplicated = this.control32[int32.releasedBy] === releasedBy.replicator
  }
}

/**
 * Makes the memory of a log that is not open yet. `ringBytes` is a power of two, and at least four of the largest
 * batches fit, so that a producer, the flusher and a reader each have room to work. A batch has at most `recordsMax` records:
 * one, where each is to be synced by itself.
 */
export function createLogMemory(
  ringBytes: number,
  maxBatchBytes: number,
  recordsMax: number = batchRecordsMax,
): LogMemory {
  if (!Number.isInteger(Math.log2(ringBytes)) || ringBytes < ringBytesMin || ringBytes > ringBytesMax) {
    throw badSetting('ringBytes', ringBytes, `a power of two from ${ringBytesMin} to ${ringBytesMax}`)
  }
  const batchBytesMax = ringBytes / 4
  if (maxBatchBytes % 8 !== 0 || maxBatchBytes < maxBatchBytesMin || maxBatchBytes > batchBytesMax) {
    throw badSetting(
      'maxBatchBytes',
      maxBatchBytes,
      `a multiple of 8 from ${maxBatchBytesMin} to a quarter of ringBytes, ${batchBytesMax}`,
    )
  }
  const memory: LogMemory = {
    control: new SharedArrayBuffer(controlBytes),
    ring: new SharedArrayBuffer(ringBytes + maxBatchBytes),
  }
  const control32 = new Int32Array(memory.control)
  control32[int32.ringBytes] = ringBytes
  control32[int32.maxBatchBytes] = maxBatchBytes
  control32[int32.recordsMax] = recordsMax
  return memory
}

/**
 * Sets the words that recovery decides: where the log continues, and under which epoch; and who moves the released LSN. Call
 * before any other thread looks.
 */
export function startLogMemory(
  memory: LogMemory,
  startLsn: number,
  crcSeed: number,
  moves: number = releasedBy.flusher,
): void {
  assert(startLsn % 8 === 0, 'a log begins at a multiple of eight', () => ({ startLsn }))
  const control32 = new Int32Array(memory.control)
  control32[int32.releasedBy] = moves
  control32[int32.crcSeed] = crcSeed
  const control64 = new BigInt64Array(memory.control)
  const start = BigInt(startLsn)
  control64[int64.claimTail] = start
  control64[int64.claimLimit] = start + BigInt(control32[int32.ringBytes]!)
  control64[int64.synced] = start
  control64[int64.released] = start
}

/** The largest payload of a record that one batch of this log holds, in bytes. */
export function maxPayloadBytes(maxBatchBytes: number): number {
  return maxBatchBytes - batchHeaderBytes - recordHeaderBytes
}
