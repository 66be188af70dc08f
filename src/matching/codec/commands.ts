import { shown } from '../../base/shown.js'
import { CommandError, outOfRange } from './command-errors.js'
import { checkFieldCount, checkFieldNames } from './command-fields.js'
import { CANCEL_ALL_ONE_SIDE, CANCEL_ALL_SELL } from './command-layout.js'
import {
  encodeCancel,
  encodeCancelAll,
  encodeExpire,
  encodeHalt,
  encodeNew,
  encodeReduce,
  encodeReplace,
  encodeResume,
} from './command-writer.js'
import { type Grid, parseGrid, toSteps } from './decimal.js'
import type { InstrumentDefinition } from './instrument-record.js'
import { limits } from './limits.js'
import {
  orderTypeCodes,
  type ReplacePriority,
  replacePriorityCodes,
  type SelfTradePrevention,
  type Side,
  selfTradePreventionCodes,
  type TimeInForce,
  timeInForceCodes,
} from './names.js'

/** A decimal string on the instrument's grid; a number counts as its `String(n)`. */
export type Decimal = string | number

/** 64 bits that travel with a command and come back with its outcome: a bigint below 2^64 or a safe integer. */
export type Tag = number | bigint

interface NewCommandFields {
  readonly type: 'new'
  readonly symbol: string
  /** 1 to 2^53-1, unique among the live orders of the symbol. */
  readonly orderId: number
  /** 0 to 2^32-1. */
  readonly account: number
  readonly side: Side
  readonly quantity: Decimal
  /** The instrument's default unless stated. */
  readonly selfTradePrevention?: SelfTradePrevention | undefined
  readonly requestId?: number | undefined
  readonly tag?: Tag | undefined
}

/** What an order that can rest at a limit price may have. */
interface RestingFields {
  readonly price: Decimal
  /** GTC unless stated. */
  readonly timeInForce?: TimeInForce | undefined
  readonly postOnly?: boolean | undefined
  /** The visible part of an iceberg, at least a thousandth of the quantity. */
  readonly displayQuantity?: Decimal | undefined
  /** Milliseconds since 1970-01-01T00:00:00Z, for GTD. */
  readonly expireTime?: number | undefined
}

/** What an order without a limit price has not. */
interface NoLimitFields {
  readonly price?: undefined
  readonly postOnly?: false | undefined
  readonly displayQuantity?: undefined
}

export interface NewLimitCommand extends NewCommandFields, RestingFields {
  readonly orderType: 'limit'
  readonly stopPrice?: undefined
}

export interface NewMarketCommand extends NewCommandFields, NoLimitFields {
  readonly orderType: 'market'
  readonly stopPrice?: undefined
  /** IOC unless stated. */
  readonly timeInForce?: 'IOC' | 'FOK' | undefined
  readonly expireTime?: undefined
}

/** Becomes a market order when its stop price is reached. */
export interface NewStopCommand extends NewCommandFields, NoLimitFields {
  readonly orderType: 'stop'
  readonly stopPrice: Decimal
  /** GTC unless stated. */
  readonly timeInForce?: TimeInForce | undefined
  /** Milliseconds since 1970-01-01T00:00:00Z, for GTD. */
  readonly expireTime?: number | undefined
}

/** Becomes a limit order when its stop price is reached. */
export interface NewStopLimitCommand extends NewCommandFields, RestingFields {
  readonly orderType: 'stop-limit'
  readonly stopPrice: Decimal
}

export type NewCommand = NewLimitCommand | NewMarketCommand | NewStopCommand | NewStopLimitCommand

export interface CancelCommand {
  readonly type: 'cancel'
  readonly symbol: string
  readonly orderId: number
  /** When stated, it must own the order. */
  readonly account?: number | undefined
  /** Needs an account. */
  readonly requestId?: number | undefined
  readonly tag?: Tag | undefined
}

export interface ReplaceCommand {
  readonly type: 'replace'
  readonly symbol: string
  readonly orderId: number
  /** The price stays if it is not stated. */
  readonly price?: Decimal | undefined
  /** The new open quantity, whatever has been filled before. */
  readonly quantity: Decimal
  readonly account?: number | undefined
  readonly requestId?: number | undefined
  readonly tag?: Tag | undefined
}

export interface ReduceCommand {
  readonly type: 'reduce'
  readonly symbol: string
  readonly orderId: number
  /** What is taken away from the open quantity; taking all of it or more cancels the order. */
  readonly quantity: Decimal
  readonly account?: number | undefined
  readonly requestId?: number | undefined
  readonly tag?: Tag | undefined
}

