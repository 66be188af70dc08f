// What the rest of the house uses of market data. What users of the package get of it stands in public.ts.
export { candleStart } from './intervals.js'
export * from './public.js'
