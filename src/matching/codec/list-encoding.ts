import { didYouMean, unknownFieldOf } from '../../base/known-fields.js'
import { shown } from '../../base/shown.js'
import { checkClientOrderId, writeClientOrderId } from './client-order-id.js'
import { CommandError, conflict } from './command-errors.js'
import { checkFieldNames, legFields } from './command-fields.js'
import type { CommandGrids } from './command-grids.js'
import { HAS_CLIENT_ORDER_ID, LIST_WORDS, OMITS_ORDER_ID } from './command-layout.js'
import type { ListCommand, ListedOrder, NewCommand } from './commands.js'
import { accountOf, code, optionalWhole } from './field-values.js'
import { commandKinds, listTypeCodes, timeInForceCodes } from './names.js'
import { NewOrderFields } from './new-order-fields.js'
import { isConditional } from './order-types.js'
import { checkInstrumentId, tagFlag, writeHeader, writeTag } from './record-words.js'

/** Encodes a new order without tag at a word offset; returns the words used. */
type EncodeOrder = (words: Int32Array, at: number, order: NewCommand, grids: CommandGrids) => number

const { oco: OCO, otoco: OTOCO } = listTypeCodes
const { GTC, IOC, FOK, DAY, GTD } = timeInForceCodes
const legs = [new NewOrderFields(), new NewOrderFields(), new NewOrderFields()] as const

/**
 * Encodes a list of orders at a word offset and returns the words used.
 *
 * @throws CommandError when it or one of its orders is malformed; `details.field` is then `orders[1].price`, for example.
 */
export function encodeList(
  words: Int32Array,
  at: number,
  command: ListCommand,
  grids: CommandGrids,
  tagLow: number,
  tagHigh: number,
  encodeOrder: EncodeOrder,
): number {
  checkFieldNames(command)
  checkInstrumentId(grids.instrumentId)
  const listType = code('listType', command.listType, listTypeCodes)
  const account = accountOf(command.account)
  const listId = optionalWhole('listId', command.listId)
  const { clientListId } = command
  if (clientListId !== undefined) checkClientOrderId(clientListId, 'clientListId')
  const orders = ordersOf(command, listType === OTOCO ? 3 : 2)
  words[at + 2] = listId | 0
  words[at + 3] = (listId / 4294967296) | 0
  words[at + 4] = account
  words[at + 5] = listType | (orders.length << 8)
  let end = writeTag(words, at + LIST_WORDS, tagLow, tagHigh)
  if (clientListId !== undefined) end = writeClientOrderId(words, end, clientListId)
  for (const [i, order] of orders.entries()) {
    const leg = { ...order, type: 'new', symbol: command.symbol, account } as NewCommand
    try {
      checkLegFields(order)
      const length = encodeOrder(words, end, leg, grids)
      legs[i]!.read(words, end)
      end += length
    } catch (error) {
      throw ofLeg(error, i)
    }
  }
  checkLegs(orders.length, listType === OCO ? 0 : 1)
  if (listType === OCO) checkPair(0)
  else if (listType === OTOCO) checkPair(1)
  const flags =
    tagFlag(tagLow, tagHigh) |
    (listId === 0 ? OMITS_ORDER_ID : 0) |
    (clientListId === undefined ? 0 : HAS_CLIENT_ORDER_ID)
  return writeHeader(words, at, commandKinds.list, flags, end - at, grids.instrumentId)
}

function ordersOf({ listType, orders }: ListCommand, count: number): readonly ListedOrder[] {
  if (orders === undefined) {
    throw new CommandError('TIDEMARK_FIELD_MISSING', 'orders', orders, 'orders is missing.')
  }
  if (!Array.isArray(orders)) {
    throw new CommandError('TIDEMARK_FIELD_TYPE', 'orders', orders, 'orders must be an array.')
  }
  if (orders.length !== count) {
    const message = `A list of type ${listType} has ${count} orders, not ${orders.length}.`
    throw new CommandError('TIDEMARK_FIELD_RANGE', 'orders', orders, message)
  }
  return orders
}

