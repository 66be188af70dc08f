import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import type { Disk } from '../../log/index.js'
import { AtomicFile, NodeDisk } from '../../log/index.js'
import { JobError } from '../errors.js'
import { isCount } from '../events/event.js'
import type { FinishedJob, LiveJob } from '../job.js'
import type { KeepFinished } from './finished-jobs.js'
import { emptyTotals, JobTable } from './job-table.js'
import { type SnapshotHeader, snapshotSchemaVersion } from './snapshot-cut.js'

/**
 * The snapshot file: lines of JSON. The first says what it is, then comes each job that is not finished, in any order
 * (`seq` gives that of enqueue), then each finished job that is still recognized in the order of finishing, and the last line holds the
 * CRC-32 of all before it.
 *
 * ```
 *   {"tidemark":"jobs","schemaVersion":1,"lastSeq":9,"lsn":2048,"createdAtMs":…,"live":1,"finished":2,"totals":{…}}
 *   {"id":"a","seq":3,"state":"pending","attempts":1,…,"payload":…}
 *   {"id":"b","state":"completed","attempts":1,"finishedAtMs":…}
 *   {"id":"c","state":"dead","attempts":3,"finishedAtMs":…,"reason":"failed","error":"…"}
 *   {"crc":1234567890}
 * ```
 */
export const snapshotName = 'jobs.snapshot'

export interface JobSnapshot {
  /** Sequence number of the last event in it, and the LSN after which replay begins. */
  readonly lastSeq: number
  readonly lsn: number
  readonly createdAtMs: number
  readonly table: JobTable
}

const readBytes = 64 * 1024
const newline = 10
const closingBrace = 125
/** Never part of an id or a reason: a quote inside a JSON text has a backslash before it. */
const payloadKey = Buffer.from(',"payload":')

/**
 * Writes a snapshot file whole or not at all. A chunk is asked for when the one before is written, so that the event loop
 * turns between two.
 *
 * @throws JobError `TIDEMARK_JOB_SNAPSHOT_IO`.
 */
export async function writeSnapshot(
  dir: string,
  chunks: Iterable<Buffer>,
  disk: Disk = new NodeDisk(),
): Promise<void> {
  const target = path.join(dir, snapshotName)
  try {
    await AtomicFile.write(disk, target, chunks)
  } catch (cause) {
    throw ioError('write', target, cause)
  }
}

/**
 * Reads the snapshot of a folder; `undefined` when there is none.
 *
 * @throws JobError `TIDEMARK_JOB_SNAPSHOT_VERSION` for one of another schema version,
 *   `TIDEMARK_JOB_SNAPSHOT_CORRUPT`, `TIDEMARK_JOB_SNAPSHOT_IO`.
 */
export async function readSnapshot(
  dir: string,
  keep: KeepFinished,
  disk: Disk = new NodeDisk(),
): Promise<JobSnapshot | undefined> {
  const target = path.join(dir, snapshotName)
  const reader = new SnapshotReader(target, keep)
  try {
    for await (const lines of linesOf(disk, target)) reader.add(lines)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error instanceof JobError ? error : ioError('read', target, error)
  }
  return reader.finish()
}

class SnapshotReader {
  readonly #path: string
  readonly #keep: KeepFinished
  #header: SnapshotHeader | undefined
  #table: JobTable | undefined
  readonly #beganMs = performance.now()
  #crc = 0
  #lines = 0
  #ended = false

  constructor(file: string, keep: KeepFinished) {
    this.#path = file
    this.#keep = keep
  }

