import { CommandError, conflict, outOfRange } from './command-errors.js'
import {
  AMEND_HAS_ACCOUNT,
  AMEND_HAS_REQUEST_ID,
  CANCEL_ALL_WORDS,
  CANCEL_WORDS,
  EXPIRE_END_OF_DAY,
  EXPIRE_WORDS,
  HEADER_WORDS,
  INSTRUMENT_WORDS,
  NEW_HAS_DISPLAY_QUANTITY,
  NEW_HAS_EXPIRE_TIME,
  NEW_HAS_REQUEST_ID,
  NEW_HAS_STOP_PRICE,
  NEW_WORDS,
  REDUCE_WORDS,
  REPLACE_WORDS,
} from './command-layout.js'
import { limits, noInstrument } from './limits.js'
import { commandKinds } from './names.js'

const MAX = Number.MAX_SAFE_INTEGER
const MAX_ACCOUNT = limits.maxAccount
const MAX_INSTRUMENT = limits.maxInstrumentId
const MAX_SLICES = limits.maxIcebergSlices
const HAS_STOP_PRICE = NEW_HAS_STOP_PRICE
const HAS_DISPLAY_QUANTITY = NEW_HAS_DISPLAY_QUANTITY
const HAS_EXPIRE_TIME = NEW_HAS_EXPIRE_TIME
const HAS_REQUEST_ID = NEW_HAS_REQUEST_ID
const BASE_WORDS = NEW_WORDS

const LIMIT = 0
const MARKET = 1
const STOP = 2
const STOP_LIMIT = 3
const GTC = 0
const IOC = 1
const FOK = 2
const GTD = 4

/** The longest command record, in words: an instrument with the longest strings. Room that always suffices. */
export const maxCommandWords =
  INSTRUMENT_WORDS + Math.ceil((limits.maxSymbolBytes + 2 * limits.maxGridChars) / 8) * 2

/**
 * Encodes a new order at a word offset and returns the words used (12 to 20). Prices in ticks, quantities in lots,
 * enumerations as their codes in names.ts. 0 stands for absent in `price` (market, stop), `stopPrice`,
 * `displayQuantity`, `expireTime` and `requestId`, and for the instrument's default in `prevention`.
 * @throws CommandError, before anything is written, when a value is out of range or the combination makes no sense.
 */
export function encodeNew(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  orderId: number,
  account: number,
  sell: number,
  orderType: number,
  timeInForce: number,
  prevention: number,
  postOnly: number,
  price: number,
  quantity: number,
  stopPrice: number,
  displayQuantity: number,
  expireTime: number,
  requestId: number,
): number {
  checkInstrumentId(instrumentId)
  checkPositive('orderId', orderId)
  checkAccount(account)
  checkPositive('quantity', quantity)
  if (orderType === LIMIT) checkPositive('price', price)
  else checkPriceOf(orderType, price)
  if ((sell | postOnly) >>> 1 !== 0) throw outOfRange('side', sell, 0, 1)
  if (prevention >>> 0 > 5) throw outOfRange('selfTradePrevention', prevention, 0, 5)
  let flags = sell | (postOnly << 1)
  if (orderType > MARKET || stopPrice !== 0) flags |= checkStop(orderType, stopPrice)
  if (timeInForce !== GTC || orderType !== LIMIT || expireTime !== 0) {
    flags |= checkTimeInForce(orderType, timeInForce, postOnly, expireTime)
  }
  if (displayQuantity !== 0) flags |= checkDisplay(orderType, timeInForce, displayQuantity, quantity)
  if (requestId !== 0) {
    checkPositive('requestId', requestId)
    flags |= HAS_REQUEST_ID
  }
  if (postOnly !== 0 && orderType !== LIMIT && orderType !== STOP_LIMIT) {
    throw conflict('postOnly', true, 'postOnly needs a limit price: use it with limit and stop-limit orders.')
  }

  let end = at + BASE_WORDS
  words[at + 1] = instrumentId
  words[at + 2] = tagLow
  words[at + 3] = tagHigh
  words[at + 4] = orderId | 0
  words[at + 5] = (orderId / 4294967296) | 0
  words[at + 6] = account
  words[at + 7] = orderType | (timeInForce << 8) | (prevention << 16)
  words[at + 8] = price | 0
  words[at + 9] = (price / 4294967296) | 0
  words[at + 10] = quantity | 0
  words[at + 11] = (quantity / 4294967296) | 0
  if ((flags & ~3) !== 0) {
    if (stopPrice !== 0) end = writeU64(words, end, stopPrice)
    if (displayQuantity !== 0) end = writeU64(words, end, displayQuantity)
    if (expireTime !== 0) end = writeU64(words, end, expireTime)
    if (requestId !== 0) end = writeU64(words, end, requestId)
  }
  words[at] = commandKinds.new | (flags << 8) | ((end - at) << 18)
  return end - at
}

