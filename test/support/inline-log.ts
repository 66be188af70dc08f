import type { Disk } from '#tidemark/log/disk/disk.js'
import type { Ownership } from '#tidemark/log/disk/ownership.js'
import { type Durability, Flusher } from '#tidemark/log/flush/flusher.js'
import { SegmentPreallocator } from '#tidemark/log/flush/preallocator.js'
import { SegmentWriter } from '#tidemark/log/flush/segment-writer.js'
import { SharedPreallocated } from '#tidemark/log/flush/shared-preallocated.js'
import { batchHeaderBytes, crcSeedOf, recordBytes } from '#tidemark/log/format/batch.js'
import { FileReader } from '#tidemark/log/read/file-reader.js'
import { type LogRecord, RecordCollector } from '#tidemark/log/read/log-record.js'
import { type LogCopies, type RecoveredLog, recoverLog } from '#tidemark/log/recover/recovery.js'
import {
  createLogMemory,
  int32,
  int64,
  type LogMemory,
  releasedBy,
  replicatorState,
  startLogMemory,
} from '#tidemark/log/ring/memory.js'
import { LogProducer } from '#tidemark/log/ring/producer.js'
import { planRemoval, removeSegmentsNow } from '#tidemark/log/tools/segment-removal.js'
import type { MemoryDisk } from './memory-disk.js'

export const inlineDirectory = '/log'

export interface InlineLogOptions {
  kind?: string
  segmentBytes?: number
  initialSegmentBytes?: number
  /** What the preallocator takes the opening's segment for; whole unless it is stated. */
  firstSegmentBytes?: number
  ringBytes?: number
  maxBatchBytes?: number
  durability?: Durability
  batchSize?: number
  batchDelayMs?: number
  spinUs?: number
  /** What the log is bound to by copies elsewhere. */
  copies?: LogCopies
  /** Whether acknowledgements wait for a replicator, for which a test stands in; see `release`. */
  replicated?: boolean
  ownership?: Pick<Ownership, 'confirm' | 'check' | 'watch' | 'nextCheckMs'>
}

/** The whole log in one thread on a disk in memory: the shipped parts, stepped by hand. */
export class InlineLog {
  readonly recovered: RecoveredLog
  readonly memory: LogMemory
  readonly producer: LogProducer
  readonly flusher: Flusher
  readonly segments: SegmentWriter
  readonly preallocator: SegmentPreallocator
  readonly #control64: BigInt64Array
  readonly #disk: MemoryDisk
  readonly #segmentBytes: number

  constructor(disk: MemoryDisk, options: InlineLogOptions = {}) {
    const segmentBytes = options.segmentBytes ?? 16 * 1024
    const maxBatchBytes = options.maxBatchBytes ?? 4096
    this.recovered = recoverLog({
      disk,
      directory: inlineDirectory,
      kind: options.kind ?? 'log',
      contentVersion: 1,
      maxBatchBytes,
      initialSegmentBytes: options.initialSegmentBytes ?? segmentBytes,
      copies: options.copies,
    })
    this.memory = createLogMemory(
      options.ringBytes ?? 64 * 1024,
      maxBatchBytes,
      options.durability === 'each' ? 1 : undefined,
    )
    const { active, capacity, report } = this.recovered
    const moves = options.replicated ? releasedBy.replicator : releasedBy.flusher
    startLogMemory(this.memory, report.endLsn, crcSeedOf(active.header.epoch), moves)
    if (options.replicated) {
      new Int32Array(this.memory.control)[int32.replicatorState] = replicatorState.shipping
    }
    this.segments = new SegmentWriter({
      disk,
      directory: inlineDirectory,
      preallocated: new SharedPreallocated(this.memory),
      segmentBytes,
      active,
      capacity,
      endLsn: report.endLsn,
    })
    this.flusher = new Flusher({
      memory: this.memory,
      ...(options.ownership && { ownership: options.ownership as Ownership }),
      segments: this.segments,
      settings: {
        batchSize: options.batchSize ?? 1,
        batchDelayMs: options.batchDelayMs ?? 0,
        durability: options.durability ?? 'group',
        spinUs: options.spinUs ?? 0,
      },
    })
    this.preallocator = new SegmentPreallocator({
      disk,
      directory: inlineDirectory,
      segmentBytes,
      firstSegmentBytes: options.firstSegmentBytes ?? segmentBytes,
      memory: this.memory,
    })
    this.producer = new LogProducer(this.memory, 1)
    this.#disk = disk
    this.#segmentBytes = segmentBytes
    this.#control64 = new BigInt64Array(this.memory.control)
  }

  get released(): number {
    return Number(this.#control64[int64.released]!)
  }

  get synced(): number {
    return Number(this.#control64[int64.synced]!)
  }

  get tail(): number {
    return Number(this.#control64[int64.claimTail]!)
  }

  /** Appends when the ring has room, flushing first when it has none. */
  append(payload: Uint8Array, type = 1): number {
    for (;;) {
      const lsn = this.producer.tryAppend(type, 0, payload)
      if (lsn !== undefined) return lsn
      this.flusher.flush()
    }
  }

  /** Appends records in one batch; returns the LSN of each. The ring must have room. */
  appendTogether(payloads: readonly Uint8Array[], type = 1): number[] {
    this.producer.publish()
    for (const payload of payloads) this.producer.stage(type, 0, payload)
    const bytes = this.producer.stagedBytes
    let lsn = this.producer.publish() - bytes + batchHeaderBytes
    return payloads.map(({ byteLength }) => {
      lsn += recordBytes(byteLength)
      return lsn
    })
  }

  /** Moves the released LSN as a replicator does that has shipped everything before it. */
  release(lsn: number): void {
    this.#control64[int64.released] = BigInt(lsn)
  }

  /** What `DurableLog.waitSynced` asks of the flusher, for an LSN that is released. */
  syncTo(lsn: number): void {
    this.#control64[int64.syncRequested] = BigInt(lsn)
    this.flusher.completeSync()
  }

  /** Removes the segments wholly below `lsn`, as far as it is released. */
  removeBefore(lsn: number): number | undefined {
    const removal = planRemoval(this.#disk, inlineDirectory, Math.min(lsn, this.released))
    if (removal) removeSegmentsNow(this.#disk, inlineDirectory, removal, this.#segmentBytes)
    return removal?.firstLsn
  }

  /** Flushes until everything appended is released. */
  flushAll(): void {
    while (this.released < this.tail) this.flusher.flush()
  }
}

/** Opens, reads everything, and says what was there: what a restart after a crash sees. */
export function reopen(
  disk: MemoryDisk,
  options?: InlineLogOptions,
): { log: InlineLog; records: LogRecord[] } {
  const log = new InlineLog(disk, options)
  return { log, records: readRecords(disk, log.recovered.report.firstLsn, log.recovered.report.endLsn) }
}

/** The records between two LSNs of a log that has no writer. */
export function readRecords(
  disk: Disk,
  fromLsn: number,
  toLsn: number,
  directory = inlineDirectory,
): LogRecord[] {
  const files = new FileReader(disk, directory, fromLsn)
  const collector = new RecordCollector()
  const records: LogRecord[] = []
  try {
    for (let chunk = files.nextSync(toLsn); chunk; chunk = files.nextSync(toLsn))
      records.push(...collector.take(chunk))
  } finally {
    files.close()
  }
  return records
}
