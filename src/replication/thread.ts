// What a log and its threads use of a replicated log, without the rest of the index.

export { ContiguousPrefix } from './contiguous-prefix.js'
export { connectReplicatedLog, type ReplicationEngine } from './engine.js'
export { mayPass, ReplicationError, type ReplicationErrorCode } from './errors.js'
export { takeOver } from './promotion.js'
export type {
  HolderLease,
  LineageEntry,
  ReplicatedLog,
  ReplicationEpoch,
  StandbyPosition,
} from './replicated-log.js'
export { checkPoolName } from './settings.js'
