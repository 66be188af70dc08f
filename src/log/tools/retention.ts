import type { Disk } from '../disk/disk.js'
import { listSegmentNames, readSegmentHeader, segmentNameLsn, segmentPath } from '../format/segment.js'

export interface RetentionSettings {
  /** Bytes of log that are kept before the durable LSN; Infinity: all. */
  readonly keepLogBytes: number
  /** Hours that a sealed segment is kept; Infinity: for ever. */
  readonly keepLogHours: number
}

const msPerHour = 3_600_000

/**
 * The LSN below which the log is further back than `keepLogBytes` or older than `keepLogHours`, whichever reaches
 * further; `undefined` when all is kept. A segment is as old as its sealing, which is when its successor was made.
 */
export function retentionLimit(
  disk: Disk,
  directory: string,
  settings: RetentionSettings,
  durableLsn: number,
  wallMs: number,
): number | undefined {
  const { keepLogBytes, keepLogHours } = settings
  const byBytes = durableLsn - keepLogBytes
  const byAge =
    keepLogHours === Number.POSITIVE_INFINITY
      ? Number.NEGATIVE_INFINITY
      : firstLsnSince(disk, directory, (wallMs - keepLogHours * msPerHour) * 1000)
  const limit = Math.max(byBytes, byAge)
  return limit === Number.NEGATIVE_INFINITY ? undefined : limit
}

/** The first LSN of the first segment that was not sealed before a time, in microseconds since 1970. */
function firstLsnSince(disk: Disk, directory: string, timeUs: number): number {
  const lsns = segmentLsns(disk, directory)
  let at = 0
  while (at + 1 < lsns.length) {
    const successor = readSegmentHeader(disk, segmentPath(directory, lsns[at + 1]!))
    // A segment whose header can't be read may be younger: nothing is removed because of it.
    if (!successor || successor.createdUs >= timeUs) break
    at++
  }
  return lsns[at] ?? 0
}

/** Where the log begins when the segments wholly below an LSN are gone. */
export function firstLsnWithout(disk: Disk, directory: string, limitLsn: number): number {
  const lsns = segmentLsns(disk, directory)
  let at = 0
  while (at + 1 < lsns.length && lsns[at + 1]! <= limitLsn) at++
  return lsns[at] ?? 0
}

function segmentLsns(disk: Disk, directory: string): number[] {
  return listSegmentNames(disk, directory).map((name) => segmentNameLsn(name)!)
}
