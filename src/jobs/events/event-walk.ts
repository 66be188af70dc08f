import type { Disk } from '../../log/index.js'
import { type LogPlace, type Scanned, type ScanRange, scanLog } from '../../log/index.js'
import { ChecksumError, JobError } from '../errors.js'
import { decodeBase, decodeEvent, type JobEvent, jobsLogKind, recordType } from './event.js'

/** A place of the log from which no event could be read, or where events are missing. */
export interface JobLogDamage extends LogPlace {
  /** What is damaged: a record's bytes, its form, an event's fields, its checksum, or the sequence of events. */
  readonly kind: 'record' | 'format' | 'event' | 'checksum' | 'sequence'
  /** What is wrong, as a part of a sentence. */
  readonly reason: string
  /** The sequence number that was due here. */
  readonly seq: number
  /** How many events are missing; undefined where no valid event before or after shows it. */
  readonly count: number | undefined
  /** The error that found it. */
  readonly cause?: JobError | undefined
}

/** A batch at the end of the log that was never wholly written. */
export interface TornEnd extends LogPlace {
  /** How many bytes it has. */
  readonly bytes: number
  /** Why it is not valid, as a part of a sentence. */
  readonly reason: string
}

export type Walked =
  | { readonly kind: 'event'; readonly event: JobEvent; readonly place: LogPlace; readonly endLsn: number }
  /** A note that the next event has the number after this one. */
  | { readonly kind: 'base'; readonly seq: number }
  | { readonly kind: 'damage'; readonly damage: JobLogDamage }
  | { readonly kind: 'tornEnd'; readonly tornEnd: TornEnd }
  /** The owner of the log removed what was next: events are missing here, and nothing is damaged. */
  | { readonly kind: 'overtaken'; readonly place: LogPlace; readonly seq: number }

export interface WalkRange extends Omit<ScanRange, 'kind'> {
  /** The sequence number before the first event of the range. Default: as the log says. */
  readonly afterSeq?: number | undefined
}

interface OpenDamage extends Omit<JobLogDamage, 'seq' | 'count'> {}

/**
 * Walks the events of a log's files in order, and reports whatever is wrong between them. Damage is reported when the
 * next valid event has shown how many are missing.
 */
export function* walkEvents(disk: Disk, dir: string, range: WalkRange = {}): Generator<Walked> {
  let lastSeq = range.afterSeq
  let open: OpenDamage | undefined
  for (const scanned of scanLog(disk, dir, { ...range, kind: jobsLogKind })) {
    if (scanned.kind === 'tornTail') {
      const { place, bytes, reason } = scanned
      yield { kind: 'tornEnd', tornEnd: { ...place, bytes, reason } }
      continue
    }
    if (scanned.kind === 'overtaken') {
      if (open) yield { kind: 'damage', damage: { ...open, seq: (lastSeq ?? 0) + 1, count: undefined } }
      yield { kind: 'overtaken', place: scanned.place, seq: (lastSeq ?? 0) + 1 }
      open = undefined
      lastSeq = undefined
      continue
    }
    const read = readScanned(scanned)
    if (read.kind === 'damage') {
      if (open) yield { kind: 'damage', damage: { ...open, seq: (lastSeq ?? 0) + 1, count: undefined } }
      open = read.damage
      continue
    }
    const { seq } = read
    const isBase = read.kind === 'base'
    const before = lastSeq ?? (isBase ? seq : seq - 1)
    const missing = seq - before - (isBase ? 0 : 1)
    if (open || missing !== 0) {
      const reason = isBase
        ? `the log continues after event ${seq}, the event before was ${before}`
        : `event ${seq} stands where ${before + 1} is due`
      const found: OpenDamage = open ?? { ...scanned.place, kind: 'sequence', reason }
      const count = lastSeq === undefined ? undefined : Math.max(0, missing)
      open = undefined
      yield { kind: 'damage', damage: { ...found, seq: before + 1, count } }
    }
    lastSeq = Math.max(seq, lastSeq ?? 0)
    if (read.kind === 'base') yield read
    else yield { kind: 'event', event: read.event, place: scanned.place, endLsn: read.endLsn }
  }
  if (open) yield { kind: 'damage', damage: { ...open, seq: (lastSeq ?? 0) + 1, count: undefined } }
}

export function damageError(damage: JobLogDamage): JobError {
  const { cause, ...details } = damage
  if (cause instanceof ChecksumError) return cause
  return new JobError(
    'TIDEMARK_JOB_LOG_CORRUPT',
    `The job log is corrupt at LSN ${damage.lsn}, byte ${damage.offset} of ${damage.file}, where event ${damage.seq} is due: ${damage.reason}. Restore the folder from a copy, or read what is left with tolerant replay.`,
    details,
    cause ? { cause } : undefined,
  )
}

/** For a reader that needs every event: those that were removed can't be read any more. */
export function overtakenError({ place, seq }: Extract<Walked, { kind: 'overtaken' }>): JobError {
  return new JobError(
    'TIDEMARK_JOB_LOG_OVERTAKEN',
    `The owner of the log removed ${place.file} before event ${seq} was read from it. Nothing is corrupt; begin anew, and read faster than checkpoints remove segments.`,
    { ...place, seq },
  )
}

type Read =
  | { kind: 'event'; event: JobEvent; seq: number; endLsn: number }
  | { kind: 'base'; seq: number }
  | { kind: 'damage'; damage: OpenDamage }

function readScanned(scanned: Exclude<Scanned, { kind: 'tornTail' | 'overtaken' }>): Read {
  if (scanned.kind === 'damage') {
    return { kind: 'damage', damage: { ...scanned.place, kind: 'record', reason: scanned.reason } }
  }
  const { type, payload, place, endLsn } = scanned
  // An event fits in one: only another program writes such.
  if (scanned.inPieces)
    return { kind: 'damage', damage: { ...place, kind: 'record', reason: 'a record in pieces' } }
  if (type === recordType.base) {
    const seq = decodeBase(payload)
    if (seq !== undefined) return { kind: 'base', seq }
    return { kind: 'damage', damage: { ...place, kind: 'event', reason: 'a base record says nothing' } }
  }
  if (type !== recordType.event) {
    const reason = `a record of type ${type}: this is not a job log, or it was written by a later version`
    return { kind: 'damage', damage: { ...place, kind: 'format', reason } }
  }
  try {
    const event = decodeEvent(payload)
    return { kind: 'event', event, seq: event.seq, endLsn }
  } catch (error) {
    const cause = error as JobError
    const kind = cause instanceof ChecksumError ? 'checksum' : 'event'
    return { kind: 'damage', damage: { ...place, kind, reason: cause.message, cause } }
  }
}
