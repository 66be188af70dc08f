import type { JobError } from './errors.js'
import type { JobEventType } from './event.js'

export interface JobOutcome {
  readonly id: string
  readonly attempt: number
  readonly seq: number
}

/** Each is told when what it tells of is on disk. `late`, `error` and `checkpoint` tell of no event of the log. */
export interface JobControllerEvents {
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
  /** The log failed, a snapshot could not be written, or the backoff gave no delay; see `code`. */
  error: [Error]
}

/** Which event of the controller tells of which event of the log. */
export const announced = {
  ENQUEUE: 'enqueued',
  DISPATCH: 'dispatched',
  ACK: 'completed',
  RETRY: 'retried',
  TIMEOUT: 'timedOut',
  DEAD: 'dead',
} as const satisfies Record<JobEventType, keyof JobControllerEvents>
