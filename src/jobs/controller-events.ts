import type { LogError, ReplicationEvents } from '../log/index.js'
import type { JobError } from './errors.js'
import type { JobEventType } from './events/event.js'

export interface JobOutcome {
  readonly id: string
  readonly attempt: number
  readonly seq: number
}

/** A checkpoint that failed. The snapshot before it stays in place, and so does the log after that. */
export interface CheckpointFailure {
  /** As of `JobStore.checkpoint`; `TIDEMARK_JOB_SNAPSHOT_IO` when the disk did not take it. */
  readonly error: Error
  /** Failures in a row, this one among them. */
  readonly failures: number
  /** Milliseconds until the next try, if one is due then; `undefined` when the queue closes. */
  readonly retryMs: number | undefined
  /** Events after the last snapshot: what the next start replays. */
  readonly events: number
}

export interface CheckpointOverdue {
  /** What the last checkpoint failed with. */
  readonly error: Error
  readonly failures: number
  readonly events: number
}

/** Each is emitted when the event of the log that it reports is on disk. `late`, `error` and `checkpoint` report none. */
export interface JobControllerEvents extends ReplicationEvents {
  enqueued: [{ id: string; seq: number }]
  dispatched: [JobOutcome & { attemptId: number }]
  completed: [JobOutcome & { result: unknown }]
  retried: [JobOutcome & { delayMs: number; reason: string; error: unknown }]
  timedOut: [JobOutcome & { delayMs: number }]
  dead: [JobOutcome & { reason: string; error: unknown }]
  /** No job is pending or in flight. */
  drained: []
  /** A result came of an attempt that was over, and was refused. */
  late: [{ id: string; attemptId: number; error: JobError }]
  checkpoint: [{ lastSeq: number }]
  /** A checkpoint failed, requested or automatic, also at the close. */
  checkpointFailed: [CheckpointFailure]
  /** Checkpoints fail, and what came since the last is 2, 4, 8 … times what it may be. */
  checkpointOverdue: [CheckpointOverdue]
  /** The disk is about to have no room for the log: new jobs are refused, and what happened to jobs waits to be logged. */
  diskFull: [LogError]
  /** There is room again: what waited is logged, and jobs are taken. */
  diskReady: []
  /** The log failed, or the backoff gave no delay; see `code`. */
  error: [Error]
}

/** Which event of the controller reports which event of the log. */
export const announced = {
  ENQUEUE: 'enqueued',
  DISPATCH: 'dispatched',
  ACK: 'completed',
  RETRY: 'retried',
  TIMEOUT: 'timedOut',
  DEAD: 'dead',
} as const satisfies Record<JobEventType, keyof JobControllerEvents>
