// What the rest of the house uses of market data. What users of the package get of it stands in public.ts.
export { followEvents } from './follow.js'
export { candleStart, nextCandleStart } from './intervals.js'
export * from './public.js'
