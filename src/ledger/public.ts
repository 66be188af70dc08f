export { LedgerError, type LedgerErrorCode } from './errors.js'
export { Ledger } from './ledger.js'
export type * from './types.js'
