// What users of the package get as `tidemark/log`, and from `tidemark`.
export { TidemarkError } from '../base/errors.js'
export type { LatencyCount, LatencySummary } from '../base/latency-histogram.js'
export { AtomicFile, AtomicFileSync } from './disk/atomic-file.js'
export type { AsyncDisk, Disk } from './disk/disk.js'
export { DurableLog, type LogProducerHandle } from './durable-log.js'
export { LogError, type LogErrorCode, LogPoisonedError } from './errors.js'
export type { Durability } from './flush/flusher.js'
export type { DurableLogOptions, LogOptions } from './log-opening.js'
export type { LogStats } from './log-stats.js'
export { LogReader, type LogReaderOptions, type LogReaderStats } from './read/log-reader.js'
export type { LogRecord } from './read/log-record.js'
export { type DamageReport, damageOf, damageText, type TornTail } from './recover/damage-report.js'
export type { RecoveryReport } from './recover/recovery.js'
export type { ReplicationAck, ReplicationOptions } from './replication/options.js'
export type { ReplicationEvents } from './replication/replication-events.js'
export type { ReplicationStats } from './replication/replication-stats.js'
export type {
  ReplicationRest,
  ReplicationResumption,
  ReplicationStall,
} from './replication/replicator-handle.js'
export type { LogMemory } from './ring/memory.js'
export { LogProducer } from './ring/producer.js'
export {
  type LogSettingOptions,
  type LogSettings,
  type Preset,
  presets,
  resolveLogSettings,
} from './settings.js'
export type { OutsideReader, ReaderState } from './tools/outside-readers.js'
export type { SkippedRange } from './tools/salvage.js'
export { type SalvagedRecord, SalvageReader } from './tools/salvage-reader.js'
