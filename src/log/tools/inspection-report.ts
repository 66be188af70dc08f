import type { SegmentHeader } from '../format/segment.js'
import type { LogDamage } from '../recover/damage-report.js'

/** A segment as it was found. */
export interface InspectedSegment {
  readonly path: string
  readonly firstLsn: number
  /** LSN after the last valid frame. */
  readonly endLsn: number
  /** Bytes of the file, zeros made ready for more frames included. */
  readonly fileBytes: number
  /** As it stands, or as it could be inferred; `undefined` when its frames can't be checked. */
  readonly header: SegmentHeader | undefined
  /** Whether the header was put together from the neighbours', because neither copy is valid. */
  readonly headerInferred: boolean
  readonly frames: number
  readonly sealed: boolean
}

/** What was found in a log. */
export interface LogInspection {
  readonly directory: string
  readonly segments: readonly InspectedSegment[]
  /** Where the log begins, and after which group it ends if what is torn or lost at the end is left out. */
  readonly firstLsn: number
  readonly endLsn: number
  /** After the last whole group that was found at all. */
  readonly lastGroupEndLsn: number
  readonly frames: number
  readonly groups: number
  /** Microseconds since 1970 by the writer's clock, of the first and of the last valid frame. */
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

/** One group that was found valid. Its payload may be used during the call that hands it over. */
export interface InspectedGroup {
  /** Where it begins and, which is its LSN, ends. */
  readonly startLsn: number
  readonly lsn: number
  readonly type: number
  readonly flags: number
  readonly producer: number
  readonly timestampUs: number
  readonly payload: Uint8Array
  /**
   * Nothing valid stands before it, so that it may be the rest of a group in several frames whose beginning is lost: frames do
   * not say so, only the application's records can. Never so after a valid segment header, which says what it begins with.
   */
  readonly mayLackBeginning: boolean
}

/** Called with what an inspection finds, in the order of the log. */
export interface InspectionVisitor {
  group?(group: InspectedGroup): void
  /** A frame of the log's own, such as a sync marker. */
  logFrame?(type: number, lsn: number, timestampUs: number): void
  /** Bytes from one LSN to another that were passed over, before it is known what they mean. */
  skipped?(fromLsn: number, toLsn: number, file: string): void
  /** The rest of a group at the log's beginning, up to `toLsn`: a removal that was interrupted took the group's beginning. */
  rest?(fromLsn: number, toLsn: number, file: string): void
}

/** How far an inspection is. */
export interface InspectionStep {
  readonly bytesDone: number
  readonly bytesTotal: number
  /** More than 0 when the log's end looks unfinished: continue after so many milliseconds, when a writer may have finished it. */
  readonly waitMs: number
}
