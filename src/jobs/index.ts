export type { EnqueueResult } from './controller/job-intake.js'
export type {
  CheckpointFailure,
  CheckpointOverdue,
  JobControllerEvents,
  JobOutcome,
} from './controller-events.js'
export type { JobControllerOptions } from './controller-settings.js'
export type { Backoff, BackoffFunction } from './dispatch/backoff.js'
export type { JobContext, JobFunction, JobHandler, JobTask, PiscinaHandler } from './dispatch/handler.js'
export { ChecksumError, JobError, type JobErrorCode } from './errors.js'
export { BatchWriter, type BatchWriterOptions } from './events/batch-writer.js'
export {
  calculateChecksum,
  decodeEvent as decodeJobEvent,
  type JobEvent,
  type JobEventDetail,
  type JobEventType,
  jobEventTypes,
  recordType as jobRecordTypes,
  verifyChecksum,
} from './events/event.js'
export type { JobLogDamage, TornEnd } from './events/event-walk.js'
export { JobLog, type JobLogOptions } from './events/job-log.js'
export {
  countEvents,
  type DumpFilter,
  dumpLog,
  type JobLogStats,
  type LogValidation,
  lastEvent,
  logStats,
  type ReadingOptions,
  replayLog,
  validateLog,
} from './events/log-inspection.js'
export { logSizeOf, type OnProgress } from './events/reading-progress.js'
export type { JobReplayOptions, JobReplayReport } from './events/replay.js'
export type { DeadReason, JobSpec, JobState, JobView } from './job.js'
export { JobController, type JobStatus } from './job-controller.js'
export type { DurationSummary, JobMetrics } from './metrics.js'
export type { KeepFinished } from './state/finished-jobs.js'
export type { CheckpointMetrics } from './state/job-checkpoints.js'
export { readStoredJobs, type StoredJobs } from './state/job-store.js'
export type { JobCounts, JobTotals } from './state/job-table.js'
