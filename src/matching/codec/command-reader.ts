import { clientOrderIdWordsAt, readClientOrderId } from './client-order-id.js'
import {
  AMEND_HAS_ACCOUNT,
  AMEND_HAS_REQUEST_ID,
  CANCEL_ALL_EVERYBODY,
  CANCEL_ALL_HAS_IDS,
  CANCEL_ALL_HAS_PRICES,
  CANCEL_ALL_ONE_SIDE,
  CANCEL_ALL_SELL,
  commandAccount,
  commandTagHigh,
  commandTagLow,
  EXPIRE_END_OF_DAY,
  flagsOf,
  HAS_CLIENT_ORDER_ID,
  LENGTH_SHIFT,
  NEW_HAS_REQUEST_ID,
  OMITS_ORDER_ID,
  optionalAt,
  PHASE_CLOSING,
  PHASE_TAKES_ORDERS,
  readU64,
} from './command-layout.js'
import type { InstrumentChange } from './instrument-details.js'
import { decodeInstrument, decodeInstrumentChange, type InstrumentDefinition } from './instrument-record.js'
import {
  commandKinds,
  type ListType,
  listTypeNames,
  type OrderType,
  orderTypeNames,
  type Peg,
  type Phase,
  pegNames,
  phaseNames,
  type SelfTradePrevention,
  type Side,
  selfTradePreventionNames,
  sideNames,
  type TimeInForce,
  timeInForceNames,
} from './names.js'
import { NewOrderFields } from './new-order-fields.js'
import { clientListIdOf, legAt, legCount, listTypeOf } from './order-lists.js'

/** What every decoded command has. */
export interface DecodedHeader {
  /** The instrument's number in the log. */
  readonly instrumentId: number
  /** The caller's 64 bits, as two unsigned words. */
  readonly tagLow: number
  /** The upper 32 bits of the caller's tag, unsigned. */
  readonly tagHigh: number
}

/** A new order, in ticks and lots. */
export interface DecodedNew extends DecodedHeader {
  readonly type: 'new'
  /** As it was stated, or as the book gave it; 0 before it is given. */
  readonly orderId: number
  /** Whether the caller left the id to the book. */
  readonly orderIdOmitted?: true
  /** The client's own name for the order; not there without one. */
  readonly clientOrderId?: string
  /** The account. */
  readonly account: number
  /** Whether it buys or sells. */
  readonly side: Side
  /** The order's type. */
  readonly orderType: OrderType
  /** How long it stays. */
  readonly timeInForce: TimeInForce
  /** Whether it is refused where it would trade at once. */
  readonly postOnly: boolean
  /** Ticks; 0 for market and stop orders. */
  readonly price: number
  /** Lots. */
  readonly quantity: number
  /** The last price that it waits for, in ticks. */
  readonly stopPrice?: number
  /** How far a trail stays from the best last price, in ticks. */
  readonly trailingOffset?: number
  /** How far a trail stays from the best last price, in parts of 10,000 of it. */
  readonly trailingBasisPoints?: number
  /** Only with a trail, which has no stop price of its own. */
  readonly activationPrice?: number
  /** What an iceberg shows at a time, in lots. */
  readonly displayQuantity?: number
  /** When a GTD order ends, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly expireTime?: number
  /** The request's number, by which a repetition is recognised. */
  readonly requestId?: number
  /** What happens where it would trade with an order of its own account; as the instrument says unless stated. */
  readonly selfTradePrevention?: SelfTradePrevention
  /** The group whose orders count as the order's own under self-trade prevention. */
  readonly selfTradeGroup?: number
  /** Lots. */
  readonly minQuantity?: number
  /** Units of the quote asset: see `quoteUnits`. The quantity is 0 before the order is executed. */
  readonly quoteQuantity?: number
  /** What the price follows; not there for an order with a price of its own. */
  readonly peg?: Peg
  /** Ticks; may be negative. */
  readonly pegOffset?: number
}

/** The cancel of an order. */
export interface DecodedCancel extends DecodedHeader {
  readonly type: 'cancel'
  /** 0 where the order is named by `clientOrderId`, unless the book found it. */
  readonly orderId: number
  /** Whether the caller left the id to the book. */
  readonly orderIdOmitted?: true
  /** The client's own name for the order; not there without one. */
  readonly clientOrderId?: string
  /** The account. */
  readonly account?: number
  /** The request's number, by which a repetition is recognised. */
  readonly requestId?: number
}

