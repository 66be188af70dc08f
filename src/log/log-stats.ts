import type { LatencySummary } from '../base/latency-histogram.js'
import type { ReplicationStats } from './replication/replication-stats.js'
import { float64, int64, type LogViews } from './ring/memory.js'

/** Figures of a log since its opening. */
export interface LogStats {
  /** LSN up to which space was claimed. */
  readonly tailLsn: number
  /** LSN up to which everything may be acknowledged. */
  readonly durableLsn: number
  /** Bytes claimed and not yet durable. */
  readonly durableLagBytes: number
  /** The part of the ring that is taken, 0 to 1. */
  readonly ringFill: number
  /** Writes with their sync since the log was opened, and the records and bytes that were in them. */
  readonly flushes: number
  /** Records that were written. */
  readonly records: number
  /** Bytes that were written, headers and sync markers among them. */
  readonly bytes: number
  /** Records for each flush, on average. */
  readonly recordsPerFlush: number
  /** How long flushes took since the log was opened: the write and the sync of each. */
  readonly flushLatency: LatencySummary
  /** Changes from one segment to the next. */
  readonly rotations: number
  /** Rotations that found no zero-filled file ready. */
  readonly unpreparedRotations: number
  /**
   * How often the next segment could not be made ready, for another reason than a full disk or too many open files. The log
   * continues without, at the price of slow rotations.
   */
  readonly preallocationFailures: number
  /** Sync markers written: one when the log falls idle, one when it is closed. */
  readonly syncMarkers: number
  /** How often the tailer was too slow for the ring and went over to the files. */
  readonly tailerDetached: number
  /** Calls of `waitDurable` that are pending. */
  readonly waiters: number
  /** How far the log is replicated; undefined for a log that is on this disk alone. */
  readonly replication: ReplicationStats | undefined
}

/** Reads the counters that the flusher keeps in shared memory; `others` are the opener's own. */
export function logStats(
  views: LogViews,
  others: Pick<LogStats, 'preallocationFailures' | 'waiters' | 'replication'>,
): LogStats {
  const { statistics, control64, ringBytes } = views
  const flushes = statistics[float64.flushes]!
  const records = statistics[float64.records]!
  const durableLsn = Number(Atomics.load(control64, int64.released))
  const tailLsn = Number(Atomics.load(control64, int64.claimTail))
  const limit = Number(Atomics.load(control64, int64.claimLimit))
  return {
    tailLsn,
    durableLsn,
    durableLagBytes: tailLsn - durableLsn,
    ringFill: 1 - (limit - tailLsn) / ringBytes,
    flushes,
    records,
    bytes: statistics[float64.bytes]!,
    recordsPerFlush: flushes === 0 ? 0 : records / flushes,
    flushLatency: views.flushLatency.snapshot(),
    rotations: statistics[float64.rotations]!,
    unpreparedRotations: statistics[float64.unpreparedRotations]!,
    syncMarkers: statistics[float64.syncMarkers]!,
    tailerDetached: statistics[float64.readerDetached]!,
    ...others,
  }
}