  /** Takes the next lines of the file, each with its newline. */
  add(lines: Buffer): void {
    for (let from = 0; from < lines.byteLength; ) {
      if (this.#ended) throw this.#corrupt('something follows its last line')
      const to = lines.indexOf(newline, from) + 1 || lines.byteLength
      this.#addLine(lines, from, to)
      from = to
    }
    this.#crc = crc32(lines, this.#crc)
  }

  #addLine(lines: Buffer, from: number, to: number): void {
    const header = this.#header
    if (!header || !this.#table) {
      this.#begin(this.#parse(lines.toString('utf8', from, to)) as unknown as SnapshotHeader)
    } else if (this.#lines++ < header.live) {
      this.#table.restore(this.#toLive(lines, from, to))
    } else if (this.#lines <= header.live + header.finished) {
      this.#table.finished.add(this.#toFinished(this.#parse(lines.toString('utf8', from, to))))
    } else {
      const { crc } = this.#parse(lines.toString('utf8', from, to))
      const expected = crc32(lines.subarray(0, from), this.#crc)
      if (crc !== expected) throw this.#corrupt(`its checksum is ${expected}, it says ${crc}`)
      this.#ended = true
    }
  }

  finish(): JobSnapshot {
    if (!this.#header || !this.#table || !this.#ended) throw this.#corrupt('it has no last line')
    const { lastSeq, lsn, createdAtMs } = this.#header
    return { lastSeq, lsn, createdAtMs, table: this.#table }
  }

  #begin(header: SnapshotHeader): void {
    if (header.tidemark !== 'jobs') throw this.#corrupt('its first line is not that of a job snapshot')
    if (header.schemaVersion !== snapshotSchemaVersion) {
      throw new JobError(
        'TIDEMARK_JOB_SNAPSHOT_VERSION',
        `${this.#path} has schema version ${header.schemaVersion}; this build reads version ${snapshotSchemaVersion}. Open it with the build that wrote it.`,
        { file: this.#path, found: header.schemaVersion, supported: snapshotSchemaVersion },
      )
    }
    const counts = [header.lastSeq, header.lsn, header.createdAtMs, header.live, header.finished]
    if (!counts.every(isCount)) throw this.#corrupt('its first line lacks a number')
    this.#header = header
    this.#table = new JobTable(this.#keep, { ...emptyTotals(), ...header.totals })
  }

  /**
   * The payload stands last in its line, as the JSON that the job was enqueued with. It is taken as it is: parsing it, to
   * write it again, took a third of the time of opening 300,000 jobs. The checksum of the file covers it.
   */
  #toLive(lines: Buffer, from: number, to: number): LiveJob {
    const payloadAt = lines.indexOf(payloadKey, from)
    const isWhole = payloadAt > from && payloadAt + payloadKey.byteLength < to - 2
    if (!isWhole || lines[to - 2] !== closingBrace || lines[to - 1] !== newline) {
      throw this.#corrupt(`line ${this.#lines + 1} is not a job`)
    }
    const job = this.#parse(`${lines.toString('utf8', from, payloadAt)}}`) as unknown as LiveJob
    const numbers = [job.seq, job.attempts, job.interrupted, job.attemptId, job.dueMs]
    if (typeof job.id !== 'string' || !numbers.every(isCount)) {
      throw this.#corrupt(`line ${this.#lines + 1} is not a job`)
    }
    // Field by field, in the order of `JobTable`: V8 keeps what comes of rest and spread as a dictionary of its own, which
    // took half of the time of opening 300,000 jobs, and each of their later snapshots.
    return {
      id: job.id,
      payloadJson: lines.toString('utf8', payloadAt + payloadKey.byteLength, to - 2),
      priority: job.priority,
      timeoutMs: job.timeoutMs,
      maxAttempts: job.maxAttempts,
      seq: job.seq,
      enqueuedAtMs: job.enqueuedAtMs,
      state: job.state,
      attempts: job.attempts,
      interrupted: job.interrupted,
      attemptId: job.attemptId,
      dueMs: job.dueMs,
      // Snapshots of earlier builds have no `delayMs`: then the due time is trusted.
      delayMs: isCount(job.delayMs) ? job.delayMs : job.dueMs,
      lsn: 0,
      // No whole number: the dispatcher's would give every job's object another layout once more.
      readySinceMs: this.#beganMs,
      cut: 0,
    }
  }

  #toFinished(line: Record<string, unknown>): FinishedJob {
    const isWhole = typeof line['id'] === 'string' && isCount(line['finishedAtMs'])
    if (!isWhole) throw this.#corrupt(`line ${this.#lines + 1} is not a finished job`)
    const job = line as unknown as FinishedJob
    return {
      id: job.id,
      state: job.state,
      attempts: job.attempts,
      finishedAtMs: job.finishedAtMs,
      reason: job.reason,
      error: job.error,
      lsn: 0,
      cut: 0,
    }
  }

  #parse(line: string): Record<string, unknown> {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      value = undefined
    }
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
    throw this.#corrupt(`line ${this.#lines + 1} is not JSON`)
  }

  #corrupt(reason: string): JobError {
    return new JobError(
      'TIDEMARK_JOB_SNAPSHOT_CORRUPT',
      `The snapshot ${this.#path} is corrupt: ${reason}. Restore the folder from a copy.`,
      { file: this.#path, reason },
    )
  }
}

/** The lines of a file in pieces of some 64 KiB, each of whole lines. The last line may lack its newline. */
async function* linesOf(disk: Disk, target: string): AsyncGenerator<Buffer> {
  const file = await disk.async.open(target, 'read')
  try {
    let rest = Buffer.alloc(0)
    for (let position = 0; ; ) {
      const piece = Buffer.allocUnsafe(readBytes)
      const bytesRead = await disk.read(file, piece, position)
      if (bytesRead === 0) break
      position += bytesRead
      const bytes = Buffer.concat([rest, piece.subarray(0, bytesRead)])
      const end = bytes.lastIndexOf(newline) + 1
      if (end > 0) yield bytes.subarray(0, end)
      rest = bytes.subarray(end)
    }
    if (rest.byteLength > 0) yield rest
  } finally {
    await disk.async.close(file)
  }
}

function ioError(action: string, target: string, cause: unknown): JobError {
  return new JobError(
    'TIDEMARK_JOB_SNAPSHOT_IO',
    `Could not ${action} ${target}: ${(cause as Error).message}.`,
    { file: target },
    { cause },
  )
}
