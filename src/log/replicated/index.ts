// What the log, and an engine that holds a copy of it elsewhere, agree on: the interface that an engine fills, its errors, and who writes.

export { ContiguousPrefix } from './contiguous-prefix.js'
export { connectReplicatedLog, type EngineModule, type ReplicationEngine } from './engine.js'
export {
  badReplicationSetting,
  isPassing,
  mayPass,
  ReplicationError,
  type ReplicationErrorCode,
} from './errors.js'
export { checkPoolName, checkStandbyName } from './names.js'
export { type Promotion, type PromotionSteps, promote, readTail, takeOver } from './promotion.js'
export type * from './replicated-log.js'
export { entryBytesMax } from './replicated-log.js'