/** The replacement of an order, in ticks and lots. */
export interface DecodedReplace extends DecodedHeader {
  readonly type: 'replace'
  /** 0 where the order is named by `clientOrderId`, unless the book found it. */
  readonly orderId: number
  /** Whether the caller left the id to the book. */
  readonly orderIdOmitted?: true
  /** The client's own name for the order; not there without one. */
  readonly clientOrderId?: string
  /** Ticks; 0 keeps the price. */
  readonly price: number
  /** The new open quantity, lots. */
  readonly quantity: number
  /** The account. */
  readonly account?: number
  /** The request's number, by which a repetition is recognised. */
  readonly requestId?: number
}

/** The reduction of an order, in lots. */
export interface DecodedReduce extends DecodedHeader {
  readonly type: 'reduce'
  /** 0 where the order is named by `clientOrderId`, unless the book found it. */
  readonly orderId: number
  /** Whether the caller left the id to the book. */
  readonly orderIdOmitted?: true
  /** The client's own name for the order; not there without one. */
  readonly clientOrderId?: string
  /** What is taken away, lots. */
  readonly quantity: number
  /** The account. */
  readonly account?: number
  /** The request's number, by which a repetition is recognised. */
  readonly requestId?: number
}

/** The cancel of many orders of one instrument. */
export interface DecodedCancelAll extends DecodedHeader {
  readonly type: 'cancel-all'
  /** Of this account only; of every one without it. */
  readonly account?: number
  /** Of this side only. */
  readonly side?: Side
  /** With a limit price from here … */
  readonly minPrice?: number
  /** … to here only, ticks. */
  readonly maxPrice?: number
  /** With these ids only. */
  readonly orderIds?: readonly number[]
}

/** A list of two or three orders; ids as in `DecodedNew`. */
export interface DecodedList extends DecodedHeader {
  readonly type: 'list'
  /** The list's id. */
  readonly listId: number
  /** Whether the caller left the id to the book. */
  readonly listIdOmitted?: true
  /** The client's own id of the list. */
  readonly clientListId?: string
  /** How the orders of the list depend on each other. */
  readonly listType: ListType
  /** The account. */
  readonly account: number
  /** The orders, the working order first. */
  readonly orders: readonly DecodedNew[]
}

/** The cancel of a list. */
export interface DecodedCancelList extends DecodedHeader {
  readonly type: 'cancel-list'
  /** The list's id. */
  readonly listId: number
  /** The account. */
  readonly account?: number
}

/** The definition of an instrument. */
export interface DecodedInstrument extends DecodedHeader, InstrumentDefinition {
  readonly type: 'instrument'
}

/** A change of what an instrument says of itself. */
export interface DecodedInstrumentChange extends DecodedHeader, InstrumentChange {
  readonly type: 'instrument-change'
}

/** The end of orders whose time is over. */
export interface DecodedExpire extends DecodedHeader {
  readonly type: 'expire'
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly time: number
  /** Whether DAY orders end too. */
  readonly endOfDay: boolean
}

/** Blocks an account in one instrument, or ends that. */
export interface DecodedBlock extends DecodedHeader {
  /** Whether it blocks or unblocks. */
  readonly type: 'block' | 'unblock'
  /** The account. */
  readonly account: number
}

/** A change of an instrument's phase. */
export interface DecodedPhase extends DecodedHeader {
  readonly type: 'phase'
  /** The phase that it is in. */
  readonly phase: Phase
  /** Of `auction`: whether it is the closing call. */
  readonly closing?: true
  /** Of `halted`: whether orders are taken as in a call. */
  readonly takesOrders?: true
}

/** A trade that does not count any more. */
export interface DecodedBust extends DecodedHeader {
  readonly type: 'bust'
  /** The trade's id: 1, 2, 3, … for each symbol. */
  readonly tradeId: number
}

/** A command that does nothing. */
export interface DecodedNoop extends DecodedHeader {
  readonly type: 'noop'
}

/** A command record as an object; prices in ticks, quantities in lots. */
export type DecodedCommand =
  | DecodedNew
  | DecodedCancel
  | DecodedReplace
  | DecodedReduce
  | DecodedCancelAll
  | DecodedList
  | DecodedCancelList
  | DecodedInstrument
  | DecodedInstrumentChange
  | DecodedExpire
  | DecodedBlock
  | DecodedPhase
  | DecodedBust
  | DecodedNoop

/** The instrument of the command record at a word offset, without decoding the rest. */
export function commandInstrument(words: Int32Array, at: number): number {
  return words[at + 1]! >>> 0
}

/** The order that the command record at a word offset names, without decoding the rest; undefined if it names none. */
export function commandOrder(words: Int32Array, at: number): number | undefined {
  const kind = words[at]! & 0xff
  return kind >= commandKinds.new && kind <= commandKinds.reduce ? readU64(words, at + 2) : undefined
}

