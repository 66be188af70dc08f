// What worker threads use of the matching engine, apart from the index for the same reason as the log's.

export type { DepthLevel } from './book/book-queries.js'
export type { OpenOrders, OpenOrdersPage } from './book/open-orders.js'
export type { OrderState } from './book/order-state.js'
export { type CopyCounts, type CopyTarget, copyStepRecords, type ShardCopy } from './book/shard-copy.js'
export { commandTagHigh, commandTagLow, readU64 } from './codec/command-layout.js'
export { decodeCommand } from './codec/command-reader.js'
export { encodeBlock, encodeCancelAll, encodeNoop, maxCommandWords } from './codec/command-writer.js'
export { decodeEvents } from './codec/event-reader.js'
export { commandKinds, type Phase } from './codec/names.js'
export { RecordBuffer } from './codec/record-buffer.js'
export type { Indicative } from './rules/call-price.js'
export { type EngineCounters, type InstrumentState, MatchingEngine } from './rules/engine.js'
