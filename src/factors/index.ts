export {
  FactorConsumer,
  type FactorFilter,
  type FactorUpdate,
  type FollowOptions,
  type HistoryOptions,
} from './consumer.js'
export {
  DurableFactorEngine,
  type DurableFactorOptions,
  type DurableFactorStats,
  type FactorRecovery,
} from './durable-engine.js'
export { type Definition, FactorEngine, type OperatorDefinition, type UpdateListener } from './engine.js'
export { factorContentVersion } from './entries.js'
export { FactorError, type FactorErrorCode } from './errors.js'
export type { FactorInstrument } from './instrument.js'
export * from './operators/index.js'
export { FactorPersister, type PersisterStats, type Series } from './persister.js'
export {
  type PersisterOptions,
  type PersisterPreset,
  type PersisterSettings,
  persisterPresets,
  type WhenFull,
} from './persister-settings.js'
export { FactorPool, type FactorPoolOptions, type FactorPoolStats, type RankedInstrument } from './pool.js'
export type { SnapshotFailure, SnapshotOverdue } from './snapshot-schedule.js'
export { type Snapshot, type SnapshotInfo, SnapshotStore } from './snapshot-store.js'
export { type Bar, checkTick, type Field, fields, type Tick } from './ticks.js'
