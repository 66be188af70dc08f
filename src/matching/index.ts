// What the rest of the house uses of the matching engine. What users of the package get of it stands in public.ts.

export { NumberIndex } from './book/number-index.js'
export { packedInstrument, packedOrderNumbers, unpackOrder } from './book/packed-order.js'
export { cancelAllEverywhere } from './codec/cancel-all-fields.js'
export { clientOrderIdWordsAt } from './codec/client-order-id.js'
export {
  CANCEL_ALL_HAS_IDS,
  CANCEL_ALL_HAS_PRICES,
  flagsOf,
  HAS_CLIENT_ORDER_ID,
  HEADER_WORDS,
  hasTag,
  INSTRUMENT_HAS_DETAILS,
  isForAmount,
  MORE_SHIFT,
  NEW_HAS_REQUEST_ID,
  OMITS_ORDER_ID,
  optionalAt,
} from './codec/command-layout.js'
export { phaseOf } from './codec/command-reader.js'
export { fromBigSteps } from './codec/decimal.js'
export {
  codeWords,
  EVENT_HAS_CLIENT_ORDER_ID,
  EVENT_HEADER_WORDS,
  eventWords,
  REPEATED_STATUS,
  reasonOf,
  TRADE_IN_UNCROSS,
} from './codec/event-layout.js'
export {
  DETAILS_WORDS,
  decodeDetails,
  detailsWords,
} from './codec/instrument-details.js'
export { differingField } from './codec/instrument-record.js'
export { notionalText, quoteText } from './codec/notional.js'
export {
  acceptedOrderAt,
  clientListIdOf,
  isPendingLeg,
  legAt,
  legCount,
  legsAt,
  listTypeOf,
} from './codec/order-lists.js'
export { isConditional, waitsForRise } from './codec/order-types.js'
export { TickTable, tickTableText } from './codec/tick-table.js'
export * from './public.js'
