/**
 * Every small number of the binary form and the name it has outside. A number, once given, keeps its meaning for ever:
 * logs contain it.
 */

export type Side = 'buy' | 'sell'
/** The type of an order: whether it has a limit price, and whether it waits for a last price before it acts. */
export type OrderType = 'limit' | 'market' | 'stop' | 'stop-limit' | 'take-profit' | 'take-profit-limit'
/** How long an order stays: until it is cancelled, not at all, all or nothing, for a day, until a time, for the opening or the closing call. */
export type TimeInForce = 'GTC' | 'IOC' | 'FOK' | 'DAY' | 'GTD' | 'at-open' | 'at-close'
/** What happens where two orders of one account would trade with each other. */
export type SelfTradePrevention = 'none' | 'cancel-newest' | 'cancel-oldest' | 'cancel-both' | 'decrement'
/** Whether an order keeps its place when only its quantity goes down. */
export type ReplacePriority = 'keep-on-reduce' | 'always-lose'
/**
 * Of an instrument: orders trade as they come (`continuous`), are gathered for one price (`pre-open`, `auction`: the calls), or are
 * not taken (`halted`, `closed`).
 */
export type Phase = 'continuous' | 'halted' | 'closed' | 'pre-open' | 'auction'

/** The numbers of sides in the log, by name. */
export const sideCodes = { buy: 0, sell: 1 } as const
/** The names of sides, by number. */
export const sideNames: readonly Side[] = ['buy', 'sell']

/** The numbers of order types in the log, by name; `CommandBatch.new` takes them. */
export const orderTypeCodes = {
  limit: 0,
  market: 1,
  stop: 2,
  'stop-limit': 3,
  'take-profit': 4,
  'take-profit-limit': 5,
} as const
/** The names of order types, by number. */
export const orderTypeNames = Object.keys(orderTypeCodes) as readonly OrderType[]

/** What the price of a pegged order follows: the best price of its own side, of the other side, or the middle of both. */
export type Peg = 'primary' | 'market' | 'mid'
/** The numbers of pegs in the log, by name. */
export const pegCodes = { primary: 1, market: 2, mid: 3 } as const
/** The names of pegs, by number. */
export const pegNames: readonly (Peg | undefined)[] = [undefined, 'primary', 'market', 'mid']

/** The numbers of times in force in the log, by name; `CommandBatch.new` takes them. */
export const timeInForceCodes = {
  GTC: 0,
  IOC: 1,
  FOK: 2,
  DAY: 3,
  GTD: 4,
  'at-open': 5,
  'at-close': 6,
} as const
/** The names of times in force, by number. */
export const timeInForceNames = Object.keys(timeInForceCodes) as readonly TimeInForce[]

/** In an order, 0 stands for "as the instrument says"; in an instrument, 0 does not occur. */
export const selfTradePreventionCodes = {
  none: 1,
  'cancel-newest': 2,
  'cancel-oldest': 3,
  'cancel-both': 4,
  decrement: 5,
} as const
/** The names of self-trade preventions, by number. */
export const selfTradePreventionNames: readonly (SelfTradePrevention | undefined)[] = [
  undefined,
  'none',
  'cancel-newest',
  'cancel-oldest',
  'cancel-both',
  'decrement',
]

/** How the orders of one price share what trades there. */
export type Allocation = 'price-time' | 'pro-rata' | 'pro-rata-top'
/** The numbers of allocations in the log, by name. */
export const allocationCodes = { 'price-time': 0, 'pro-rata': 1, 'pro-rata-top': 2 } as const
/** The names of allocations, by number. */
export const allocationNames: readonly Allocation[] = ['price-time', 'pro-rata', 'pro-rata-top']

/** The numbers of replace priorities in the log, by name. */
export const replacePriorityCodes = { 'keep-on-reduce': 0, 'always-lose': 1 } as const
/** The names of replace priorities, by number. */
export const replacePriorityNames: readonly ReplacePriority[] = ['keep-on-reduce', 'always-lose']

/** What becomes of an order that would trade outside a price band. */
export type BandAction = 'refuse' | 'trade-to-band' | 'interrupt'
/** The numbers of band actions in the log, by name. */
export const bandActionCodes = { refuse: 1, 'trade-to-band': 2, interrupt: 3 } as const
/** The names of band actions, by number. */
export const bandActionNames: readonly (BandAction | undefined)[] = [
  undefined,
  ...(Object.keys(bandActionCodes) as BandAction[]),
]

/** The numbers of phases in the log, by name. */
export const phaseCodes = { continuous: 0, halted: 1, closed: 2, 'pre-open': 3, auction: 4 } as const
/** The names of phases, by number. */
export const phaseNames = Object.keys(phaseCodes) as readonly Phase[]

/** The numbers of list types in the log, by name. */
export const listTypeCodes = { oco: 1, oto: 2, otoco: 3 } as const
/** How the orders of a list depend on each other. */
export type ListType = keyof typeof listTypeCodes
/** The names of list types, by number. */
export const listTypeNames: readonly (ListType | undefined)[] = [undefined, 'oco', 'oto', 'otoco']

