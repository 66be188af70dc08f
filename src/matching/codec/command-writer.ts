import { checkClientOrderId, writeClientOrderId } from './client-order-id.js'
import { conflict, outOfRange } from './command-errors.js'
import {
  AMEND_HAS_ACCOUNT,
  AMEND_HAS_REQUEST_ID,
  BLOCK_WORDS,
  BUST_WORDS,
  CANCEL_ALL_EVERYBODY,
  CANCEL_ALL_HAS_IDS,
  CANCEL_ALL_HAS_PRICES,
  CANCEL_ALL_WORDS,
  CANCEL_WORDS,
  EXPIRE_END_OF_DAY,
  EXPIRE_WORDS,
  HAS_CLIENT_ORDER_ID,
  HEADER_WORDS,
  INSTRUMENT_WORDS,
  OMITS_ORDER_ID,
  PHASE_CLOSING,
  PHASE_TAKES_ORDERS,
  PHASE_WORDS,
  REDUCE_WORDS,
  REPLACE_WORDS,
  TAG_WORDS,
} from './command-layout.js'
import { detailsWordsMax } from './instrument-details.js'
import { limits, noInstrument } from './limits.js'
import { commandKinds, phaseCodes } from './names.js'
import {
  checkAccount,
  checkInstrumentId,
  checkPositive,
  tagFlag,
  writeHeader,
  writeTag,
  writeU64,
} from './record-words.js'

/** The longest command record, in words: an instrument with the longest strings and all details. Room that always suffices. */
export const maxCommandWords =
  INSTRUMENT_WORDS +
  TAG_WORDS +
  Math.ceil((limits.maxSymbolBytes + 2 * limits.maxGridChars) / 8) * 2 +
  detailsWordsMax

/**
 * Encodes a cancel and returns the words used (4 to 10). `account` is -1 when it is not stated; a stated account must
 * own the order. `requestId` is 0 when there is none, and needs an account. `orderId` is 0 when the order is named by its
 * `clientOrderId`, which needs an account too.
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
  clientOrderId = '',
): number {
  checkAmendment(instrumentId, orderId, account, requestId, clientOrderId)
  words[at + 2] = orderId | 0
  words[at + 3] = (orderId / 4294967296) | 0
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
    clientOrderId,
  )
}

/**
 * Encodes a replace and returns the words used (8 to 14). `price` is 0 to keep the price; `quantity` is the new open
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
  clientOrderId = '',
): number {
  checkAmendment(instrumentId, orderId, account, requestId, clientOrderId)
  if (price !== 0) checkPositive('price', price)
  checkPositive('quantity', quantity)
  words[at + 2] = orderId | 0
  words[at + 3] = (orderId / 4294967296) | 0
  words[at + 4] = price | 0
  words[at + 5] = (price / 4294967296) | 0
  words[at + 6] = quantity | 0
  words[at + 7] = (quantity / 4294967296) | 0
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
    clientOrderId,
  )
}

/**
 * Encodes a reduce and returns the words used (6 to 12). `quantity` is what is taken away. `account` and `requestId`
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
  clientOrderId = '',
): number {
  checkAmendment(instrumentId, orderId, account, requestId, clientOrderId)
  checkPositive('quantity', quantity)
  words[at + 2] = orderId | 0
  words[at + 3] = (orderId / 4294967296) | 0
  words[at + 4] = quantity | 0
  words[at + 5] = (quantity / 4294967296) | 0
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
    clientOrderId,
  )
}

/** Encodes the cancel of a list and returns the words used (4 to 8). `account` is -1 when it is not stated. */
export function encodeCancelList(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  listId: number,
  account: number,
): number {
  checkInstrumentId(instrumentId)
  checkPositive('listId', listId)
  if (account !== -1) checkAccount(account)
  writeU64(words, at + 2, listId)
  const kind = commandKinds['cancel-list']
  return finishAmendment(words, at, kind, CANCEL_WORDS, instrumentId, tagLow, tagHigh, account, 0, '')
}

/**
 * Encodes a cancel-all in one instrument and returns the words used (4 to 266). `account` is -1 for everybody; `flags` are those
 * of `cancelAllFlags`. Orders with a limit price from `minPrice` to `maxPrice` only, in ticks, unless both are 0; with one of
 * `orderIds` only, unless there are none.
 */
export function encodeCancelAll(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  account: number,
  flags = 0,
  minPrice = 0,
  maxPrice = 0,
  orderIds: readonly number[] = [],
): number {
  checkInstrumentId(instrumentId)
  if (account !== -1) checkAccount(account)
  const hasPrices = minPrice !== 0 || maxPrice !== 0
  if (hasPrices) checkPrices(minPrice, maxPrice)
  checkOrderIds(orderIds)
  words[at + 2] = account === -1 ? 0 : account
  words[at + 3] = 0
  let end = writeTag(words, at + CANCEL_ALL_WORDS, tagLow, tagHigh)
  if (hasPrices) end = writeU64(words, writeU64(words, end, minPrice), maxPrice)
  for (const id of orderIds) end = writeU64(words, end, id)
  const all =
    flags |
    tagFlag(tagLow, tagHigh) |
    (account === -1 ? CANCEL_ALL_EVERYBODY : 0) |
    (hasPrices ? CANCEL_ALL_HAS_PRICES : 0) |
    (orderIds.length === 0 ? 0 : CANCEL_ALL_HAS_IDS)
  return writeHeader(words, at, commandKinds['cancel-all'], all, end - at, instrumentId)
}

