import * as fs from 'node:fs'
import type { Disk } from '../../log/index.js'
import {
  checkOptions,
  listSegmentLsns,
  NodeDisk,
  optionNames,
  requireKind,
  scanLog,
} from '../../log/index.js'
import { emptyError, JobError } from '../errors.js'
import {
  decodeBase,
  decodeEvent,
  type JobEvent,
  type JobEventType,
  jobEventTypes,
  jobsLogKind,
  recordType,
} from './event.js'
import { damageError, type JobLogDamage, overtakenError, type TornEnd, walkEvents } from './event-walk.js'
import { logSizeOf, type OnProgress, ReadingProgress } from './reading-progress.js'
import { type JobReplayOptions, type JobReplayReport, replayEvents, replayOptions } from './replay.js'

/** What a look at a whole log found. */
export interface LogValidation {
  /** Whether nothing is damaged. */
  readonly valid: boolean
  /** How many events were read. */
  readonly events: number
  /** The number of the first event. */
  readonly firstSeq: number
  /** Also when the events up to it were removed after a snapshot. */
  readonly lastSeq: number
  /** How many files the log has. */
  readonly segments: number
  /** All damage, in order. */
  readonly damage: readonly JobLogDamage[]
  /** Bytes at the end that a crash left and the next opening cuts: no damage, they were never acknowledged. */
  readonly tornEnd: TornEnd | undefined
}

/** What a job log holds. */
export interface JobLogStats {
  /** How many events were read. */
  readonly totalEvents: number
  /** How many events of each type. */
  readonly byType: Readonly<Record<JobEventType, number>>
  /** 0 when there is no event. */
  readonly firstSeq: number
  /** Also when the events up to it were removed after a snapshot. */
  readonly lastSeq: number
  /** Milliseconds since 1970; 0 when there is no event. */
  readonly firstAtMs: number
  /** When the last event was logged, in milliseconds since 1970. */
  readonly lastAtMs: number
  /** How many places are damaged. */
  readonly corrupt: number
  /** How many files the log has. */
  readonly segments: number
  /** Size of the segment files, the zeros made ready in them included. */
  readonly bytes: number
}

/** Of what reads a whole log. */
export interface ReadingOptions {
  /** Is called about every 64 KiB with how many bytes of the log are read, and how many there are at most. What it throws ends nothing. */
  readonly onProgress?: OnProgress | undefined
}

/** Which events are dumped; a field that is left out excludes none. */
export interface DumpFilter extends ReadingOptions {
  /** From this event on. */
  readonly fromSeq?: number | undefined
  /** Up to this event. */
  readonly toSeq?: number | undefined
  /** Of these types only. */
  readonly types?: readonly JobEventType[] | undefined
  /** Of this job only. */
  readonly jobId?: string | undefined
  /** Skips what is not valid and is called with it; without it the first damage is thrown. */
  readonly onDamage?: ((damage: JobLogDamage) => void) | undefined
}

const dumpFilter = optionNames<DumpFilter>({
  fromSeq: true,
  toSeq: true,
  types: true,
  jobId: true,
  onDamage: true,
  onProgress: true,
})
const readingOptions = optionNames<ReadingOptions>({ onProgress: true })

/**
 * Checks every record of the log in a folder: frames, JSON, checksums, and that sequence numbers have no gap. Opens
 * nothing and changes nothing.
 *
 * @throws JobError `TIDEMARK_JOB_LOG_EMPTY` when the folder holds no log; LogError `TIDEMARK_BAD_SETTING`.
 */
export function validateLog(dir: string, options: ReadingOptions = {}): LogValidation {
  checkOptions('validateLog', options, readingOptions)
  const disk = openFolder(dir)
  const progress = new ReadingProgress(disk, dir, options.onProgress)
  const damage: JobLogDamage[] = []
  let tornEnd: TornEnd | undefined
  let events = 0
  let firstSeq = 0
  let lastSeq = 0
  for (const walked of walkEvents(disk, dir)) {
    if (walked.kind === 'event') {
      progress.at(walked.endLsn)
      if (events++ === 0) firstSeq = walked.event.seq
      lastSeq = walked.event.seq
    } else if (walked.kind === 'base') {
      lastSeq = walked.seq
    } else if (walked.kind === 'damage') {
      damage.push(walked.damage)
    } else if (walked.kind === 'tornEnd') {
      tornEnd = walked.tornEnd
    }
  }
  const segments = listSegmentLsns(disk, dir).length
  return { valid: damage.length === 0, events, firstSeq, lastSeq, segments, damage, tornEnd }
}

/**
 * Counts what is in the log in a folder.
 *
 * @throws JobError `TIDEMARK_JOB_LOG_EMPTY` when the folder holds no log.
 */
