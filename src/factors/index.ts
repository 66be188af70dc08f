export {
  FactorConsumer,
  type FactorFilter,
  type FactorUpdate,
  type FollowOptions,
  type HistoryOptions,
} from './durable/consumer.js'
export {
  DurableFactorEngine,
  type DurableFactorStats,
  type FactorRecovery,
} from './durable/durable-engine.js'
export type { DurableFactorOptions } from './durable/engine-options.js'
export { FactorPersister, type PersisterStats } from './durable/persister.js'
export {
  type PersisterOptions,
  type PersisterPreset,
  type PersisterSettings,
  persisterPresets,
  type WhenFull,
} from './durable/persister-settings.js'
export type { Series } from './durable/sent-series.js'
export type { SnapshotFailure, SnapshotOverdue } from './durable/snapshot-schedule.js'
export {
  type FactorSnapshot as Snapshot,
  type SnapshotInfo,
  SnapshotStore,
} from './durable/snapshot-store.js'
export {
  type Definition,
  FactorEngine,
  type OperatorDefinition,
  type UpdateListener,
} from './engine/engine.js'
export type { FactorInstrument } from './engine/instrument.js'
export * from './engine/operators/index.js'
export {
  EntryCursor,
  entryKind,
  factorContentVersion,
  factorRecordType,
  factorsLogKind,
  type SeriesText,
} from './entries.js'
export { FactorError, type FactorErrorCode } from './errors.js'
export { FactorPool, type RankedInstrument } from './pool/pool.js'
export type { FactorPoolOptions, FactorPoolStats } from './pool/pool-options.js'
export { type Bar, checkTick, type Field, fields, type Tick } from './ticks.js'
export { valueMax } from './values.js'