/**
 * Encodes a cancel and returns the words used (6 to 10). `account` is -1 when it is not stated; a stated account must
 * own the order. `requestId` is 0 when there is none, and needs an account.
 */
export function encodeCancel(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  orderId: number,
  account: number,
  requestId: number,
): number {
  checkAmendment(instrumentId, orderId, account, requestId)
  words[at + 4] = orderId | 0
  words[at + 5] = (orderId / 4294967296) | 0
  return finishAmendment(
    words,
    at,
    commandKinds.cancel,
    CANCEL_WORDS,
    instrumentId,
    tagLow,
    tagHigh,
    account,
    requestId,
  )
}

/**
 * Encodes a replace and returns the words used (10 to 14). `price` is 0 to keep the price; `quantity` is the new open
 * quantity. `account` and `requestId` as in `encodeCancel`.
 */
export function encodeReplace(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  orderId: number,
  price: number,
  quantity: number,
  account: number,
  requestId: number,
): number {
  checkAmendment(instrumentId, orderId, account, requestId)
  if (price !== 0) checkPositive('price', price)
  checkPositive('quantity', quantity)
  words[at + 4] = orderId | 0
  words[at + 5] = (orderId / 4294967296) | 0
  words[at + 6] = price | 0
  words[at + 7] = (price / 4294967296) | 0
  words[at + 8] = quantity | 0
  words[at + 9] = (quantity / 4294967296) | 0
  return finishAmendment(
    words,
    at,
    commandKinds.replace,
    REPLACE_WORDS,
    instrumentId,
    tagLow,
    tagHigh,
    account,
    requestId,
  )
}

/**
 * Encodes a reduce and returns the words used (8 to 12). `quantity` is what is taken away. `account` and `requestId`
 * as in `encodeCancel`.
 */
export function encodeReduce(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  orderId: number,
  quantity: number,
  account: number,
  requestId: number,
): number {
  checkAmendment(instrumentId, orderId, account, requestId)
  checkPositive('quantity', quantity)
  words[at + 4] = orderId | 0
  words[at + 5] = (orderId / 4294967296) | 0
  words[at + 6] = quantity | 0
  words[at + 7] = (quantity / 4294967296) | 0
  return finishAmendment(
    words,
    at,
    commandKinds.reduce,
    REDUCE_WORDS,
    instrumentId,
    tagLow,
    tagHigh,
    account,
    requestId,
  )
}

/** Encodes the cancel-all of one account in one instrument and returns the words used (6). `flags`: `CANCEL_ALL_…`. */
export function encodeCancelAll(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  account: number,
  flags = 0,
): number {
  checkInstrumentId(instrumentId)
  checkAccount(account)
  words[at + 4] = account
  words[at + 5] = 0
  return writeHeader(
    words,
    at,
    commandKinds['cancel-all'],
    flags,
    CANCEL_ALL_WORDS,
    instrumentId,
    tagLow,
    tagHigh,
  )
}

/** Encodes a halt and returns the words used (4). */
export function encodeHalt(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
): number {
  checkInstrumentId(instrumentId)
  return writeHeader(words, at, commandKinds.halt, 0, HEADER_WORDS, instrumentId, tagLow, tagHigh)
}

/** Encodes a resume and returns the words used (4). */
export function encodeResume(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
): number {
  checkInstrumentId(instrumentId)
  return writeHeader(words, at, commandKinds.resume, 0, HEADER_WORDS, instrumentId, tagLow, tagHigh)
}

/** Encodes the expiry of an instrument's orders up to `timeMs`, and of day orders if `endOfDay`. Returns 6. */
export function encodeExpire(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  timeMs: number,
  endOfDay: boolean,
): number {
  checkInstrumentId(instrumentId)
  if (!(Number.isSafeInteger(timeMs) && timeMs >= 0)) throw outOfRange('time', timeMs, 0, MAX)
  writeU64(words, at + 4, timeMs)
  const flags = endOfDay ? EXPIRE_END_OF_DAY : 0
  return writeHeader(words, at, commandKinds.expire, flags, EXPIRE_WORDS, instrumentId, tagLow, tagHigh)
}

/** Encodes the command that does nothing, so that its tag has a place in the log. Returns 4. */
export function encodeNoop(words: Int32Array, at: number, tagLow: number, tagHigh: number): number {
  return writeHeader(words, at, commandKinds.noop, 0, HEADER_WORDS, noInstrument, tagLow, tagHigh)
}

