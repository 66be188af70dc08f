import { TidemarkError } from '../../base/errors.js'
import { LogError } from '../errors.js'
import { type Segment, segmentHeaderBytes } from '../format/segment.js'
import { damageReason } from '../read/damage-reason.js'

/** Bytes at the end of the log that an opening found unfinished, and cut. */
export interface TornTail {
  /** The file in which it began. */
  readonly file: string
  /** Byte of the file at which no valid batch begins. */
  readonly offset: number
  /** Where it began: the log ends there now. */
  readonly lsn: number
  /** Why it is no batch, as a part of a sentence. */
  readonly reason: string
  /** How many bytes were cut. */
  readonly bytesCut: number
  /** Whole records of the file that stay. */
  readonly recordsKept: number
}

/**
 * What can be wrong with a log:
 *
 * - `header`: no copy of a segment's header is valid; `header-copy`: one is not, or unused header bytes are not zero
 * - `foreign`: a segment is not the one its name says
 * - `chain`: a segment is not the successor of the one before it; `missing`: bytes of the log are in no file
 * - `batch`: bytes that are no valid batch where one must be
 * - `synced-beyond-end`: the log ends below what its batches say was synced
 * - `torn-tail`: unfinished bytes at the end, never acknowledged
 */
type LogDamageKind =
  | 'header'
  | 'header-copy'
  | 'foreign'
  | 'chain'
  | 'missing'
  | 'batch'
  | 'synced-beyond-end'
  | 'torn-tail'

/** One thing that is wrong with a log, and where. */
export interface LogDamage {
  readonly kind: LogDamageKind
  /** A torn tail is cut by the next opening; corruption makes opening fail. */
  readonly severity: 'torn' | 'corrupt'
  readonly file: string
  /** Byte of the file. */
  readonly offset: number
  readonly lsn: number
  /** LSN after the bytes that can't be read because of it; `lsn` when none are lost. */
  readonly endLsn: number
  /** The last LSN at or below `lsn` at which a batch ends and no record is unfinished: where the log can be cut. */
  readonly wholeEndLsn: number
  /** Whole records of the file that stand before it. */
  readonly recordsKept: number
  /** Completes "byte 4096 of FILE: …". */
  readonly reason: string
}

/** Damage to a log: where it is, what is kept before it, and what it costs. */
export interface DamageReport {
  /** A torn tail was never acknowledged, and an opening cuts it; corruption makes an opening fail. */
  readonly kind: 'torn-tail' | 'corrupt'
  /** The file. */
  readonly file: string
  /** Byte of the file. */
  readonly offset: number
  /** The LSN of the place. */
  readonly lsn: number
  /** What is wrong, as a sentence without its full stop. */
  readonly reason: string
  /** Whole records of the file that stand before the damage; `undefined` when they were not counted. */
  readonly recordsKept: number | undefined
  /** Of a torn tail: bytes that are cut, from the end of the last whole record on. */
  readonly bytesCut: number
  /** Of corruption: bytes that can't be read. `undefined` when the search ended at the first of them. */
  readonly bytesUnreadable: number | undefined
}

/**
 * Damage as one object, wherever it was found: by an opening (`recovery.tornTail`), in a `TIDEMARK_LOG_CORRUPT` error, or by
 * an inspection. `undefined` for an error that names no place in a log.
 */
export function damageOf(found: TornTail | LogDamage): DamageReport
export function damageOf(found: unknown): DamageReport | undefined
export function damageOf(found: unknown): DamageReport | undefined {
  if (found instanceof TidemarkError) return damageOfError(found)
  const { file, offset, lsn, reason } = found as TornTail | LogDamage
  const place = { file, offset, lsn, reason: damageReason(reason) }
  const { recordsKept } = found as TornTail | LogDamage
  if (!('kind' in (found as object))) {
    const { bytesCut } = found as TornTail
    return { kind: 'torn-tail', ...place, recordsKept, bytesCut, bytesUnreadable: 0 }
  }
  const { severity, endLsn, wholeEndLsn } = found as LogDamage
  if (severity === 'corrupt') {
    return { kind: 'corrupt', ...place, recordsKept, bytesCut: 0, bytesUnreadable: endLsn - lsn }
  }
  return { kind: 'torn-tail', ...place, recordsKept, bytesCut: endLsn - wholeEndLsn, bytesUnreadable: 0 }
}

function damageOfError({ code, details }: TidemarkError): DamageReport | undefined {
  const { file, offset, lsn, reason, recordsKept } = details
  const placed = typeof file === 'string' && typeof offset === 'number' && typeof lsn === 'number'
  if (code !== 'TIDEMARK_LOG_CORRUPT' || !placed) return undefined
  return corruption({
    file,
    offset,
    lsn,
    reason: typeof reason === 'string' ? reason : 'the bytes here are not those that the log must have',
    recordsKept: typeof recordsKept === 'number' ? recordsKept : undefined,
  })
}

/** Damage at which the search for it ended, because an opening that meets it goes no further. */
function corruption(
  place: Pick<DamageReport, 'file' | 'offset' | 'lsn' | 'reason' | 'recordsKept'>,
): DamageReport {
  const reason = damageReason(place.reason)
  return { kind: 'corrupt', ...place, reason, bytesCut: 0, bytesUnreadable: undefined }
}

/** "LSN 824, byte 4920 of FILE: the CRC of a batch is wrong (12 records before it kept, 96 bytes cut)". */
export function damageText({ file, offset, lsn, reason, ...damage }: DamageReport): string {
  const costs = [
    damage.recordsKept === undefined
      ? ''
      : `${plural(damage.recordsKept, 'record')} of the file before it kept`,
    damage.bytesCut > 0 ? `${plural(damage.bytesCut, 'byte')} cut` : '',
    damage.bytesUnreadable ? `${plural(damage.bytesUnreadable, 'byte')} can't be read` : '',
  ].filter((cost) => cost !== '')
  return `LSN ${lsn}, byte ${offset} of ${file}: ${reason}${costs.length > 0 ? ` (${costs.join(', ')})` : ''}`
}

function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}

/** The error of an opening that meets corruption at an LSN of a segment. */
export function corruptAt(
  segment: Segment,
  lsn: number,
  reason: string,
  recordsKept: number | undefined,
): LogError {
  const offset = segmentHeaderBytes + lsn - segment.header.firstLsn
  const place = { file: segment.path, offset, lsn, reason, recordsKept }
  return new LogError('TIDEMARK_LOG_CORRUPT', `The log is corrupt: ${damageText(corruption(place))}.`, place)
}
