// What worker threads use of the log. It is a door of its own, because each thread loads its modules anew when it starts:
// with the whole index, starting a shard took a third longer.

export { AtomicFile, AtomicFileSync, isTemporaryName, removeTemporaries } from './disk/atomic-file.js'
export { attempt, attemptAsync } from './disk/attempt.js'
export type { Disk } from './disk/disk.js'
export { makeFolder } from './disk/folders.js'
export { NodeDisk } from './disk/node-disk.js'
export type { DurableLog, LogProducerHandle } from './durable-log.js'
export { type ErrorMessage, LogError, shortageOf, toErrorMessage } from './errors.js'
export { batchHeaderWords, recordHeaderBytes, recordHeaderWords, writeRecordHeader } from './format/batch.js'
export { FileReader, readRecords, readRecordsSync } from './read/file-reader.js'
export type { LogRecord } from './read/log-record.js'
export { RecordAssembler, type RecordVisitor } from './read/record-assembler.js'
export * from './replicated/index.js'
export { FollowedLsn } from './ring/followed-lsn.js'
export type { LogMemory } from './ring/memory.js'
export { LogProducer } from './ring/producer.js'
export { newestSnapshotSync, type SnapshotFile, SnapshotNames } from './tools/snapshot-files.js'
