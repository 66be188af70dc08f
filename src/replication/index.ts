// What users of the package get as `tidemark/replication`, and what the rest of the house uses of it.
export { TidemarkError } from '../base/errors.js'
export { ContiguousPrefix } from './contiguous-prefix.js'
export { connectReplicatedLog, type EngineModule, type ReplicationEngine } from './engine.js'
export { isPassing, ReplicationError, type ReplicationErrorCode } from './errors.js'
export { type Promotion, type PromotionSteps, promote, readTail, takeOver } from './promotion.js'
export type * from './replicated-log.js'
export { entryBytesMax } from './replicated-log.js'
export { checkPoolName, checkStandbyName } from './settings.js'