/** The numbers of commands in the log, by name. */
export const commandKinds = {
  new: 1,
  cancel: 2,
  replace: 3,
  reduce: 4,
  'cancel-all': 5,
  instrument: 6,
  phase: 7,
  bust: 8,
  expire: 9,
  noop: 10,
  'instrument-change': 11,
  block: 12,
  unblock: 13,
  list: 14,
  'cancel-list': 15,
} as const
/** The name of a command. */
export type CommandKind = keyof typeof commandKinds
/** The names of commands, by number. */
export const commandKindNames: readonly (CommandKind | undefined)[] = [
  undefined,
  ...(Object.keys(commandKinds) as CommandKind[]),
]

/** The numbers of events in the log, by name. */
export const eventKinds = {
  accepted: 32,
  trade: 33,
  cancelled: 34,
  replaced: 35,
  rejected: 36,
  triggered: 37,
  'instrument-created': 38,
  'phase-changed': 39,
  'volatility-interruption': 40,
  repeated: 41,
  'instrument-changed': 42,
  'trade-busted': 43,
  'account-blocked': 44,
  'account-unblocked': 45,
  entered: 46,
} as const
/** The name of an event. */
export type EventKind = keyof typeof eventKinds

/** Why an order, or what was left of it, went away without trading (`cancelled`). */
export const cancelReasons = {
  requested: 1,
  'cancel-all': 2,
  reduced: 3,
  ioc: 4,
  market: 5,
  fok: 6,
  'post-only': 7,
  'self-trade': 8,
  expired: 9,
  'end-of-day': 10,
  'level-total': 11,
  'at-open': 12,
  'at-close': 13,
  phase: 14,
  band: 15,
  'account-blocked': 16,
  list: 17,
  'no-reference': 18,
} as const
/** Why an order went away without trading. */
export type CancelReason = keyof typeof cancelReasons
/** The names of cancel reasons, by number. */
export const cancelReasonNames: readonly (CancelReason | undefined)[] = [
  undefined,
  ...(Object.keys(cancelReasons) as CancelReason[]),
]

/** Why the quantity of a resting order changed (`replaced`). */
export const replaceReasons = { requested: 1, reduced: 2, 'self-trade': 3, pegged: 4 } as const
/** Why an order changed without a trade. */
export type ReplaceReason = keyof typeof replaceReasons
/** The names of replace reasons, by number. */
export const replaceReasonNames: readonly (ReplaceReason | undefined)[] = [
  undefined,
  ...(Object.keys(replaceReasons) as ReplaceReason[]),
]

/** Why the book refused a command (`rejected`). */
export const rejectCodes = {
  UNKNOWN_INSTRUMENT: 1,
  DUPLICATE_INSTRUMENT: 2,
  INSTRUMENT_HALTED: 3,
  UNKNOWN_ORDER: 4,
  DUPLICATE_ORDER_ID: 5,
  NOT_OWNER: 6,
  FOK_NOT_FILLABLE: 7,
  POST_ONLY_WOULD_TRADE: 8,
  LEVEL_TOTAL_TOO_LARGE: 9,
  DISPLAY_QUANTITY_TOO_SMALL: 10,
  PRICE_NOT_APPLICABLE: 11,
  REQUEST_ID_OUTDATED: 12,
  REQUEST_ID_REUSED: 13,
  INSTRUMENT_CLOSED: 14,
  PRICE_TOO_LOW: 15,
  PRICE_TOO_HIGH: 16,
  QUANTITY_TOO_SMALL: 17,
  QUANTITY_TOO_LARGE: 18,
  NOTIONAL_TOO_SMALL: 19,
  LIMITS_CONFLICT: 20,
  ORDER_IDS_EXHAUSTED: 21,
  DUPLICATE_CLIENT_ORDER_ID: 22,
  NOT_IN_THIS_PHASE: 23,
  UNKNOWN_TRADE: 24,
  TRADE_ALREADY_BUSTED: 25,
  ACCOUNT_BLOCKED: 26,
  MIN_QUANTITY_NOT_FILLABLE: 27,
  PRICE_OFF_TICK: 28,
  PRICE_OUTSIDE_BAND: 29,
  TOO_MANY_ORDERS: 30,
  DUPLICATE_LIST_ID: 31,
  UNKNOWN_LIST: 32,
  NO_PEG_REFERENCE: 33,
} as const
/** Why the book refused a command. */
export type RejectCode = keyof typeof rejectCodes
/** The names of reject codes, by number. */
export const rejectCodeNames: readonly (RejectCode | undefined)[] = [
  undefined,
  ...(Object.keys(rejectCodes) as RejectCode[]),
]

/** How a command ended for its own order; `done` for commands that concern no single order. */
export const outcomeStatusCodes = {
  done: 0,
  resting: 1,
  waiting: 2,
  'partially-filled': 3,
  filled: 4,
  cancelled: 5,
  replaced: 6,
  rejected: 7,
} as const
/** What became of a command. */
export type OutcomeStatus = keyof typeof outcomeStatusCodes
/** The names of outcomes, by number. */
export const outcomeStatusNames = Object.keys(outcomeStatusCodes) as readonly OutcomeStatus[]
