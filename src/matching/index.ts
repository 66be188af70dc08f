// What the rest of the house uses of the matching engine. What users of the package get of it stands in public.ts.

export { packedInstrument, packedOrderNumbers, unpackOrder } from './book/packed-order.js'
export {
  CANCEL_ALL_WORDS,
  CANCEL_WORDS,
  EXPIRE_WORDS,
  HEADER_WORDS,
  INSTRUMENT_HAS_DETAILS,
  INSTRUMENT_WORDS,
  NEW_HAS_REQUEST_ID,
  NEW_WORDS,
  REDUCE_WORDS,
  REPLACE_WORDS,
} from './codec/command-layout.js'
export {
  DETAILS_WORDS,
  decodeDetails,
  detailNames,
  detailsWords,
  detailsWordsMax,
} from './codec/instrument-details.js'
export { differingField } from './codec/instrument-record.js'
export { notionalText } from './codec/notional.js'
export * from './public.js'
