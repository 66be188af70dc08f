import type { Disk } from '../disk/disk.js'
import { type SegmentHeader, segmentHeaderBytes } from '../format/segment.js'
import type { LogDamage } from '../recover/damage-report.js'
import type { HeaderProbe } from './header-probe.js'
import type { InspectedSegment } from './inspection-report.js'
import { InspectionWalk } from './inspection-walk.js'
import type { LogFile } from './log-files.js'

/** Damage without what only the whole inspection knows. */
export type PlacedDamage = Omit<LogDamage, 'severity' | 'wholeEndLsn' | 'recordsKept'>

export interface SettledHeader {
  /** The header to read the segment with; `undefined` when the segment's batches can't be checked. */
  readonly header: SegmentHeader | undefined
  readonly inferred: boolean
  /** What is wrong with the header that stands there. */
  readonly damage: PlacedDamage | undefined
}

/** Decides with which header a segment is read, and says what is wrong with the one that it has. */
export function settleHeader(
  disk: Disk,
  file: LogFile,
  handle: number,
  probe: HeaderProbe,
  before: InspectedSegment | undefined,
  successor: SegmentHeader | undefined,
): SettledHeader {
  const { header, damage } = probe
  const place = { file: file.path, offset: 0, lsn: file.firstLsn, endLsn: file.firstLsn }
  const fileEndLsn = file.firstLsn + Math.max(0, disk.size(handle) - segmentHeaderBytes)
  if (header && header.firstLsn !== file.firstLsn) {
    const reason = `its header says LSN ${header.firstLsn}, which is not its name`
    const damage: PlacedDamage = { kind: 'foreign', ...place, endLsn: fileEndLsn, reason }
    return { header: undefined, inferred: false, damage }
  }
  if (header) {
    return { header, inferred: false, damage: damage && { kind: 'header-copy', ...place, ...damage } }
  }
  const inferred = inferHeader(disk, file, handle, before, successor)
  const reason = inferred
    ? 'both copies of the header are damaged; the neighbouring segments say what they held'
    : 'both copies of the header are damaged, and without them its batches cannot be checked'
  const endLsn = inferred ? file.firstLsn : fileEndLsn
  return { header: inferred, inferred: true, damage: { kind: 'header', ...place, endLsn, reason } }
}

/**
 * The header that a segment must have had: its successor names its epoch; else it may have that of the segment before,
 * which its first batch shows.
 */
function inferHeader(
  disk: Disk,
  file: LogFile,
  handle: number,
  before: InspectedSegment | undefined,
  successor: SegmentHeader | undefined,
): SegmentHeader | undefined {
  const model = before?.header ?? successor
  if (!model) return undefined
  const previous = before?.header && { firstLsn: before.firstLsn, epoch: before.header.epoch }
  // Whether the file was used before is not known: then bytes that say nothing of themselves count for nothing.
  const withEpoch = (epoch: bigint): SegmentHeader => ({
    ...model,
    firstLsn: file.firstLsn,
    epoch,
    previous,
    recycled: true,
    // Not known either: then no removal leaves it as the first.
    withinRecord: previous !== undefined,
  })
  if (successor?.previous?.firstLsn === file.firstLsn) return withEpoch(successor.previous.epoch)
  if (!before?.header) return undefined
  const header = withEpoch(before.header.epoch)
  const trial = new InspectionWalk(disk, handle, file.path, header, { batch() {} })
  return trial.isValidNow() ? header : undefined
}

/** What is wrong where a segment should be the successor of the one before it. */
export function chainDamage(
  file: LogFile,
  header: SegmentHeader | undefined,
  before: InspectedSegment,
): PlacedDamage | undefined {
  if (!header || !before.header) return undefined
  const place = { file: file.path, offset: 0, lsn: file.firstLsn, endLsn: file.firstLsn }
  const { previous } = header
  if (!previous) return { kind: 'chain', ...place, reason: 'its header says that the log begins with it' }
  if (previous.firstLsn !== before.firstLsn) {
    const lsn = Math.min(before.endLsn, file.firstLsn)
    const reason = `it continues the segment at LSN ${previous.firstLsn}, which is missing`
    return { kind: 'missing', ...place, lsn, reason }
  }
  if (previous.epoch === before.header.epoch) return undefined
  const reason = `it does not go on from ${before.path}, which was written by another opening of the log`
  return { kind: 'chain', ...place, reason }
}
