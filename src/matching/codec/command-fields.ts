import { didYouMean, unknownFieldOf } from '../../base/known-fields.js'
import { CommandError } from './command-errors.js'

const common = ['type', 'symbol', 'tag']
const details = [
  'baseAsset',
  'quoteAsset',
  'minPrice',
  'maxPrice',
  'minQuantity',
  'maxQuantity',
  'minNotional',
  'referencePrice',
  'staticBand',
  'staticBandBasisPoints',
  'dynamicBand',
  'dynamicBandBasisPoints',
  'bandAction',
  'maxAccountOrders',
  'tickTable',
  'info',
]
const amendment = [...common, 'orderId', 'clientOrderId', 'account', 'requestId']

/** What each type of command has. */
const knownFields: Readonly<Record<string, ReadonlySet<string>>> = {
  new: new Set([
    ...common,
    'orderId',
    'clientOrderId',
    'account',
    'side',
    'orderType',
    'price',
    'stopPrice',
    'trailingOffset',
    'trailingBasisPoints',
    'activationPrice',
    'quantity',
    'timeInForce',
    'postOnly',
    'displayQuantity',
    'expireTime',
    'selfTradePrevention',
    'selfTradeGroup',
    'minQuantity',
    'quoteQuantity',
    'peg',
    'pegOffset',
    'requestId',
  ]),
  cancel: new Set(amendment),
  replace: new Set([...amendment, 'price', 'quantity']),
  reduce: new Set([...amendment, 'quantity']),
  list: new Set([...common, 'listId', 'clientListId', 'listType', 'account', 'orders']),
  'cancel-list': new Set([...common, 'listId', 'account']),
  'cancel-all': new Set([...common, 'account', 'everybody', 'orderIds', 'side', 'minPrice', 'maxPrice']),
  instrument: new Set([
    ...common,
    'tickSize',
    'lotSize',
    'replacePriority',
    'selfTradePrevention',
    'allocation',
    'phase',
    ...details,
  ]),
  'instrument-change': new Set([...common, ...details]),
  phase: new Set([...common, 'phase', 'closing', 'takesOrders']),
  bust: new Set([...common, 'tradeId']),
  expire: new Set([...common, 'time', 'endOfDay']),
  block: new Set(['type', 'tag', 'account']),
  unblock: new Set(['type', 'tag', 'account']),
}

/** What an order of a list has: the rest of a new order is said by the list, for all of them. */
export const legFields: ReadonlySet<string> = new Set(
  [...knownFields['new']!].filter((field) => ![...common, 'account', 'requestId'].includes(field)),
)

/**
 * Refuses a command that has a field that its type does not have: it was written for a reason, and would do nothing. `present` is how
 * many of the type's fields have a value. Counting the command's fields and comparing takes a tenth of the time of
 * looking each of them up; only when the counts differ they are looked at by name. Returns whether they were: the fields that
 * few commands have are not among those counted.
 *
 * @throws CommandError `TIDEMARK_FIELD_UNKNOWN`.
 */
export function checkFieldCount(command: { readonly type: string }, present: number): boolean {
  let count = 0
  for (const _ in command) count++
  if (count === present) return false
  checkFieldNames(command)
  return true
}

/**
 * Throws for a field that a command of this type does not know.
 *
 * @throws CommandError `TIDEMARK_FIELD_UNKNOWN`.
 */
export function checkFieldNames(command: { readonly type: string }): void {
  const known = knownFields[command.type]!
  const field = unknownFieldOf(command, known)
  if (field === undefined) return
  throw new CommandError(
    'TIDEMARK_FIELD_UNKNOWN',
    field,
    (command as unknown as Record<string, unknown>)[field],
    `A command of type ${command.type} has no field ${JSON.stringify(field)}.${didYouMean(field, known)}`,
  )
}