function finishAmendment(
  words: Int32Array,
  at: number,
  kind: number,
  bodyWords: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  account: number,
  requestId: number,
): number {
  let flags = 0
  let end = at + bodyWords
  if (account !== -1) {
    flags |= AMEND_HAS_ACCOUNT
    words[end] = account
    words[end + 1] = 0
    end += 2
  }
  if (requestId !== 0) {
    flags |= AMEND_HAS_REQUEST_ID
    end = writeU64(words, end, requestId)
  }
  return writeHeader(words, at, kind, flags, end - at, instrumentId, tagLow, tagHigh)
}

/** Writes the 16 bytes that every command starts with; returns the record's length in words. */
export function writeHeader(
  words: Int32Array,
  at: number,
  kind: number,
  flags: number,
  length: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
): number {
  words[at] = kind | (flags << 8) | (length << 18)
  words[at + 1] = instrumentId
  words[at + 2] = tagLow
  words[at + 3] = tagHigh
  return length
}

function writeU64(words: Int32Array, at: number, value: number): number {
  words[at] = value | 0
  words[at + 1] = (value / 4294967296) | 0
  return at + 2
}

function checkPositive(field: string, value: number): void {
  if (!(value >= 1 && value <= MAX && Math.floor(value) === value)) throw outOfRange(field, value, 1, MAX)
}

export function checkInstrumentId(instrumentId: number): void {
  if (!(instrumentId >= 0 && instrumentId <= MAX_INSTRUMENT && Math.floor(instrumentId) === instrumentId)) {
    throw outOfRange('instrumentId', instrumentId, 0, MAX_INSTRUMENT)
  }
}

function checkAccount(account: number): void {
  if (!(account >= 0 && account <= MAX_ACCOUNT && Math.floor(account) === account)) {
    throw outOfRange('account', account, 0, MAX_ACCOUNT)
  }
}

function checkAmendment(instrumentId: number, orderId: number, account: number, requestId: number): void {
  checkInstrumentId(instrumentId)
  checkPositive('orderId', orderId)
  if (account !== -1) checkAccount(account)
  if (requestId === 0) return
  checkPositive('requestId', requestId)
  if (account === -1)
    throw conflict('requestId', requestId, 'A requestId counts for an account: state the account too.')
}

function checkPriceOf(orderType: number, price: number): void {
  if (orderType === STOP_LIMIT) {
    checkPositive('price', price)
    return
  }
  if (orderType !== MARKET && orderType !== STOP) throw outOfRange('orderType', orderType, 0, 3)
  if (price !== 0) throw conflict('price', price, 'A market or stop order takes no price.')
}

function checkStop(orderType: number, stopPrice: number): number {
  if (orderType < STOP)
    throw conflict('stopPrice', stopPrice, 'Only stop and stop-limit orders take a stopPrice.')
  if (stopPrice === 0) {
    throw new CommandError(
      'TIDEMARK_FIELD_MISSING',
      'stopPrice',
      undefined,
      'A stop order needs a stopPrice.',
    )
  }
  checkPositive('stopPrice', stopPrice)
  return HAS_STOP_PRICE
}

function checkTimeInForce(
  orderType: number,
  timeInForce: number,
  postOnly: number,
  expireTime: number,
): number {
  if (timeInForce >>> 0 > GTD) throw outOfRange('timeInForce', timeInForce, 0, GTD)
  const immediate = timeInForce === IOC || timeInForce === FOK
  if (orderType === MARKET && !immediate) {
    throw conflict('timeInForce', timeInForce, 'A market order never rests: its timeInForce is IOC or FOK.')
  }
  if (immediate && postOnly !== 0) {
    throw conflict('postOnly', true, 'A postOnly order rests: it cannot be IOC or FOK.')
  }
  if (timeInForce !== GTD) {
    if (expireTime !== 0) throw conflict('expireTime', expireTime, 'Only a GTD order takes an expireTime.')
    return 0
  }
  if (expireTime === 0) {
    throw new CommandError(
      'TIDEMARK_FIELD_MISSING',
      'expireTime',
      undefined,
      'A GTD order needs an expireTime.',
    )
  }
  checkPositive('expireTime', expireTime)
  return HAS_EXPIRE_TIME
}

function checkDisplay(orderType: number, timeInForce: number, display: number, quantity: number): number {
  checkPositive('displayQuantity', display)
  if (orderType === MARKET || orderType === STOP || timeInForce === IOC || timeInForce === FOK) {
    throw conflict(
      'displayQuantity',
      display,
      'Only an order that can rest at a limit price takes a displayQuantity.',
    )
  }
  if (display > quantity) {
    throw conflict('displayQuantity', display, 'displayQuantity must not be larger than quantity.')
  }
  if (quantity > display * MAX_SLICES) {
    throw conflict(
      'displayQuantity',
      display,
      `displayQuantity must be at least 1/${MAX_SLICES} of quantity.`,
    )
  }
  return HAS_DISPLAY_QUANTITY
}
