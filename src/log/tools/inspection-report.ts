import type { SegmentHeader } from '../format/segment.js'
import type { LogDamage } from '../recover/damage-report.js'

/** A segment as it was found. */
export interface InspectedSegment {
  readonly path: string
  readonly firstLsn: number
  /** LSN after the last valid batch. */
  readonly endLsn: number
  /** Bytes of the file, zeros made ready for more batches included. */
  readonly fileBytes: number
  /** As it stands, or as it could be inferred; `undefined` when its batches can't be checked. */
  readonly header: SegmentHeader | undefined
  /** Whether the header was put together from the neighbours', because neither copy is valid. */
  readonly headerInferred: boolean
  readonly batches: number
  readonly sealed: boolean
}

/** What was found in a log. */
export interface LogInspection {
  readonly directory: string
  readonly segments: readonly InspectedSegment[]
  /** Where the log begins, and after which record it ends if what is torn or lost at the end is left out. */
  readonly firstLsn: number
  readonly endLsn: number
  /** After the last whole record or sync marker that was found at all. */
  readonly lastWholeEndLsn: number
  readonly batches: number
  readonly records: number
  /** Microseconds since 1970 by the writer's clock, of the first and of the last valid batch. */
  readonly firstTimeUs: number | undefined
  readonly lastTimeUs: number | undefined
  /** Everything that is wrong, by place. */
  readonly damage: readonly LogDamage[]
  readonly verdict: LogVerdict
}

/** What an inspection comes to. */
export type LogVerdict = 'valid' | 'torn' | 'corrupt'

export function verdictOf(damage: readonly LogDamage[]): LogVerdict {
  if (damage.some(({ severity }) => severity === 'corrupt')) return 'corrupt'
  return damage.length > 0 ? 'torn' : 'valid'
}

/** Whether bytes are lost because of damage, rather than only not as they should be. */
export function losesBytes(damage: LogDamage): boolean {
  return damage.endLsn > damage.lsn
}

/** One record that was found valid. Its payload may be used during the call that hands it over. */
export interface InspectedRecord {
  /** Where it begins, or its batch does when it is the first in it; and where it ends, which is its LSN. */
  readonly startLsn: number
  readonly lsn: number
  readonly type: number
  readonly flags: number
  readonly producer: number
  readonly timestampUs: number
  readonly payload: Uint8Array
  /** Whether it is only the rest of a record, whose beginning is lost. */
  readonly lacksBeginning: boolean
}

/** Called with what an inspection finds, in the order of the log. */
export interface InspectionVisitor {
  record?(record: InspectedRecord): void
  syncMarker?(lsn: number, timestampUs: number): void
  /** Bytes from one LSN to another that were passed over, before it is known what they mean. */
  skipped?(fromLsn: number, toLsn: number, file: string): void
  /** The rest of a record at the log's beginning, up to `toLsn`: a removal that was interrupted took the record's beginning. */
  rest?(fromLsn: number, toLsn: number, file: string): void
}

/** How far an inspection is. */
export interface InspectionStep {
  readonly bytesDone: number
  readonly bytesTotal: number
  /** More than 0 when the log's end looks unfinished: continue after so many milliseconds, when a writer may have finished it. */
  readonly waitMs: number
}
