import { shown } from '../../base/shown.js'
import { encodeCancelAllCommand } from './cancel-all-fields.js'
import { checkClientOrderId } from './client-order-id.js'
import { CommandError, conflict } from './command-errors.js'
import { checkFieldCount, checkFieldNames } from './command-fields.js'
import type { CommandGrids } from './command-grids.js'
import { PHASE_CLOSING, PHASE_TAKES_ORDERS } from './command-layout.js'
import {
  encodeBust,
  encodeCancel,
  encodeCancelList,
  encodeExpire,
  encodePhase,
  encodeReduce,
  encodeReplace,
} from './command-writer.js'
import type {
  CancelCommand,
  InstrumentCommand,
  NewCommand,
  ReduceCommand,
  ReplaceCommand,
  SymbolCommand,
} from './commands.js'
import { parseGrid, toSignedSteps, toSteps } from './decimal.js'
import {
  accountOf,
  code,
  optionalAccount,
  optionalFlag,
  optionalWhole,
  orderTypeOf,
  sideOf,
  symbolOf,
  tagHighWord,
  tagLowWord,
  timeInForceOf,
  whole,
} from './field-values.js'
import { changedDetails } from './instrument-details.js'
import { changeFromFields } from './instrument-fields.js'
import { encodeInstrumentChange, type InstrumentDefinition } from './instrument-record.js'
import { encodeList } from './list-encoding.js'
import {
  allocationCodes,
  orderTypeCodes,
  pegCodes,
  phaseCodes,
  replacePriorityCodes,
  selfTradePreventionCodes,
  timeInForceCodes,
} from './names.js'
import type { NewOrderExtras } from './new-order-extras.js'
import { encodeNew } from './new-order-writer.js'
import { quoteUnits } from './notional.js'
import { hasNoLimit } from './order-types.js'

/**
 * The grids of an instrument, parsed once for many commands.
 *
 * @throws CommandError when a size of the instrument is no decimal string.
 */
export function commandGrids(definition: InstrumentDefinition): CommandGrids {
  return {
    instrumentId: definition.instrumentId,
    price: parseGrid('tickSize', definition.tickSize),
    quantity: parseGrid('lotSize', definition.lotSize),
  }
}

/**
 * Checks a command for one symbol and encodes it at a word offset; `maxCommandWords` of room always suffice. `grids`
 * belongs to the instrument that the command's symbol names; the symbol itself is not looked at. Returns the words used.
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
      return encodeNewCommand(
        words,
        at,
        command,
        grids,
        tagLow,
        tagHigh,
        checkFieldCount(command, newFieldsOf(command)),
      )
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
        amendedOrderId(command),
        account,
        requestId,
        clientIdOf(command),
      )
    }
    case 'replace': {
      checkFieldCount(command, amendmentFieldsOf(command) + has(command.price) + has(command.quantity))
      const orderId = amendedOrderId(command)
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
        clientIdOf(command),
      )
    }
    case 'reduce': {
      checkFieldCount(command, amendmentFieldsOf(command) + has(command.quantity))
      const orderId = amendedOrderId(command)
      const quantity = toSteps('quantity', command.quantity, grids.quantity)
      const account = optionalAccount(command.account)
      const requestId = optionalWhole('requestId', command.requestId)
      return encodeReduce(
        words,
        at,
        instrumentId,
        tagLow,
        tagHigh,
        orderId,
        quantity,
        account,
        requestId,
        clientIdOf(command),
      )
    }
    case 'list':
      return encodeList(words, at, command, grids, tagLow, tagHigh, encodeLeg)
    case 'cancel-list': {
      checkFieldNames(command)
      const listId = whole('listId', command.listId)
      return encodeCancelList(
        words,
        at,
        instrumentId,
        tagLow,
        tagHigh,
        listId,
        optionalAccount(command.account),
      )
    }
    case 'cancel-all':
      return encodeCancelAllCommand(words, at, command, grids, tagLow, tagHigh)
    case 'phase':
      checkFieldNames(command)
      return encodePhase(
        words,
        at,
        instrumentId,
        tagLow,
        tagHigh,
        code('phase', command.phase, phaseCodes),
        (optionalFlag('closing', command.closing) ? PHASE_CLOSING : 0) |
          (optionalFlag('takesOrders', command.takesOrders) ? PHASE_TAKES_ORDERS : 0),
      )
    case 'bust':
      checkFieldNames(command)
      return encodeBust(words, at, instrumentId, tagLow, tagHigh, whole('tradeId', command.tradeId))
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
    case 'instrument-change':
      checkFieldNames(command)
      return encodeInstrumentChange(
        words,
        at,
        instrumentId,
        tagLow,
        tagHigh,
        changeFromFields(command, grids),
      )
    default:
      throw unknownType(command)
  }
}

/** Encodes an order of a list. Its fields were looked at by name. */
function encodeLeg(words: Int32Array, at: number, order: NewCommand, grids: CommandGrids): number {
  return encodeNewCommand(words, at, order, grids, 0, 0, true)
}