/** Cancels the live orders of an account, waiting stops included. */
export interface CancelAllCommand {
  readonly type: 'cancel-all'
  readonly account: number
  /** In this symbol only; in every one unless stated. */
  readonly symbol?: string | undefined
  /** Of this side only; of both unless stated. */
  readonly side?: Side | undefined
  readonly tag?: Tag | undefined
}

export interface InstrumentCommand {
  readonly type: 'instrument'
  readonly symbol: string
  readonly tickSize: string
  readonly lotSize: string
  /** `keep-on-reduce` unless stated. */
  readonly replacePriority?: ReplacePriority | undefined
  /** `none` unless stated. */
  readonly selfTradePrevention?: SelfTradePrevention | undefined
  readonly tag?: Tag | undefined
}

export interface HaltCommand {
  readonly type: 'halt'
  readonly symbol: string
  readonly tag?: Tag | undefined
}

export interface ResumeCommand {
  readonly type: 'resume'
  readonly symbol: string
  readonly tag?: Tag | undefined
}

/** Kills what has run out of time. Matching has no clock: nothing expires without this command. */
export interface ExpireCommand {
  readonly type: 'expire'
  readonly symbol: string
  /** Orders good till a date not later than this go; milliseconds since 1970-01-01T00:00:00Z. */
  readonly time: number
  /** DAY orders go too. */
  readonly endOfDay?: boolean | undefined
  readonly tag?: Tag | undefined
}

/** Commands for one symbol, each of which is one record. */
export type SymbolCommand =
  | NewCommand
  | CancelCommand
  | ReplaceCommand
  | ReduceCommand
  | HaltCommand
  | ResumeCommand
  | ExpireCommand
  | (CancelAllCommand & { readonly symbol: string })

export type Command = SymbolCommand | CancelAllCommand | InstrumentCommand

/** What encoding needs to know of an instrument. Make one with `commandGrids` and keep it. */
export interface CommandGrids {
  readonly instrumentId: number
  readonly price: Grid
  readonly quantity: Grid
}

export function commandGrids(definition: InstrumentDefinition): CommandGrids {
  return {
    instrumentId: definition.instrumentId,
    price: parseGrid('tickSize', definition.tickSize),
    quantity: parseGrid('lotSize', definition.lotSize),
  }
}

/**
 * Checks a command for one symbol and encodes it at a word offset; `maxCommandWords` of room always suffice. The
 * symbol itself is the caller's business: `grids` is the instrument that it names. Returns the words used.
 * @throws CommandError for anything malformed, before anything is written. `details.field` names the field.
 */
export function encodeCommand(
  words: Int32Array,
  at: number,
  command: SymbolCommand,
  grids: CommandGrids,
): number {
  const tagLow = tagLowWord(command.tag)
  const tagHigh = tagHighWord(command.tag)
  const { instrumentId } = grids
  switch (command.type) {
    case 'new':
      checkFieldCount(command, newFieldsOf(command))
      return encodeNewCommand(words, at, command, grids, tagLow, tagHigh)
    case 'cancel': {
      checkFieldCount(command, amendmentFieldsOf(command))
      const account = optionalAccount(command.account)
      const requestId = optionalWhole('requestId', command.requestId)
      return encodeCancel(
        words,
        at,
        instrumentId,
        tagLow,
        tagHigh,
        whole('orderId', command.orderId),
        account,
        requestId,
      )
    }
    case 'replace': {
      checkFieldCount(command, amendmentFieldsOf(command) + has(command.price) + has(command.quantity))
      const orderId = whole('orderId', command.orderId)
      const price = command.price === undefined ? 0 : toSteps('price', command.price, grids.price)
      const quantity = toSteps('quantity', command.quantity, grids.quantity)
      const account = optionalAccount(command.account)
      const requestId = optionalWhole('requestId', command.requestId)
      return encodeReplace(
        words,
        at,
        instrumentId,
        tagLow,
        tagHigh,
        orderId,
        price,
        quantity,
        account,
        requestId,
      )
    }
    case 'reduce': {
      checkFieldCount(command, amendmentFieldsOf(command) + has(command.quantity))
      const orderId = whole('orderId', command.orderId)
      const quantity = toSteps('quantity', command.quantity, grids.quantity)
      const account = optionalAccount(command.account)
      const requestId = optionalWhole('requestId', command.requestId)
      return encodeReduce(words, at, instrumentId, tagLow, tagHigh, orderId, quantity, account, requestId)
    }
    case 'cancel-all':
      checkFieldNames(command)
      return encodeCancelAll(
        words,
        at,
        instrumentId,
        tagLow,
        tagHigh,
        accountOf(command.account),
        cancelAllFlags(command.side),
      )
    case 'halt':
      checkFieldNames(command)
      return encodeHalt(words, at, instrumentId, tagLow, tagHigh)
    case 'resume':
      checkFieldNames(command)
      return encodeResume(words, at, instrumentId, tagLow, tagHigh)
    case 'expire': {
      checkFieldNames(command)
      const time = typeof command.time === 'number' ? command.time : whole('time', command.time)
      return encodeExpire(
        words,
        at,
        instrumentId,
        tagLow,
        tagHigh,
        time,
        optionalFlag('endOfDay', command.endOfDay),
      )
    }
    default:
      throw unknownType(command)
  }
}

