import { crc32 } from 'node:zlib'
import { ChecksumError, JobError } from '../errors.js'

/** The types of the events of a job log. */
export const jobEventTypes = ['ENQUEUE', 'DISPATCH', 'ACK', 'RETRY', 'TIMEOUT', 'DEAD'] as const

/** A type of an event of a job log. */
export type JobEventType = (typeof jobEventTypes)[number]

/** What an event says beside its type and job: any object that JSON can hold. */
export type JobEventDetail = Readonly<Record<string, unknown>>

/** One event of the job log. */
export interface JobEvent {
  /** 1, 2, 3 … over the whole life of the log; rotation and reopening never reset it. */
  readonly seq: number
  /** What happened. */
  readonly type: JobEventType
  /** The job that it happened to. */
  readonly jobId: string
  /** Milliseconds since 1970 by the writer's clock. */
  readonly atMs: number
  /** What else there is to say, by type. */
  readonly detail: JobEventDetail
  /** CRC-32 over everything above; see `calculateChecksum`. */
  readonly checksum: number
}

/** Types of the log's records: an event, or a note of the sequence number after which a new segment continues. */
export const recordType = { event: 64, base: 65 } as const
/** The kind that the header of a job log names. */
export const jobsLogKind = 'jobs'

const knownTypes: ReadonlySet<unknown> = new Set(jobEventTypes)
const checksumMax = 0xffff_ffff

/**
 * CRC-32 over the event in a form in which no two events look the same: sequence, type, time in milliseconds, job id
 * as JSON and detail as JSON, each after its length in characters and a colon.
 *
 * @throws JobError `TIDEMARK_JOB_BAD_EVENT` when JSON cannot hold the detail.
 */
export function calculateChecksum(event: Omit<JobEvent, 'checksum'>): number {
  return checksumOf(
    event.seq,
    event.type,
    JSON.stringify(event.jobId),
    event.atMs,
    detailToJson(event.detail, event.jobId),
  )
}

/** Whether an event's checksum fits what it says. */
export function verifyChecksum(event: JobEvent): boolean {
  return calculateChecksum(event) === event.checksum
}

/** A detail as JSON. */
export function detailToJson(detail: JobEventDetail, jobId: string): string {
  try {
    return JSON.stringify(detail)
  } catch (cause) {
    throw new JobError(
      'TIDEMARK_JOB_BAD_EVENT',
      `JSON cannot hold what is to be logged of job ${jobId}: ${(cause as Error).message}`,
      { jobId },
      { cause },
    )
  }
}

export interface EncodedEvent {
  /** The record: one line of JSON. */
  readonly text: string
  readonly checksum: number
}

/** Builds the record of an event whose detail is JSON already. */
export function encodeEvent(
  seq: number,
  type: JobEventType,
  jobId: string,
  atMs: number,
  detailJson: string,
): EncodedEvent {
  const idJson = JSON.stringify(jobId)
  const checksum = checksumOf(seq, type, idJson, atMs, detailJson)
  return {
    checksum,
    text: `{"seq":${seq},"type":"${type}","jobId":${idJson},"atMs":${atMs},"detail":${detailJson},"checksum":${checksum}}`,
  }
}

/**
 * Reads a record that `encodeEvent` made.
 *
 * @throws JobError `TIDEMARK_JOB_LOG_CORRUPT` when it is no event; ChecksumError when it says another thing than what
 *   was written.
 */
export function decodeEvent(payload: Buffer): JobEvent {
  const event = parseJson(payload) as JobEvent | undefined
  if (!event || !isEvent(event)) {
    throw new JobError('TIDEMARK_JOB_LOG_CORRUPT', 'A record of the job log is not an event.', {
      text: payload.toString('utf8', 0, 200),
    })
  }
  const expected = calculateChecksum(event)
  if (expected !== event.checksum) throw new ChecksumError(event.seq, expected, event.checksum)
  return event
}

export function encodeBase(lastSeq: number): Buffer {
  return Buffer.from(`{"base":${lastSeq}}`)
}

/** The sequence number that a base record holds, or `undefined` for any other record. */
export function decodeBase(payload: Buffer): number | undefined {
  const { base } = (parseJson(payload) ?? {}) as { base?: unknown }
  return isCount(base) ? base : undefined
}

/** A length in characters is as good as one in bytes: JSON escapes whatever UTF-8 cannot hold. */
function checksumOf(seq: number, type: string, idJson: string, atMs: number, detailJson: string): number {
  const seqText = `${seq}`
  const atText = `${atMs}`
  return crc32(
    `${seqText.length}:${seqText}${type.length}:${type}${atText.length}:${atText}${idJson.length}:${idJson}${detailJson.length}:${detailJson}`,
  )
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
}

function isEvent(event: Partial<Record<keyof JobEvent, unknown>>): boolean {
  return (
    isCount(event.seq) &&
    event.seq > 0 &&
    knownTypes.has(event.type) &&
    typeof event.jobId === 'string' &&
    event.jobId !== '' &&
    Number.isSafeInteger(event.atMs) &&
    typeof event.detail === 'object' &&
    event.detail !== null &&
    !Array.isArray(event.detail) &&
    isCount(event.checksum) &&
    event.checksum <= checksumMax
  )
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** @throws JobError `TIDEMARK_JOB_BAD_EVENT` unless an event can have this type and be of this job. */
export function checkEvent(type: JobEventType, jobId: string): void {
  if (knownTypes.has(type) && typeof jobId === 'string' && jobId !== '') return
  throw new JobError(
    'TIDEMARK_JOB_BAD_EVENT',
    `An event has the type ${jobEventTypes.join(', ')}, and the id of its job, a text that is not empty.`,
    { type, jobId },
  )
}
