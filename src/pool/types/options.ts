import type { Clock } from '../../base/clock.js'
import type { LogSettingOptions, ReplicationOptions } from '../../log/index.js'
import type { InstrumentOptions } from './instruments.js'

/** What a pool is opened with; docs/settings.md has a table with the defaults. */
export interface EnginePoolOptions extends LogSettingOptions {
  /** Folder of the log; made when it is not there. Environment: `TIDEMARK_DIR`. */
  readonly dir?: string | undefined
  /** Worker threads that match, each with its share of the symbols. Environment: `TIDEMARK_SHARDS`. Default 1. */
  readonly shards?: number | undefined
  /** Instruments that the pool must have: new ones are added, known ones must agree. */
  readonly instruments?: readonly InstrumentOptions[] | undefined
  /** Commands that may be accepted and not yet durable; beyond it `submit` rejects. Default 65,536. */
  readonly maxInFlight?: number | undefined
  /**
   * Questions (`depth`, `order`, `openOrders`, `highestOrderId`, `lastRequestId`, `digest`) that may wait for their answers; beyond it they reject.
   * Environment: `TIDEMARK_MAX_QUESTIONS`. Default 256.
   */
  readonly maxQuestions?: number | undefined
  /**
   * A checkpoint is taken when so many bytes of log have come since the last, and at the close, if anything has; 0: only
   * when asked. Default 256 MiB.
   */
  readonly checkpointBytes?: number | undefined
  /**
   * A checkpoint is taken when the last is so many milliseconds old and something was logged since; 0: not by time.
   * Default 0.
   */
  readonly checkpointIntervalMs?: number | undefined
  /** Snapshots that are kept. Default 2. */
  readonly keepSnapshots?: number | undefined
  /**
   * Bytes of log before the durable LSN that are kept beside what the kept snapshots need; what is older is deleted at a
   * checkpoint, and can no longer be subscribed to. Default Infinity: nothing is deleted.
   */
  readonly keepLogBytes?: number | undefined
  /**
   * Hours that a segment of the log is kept after it was sealed, beside what the kept snapshots need; what is older is
   * deleted at a checkpoint, even when `keepLogBytes` would keep it. Default Infinity.
   */
  readonly keepLogHours?: number | undefined
  /**
   * How many bytes before the durable LSN a cursor, the pool's own or that of a reader outside, may be and still keep the log from
   * being deleted. One that is further back is invalidated when the log that it needs is deleted. Default 1 GiB.
   */
  readonly cursorKeepBytes?: number | undefined
  /**
   * Folder of an archive: sealed segments become Parquet files there, and retention deletes a segment only when it is
   * archived and verified. Environment: `TIDEMARK_ARCHIVE`. Default: no archive.
   */
  readonly archive?: string | undefined
  /** Sends the log to a replicated log as well, on other machines. Default: it is on this disk alone. */
  readonly replication?: ReplicationOptions | undefined
  /**
   * Whether a GTD order is refused, before it is logged, whose `expireTime` is not after this process's clock (`TIDEMARK_FIELD_RANGE`).
   * Matching knows no clock: without this it rests until the next `expire`. Default `false`.
   */
  readonly refuseExpired?: boolean | undefined
  /** Time, for tests. @internal */
  readonly clock?: Clock | undefined
}
