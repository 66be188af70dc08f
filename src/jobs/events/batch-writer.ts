import { badSetting, checkOptions, optionNames } from '../../log/index.js'
import { closedError } from '../errors.js'
import { checkEvent, detailToJson, type JobEventDetail, type JobEventType } from './event.js'
import type { EventEntry } from './event-encoder.js'
import type { JobLog } from './job-log.js'

/** When a `BatchWriter` flushes. */
export interface BatchWriterOptions {
  /** A batch is written when it has this many events … Default 100. */
  readonly size?: number | undefined
  /** … or its first event is this many milliseconds old. Default 10. */
  readonly intervalMs?: number | undefined
}

const writerOptions = optionNames<BatchWriterOptions>({ size: true, intervalMs: true })
const sizeMax = 1_000_000
const intervalMsMax = 60_000
const wrapperBytes = 256

interface Batch {
  readonly entries: EventEntry[]
  readonly done: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers events and appends them as batches: for a caller that has many and need not await each. The events of one
 * writer keep their order; they get their sequence numbers when their batch is written.
 */
export class BatchWriter {
  readonly #log: JobLog
  readonly #size: number
  readonly #intervalMs: number
  #batch: Batch | undefined
  #timer: NodeJS.Timeout | undefined
  #written: Promise<void> = Promise.resolve()
  #closed = false

  /** @throws LogError `TIDEMARK_BAD_SETTING`. */
  constructor(log: JobLog, options: BatchWriterOptions = {}) {
    checkOptions('BatchWriter', options, writerOptions)
    const { size = 100, intervalMs = 10 } = options
    if (!(Number.isInteger(size) && size >= 1 && size <= sizeMax)) {
      throw badSetting('size', size, `a whole number from 1 to ${sizeMax}`)
    }
    if (!(intervalMs >= 0 && intervalMs <= intervalMsMax)) {
      throw badSetting('intervalMs', intervalMs, `a number from 0 to ${intervalMsMax}`)
    }
    this.#log = log
    this.#size = size
    this.#intervalMs = intervalMs
  }

  /** Events that are gathered and not yet handed to the log. */
  get pending(): number {
    return this.#batch?.entries.length ?? 0
  }

  /**
   * Adds one event. The promise, the same for a whole batch, resolves when the batch is on disk; it may be left
   * alone, because `flush` and `close` report a failure too.
   *
   * @throws JobError `TIDEMARK_JOB_BAD_EVENT`, `TIDEMARK_JOB_LOG_CLOSED`; LogError `TIDEMARK_DISK_FULL` while the disk is
   *   full. What was added before waits until it has room.
   */
  append(type: JobEventType, jobId: string, detail: JobEventDetail = {}): Promise<void> {
    checkEvent(type, jobId)
    // Read first: a toJSON of the caller's may close the writer, which would then hold an event that no close awaits.
    const detailJson = detailToJson(detail, jobId)
    if (this.#closed) throw closedError()
    const full = this.#log.diskRefusal()
    if (full) throw full
    this.#log.checkSize(Buffer.byteLength(detailJson) + Buffer.byteLength(jobId) * 2 + wrapperBytes, jobId)
    this.#batch ??= this.#begin()
    const { entries, done } = this.#batch
    entries.push({ type, jobId, detailJson })
    if (entries.length >= this.#size) this.#write()
    return done
  }

  /** Writes what is gathered; resolves when all that was added is on disk, and rejects if any of it is not. */
  flush(): Promise<void> {
    this.#write()
    return this.#written
  }

  /** Flushes and takes no more. The log stays open. */
  close(): Promise<void> {
    this.#closed = true
    return this.flush()
  }

  #begin(): Batch {
    let resolve = () => {}
    let reject: (error: unknown) => void = () => {}
    const done = new Promise<void>((yes, no) => {
      resolve = yes
      reject = no
    })
    done.catch(() => {})
    this.#timer = setTimeout(() => this.#write(), this.#intervalMs)
    return { entries: [], done, resolve, reject }
  }

  #write(): void {
    clearTimeout(this.#timer)
    const batch = this.#batch
    if (!batch) return
    this.#batch = undefined
    this.#log.appendMany(batch.entries, { waitsForDisk: true }).then(() => batch.resolve(), batch.reject)
    const before = this.#written
    this.#written = Promise.all([before, batch.done]).then(() => {})
    this.#written.catch(() => {})
  }
}
