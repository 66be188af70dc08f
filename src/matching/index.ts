export type { DepthLevel, OrderState, SideTotals } from './book-queries.js'
export type { BookState } from './book-state.js'
export { CommandError, type CommandErrorCode } from './command-errors.js'
export { checkFieldNames } from './command-fields.js'
export { readU64 } from './command-layout.js'
export * from './command-reader.js'
export {
  encodeCancel,
  encodeCancelAll,
  encodeExpire,
  encodeHalt,
  encodeNew,
  encodeNoop,
  encodeReduce,
  encodeReplace,
  encodeResume,
  maxCommandWords,
} from './command-writer.js'
export * from './commands.js'
export { fromSteps, type Grid, parseGrid, toSteps } from './decimal.js'
export { type EngineCounters, type EngineOptions, type InstrumentState, MatchingEngine } from './engine.js'
export * from './event-reader.js'
export { GroupBuffer } from './group-buffer.js'
export { decodeInstrument, encodeInstrument, type InstrumentDefinition } from './instrument-record.js'
export { limits, noInstrument } from './limits.js'
export * from './names.js'
export { type Outcome, outcomeOf } from './outcome.js'
export { rulesVersion } from './rules-version.js'
export {
  type CopyCounts,
  type CopyTarget,
  copyRecordWordsMax,
  copyStepRecords,
  type ShardCopy,
} from './shard-copy.js'
export { copiedInstruments, type ShardRestore } from './shard-restore.js'
export { priceText, quantityText } from './step-text.js'
