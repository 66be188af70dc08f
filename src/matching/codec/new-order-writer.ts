import { checkClientOrderId, writeClientOrderId } from './client-order-id.js'
import { CommandError, conflict, outOfRange } from './command-errors.js'
import {
  HAS_CLIENT_ORDER_ID as LAYOUT_HAS_CLIENT_ORDER_ID,
  HAS_TAG as LAYOUT_HAS_TAG,
  OMITS_ORDER_ID as LAYOUT_OMITS_ORDER_ID,
  MORE_TRAILING_BASIS_POINTS,
  MORE_TRAILING_OFFSET,
  NEW_HAS_DISPLAY_QUANTITY,
  NEW_HAS_EXPIRE_TIME,
  NEW_HAS_MORE,
  NEW_HAS_REQUEST_ID,
  NEW_HAS_STOP_PRICE,
  NEW_WORDS,
} from './command-layout.js'
import { limits } from './limits.js'
import { commandKinds, orderTypeCodes, timeInForceCodes } from './names.js'
import { checkExtras, type NewOrderExtras, writeExtras } from './new-order-extras.js'
import { hasNoLimit, isConditional } from './order-types.js'
import { checkAccount, checkInstrumentId, checkPositive, writeU64 } from './record-words.js'

// Copied because V8 folds a module's own constants only; an imported one is loaded each time.
const MAX_SLICES = limits.maxIcebergSlices
const HAS_STOP_PRICE = NEW_HAS_STOP_PRICE
const HAS_DISPLAY_QUANTITY = NEW_HAS_DISPLAY_QUANTITY
const HAS_EXPIRE_TIME = NEW_HAS_EXPIRE_TIME
const HAS_REQUEST_ID = NEW_HAS_REQUEST_ID
const HAS_MORE = NEW_HAS_MORE
const HAS_TAG = LAYOUT_HAS_TAG
const HAS_CLIENT_ORDER_ID = LAYOUT_HAS_CLIENT_ORDER_ID
const OMITS_ORDER_ID = LAYOUT_OMITS_ORDER_ID
const OPTIONAL =
  HAS_STOP_PRICE | HAS_DISPLAY_QUANTITY | HAS_EXPIRE_TIME | HAS_REQUEST_ID | HAS_CLIENT_ORDER_ID | HAS_MORE
const BASE_WORDS = NEW_WORDS
const LIMIT = orderTypeCodes.limit
const MARKET = orderTypeCodes.market
const LAST_TYPE = orderTypeCodes['take-profit-limit']
const { GTC, IOC, FOK, GTD } = timeInForceCodes
const AT_OPEN = timeInForceCodes['at-open']
const AT_CLOSE = timeInForceCodes['at-close']

