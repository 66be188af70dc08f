import type { LogError, ReplicationEvents } from '../log/index.js'
import type { JobError } from './errors.js'
import type { JobEventType } from './events/event.js'

/** Which attempt of which job an event is about. */
export interface JobOutcome {
  /** The job's id. */
  readonly id: string
  /** Which attempt, from 1 on. */
  readonly attempt: number
  /** The number of the event in the log. */
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

/** Checkpoints fail, and the log after the last one grows. */
export interface CheckpointOverdue {
  /** What the last checkpoint failed with. */
  readonly error: Error
  /** How many failed since the last one. */
  readonly failures: number
  /** How many events were logged since the last one. */
  readonly events: number
}

/** Each is emitted when the event of the log that it reports is on disk. `late`, `error` and `checkpoint` report none. */
export interface JobControllerEvents extends ReplicationEvents {
  /** A job is on disk. */
  enqueued: [{ id: string; seq: number }]
  /** An attempt is on disk, and its handler is called. */
  dispatched: [JobOutcome & { attemptId: number }]
  /** A job is completed, with what its handler returned. */
  completed: [JobOutcome & { result: unknown }]
  /** An attempt failed, and the job comes again after `delayMs`. */
  retried: [JobOutcome & { delayMs: number; reason: string; error: unknown }]
  /** An attempt took too long, and the job comes again after `delayMs`. */
  timedOut: [JobOutcome & { delayMs: number }]
  /** A job is dead: it does not run again. */
  dead: [JobOutcome & { reason: string; error: unknown }]
  /** No job is pending or in flight. */
  drained: []
  /** A result came of an attempt that was over, and was refused. */
  late: [{ id: string; attemptId: number; error: JobError }]
  /** A snapshot of the queue is on disk, up to the event `lastSeq`. */
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
