// What worker threads of other folders use of the factors: how to read their log.

export { EntryCursor, entryKind, factorRecordType, type SeriesText } from './entries.js'
export { FactorError } from './errors.js'