/**
 * Encodes a new order at a word offset and returns the words used (10 to 34). Prices in ticks, quantities in lots,
 * enumerations as their codes in names.ts. 0 stands for absent in `orderId` (the book gives the next one), `price` (without a limit), `stopPrice`,
 * `displayQuantity`, `expireTime` and `requestId`, and for the instrument's default in `prevention`; no characters for no
 * `clientOrderId`. With a trail, `trailingOffset` in ticks or `trailingBasisPoints`, `stopPrice` is the activation price.
 * `extras` is `undefined` for the many orders that have none.
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
  clientOrderId = '',
  trailingOffset = 0,
  trailingBasisPoints = 0,
  extras: NewOrderExtras | undefined = undefined,
): number {
  checkInstrumentId(instrumentId)
  if (orderId !== 0) checkPositive('orderId', orderId)
  checkAccount(account)
  if (quantity !== 0 || extras === undefined || extras.quoteQuantity === 0)
    checkPositive('quantity', quantity)
  if (orderType === LIMIT) {
    if (price !== 0 || extras === undefined || extras.peg === 0) checkPositive('price', price)
  } else checkPriceOf(orderType, price)
  if ((sell | postOnly) >>> 1 !== 0) throw outOfRange('side', sell, 0, 1)
  if (prevention >>> 0 > 5) throw outOfRange('selfTradePrevention', prevention, 0, 5)
  let flags = sell | (postOnly << 1)
  if (orderId === 0) flags |= OMITS_ORDER_ID
  if (clientOrderId !== '') {
    checkClientOrderId(clientOrderId)
    flags |= HAS_CLIENT_ORDER_ID
  }
  let more = 0
  if (trailingOffset !== 0 || trailingBasisPoints !== 0)
    more = checkTrail(orderType, trailingOffset, trailingBasisPoints)
  if ((orderType > MARKET && more === 0) || stopPrice !== 0) flags |= checkStop(orderType, stopPrice)
  if (timeInForce !== GTC || orderType !== LIMIT || expireTime !== 0) {
    flags |= checkTimeInForce(orderType, timeInForce, postOnly, expireTime)
  }
  if (extras !== undefined) more |= checkExtras(extras, orderType, timeInForce, postOnly, quantity)
  if (more !== 0) flags |= HAS_MORE
  if (displayQuantity !== 0) flags |= checkDisplay(orderType, timeInForce, displayQuantity, quantity)
  if (requestId !== 0) {
    checkPositive('requestId', requestId)
    flags |= HAS_REQUEST_ID
  }
  if (postOnly !== 0 && hasNoLimit(orderType)) {
    throw conflict('postOnly', true, 'postOnly needs an order with a limit price.')
  }

  let end = at + BASE_WORDS
  words[at + 1] = instrumentId
  words[at + 2] = orderId | 0
  words[at + 3] = (orderId / 4294967296) | 0
  words[at + 4] = account
  words[at + 5] = orderType | (timeInForce << 8) | (prevention << 16) | (more << 24)
  words[at + 6] = price | 0
  words[at + 7] = (price / 4294967296) | 0
  words[at + 8] = quantity | 0
  words[at + 9] = (quantity / 4294967296) | 0
  if ((tagLow | tagHigh) !== 0) {
    flags |= HAS_TAG
    words[end] = tagLow
    words[end + 1] = tagHigh
    end += 2
  }
  if ((flags & OPTIONAL) !== 0) {
    if (stopPrice !== 0) end = writeU64(words, end, stopPrice)
    if (displayQuantity !== 0) end = writeU64(words, end, displayQuantity)
    if (expireTime !== 0) end = writeU64(words, end, expireTime)
    if (trailingOffset !== 0) end = writeU64(words, end, trailingOffset)
    if (trailingBasisPoints !== 0) end = writeU64(words, end, trailingBasisPoints)
    if (extras !== undefined) end = writeExtras(words, end, extras)
    if (clientOrderId !== '') end = writeClientOrderId(words, end, clientOrderId)
    if (requestId !== 0) end = writeU64(words, end, requestId)
  }
  words[at] = commandKinds.new | (flags << 8) | ((end - at) << 18)
  return end - at
}

function checkPriceOf(orderType: number, price: number): void {
  if (orderType >>> 0 > LAST_TYPE) throw outOfRange('orderType', orderType, 0, LAST_TYPE)
  if (hasNoLimit(orderType)) {
    if (price !== 0) throw conflict('price', price, 'A market, stop or take-profit order takes no price.')
  } else checkPositive('price', price)
}

/** Returns the bits of byte 23. */
function checkTrail(orderType: number, offset: number, basisPoints: number): number {
  const field = offset !== 0 ? 'trailingOffset' : 'trailingBasisPoints'
  const value = offset || basisPoints
  if (!isConditional(orderType)) {
    throw conflict(
      field,
      value,
      `Only stop and take-profit orders, with or without a limit, take a ${field}.`,
    )
  }
  if (offset !== 0 && basisPoints !== 0) {
    throw conflict(field, value, 'A trail has a trailingOffset or trailingBasisPoints, not both.')
  }
  if (offset !== 0) {
    checkPositive('trailingOffset', offset)
    return MORE_TRAILING_OFFSET
  }
  const most = limits.maxTrailingBasisPoints
  if (!(basisPoints >= 1 && basisPoints <= most && Math.floor(basisPoints) === basisPoints))
    throw outOfRange(field, basisPoints, 1, most)
  return MORE_TRAILING_BASIS_POINTS
}

function checkStop(orderType: number, stopPrice: number): number {
  if (!isConditional(orderType))
    throw conflict(
      'stopPrice',
      stopPrice,
      'Only stop and take-profit orders, with or without a limit, take a stopPrice.',
    )
  if (stopPrice === 0) {
    throw new CommandError(
      'TIDEMARK_FIELD_MISSING',
      'stopPrice',
      undefined,
      'A stop or take-profit order needs a stopPrice.',
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
  if (timeInForce >>> 0 > AT_CLOSE) throw outOfRange('timeInForce', timeInForce, 0, AT_CLOSE)
  const immediate = timeInForce === IOC || timeInForce === FOK
  const isForCall = timeInForce === AT_OPEN || timeInForce === AT_CLOSE
  if (orderType === MARKET && !immediate && !isForCall) {
    throw conflict(
      'timeInForce',
      timeInForce,
      'A market order never rests: its timeInForce is IOC, FOK, at-open or at-close.',
    )
  }
  if (orderType > MARKET && isForCall) {
    throw conflict(
      'timeInForce',
      timeInForce,
      'A stop waits for its price: it can be neither at-open nor at-close.',
    )
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
  if (hasNoLimit(orderType) || timeInForce === IOC || timeInForce === FOK) {
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