export function logStats(dir: string): JobLogStats {
  const disk = openFolder(dir)
  const byType = Object.fromEntries(jobEventTypes.map((type) => [type, 0])) as Record<JobEventType, number>
  let first: JobEvent | undefined
  let last: JobEvent | undefined
  let lastSeq = 0
  let totalEvents = 0
  let corrupt = 0
  for (const walked of walkEvents(disk, dir)) {
    if (walked.kind === 'damage') corrupt++
    if (walked.kind === 'base') lastSeq = walked.seq
    if (walked.kind !== 'event') continue
    totalEvents++
    byType[walked.event.type]++
    first ??= walked.event
    last = walked.event
    lastSeq = last.seq
  }
  return {
    totalEvents,
    byType,
    firstSeq: first?.seq ?? 0,
    lastSeq,
    firstAtMs: first?.atMs ?? 0,
    lastAtMs: last?.atMs ?? 0,
    corrupt,
    segments: listSegmentLsns(disk, dir).length,
    bytes: logSizeOf(dir),
  }
}

/** The number of valid events in the log in a folder. Errors as of `logStats`. */
export function countEvents(dir: string): number {
  return logStats(dir).totalEvents
}

/**
 * The last event of the log in a folder. Reads from the last segment backwards, and only as far as it must.
 *
 * @throws JobError `TIDEMARK_JOB_LOG_EMPTY` when there is none; `TIDEMARK_JOB_LOG_CORRUPT`, ChecksumError.
 */
export function lastEvent(dir: string): JobEvent {
  const last = findLast(openFolder(dir), dir, undefined, true)?.event
  if (!last) throw emptyError(dir)
  return last
}

/**
 * The events of the log in a folder, in order. Throws `TIDEMARK_JOB_LOG_OVERTAKEN` when the log's owner removes segments
 * that are to be read, after the first event; other errors as of `JobLog.replay`, and `TIDEMARK_JOB_LOG_EMPTY` when the
 * folder holds no log.
 */
export function* dumpLog(dir: string, filter: DumpFilter = {}): Generator<JobEvent> {
  checkOptions('dumpLog', filter, dumpFilter)
  const { fromSeq = 0, toSeq = Number.POSITIVE_INFINITY, types, jobId, onDamage, onProgress } = filter
  const disk = openFolder(dir)
  const progress = new ReadingProgress(disk, dir, onProgress)
  for (const walked of walkEvents(disk, dir)) {
    if (walked.kind === 'damage') {
      if (!onDamage) throw damageError(walked.damage)
      onDamage(walked.damage)
    }
    if (walked.kind === 'overtaken') throw overtakenError(walked)
    if (walked.kind !== 'event') continue
    progress.at(walked.endLsn)
    const { event } = walked
    if (event.seq > toSeq) return
    if (event.seq < fromSeq || (types && !types.includes(event.type))) continue
    if (jobId === undefined || event.jobId === jobId) yield event
  }
}

/**
 * Replays the log in a folder, which another process may have open: what `JobLog.replay` does, up to what
 * the files show. Errors as of `JobLog.replay`, and `TIDEMARK_JOB_LOG_EMPTY` when the folder holds no log.
 */
export async function replayLog(
  dir: string,
  handler: (event: JobEvent, lsn: number) => unknown,
  options: JobReplayOptions = {},
): Promise<JobReplayReport> {
  checkOptions('replayLog', options, replayOptions)
  const { fromLsn, afterSeq } = options
  return replayEvents(openFolder(dir), dir, handler, { fromLsn, afterSeq }, options)
}

/** The last sequence number in a log's files, and the event that has it unless it stands in a base record. */
export function findLast(
  disk: Disk,
  dir: string,
  limitLsn: number | undefined,
  eventOnly = false,
): { seq: number; event: JobEvent | undefined } | undefined {
  const firstLsns = listSegmentLsns(disk, dir)
  for (let i = firstLsns.length - 1; i >= 0; i--) {
    const fromLsn = firstLsns[i]!
    if (limitLsn !== undefined && fromLsn >= limitLsn) continue
    const endLsn = firstLsns[i + 1] ?? limitLsn
    let type = 0
    let payload: Buffer | undefined
    for (const scanned of scanLog(disk, dir, { kind: jobsLogKind, fromLsn, limitLsn: endLsn })) {
      if (scanned.kind !== 'record' || scanned.inPieces || (eventOnly && scanned.type !== recordType.event))
        continue
      type = scanned.type
      payload = Buffer.from(scanned.payload)
    }
    if (!payload) continue
    if (type !== recordType.base && type !== recordType.event) throw otherLogError(dir, type)
    if (type === recordType.base) return { seq: decodeBase(payload) ?? 0, event: undefined }
    const event = decodeEvent(payload)
    return { seq: event.seq, event }
  }
  return undefined
}

function otherLogError(dir: string, type: number): JobError {
  return new JobError(
    'TIDEMARK_JOB_LOG_CORRUPT',
    `The log in ${dir} ends with a record of type ${type}, which no job queue of this version writes: it is another log, such as a pool's, or one of a later version. Check the path of the folder.`,
    { dir, type },
  )
}

function openFolder(dir: string): Disk {
  const disk = new NodeDisk()
  if (!fs.existsSync(dir) || listSegmentLsns(disk, dir).length === 0) throw emptyError(dir)
  requireKind(disk, dir, jobsLogKind)
  return disk
}