const has = (value: unknown): number => (value === undefined ? 0 : 1)

/** How many of its fields have a value. The type and the symbol always have one: the caller has looked at them. */
function newFieldsOf(command: NewCommand): number {
  return (
    2 +
    has(command.orderId) +
    has(command.clientOrderId) +
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
    has(command.selfTradeGroup) +
    has(command.minQuantity) +
    has(command.quoteQuantity) +
    has(command.peg) +
    has(command.pegOffset) +
    has(command.requestId) +
    has(command.tag)
  )
}

/** The same for what cancel, replace and reduce have in common. */
function amendmentFieldsOf({
  orderId,
  clientOrderId,
  account,
  requestId,
  tag,
}: CancelCommand | ReplaceCommand | ReduceCommand): number {
  return 2 + has(orderId) + has(clientOrderId) + has(account) + has(requestId) + has(tag)
}

function encodeNewCommand(
  words: Int32Array,
  at: number,
  command: NewCommand,
  grids: CommandGrids,
  tagLow: number,
  tagHigh: number,
  hasRareFields: boolean,
): number {
  const { price, stopPrice, displayQuantity } = command
  const orderType = orderTypeOf(command.orderType)
  const trail = hasRareFields ? trailOf(command, grids) : noTrail
  const defaultTime = orderType === orderTypeCodes.market ? timeInForceCodes.IOC : timeInForceCodes.GTC
  const { timeInForce, selfTradePrevention } = command
  return encodeNew(
    words,
    at,
    grids.instrumentId,
    tagLow,
    tagHigh,
    optionalWhole('orderId', command.orderId),
    accountOf(command.account),
    sideOf(command.side),
    orderType,
    timeInForce === undefined ? defaultTime : timeInForceOf(timeInForce),
    selfTradePrevention === undefined
      ? 0
      : code('selfTradePrevention', selfTradePrevention, selfTradePreventionCodes),
    optionalFlag('postOnly', command.postOnly) ? 1 : 0,
    price === undefined && (hasNoLimit(orderType) || command.peg !== undefined)
      ? 0
      : toSteps('price', price, grids.price),
    command.quantity === undefined && command.quoteQuantity !== undefined
      ? 0
      : toSteps('quantity', command.quantity, grids.quantity),
    stopPrice === undefined ? trail.activationPrice : toSteps('stopPrice', stopPrice, grids.price),
    displayQuantity === undefined ? 0 : toSteps('displayQuantity', displayQuantity, grids.quantity),
    optionalWhole('expireTime', command.expireTime),
    optionalWhole('requestId', command.requestId),
    clientIdOf(command),
    trail.offset,
    trail.basisPoints,
    extrasOf(command, grids),
  )
}