/** Of the new-order command at a word offset, without decoding the rest: the code of its order type … */
export function newOrderType(words: Int32Array, at: number): number {
  return words[at + 5]! & 0xff
}

/** … that of its time in force … */
export function newOrderTimeInForce(words: Int32Array, at: number): number {
  return (words[at + 5]! >>> 8) & 0xff
}

/** … and its quantity in lots. */
export function newOrderQuantity(words: Int32Array, at: number): number {
  return readU64(words, at + 8)
}

/** Reads the command record at a word offset; undefined for a kind that does not exist. */
export function decodeCommand(words: Int32Array, at: number): DecodedCommand | undefined {
  const header = {
    instrumentId: words[at + 1]! >>> 0,
    tagLow: commandTagLow(words, at),
    tagHigh: commandTagHigh(words, at),
  }
  switch (words[at]! & 0xff) {
    case commandKinds.new:
      return decodeNew(words, at, header)
    case commandKinds.cancel:
      return {
        type: 'cancel',
        ...header,
        orderId: readU64(words, at + 2),
        ...amendment(words, at),
      }
    case commandKinds.replace: {
      const [price, quantity] = [readU64(words, at + 4), readU64(words, at + 6)]
      const extras = amendment(words, at)
      return { type: 'replace', ...header, orderId: readU64(words, at + 2), price, quantity, ...extras }
    }
    case commandKinds.reduce: {
      const extras = amendment(words, at)
      return {
        type: 'reduce',
        ...header,
        orderId: readU64(words, at + 2),
        quantity: readU64(words, at + 4),
        ...extras,
      }
    }
    case commandKinds['cancel-all']:
      return { type: 'cancel-all', ...header, ...cancelAllFields(words, at) }
    case commandKinds.list:
      return decodeList(words, at, header)
    case commandKinds['cancel-list']: {
      const account = commandAccount(words, at)
      return {
        type: 'cancel-list',
        ...header,
        listId: readU64(words, at + 2),
        ...(account >= 0 && { account }),
      }
    }
    case commandKinds.instrument:
      return { type: 'instrument', ...header, ...decodeInstrument(words, at) }
    case commandKinds['instrument-change']:
      return { type: 'instrument-change', ...header, ...decodeInstrumentChange(words, at) }
    case commandKinds.expire: {
      const endOfDay = (flagsOf(words, at) & EXPIRE_END_OF_DAY) !== 0
      return { type: 'expire', ...header, time: readU64(words, at + 2), endOfDay }
    }
    case commandKinds.phase:
      return { type: 'phase', ...header, ...phaseOf(words[at + 2]!, flagsOf(words, at)) }
    case commandKinds.bust:
      return { type: 'bust', ...header, tradeId: readU64(words, at + 2) }
    case commandKinds.block:
      return { type: 'block', ...header, account: words[at + 2]! >>> 0 }
    case commandKinds.unblock:
      return { type: 'unblock', ...header, account: words[at + 2]! >>> 0 }
    case commandKinds.noop:
      return { type: 'noop', ...header }
    default:
      return undefined
  }
}

/** A phase and its options, as commands and events say them. */
export function phaseOf(
  phase: number,
  options: number,
): Pick<DecodedPhase, 'phase' | 'closing' | 'takesOrders'> {
  return {
    phase: phaseNames[phase]!,
    ...((options & PHASE_CLOSING) !== 0 && { closing: true as const }),
    ...((options & PHASE_TAKES_ORDERS) !== 0 && { takesOrders: true as const }),
  }
}

function cancelAllFields(
  words: Int32Array,
  at: number,
): Omit<DecodedCancelAll, 'type' | keyof DecodedHeader> {
  const flags = flagsOf(words, at)
  const hasPrices = (flags & CANCEL_ALL_HAS_PRICES) !== 0
  const prices = optionalAt(words, at)
  const end = at + (words[at]! >>> LENGTH_SHIFT)
  const orderIds: number[] = []
  if ((flags & CANCEL_ALL_HAS_IDS) !== 0)
    for (let i = hasPrices ? prices + 4 : prices; i < end; i += 2) orderIds.push(readU64(words, i))
  return {
    ...((flags & CANCEL_ALL_EVERYBODY) === 0 && { account: words[at + 2]! >>> 0 }),
    ...((flags & CANCEL_ALL_ONE_SIDE) !== 0 && {
      side: (flags & CANCEL_ALL_SELL) === 0 ? ('buy' as const) : ('sell' as const),
    }),
    ...(hasPrices && { minPrice: readU64(words, prices), maxPrice: readU64(words, prices + 2) }),
    ...((flags & CANCEL_ALL_HAS_IDS) !== 0 && { orderIds }),
  }
}

