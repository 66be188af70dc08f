export type { Backoff, BackoffFunction } from './backoff.js'
export { BatchWriter, type BatchWriterOptions } from './batch-writer.js'
export type {
  CheckpointFailure,
  CheckpointOverdue,
  JobControllerEvents,
  JobOutcome,
} from './controller-events.js'
export type { JobControllerOptions } from './controller-settings.js'
export { ChecksumError, JobError, type JobErrorCode } from './errors.js'
export {
  calculateChecksum,
  type JobEvent,
  type JobEventDetail,
  type JobEventType,
  jobEventTypes,
  verifyChecksum,
} from './event.js'
export type { LogFault, TornEnd } from './event-walk.js'
export type { KeepFinished } from './finished-jobs.js'
export type { JobContext, JobFunction, JobHandler, JobTask, PiscinaHandler } from './handler.js'
export type { DeadReason, JobSpec, JobState, JobView } from './job.js'
export type { CheckpointMetrics } from './job-checkpoints.js'
export { type EnqueueResult, JobController, type JobStatus } from './job-controller.js'
export { JobLog, type JobLogOptions } from './job-log.js'
export { readStoredJobs, type StoredJobs } from './job-store.js'
export type { JobCounts, JobTotals } from './job-table.js'
export {
  countEvents,
  type DumpFilter,
  dumpLog,
  type JobLogStats,
  type LogValidation,
  lastEvent,
  logSizeOf,
  logStats,
  replayLog,
  validateLog,
} from './log-inspection.js'
export type { DurationSummary, JobMetrics } from './metrics.js'
export type { JobReplayOptions, JobReplayReport } from './replay.js'