interface Trail {
  readonly offset: number
  readonly basisPoints: number
  readonly activationPrice: number
}

const noTrail: Trail = { offset: 0, basisPoints: 0, activationPrice: 0 }

function trailOf(command: NewCommand, { price }: CommandGrids): Trail {
  const { stopPrice, trailingOffset, trailingBasisPoints, activationPrice } = command
  const offset = trailingOffset === undefined ? 0 : toSteps('trailingOffset', trailingOffset, price)
  const basisPoints = optionalWhole('trailingBasisPoints', trailingBasisPoints)
  if (offset === 0 && basisPoints === 0 && activationPrice !== undefined) {
    throw conflict(
      'activationPrice',
      activationPrice,
      'An activationPrice is where a trail begins: it needs a trailingOffset or trailingBasisPoints.',
    )
  }
  if ((offset !== 0 || basisPoints !== 0) && stopPrice !== undefined) {
    throw conflict(
      'stopPrice',
      stopPrice,
      'The stopPrice of a trail follows the last price: leave it out, or give an activationPrice.',
    )
  }
  return {
    offset,
    basisPoints,
    activationPrice: activationPrice === undefined ? 0 : toSteps('activationPrice', activationPrice, price),
  }
}

/** `undefined` for the many orders that have none of these fields. */
function extrasOf(command: NewCommand, grids: CommandGrids): NewOrderExtras | undefined {
  const { selfTradeGroup, minQuantity, quoteQuantity, peg, pegOffset } = command
  if ((selfTradeGroup ?? minQuantity ?? quoteQuantity ?? peg ?? pegOffset) === undefined) return undefined
  return {
    selfTradeGroup: optionalWhole('selfTradeGroup', selfTradeGroup),
    minQuantity: minQuantity === undefined ? 0 : toSteps('minQuantity', minQuantity, grids.quantity),
    quoteQuantity: quoteQuantity === undefined ? 0 : quoteUnits('quoteQuantity', quoteQuantity, grids),
    peg: peg === undefined ? 0 : code('peg', peg, pegCodes),
    pegOffset: pegOffset === undefined ? 0 : toSignedSteps('pegOffset', pegOffset, grids.price),
  }
}

/** No characters where a command has none. */
function clientIdOf({ clientOrderId }: { readonly clientOrderId?: string | undefined }): string {
  return clientOrderId === undefined ? '' : checkClientOrderId(clientOrderId)
}

/** 0 where a cancel, replace or reduce names its order by the client's own id. */
function amendedOrderId({ orderId, clientOrderId }: CancelCommand | ReplaceCommand | ReduceCommand): number {
  return orderId === undefined && clientOrderId !== undefined ? 0 : whole('orderId', orderId)
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
  const price = parseGrid('tickSize', tickSize)
  const quantity = parseGrid('lotSize', lotSize)
  code('replacePriority', replacePriority, replacePriorityCodes)
  code('selfTradePrevention', selfTradePrevention, selfTradePreventionCodes)
  const { allocation } = command
  if (allocation !== undefined) code('allocation', allocation, allocationCodes)
  const change = changeFromFields(command, { instrumentId, price, quantity })
  const { phase } = command
  if (phase !== undefined) code('phase', phase, phaseCodes)
  const details = changedDetails(undefined, change)
  return {
    instrumentId,
    symbol,
    tickSize,
    lotSize,
    replacePriority,
    selfTradePrevention,
    ...(allocation !== undefined && allocation !== 'price-time' && { allocation }),
    ...(phase !== undefined && { phase }),
    ...(details !== undefined && { details }),
  }
}

/** The error for a command whose `type` names nothing. */
export function unknownType(command: unknown): CommandError {
  const type =
    typeof command === 'object' && command !== null ? (command as { type?: unknown }).type : command
  return new CommandError('TIDEMARK_COMMAND_TYPE', 'type', type, `There is no command type ${shown(type)}.`)
}
