import { TidemarkError } from '../../base/errors.js'
import { LogError } from '../errors.js'
import { type Segment, segmentHeaderBytes } from '../format/segment.js'
import type { LogFault } from '../tools/inspection-report.js'
import type { TornTail } from './recovery.js'

/** Damage to a log: where it is, what is kept before it, and what it costs. */
export interface DamageReport {
  /** A torn tail was never acknowledged, and an opening cuts it; corruption makes an opening fail. */
  readonly kind: 'torn-tail' | 'corrupt'
  readonly file: string
  /** Byte of the file. */
  readonly offset: number
  readonly lsn: number
  /** What is wrong, as a sentence without its full stop. */
  readonly reason: string
  /** Whole records of the file that stand before the damage; `undefined` when nobody has counted them. */
  readonly recordsKept: number | undefined
  /** Of a torn tail: bytes that are cut, from the end of the last whole record on. */
  readonly bytesCut: number
  /** Of corruption: bytes that can't be read. `undefined` when the search ended at the first of them. */
  readonly bytesUnreadable: number | undefined
}

/**
 * Damage as one object, from whoever found it: `recovery.tornTail` of an opening, a `TIDEMARK_LOG_CORRUPT` error, or a
 * fault that an inspection lists. `undefined` for an error that names no place in a log.
 */
export function damageOf(found: TornTail | LogFault): DamageReport
export function damageOf(found: unknown): DamageReport | undefined
export function damageOf(found: unknown): DamageReport | undefined {
  if (found instanceof TidemarkError) return damageOfError(found)
  const { file, offset, lsn, reason } = found as TornTail | LogFault
  const place = { file, offset, lsn, reason: damageReason(reason) }
  const { recordsKept } = found as TornTail | LogFault
  if (!('kind' in (found as object))) {
    const { bytesCut } = found as TornTail
    return { kind: 'torn-tail', ...place, recordsKept, bytesCut, bytesUnreadable: 0 }
  }
  const { severity, endLsn, groupEndLsn } = found as LogFault
  if (severity === 'corrupt') {
    return { kind: 'corrupt', ...place, recordsKept, bytesCut: 0, bytesUnreadable: endLsn - lsn }
  }
  return { kind: 'torn-tail', ...place, recordsKept, bytesCut: endLsn - groupEndLsn, bytesUnreadable: 0 }
}

function damageOfError({ code, details }: TidemarkError): DamageReport | undefined {
  const { file, offset, lsn, reason, recordsKept } = details
  const placed = typeof file === 'string' && typeof offset === 'number' && typeof lsn === 'number'
  if (code !== 'TIDEMARK_LOG_CORRUPT' || !placed) return undefined
  return corruption({
    file,
    offset,
    lsn,
    reason: typeof reason === 'string' ? reason : 'it is not what the log goes on with',
    recordsKept: typeof recordsKept === 'number' ? recordsKept : undefined,
  })
}

/** Damage at which the search for it ended, because an opening that meets it goes no further. */
export function corruption(
  place: Pick<DamageReport, 'file' | 'offset' | 'lsn' | 'reason' | 'recordsKept'>,
): DamageReport {
  const reason = damageReason(place.reason)
  return { kind: 'corrupt', ...place, reason, bytesCut: 0, bytesUnreadable: undefined }
}

/** "LSN 824, byte 4920 of FILE: the CRC of a frame is wrong (12 records before it kept, 96 bytes cut)". */
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

const sentences: Record<string, string> = {
  truncated: 'the file ends within a frame',
  'bad-length': 'the length of a frame is not possible',
  'bad-lsn': 'a frame does not carry the LSN of its place',
  'bad-type': 'a frame has the type 0',
  'bad-crc': 'the CRC of a frame is wrong',
}

/** What is wrong with a frame in words; other reasons are in words already. */
export function damageReason(fault: string): string {
  return fault.replace(/^[a-z-]+/, (code) => sentences[code] ?? code)
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
