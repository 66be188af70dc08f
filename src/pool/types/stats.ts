import type { LatencySummary, LogStats, ReplicationStats } from '../../log/index.js'
import type { ArchivingStats, CheckpointStats } from './checkpoints.js'
import type { SubscriptionsStats } from './subscriptions.js'

/** What one matching thread has done since the pool was opened. */
export interface ShardStats {
  /** Commands that were executed. */
  readonly commands: number
  /** Trades that they made. */
  readonly trades: number
  /** Commands that the book refused. */
  readonly rejected: number
  /** The longest that matching has paused to answer a question, or for one step of the copy for a checkpoint, ms. */
  readonly longestAnswerMs: number
  /** Commands handed over whose outcome is not durable yet. */
  readonly inFlight: number
  /** What of it the shard has not taken up yet, in 32-bit words of its inbound ring. */
  readonly queuedWords: number
}

/** What a pool has done since it was opened, and what is under way. */
export interface PoolStats {
  /** Figures of each matching thread. */
  readonly shards: readonly ShardStats[]
  /** Sums over the shards. */
  readonly commands: number
  /** Trades that were made. */
  readonly trades: number
  /** Commands that the book refused. */
  readonly rejected: number
  /** Commands that are taken and not yet on disk. */
  readonly inFlight: number
  /** How many may be. */
  readonly maxInFlight: number
  /** Whether to wait for `drain` before the next command. */
  readonly needsDrain: boolean
  /** Questions that wait for their answers, and the most that may. */
  readonly questions: number
  /** The most questions that may wait. */
  readonly maxQuestions: number
  /**
   * From the submit of commands to their acknowledgement, since the pool was opened. A command that is submitted with others in
   * one turn of the event loop counts from when the first of up to 64 was.
   */
  readonly acknowledgementLatency: LatencySummary
  /** Figures of the log. */
  readonly log: LogStats
  /** The checkpoints since the opening. */
  readonly checkpoints: CheckpointStats
  /** `undefined` without an archive. */
  readonly archive: ArchivingStats | undefined
  /** `undefined` for a pool whose log is on this disk alone. */
  readonly replication: ReplicationStats | undefined
  /** All subscriptions together. */
  readonly subscriptions: SubscriptionsStats
}
