// What the rest of the house uses of the pool. What users of the package get of it stands in public.ts.

export { copyPool } from './checkpoint/backup.js'
export { poolEvents } from './delivery/pool-events.js'
export { unknownSymbol } from './errors.js'
export { FollowingPool } from './following-pool.js'
export { describeDetails } from './instrument-details.js'
export { InstrumentRegistry, type PoolInstrument } from './instruments.js'
export { describeTerms, signedText } from './order-terms.js'
export * from './public.js'
export { commandRecordType, poolLogKind } from './record-type.js'
export { listSnapshots, type PoolSnapshot, readPieces, verifySnapshot } from './snapshot/snapshot-file.js'
export type { SnapshotHeader } from './snapshot/snapshot-format.js'
