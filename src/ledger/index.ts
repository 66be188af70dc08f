// What the rest of the house uses of the ledger. What users of the package get of it stands in public.ts.

export { Assets } from './amounts/assets.js'
export { baseUnits, type InstrumentUnits, quoteUnits, unitsOf } from './amounts/units.js'
export * from './public.js'
export { decodeRecord, type LedgerRecord, type MoneyRecord } from './records.js'
export { type FeeRates, FeeTable, feesOfTrade, noFees } from './state/fee-table.js'
