// What users of the package get as `tidemark/replication`: the interface of replicated logs, and the standby.
export * from '../replication/index.js'
export type { StandbyOptions } from './options.js'
export type { Seed } from './seed.js'
export { seedHandler } from './seed-handler.js'
export { Standby } from './standby.js'
export type { Stale, StandbyStats } from './standby-stats.js'
