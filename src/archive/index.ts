// What users of the package get as `tidemark/archive`, and what the rest of the house uses of the archive.

export { ArchiveError, type ArchiveErrorCode } from './errors.js'
export type { ArchivedInstrument, ArchiveKind } from './manifest.js'
export {
  Archive,
  type ArchiveOptions,
  type ArchiveStats,
  type FactorValue,
  type FactorValuesQuery,
  type OrderEventsQuery,
  type TimeRange,
  type TradesQuery,
} from './read/archive.js'
export type { OrderEvent } from './read/event-of-row.js'
export type { Moment } from './read/times.js'
export {
  type ArchiveProblem,
  type VerifyOptions,
  type VerifyReport,
  verifyArchive,
} from './read/verify.js'
export {
  type ArchiveProgress,
  type ArchiverOptions,
  type ArchiverReport,
  archiveLog,
  requireArchiveOf,
} from './write/archiver.js'
export { type CompactOptions, type CompactReport, compactArchive } from './write/compact.js'
export { snapshotInstruments } from './write/snapshot-instruments.js'
