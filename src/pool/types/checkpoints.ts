import type { CheckpointCounts } from '../../log/index.js'

/** What a checkpoint did. */
export interface CheckpointReport {
  /** The file of the snapshot. */
  readonly path: string
  /** Highest and lowest LSN at which a book was taken. Opening replays the log from the lowest. */
  readonly lsn: number
  /** The lowest LSN at which a book was taken: the next opening replays from here. */
  readonly replayFromLsn: number
  /** How many books it holds. */
  readonly books: number
  /** Its size, in bytes. */
  readonly bytes: number
  /** The first LSN that is still in the log. */
  readonly firstLsn: number
  /** How long it took, in milliseconds. */
  readonly elapsedMs: number
}

/** A checkpoint that failed. The last one that was taken stays in place, and so does the log after it. */
export interface CheckpointFailure {
  /** What it failed with; a `TidemarkError` with a code as a rule, `TIDEMARK_LOG_IO` when the disk did not take it. */
  readonly error: Error
  /** Failures in a row, this one among them. */
  readonly failures: number
  /** Milliseconds until the next try, if one is due then; `undefined`: the pool closes, or takes none by itself. */
  readonly retryMs: number | undefined
  /** Log after the last checkpoint, in bytes. */
  readonly logBytes: number
}

/** Checkpoints fail, and the log after the last one is 2, 4, 8 … times `checkpointBytes`. */
export interface CheckpointOverdue {
  /** What the last one failed with. */
  readonly error: Error
  /** Failures in a row. */
  readonly failures: number
  /** Log after the last checkpoint, in bytes. */
  readonly logBytes: number
  /** The setting. */
  readonly checkpointBytes: number
}

/** Archiving fails. The log keeps what is not archived, and it is tried again. */
export interface ArchiveStall {
  /** What it failed with; a `TidemarkError` with a code as a rule. */
  readonly error: Error
  /** Failures in a row, this one among them. */
  readonly failures: number
  /** Milliseconds until the next try. */
  readonly retryMs: number
  /** Log that is sealed and not archived, in bytes. */
  readonly waitingBytes: number
}

/** How far the archive of a pool is. */
export interface ArchivingStats {
  /** Up to where records are archived and verified. */
  readonly archivedLsn: number
  /** Log that is sealed and not archived, in bytes. */
  readonly waitingBytes: number
  /** Failures in a row; 0 when the last try succeeded. */
  readonly failures: number
}

/** The checkpoints since the pool was opened. */
export interface CheckpointStats extends CheckpointCounts {
  /** Whether one is being taken now. */
  readonly running: boolean
  /** The highest LSN of a book in the newest snapshot; `undefined` without a snapshot. */
  readonly lastLsn: number | undefined
  /** Milliseconds since it was taken; of one that the opening found, since the opening. `undefined` without a snapshot. */
  readonly ageMs: number | undefined
  /** Log after the newest snapshot, in bytes: what the next opening replays. */
  readonly logBytes: number
}