const has = (value: unknown): number => (value === undefined ? 0 : 1)

/** How many of its fields a new order has; whoever calls knows its type and symbol. */
function newFieldsOf(command: NewCommand): number {
  return (
    2 +
    has(command.orderId) +
    has(command.account) +
    has(command.side) +
    has(command.orderType) +
    has(command.quantity) +
    has(command.price) +
    has(command.stopPrice) +
    has(command.timeInForce) +
    has(command.postOnly) +
    has(command.displayQuantity) +
    has(command.expireTime) +
    has(command.selfTradePrevention) +
    has(command.requestId) +
    has(command.tag)
  )
}

function amendmentFieldsOf({
  orderId,
  account,
  requestId,
  tag,
}: CancelCommand | ReplaceCommand | ReduceCommand): number {
  return 2 + has(orderId) + has(account) + has(requestId) + has(tag)
}

/** The flags of a cancel-all for a side. @throws CommandError when it is none. */
export function cancelAllFlags(side: unknown): number {
  if (side === undefined) return 0
  return sideOf(side) === 0 ? CANCEL_ALL_ONE_SIDE : CANCEL_ALL_ONE_SIDE | CANCEL_ALL_SELL
}

function encodeNewCommand(
  words: Int32Array,
  at: number,
  command: NewCommand,
  grids: CommandGrids,
  tagLow: number,
  tagHigh: number,
): number {
  const { price, stopPrice, displayQuantity } = command
  const orderType = orderTypeOf(command.orderType)
  const isLimit = orderType === orderTypeCodes.limit || orderType === orderTypeCodes['stop-limit']
  const defaultTime = orderType === orderTypeCodes.market ? timeInForceCodes.IOC : timeInForceCodes.GTC
  const { timeInForce, selfTradePrevention } = command
  return encodeNew(
    words,
    at,
    grids.instrumentId,
    tagLow,
    tagHigh,
    whole('orderId', command.orderId),
    accountOf(command.account),
    sideOf(command.side),
    orderType,
    timeInForce === undefined ? defaultTime : timeInForceOf(timeInForce),
    selfTradePrevention === undefined
      ? 0
      : code('selfTradePrevention', selfTradePrevention, selfTradePreventionCodes),
    optionalFlag('postOnly', command.postOnly) ? 1 : 0,
    price === undefined && !isLimit ? 0 : toSteps('price', price, grids.price),
    toSteps('quantity', command.quantity, grids.quantity),
    stopPrice === undefined ? 0 : toSteps('stopPrice', stopPrice, grids.price),
    displayQuantity === undefined ? 0 : toSteps('displayQuantity', displayQuantity, grids.quantity),
    optionalWhole('expireTime', command.expireTime),
    optionalWhole('requestId', command.requestId),
  )
}

/**
 * Checks an instrument command and gives it its id.
 * @throws CommandError for anything malformed.
 */
export function instrumentFromCommand(
  command: InstrumentCommand,
  instrumentId: number,
): InstrumentDefinition {
  checkFieldNames(command)
  const symbol = symbolOf(command.symbol)
  const { tickSize, lotSize, replacePriority = 'keep-on-reduce', selfTradePrevention = 'none' } = command
  parseGrid('tickSize', tickSize)
  parseGrid('lotSize', lotSize)
  code('replacePriority', replacePriority, replacePriorityCodes)
  code('selfTradePrevention', selfTradePrevention, selfTradePreventionCodes)
  return { instrumentId, symbol, tickSize, lotSize, replacePriority, selfTradePrevention }
}

/** The account of a cancel-all. @throws CommandError when it is malformed. */
export function accountOf(value: unknown): number {
  if (typeof value !== 'number') throw wrongType('account', value, 'a number')
  const isAccount = value >= 0 && value <= limits.maxAccount && Math.floor(value) === value
  if (!isAccount) throw outOfRange('account', value, 0, limits.maxAccount)
  return value
}

