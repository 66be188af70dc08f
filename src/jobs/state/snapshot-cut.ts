import { crc32 } from 'node:zlib'
import type { FinishedJob, LiveJob } from '../job.js'
import type { JobTable, JobTotals } from './job-table.js'

export const snapshotSchemaVersion = 1

/** The first line of a snapshot. */
export interface SnapshotHeader {
  readonly tidemark: 'jobs'
  readonly schemaVersion: number
  readonly lastSeq: number
  readonly lsn: number
  readonly createdAtMs: number
  readonly live: number
  readonly finished: number
  readonly totals: JobTotals
}

/** Each cut has a number; a job has that of the last cut that encoded it. */
let cuts = 0

/** About a millisecond of encoding. */
const chunkCharactersDefault = 64 * 1024

/**
 * A snapshot of a table as of the moment when it is made, encoded in chunks while the table changes. A job that
 * is about to change, or to be forgotten, before its turn is encoded ahead of the change; jobs that came later are no part
 * of it. So every job of that moment is encoded once, as it was.
 *
 * One cut at a time; `end` is called when it is over.
 */
export class SnapshotCut {
  readonly #table: JobTable
  readonly #header: SnapshotHeader
  readonly #chunkCharacters: number
  readonly #live: Iterator<LiveJob>
  readonly #finished: Iterator<FinishedJob>
  readonly #id = ++cuts
  /** Lines that were encoded ahead and are not yet in a chunk, in the order in which they were. */
  readonly #liveAhead: string[] = []
  readonly #finishedAhead: string[] = []

  constructor(table: JobTable, lastSeq: number, lsn: number, chunkCharacters = chunkCharactersDefault) {
    this.#table = table
    this.#chunkCharacters = chunkCharacters
    this.#live = table.live.values()
    this.#finished = table.finished.values()
    this.#header = {
      tidemark: 'jobs',
      schemaVersion: snapshotSchemaVersion,
      lastSeq,
      lsn,
      createdAtMs: Date.now(),
      live: table.live.size,
      finished: table.finished.size,
      totals: { ...table.totals },
    }
    table.beginCut(this)
  }

  /** The pieces of the file. Each is encoded when it is asked for, in one short step. */
  *chunks(): Generator<Buffer> {
    let crc = 0
    let text = `${JSON.stringify(this.#header)}\n`
    for (const line of this.#lines()) {
      text += line
      if (text.length < this.#chunkCharacters) continue
      const chunk = Buffer.from(text)
      crc = crc32(chunk, crc)
      text = ''
      yield chunk
    }
    const last = Buffer.from(text)
    yield last
    yield Buffer.from(`{"crc":${crc32(last, crc)}}\n`)
  }

  /** The table changes freely again. */
  end(): void {
    this.#table.endCut()
  }

  /** A live job is about to change. */
  keepLive(job: LiveJob): void {
    if (job.seq > this.#header.lastSeq || job.cut === this.#id) return
    job.cut = this.#id
    this.#liveAhead.push(liveLine(job))
  }

  /** A finished job is about to be forgotten. */
  keepFinished(job: FinishedJob): void {
    if (job.lsn > this.#header.lsn || job.cut === this.#id) return
    job.cut = this.#id
    this.#finishedAhead.push(finishedLine(job))
  }

  *#lines(): Generator<string> {
    const { live, finished, lastSeq, lsn } = this.#header
    let lines = 0
    // Those that came since stand after all that were there.
    for (let next = this.#live.next(); !next.done && next.value.seq <= lastSeq; next = this.#live.next()) {
      const job = next.value
      if (job.cut === this.#id) continue
      job.cut = this.#id
      lines++
      yield liveLine(job)
    }
    for (const line of this.#liveAhead) {
      lines++
      yield line
    }
    // Forgotten are the oldest first: what was kept ahead finished before what is walked now.
    let ahead = 0
    for (;;) {
      while (ahead < this.#finishedAhead.length) {
        lines++
        yield this.#finishedAhead[ahead++]!
      }
      const next = this.#finished.next()
      if (next.done || next.value.lsn > lsn) break
      if (next.value.cut === this.#id) continue
      next.value.cut = this.#id
      lines++
      yield finishedLine(next.value)
    }
    if (lines !== live + finished)
      throw new Error(`A snapshot of ${live + finished} jobs has ${lines} lines.`)
  }
}

// Field by field: V8 makes a dictionary of what rest gives, which took longer than all else of a line.

function liveLine(job: LiveJob): string {
  const text = JSON.stringify({
    id: job.id,
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
    delayMs: job.delayMs,
  } satisfies Omit<LiveJob, 'payloadJson' | 'lsn' | 'readySinceMs' | 'cut'>)
  return `${text.slice(0, -1)},"payload":${job.payloadJson}}\n`
}

function finishedLine(job: FinishedJob): string {
  const { id, state, attempts, finishedAtMs, reason, error } = job
  const kept = { id, state, attempts, finishedAtMs, reason, error } satisfies Omit<FinishedJob, 'lsn' | 'cut'>
  return `${JSON.stringify(kept)}\n`
}
