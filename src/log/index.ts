// What the rest of the house uses of the log. What users of the package get of it stands in public.ts.

export { type CheckpointCounts, CheckpointRetries } from './checkpoint-retries.js'
export { isTemporaryName } from './disk/atomic-file.js'
export { attempt, attemptAsync } from './disk/attempt.js'
export { makeFolder } from './disk/folders.js'
export { NodeDisk } from './disk/node-disk.js'
export { type TakenFolder, takeFolder } from './disk/ownership.js'
export { threadsOf } from './durable-log.js'
export {
  badSetting,
  type ErrorMessage,
  fromErrorMessage,
  isShortage,
  shortageError,
  threadEnded,
} from './errors.js'
export { FollowedLog, type LogEntry } from './follow/followed-log.js'
export { batchHeaderBytes, recordBytes } from './format/batch.js'
export { compareKind, kindIn, requireKind } from './format/log-kind.js'
export { holdsLog } from './format/segment.js'
export { defaultCursorKeepBytes, logOptionNames } from './log-opening.js'
export { checkOptions, checkSignal, optionNames } from './options.js'
export * from './public.js'
export type { BatchChunk } from './read/batch-walk.js'
export { ChunkIterator } from './read/chunk-iterator.js'
export { FileReader, readRecords } from './read/file-reader.js'
export { FolderTailer, firstLsnOf } from './read/folder-tailer.js'
export { RecordAssembler } from './read/record-assembler.js'
export { LogTailer } from './read/tailer.js'
export type { LogDamage } from './recover/damage-report.js'
export * from './replicated/index.js'
export { resolveReplication } from './replication/options.js'
export { forwardReplication } from './replication/replication-events.js'
export { maxPayloadBytes } from './ring/memory.js'
export { type Environment, integerSetting, logSettingNames, numberSetting, spinSetting } from './settings.js'
export { settleOrPoison } from './settle-or-poison.js'
export { TaskThreads } from './task-threads.js'
export type { EndKnowledge } from './tools/backup-end.js'
export {
  type CursorRecord,
  createCursorFile,
  cursorNameRule,
  cursorPath,
  type FoundCursor,
  isCursorName,
  readCursorFiles,
  removeCursorFile,
  type StoredCursorState,
  writeCursorFile,
} from './tools/cursor-file.js'
export { inspectLog } from './tools/inspection.js'
export {
  type InspectedRecord,
  type InspectionStep,
  type InspectionVisitor,
  type LogInspection,
  type LogVerdict,
  losesBytes,
} from './tools/inspection-report.js'
export { type BackupSnapshots, backupLog, type LogBackup } from './tools/log-backup.js'
export { cutLog, tidyLog, type WrittenParts, writtenParts } from './tools/log-cut.js'
export { listLogFiles } from './tools/log-files.js'
export { type LogPlace, listSegmentLsns, type Scanned, type ScanRange, scanLog } from './tools/log-scan.js'
export { outsideReaders, readersFloorLsn } from './tools/outside-readers.js'
export { dropReaderCursor, ReaderCursor } from './tools/reader-cursor.js'
export { readerNameOf } from './tools/reader-name.js'
export {
  applyRepair,
  fileOf,
  lockForRepair,
  planRepair,
  type RepairAction,
  type RepairPlan,
} from './tools/repair.js'
export { firstLsnWithout, type RetentionSettings, retentionLimit } from './tools/retention.js'
export { type SalvageReport, salvageLog } from './tools/salvage.js'
export { segmentBefore } from './tools/segment-by-time.js'
export { type ListedSegment, listSegments } from './tools/segment-list.js'
export { newestSnapshot, type SnapshotFile, SnapshotNames } from './tools/snapshot-files.js'
