import type { Disk } from '../disk/disk.js'
import { inspectLog } from './inspection.js'
import type { InspectedRecord, InspectionStep, LogInspection } from './inspection-report.js'

/** Bytes of a log that could not be read as batches, or the rest of a record of which a removal took the beginning. */
export interface SkippedRange {
  /** Where it begins. */
  readonly fromLsn: number
  /** Where it ends. */
  readonly toLsn: number
  /** The file that it is in. */
  readonly file: string
  /** The last record before it and the first after it need not have been neighbours. */
  readonly bytes: number
}

/** Takes what a salvage finds, in the order of the log. */
export interface SalvageVisitor {
  record(record: InspectedRecord): void
  skipped(range: SkippedRange): void
}

export interface SalvageReport {
  readonly records: number
  readonly skipped: readonly SkippedRange[]
  readonly inspection: LogInspection
}

/**
 * Reads every valid record of a log, also after damage, and reports all that it has to skip. It changes nothing, and what it
 * finds is not a log: after a gap it is not known what was lost, and a torn tail was never acknowledged.
 *
 * @throws LogError as `inspectLog`.
 */
export function* salvageLog(
  disk: Disk,
  directory: string,
  visitor: SalvageVisitor,
): Generator<InspectionStep, SalvageReport> {
  const skipped: SkippedRange[] = []
  const skip = (fromLsn: number, toLsn: number, file: string) => {
    const range = { fromLsn, toLsn, file, bytes: toLsn - fromLsn }
    skipped.push(range)
    visitor.skipped(range)
  }
  const inspection = yield* inspectLog(disk, directory, {
    record: (record) => visitor.record(record),
    skipped: skip,
    rest: skip,
  })
  return { records: inspection.records, skipped, inspection }
}
