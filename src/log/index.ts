export { TidemarkError } from '../errors.js'
export { AtomicFile, AtomicFileSync } from './atomic-file.js'
export { type DamageReport, damageOf, damageText } from './damage-report.js'
export type { AsyncDisk, Disk } from './disk.js'
export { DurableLog, type DurableLogOptions, type LogProducerHandle, type LogStats } from './durable-log.js'
export { LogError, type LogErrorCode, LogPoisonedError } from './errors.js'
export type { Durability } from './flusher.js'
export { LogReader, type LogReaderOptions, type LogReaderStats, type LogRecord } from './log-reader.js'
export type { LogMemory } from './memory.js'
export { MemoryDisk } from './memory-disk.js'
export { LogProducer } from './producer.js'
export type { RecoveryReport, TornTail } from './recovery.js'
export type { SkippedRange } from './salvage.js'
export { type SalvagedRecord, SalvageReader } from './salvage-reader.js'
export {
  type LogSettingOptions,
  type LogSettings,
  type Preset,
  presets,
  resolveLogSettings,
} from './settings.js'