function checkPrices(minPrice: number, maxPrice: number): void {
  checkPositive('minPrice', minPrice)
  checkPositive('maxPrice', maxPrice)
  if (minPrice > maxPrice) throw conflict('minPrice', minPrice, 'minPrice must not be above maxPrice.')
}

function checkOrderIds(orderIds: readonly number[]): void {
  const most = limits.maxCancelOrderIds
  if (orderIds.length > most) throw outOfRange('the number of orderIds', orderIds.length, 1, most)
  for (const id of orderIds) checkPositive('orderIds', id)
}

/** Encodes the change of a phase (its code in names.ts; `options`: `PHASE_…`) and returns the words used (4 or 6). */
export function encodePhase(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  phase: number,
  options = 0,
): number {
  checkInstrumentId(instrumentId)
  if (phase >>> 0 > phaseCodes.auction) throw outOfRange('phase', phase, 0, phaseCodes.auction)
  if ((options & PHASE_CLOSING) !== 0 && phase !== phaseCodes.auction)
    throw conflict('closing', true, 'Only the phase auction can be the closing call.')
  if ((options & PHASE_TAKES_ORDERS) !== 0 && phase !== phaseCodes.halted)
    throw conflict(
      'takesOrders',
      true,
      'takesOrders says so of the phase halted only: the others take orders or do not.',
    )
  words[at + 2] = phase
  words[at + 3] = 0
  return finish(words, at, commandKinds.phase, options, PHASE_WORDS, instrumentId, tagLow, tagHigh)
}

/** Encodes the bust of a trade and returns the words used (4 or 6). */
export function encodeBust(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  tradeId: number,
): number {
  checkInstrumentId(instrumentId)
  checkPositive('tradeId', tradeId)
  writeU64(words, at + 2, tradeId)
  return finish(words, at, commandKinds.bust, 0, BUST_WORDS, instrumentId, tagLow, tagHigh)
}

/** Encodes the expiry of an instrument's orders up to `timeMs`, and of day orders if `endOfDay`. Returns 4 or 6. */
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
  if (!(Number.isSafeInteger(timeMs) && timeMs >= 0)) throw outOfRange('time', timeMs, 0, limits.maxTimeMs)
  writeU64(words, at + 2, timeMs)
  const flags = endOfDay ? EXPIRE_END_OF_DAY : 0
  return finish(words, at, commandKinds.expire, flags, EXPIRE_WORDS, instrumentId, tagLow, tagHigh)
}

/** Encodes the block of an account in one instrument, or the end of it, and returns the words used (4 or 6). */
export function encodeBlock(
  words: Int32Array,
  at: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
  account: number,
  isBlocked: boolean,
): number {
  checkInstrumentId(instrumentId)
  checkAccount(account)
  words[at + 2] = account
  words[at + 3] = 0
  const kind = isBlocked ? commandKinds.block : commandKinds.unblock
  return finish(words, at, kind, 0, BLOCK_WORDS, instrumentId, tagLow, tagHigh)
}

/** Encodes the command that does nothing, so that its tag has a place in the log. Returns 2 or 4. */
export function encodeNoop(words: Int32Array, at: number, tagLow: number, tagHigh: number): number {
  return finish(words, at, commandKinds.noop, 0, HEADER_WORDS, noInstrument, tagLow, tagHigh)
}

/** Writes tag and header of a command without other optional fields. */
function finish(
  words: Int32Array,
  at: number,
  kind: number,
  flags: number,
  bodyWords: number,
  instrumentId: number,
  tagLow: number,
  tagHigh: number,
): number {
  const end = writeTag(words, at + bodyWords, tagLow, tagHigh)
  return writeHeader(words, at, kind, flags | tagFlag(tagLow, tagHigh), end - at, instrumentId)
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
  clientOrderId: string,
): number {
  let flags = tagFlag(tagLow, tagHigh)
  let end = writeTag(words, at + bodyWords, tagLow, tagHigh)
  if (clientOrderId !== '') {
    flags |= HAS_CLIENT_ORDER_ID | OMITS_ORDER_ID
    end = writeClientOrderId(words, end, clientOrderId)
  }
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
  return writeHeader(words, at, kind, flags, end - at, instrumentId)
}

function checkAmendment(
  instrumentId: number,
  orderId: number,
  account: number,
  requestId: number,
  clientOrderId: string,
): void {
  checkInstrumentId(instrumentId)
  if (clientOrderId === '') checkPositive('orderId', orderId)
  else {
    checkClientOrderId(clientOrderId)
    if (orderId !== 0)
      throw conflict('clientOrderId', clientOrderId, 'Name the order by its orderId or by its clientOrderId.')
    if (account === -1)
      throw conflict(
        'clientOrderId',
        clientOrderId,
        'A clientOrderId counts for an account: state the account too.',
      )
  }
  if (account !== -1) checkAccount(account)
  if (requestId === 0) return
  checkPositive('requestId', requestId)
  if (account === -1)
    throw conflict('requestId', requestId, 'A requestId counts for an account: state the account too.')
}