function checkLegFields(order: ListedOrder): void {
  if (typeof order !== 'object' || order === null) {
    throw new CommandError(
      'TIDEMARK_FIELD_TYPE',
      '',
      order,
      `An order of a list must be an object, not ${shown(order)}.`,
    )
  }
  const field = unknownFieldOf(order, legFields)
  if (field === undefined) return
  throw new CommandError(
    'TIDEMARK_FIELD_UNKNOWN',
    field,
    (order as unknown as Record<string, unknown>)[field],
    `An order of a list has no field ${JSON.stringify(field)}.${didYouMean(field, legFields)}`,
  )
}

/** What no two orders of a list have in common, and what none of them may be. */
function checkLegs(count: number, working: number): void {
  for (let i = 0; i < count; i++) {
    const { orderId, clientOrderId, timeInForce } = legs[i]!
    if (![GTC, IOC, FOK, DAY, GTD].includes(timeInForce as 0)) {
      throw ofLeg(conflict('timeInForce', timeInForce, 'An order of a list is not for one call.'), i)
    }
    const { minQuantity } = legs[i]!
    if (minQuantity !== 0 && i >= working) {
      throw ofLeg(
        conflict('minQuantity', minQuantity, 'Of a list only the working order takes a minQuantity.'),
        i,
      )
    }
    const { peg, quoteQuantity } = legs[i]!
    if (peg !== 0) throw ofLeg(conflict('peg', peg, 'An order of a list is not pegged.'), i)
    if (quoteQuantity !== 0) {
      throw ofLeg(conflict('quoteQuantity', quoteQuantity, 'An order of a list is not for an amount.'), i)
    }
    for (let j = 0; j < i; j++) {
      if (orderId !== 0 && orderId === legs[j]!.orderId)
        throw ofLeg(conflict('orderId', orderId, 'Each order of a list has an id of its own.'), i)
      if (clientOrderId !== undefined && clientOrderId === legs[j]!.clientOrderId)
        throw ofLeg(conflict('clientOrderId', clientOrderId, 'Each order of a list has an id of its own.'), i)
    }
  }
}

/** Two orders of which one cancels the other: at most one of them rests at a price, the others wait for one. */
function checkPair(first: number): void {
  const [a, b] = [legs[first]!, legs[first + 1]!]
  const say = (field: string, value: unknown, message: string) =>
    ofLeg(conflict(field, value, message), first + 1)
  if (a.sell !== b.sell)
    throw say('side', b.sell === 1 ? 'sell' : 'buy', 'Orders that cancel each other are of one side.')
  if (a.quantity !== b.quantity)
    throw say('quantity', b.quantity, 'Orders that cancel each other have the same quantity.')
  if (!isConditional(a.orderType) && !isConditional(b.orderType)) {
    throw say(
      'orderType',
      b.orderType,
      'Of orders that cancel each other at least one waits for a price: a stop or take-profit.',
    )
  }
  for (const [i, leg] of [a, b].entries()) {
    if (
      isConditional(leg.orderType) ||
      (leg.price !== 0 && leg.timeInForce !== IOC && leg.timeInForce !== FOK)
    )
      continue
    throw ofLeg(
      conflict(
        'timeInForce',
        leg.timeInForce,
        'An order that another one cancels rests or waits: it is no market, IOC or FOK order.',
      ),
      first + i,
    )
  }
}

/** The error as that of an order of the list. */
function ofLeg(error: unknown, leg: number): unknown {
  if (!(error instanceof CommandError)) return error
  const { field, value } = error.details as { field: string; value: unknown }
  const place = field === '' ? `orders[${leg}]` : `orders[${leg}].${field}`
  return new CommandError(
    error.code as CommandError['code'] as never,
    place,
    value,
    `orders[${leg}]: ${error.message}`,
  )
}