const fields = new NewOrderFields()

function decodeNew(words: Int32Array, at: number, header: DecodedHeader): DecodedNew {
  fields.read(words, at)
  const { stopPrice, displayQuantity, expireTime, trailingOffset, trailingBasisPoints } = fields
  const trails = trailingOffset !== 0 || trailingBasisPoints !== 0
  const hasRequestId = (flagsOf(words, at) & NEW_HAS_REQUEST_ID) !== 0
  const prevention = selfTradePreventionNames[fields.prevention]
  return {
    type: 'new',
    ...header,
    orderId: fields.orderId,
    account: fields.account,
    side: sideNames[fields.sell]!,
    orderType: orderTypeNames[fields.orderType]!,
    timeInForce: timeInForceNames[fields.timeInForce]!,
    postOnly: fields.postOnly,
    price: fields.price,
    quantity: fields.quantity,
    ...((flagsOf(words, at) & OMITS_ORDER_ID) !== 0 && { orderIdOmitted: true as const }),
    ...(stopPrice !== 0 && (trails ? { activationPrice: stopPrice } : { stopPrice })),
    ...(trailingOffset !== 0 && { trailingOffset }),
    ...(trailingBasisPoints !== 0 && { trailingBasisPoints }),
    ...(displayQuantity !== 0 && { displayQuantity }),
    ...(expireTime !== 0 && { expireTime }),
    ...(fields.clientOrderId !== undefined && { clientOrderId: fields.clientOrderId }),
    ...(hasRequestId && { requestId: readU64(words, at + (words[at]! >>> LENGTH_SHIFT) - 2) }),
    ...(prevention !== undefined && { selfTradePrevention: prevention }),
    ...(fields.selfTradeGroup !== 0 && { selfTradeGroup: fields.selfTradeGroup }),
    ...(fields.minQuantity !== 0 && { minQuantity: fields.minQuantity }),
    ...(fields.quoteQuantity !== 0 && { quoteQuantity: fields.quoteQuantity }),
    ...(fields.peg !== 0 && { peg: pegNames[fields.peg]! }),
    ...(fields.pegOffset !== 0 && { pegOffset: fields.pegOffset }),
  }
}

function decodeList(words: Int32Array, at: number, header: DecodedHeader): DecodedList {
  const clientListId = clientListIdOf(words, at)
  const orders: DecodedNew[] = []
  for (let leg = 0; leg < legCount(words, at); leg++) {
    const order = legAt(words, at, leg)
    if (order >= 0)
      orders.push(decodeNew(words, order, { instrumentId: header.instrumentId, tagLow: 0, tagHigh: 0 }))
  }
  return {
    type: 'list',
    ...header,
    listId: readU64(words, at + 2),
    ...((flagsOf(words, at) & OMITS_ORDER_ID) !== 0 && { listIdOmitted: true as const }),
    ...(clientListId !== undefined && { clientListId }),
    listType: listTypeNames[listTypeOf(words, at)]!,
    account: words[at + 4]! >>> 0,
    orders,
  }
}

interface AmendmentFields {
  orderIdOmitted?: true
  clientOrderId?: string
  account?: number
  requestId?: number
}

function amendment(words: Int32Array, at: number): AmendmentFields {
  const flags = flagsOf(words, at)
  const extras: AmendmentFields = {}
  let optional = optionalAt(words, at)
  if ((flags & OMITS_ORDER_ID) !== 0) extras.orderIdOmitted = true
  if ((flags & HAS_CLIENT_ORDER_ID) !== 0) {
    extras.clientOrderId = readClientOrderId(words, optional)
    optional += clientOrderIdWordsAt(words, optional)
  }
  if ((flags & AMEND_HAS_ACCOUNT) !== 0) {
    extras.account = words[optional]! >>> 0
    optional += 2
  }
  if ((flags & AMEND_HAS_REQUEST_ID) !== 0) extras.requestId = readU64(words, optional)
  return extras
}

/** The client order id in the new order, cancel, replace or reduce at a word offset; `undefined` when it has none. */
export function commandClientOrderId(words: Int32Array, at: number): string | undefined {
  if ((words[at]! & 0xff) > commandKinds.reduce || (flagsOf(words, at) & HAS_CLIENT_ORDER_ID) === 0)
    return undefined
  if ((words[at]! & 0xff) !== commandKinds.new) return readClientOrderId(words, optionalAt(words, at))
  fields.read(words, at)
  return fields.clientOrderId
}