/** A symbol: well-formed Unicode, 1 to 64 bytes of it as UTF-8. @throws CommandError when it is malformed. */
export function symbolOf(value: unknown): string {
  if (typeof value === 'string' && !value.isWellFormed()) {
    // UTF-8 can't hold half of a surrogate pair: the log would name another symbol.
    const message = `symbol ${JSON.stringify(value)} is no well-formed Unicode: a surrogate stands alone.`
    throw new CommandError('TIDEMARK_FIELD_VALUE', 'symbol', value, message)
  }
  if (typeof value === 'string' && value.length > 0 && utf8Length(value) <= limits.maxSymbolBytes)
    return value
  throw typeof value === 'string'
    ? new CommandError(
        'TIDEMARK_FIELD_RANGE',
        'symbol',
        value,
        `symbol must have 1 to ${limits.maxSymbolBytes} bytes of UTF-8.`,
      )
    : wrongType('symbol', value, 'a string')
}

/** The error for a command whose `type` names nothing. */
export function unknownType(command: unknown): CommandError {
  const type =
    typeof command === 'object' && command !== null ? (command as { type?: unknown }).type : command
  return new CommandError('TIDEMARK_COMMAND_TYPE', 'type', type, `There is no command type ${shown(type)}.`)
}

/** The low word of a tag. @throws CommandError when it is not 64 bits. */
export function tagLowWord(tag: unknown): number {
  if (tag === undefined) return 0
  if (typeof tag === 'number' && tag >= 0 && Number.isSafeInteger(tag)) return tag | 0
  if (typeof tag === 'bigint' && tag >= 0n && tag < 1n << 64n) return Number(tag & 0xffffffffn) | 0
  if (typeof tag !== 'number' && typeof tag !== 'bigint') throw wrongType('tag', tag, 'a number or a bigint')
  throw new CommandError(
    'TIDEMARK_FIELD_RANGE',
    'tag',
    tag,
    'tag must be a whole number from 0 to 2^53-1, or a bigint below 2^64.',
  )
}

/** The high word of a tag that `tagLowWord` has passed. */
export function tagHighWord(tag: Tag | undefined): number {
  if (tag === undefined) return 0
  return typeof tag === 'number' ? (tag / 4294967296) | 0 : Number(tag >> 32n) | 0
}

function wrongType(field: string, value: unknown, expected: string): CommandError {
  return value === undefined
    ? new CommandError('TIDEMARK_FIELD_MISSING', field, value, `${field} is missing.`)
    : new CommandError('TIDEMARK_FIELD_TYPE', field, value, `${field} must be ${expected}.`)
}

function sideOf(side: unknown): number {
  if (side === 'buy') return 0
  if (side === 'sell') return 1
  throw typeof side === 'string'
    ? new CommandError('TIDEMARK_FIELD_VALUE', 'side', side, 'side must be "buy" or "sell".')
    : wrongType('side', side, 'a string')
}

/** The commonest names are compared first: looking a name up in a table costs more than the rest of a field. */
function orderTypeOf(value: unknown): number {
  if (value === 'limit') return orderTypeCodes.limit
  if (value === 'market') return orderTypeCodes.market
  return code('orderType', value, orderTypeCodes)
}

function timeInForceOf(value: unknown): number {
  if (value === 'GTC') return timeInForceCodes.GTC
  if (value === 'IOC') return timeInForceCodes.IOC
  return code('timeInForce', value, timeInForceCodes)
}

function code(field: string, value: unknown, codes: Readonly<Record<string, number>>): number {
  if (typeof value !== 'string') throw wrongType(field, value, 'a string')
  // A name that is not the table's own, `toString` for one, is no number.
  const found = codes[value]
  if (typeof found === 'number') return found
  const names = Object.keys(codes).join(', ')
  throw new CommandError('TIDEMARK_FIELD_VALUE', field, value, `${field} must be one of: ${names}.`)
}

function whole(field: string, value: unknown): number {
  if (typeof value !== 'number') throw wrongType(field, value, 'a number')
  if (!(value >= 1 && Number.isSafeInteger(value))) throw outOfRange(field, value, 1, Number.MAX_SAFE_INTEGER)
  return value
}

function optionalWhole(field: string, value: unknown): number {
  return value === undefined ? 0 : whole(field, value)
}

function optionalAccount(value: unknown): number {
  return value === undefined ? -1 : accountOf(value)
}

function optionalFlag(field: string, value: unknown): boolean {
  if (value === undefined) return false
  if (typeof value !== 'boolean') throw wrongType(field, value, 'a boolean')
  return value
}

function utf8Length(text: string): number {
  // Three bytes at most a UTF-16 unit; only strings near the limit need to be encoded.
  return text.length * 3 <= limits.maxSymbolBytes ? text.length : new TextEncoder().encode(text).length
}
