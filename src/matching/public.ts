// What users of the package get as `tidemark/matching`.
export type { DepthLevel, SideTotals } from './book/book-queries.js'
export type { BookState } from './book/book-state.js'
export type { OpenOrders, OpenOrdersPage, OpenOrdersQuery } from './book/open-orders.js'
export type { OrderState } from './book/order-state.js'
export {
  type CopyCounts,
  type CopyTarget,
  copyRecordWordsMax,
  copyStepRecords,
  type ShardCopy,
} from './book/shard-copy.js'
export { copiedInstruments, type ShardRestore } from './book/shard-restore.js'
export { cancelAllFlags } from './codec/cancel-all-fields.js'
export {
  commandGrids,
  encodeCommand,
  instrumentFromCommand,
  unknownType,
} from './codec/command-encoding.js'
export { CommandError, type CommandErrorCode } from './codec/command-errors.js'
export { checkFieldNames } from './codec/command-fields.js'
export type { CommandGrids } from './codec/command-grids.js'
export { commandAccount, commandTagHigh, commandTagLow, readU64 } from './codec/command-layout.js'
export * from './codec/command-reader.js'
export {
  encodeBlock,
  encodeBust,
  encodeCancel,
  encodeCancelAll,
  encodeCancelList,
  encodeExpire,
  encodeNoop,
  encodePhase,
  encodeReduce,
  encodeReplace,
  maxCommandWords,
} from './codec/command-writer.js'
export * from './codec/commands.js'
export { fromSteps, type Grid, parseGrid, toSteps } from './codec/decimal.js'
export { OrderEventFields, TradeFields } from './codec/event-fields.js'
export * from './codec/event-reader.js'
export { accountOf, symbolOf, tagHighWord, tagLowWord } from './codec/field-values.js'
export {
  changedDetails,
  type DetailName,
  type InstrumentChange,
  type InstrumentDetails,
} from './codec/instrument-details.js'
export {
  decodeInstrument,
  encodeInstrument,
  encodeInstrumentChange,
  type InstrumentDefinition,
} from './codec/instrument-record.js'
export { limits, noInstrument } from './codec/limits.js'
export * from './codec/names.js'
export type { NewOrderExtras } from './codec/new-order-extras.js'
export { NewOrderFields } from './codec/new-order-fields.js'
export { encodeNew } from './codec/new-order-writer.js'
export { emptyOutcome, type Outcome, outcomeOf } from './codec/outcome.js'
export { RecordBuffer } from './codec/record-buffer.js'
export { rulesVersion } from './codec/rules-version.js'
export { priceText, quantityText } from './codec/step-text.js'
export type { EngineCounters, InstrumentState } from './rules/book-questions.js'
export type { Indicative } from './rules/call-price.js'
export { type EngineOptions, MatchingEngine } from './rules/engine.js'
