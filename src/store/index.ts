// What users of the package get as `tidemark/store`, and what the rest of the house uses.
export { StoreError, type StoreErrorCode } from './errors.js'
export { type StoreKind, storeKinds } from './fold/log-fold.js'
export { schemaVersion } from './prepare-schema.js'
export type { Progress } from './progress.js'
export { Store, type StoreStats } from './store.js'
export type { StoreOptions } from './store-options.js'
export { readStoreStatus, type StoreStatus } from './store-status.js'
export type { QueryResult, SqlValue } from './targets/target.js'
