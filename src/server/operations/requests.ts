import type { NewCommand } from '../../matching/index.js'
import type { ExecutionReport } from '../../pool/index.js'
import { compare } from '../dialect/amounts.js'
import { ApiError, errors } from '../dialect/api-error.js'
import type { Params } from '../dialect/params.js'
import type { RequestOutcome } from '../venue/requests.js'
import { requestTag } from '../venue/tags.js'
import type { Venue, VenueSymbol } from '../venue/venue.js'
import type { WantedOrder } from './new-order.js'
import { type ApiRequest, names, type Operation } from './operation.js'
import { type PlacedReport, placedAnswer, refusal } from './placed.js'

/**
 * The codes of what the dialect does not have: an order whose request id is not above the last one of its account in its symbol, and
 * one whose request id another order had. Neither was executed, nor will be.
 */
const outdatedCode = -2101
const reusedCode = -2102

/** A new order, with the request id that the request may have. @throws ApiError -1100, -1130. */
export function withRequestId(params: Params, command: NewCommand): NewCommand {
  const requestId = params.whole('requestId')
  if (requestId === undefined) return command
  if (requestId < 1) throw errors.badValue('requestId')
  // Both stand in the tag.
  if (command.tag !== undefined) throw errors.badCombination()
  // A name that is made for each sending would make another order of each.
  params.required('newClientOrderId')
  return { ...command, requestId, tag: requestTag(requestId) }
}

/**
 * Places an order, and answers it; one that was executed under its request id before as it was then. That one's money may be what a ledger
 * misses now, so its refusal of a request counts only when the request is new. `isPriceOurs` says that the price was found here: it may
 * differ from the one of the first time.
 */
export async function placeOnce(
  venue: Venue,
  wanted: WantedOrder,
  symbol: VenueSymbol,
  isPriceOurs: boolean,
): Promise<object> {
  let report: PlacedReport & ExecutionReport
  try {
    report = await venue.place(wanted.command, wanted.responseType === 'FULL')
  } catch (error) {
    const isRefusal = error instanceof ApiError && error.status < 500
    if (!isRefusal || wanted.command.requestId === undefined) throw error
    return answerOfFirst(venue, wanted, symbol, isPriceOurs, error)
  }
  if (isPriceOurs && report.code === 'REQUEST_ID_REUSED')
    return answerOfFirst(venue, wanted, symbol, isPriceOurs, reused())
  return answerOf(venue, report, wanted, symbol)
}

/** What the order that had a request id first was answered with. @throws ApiError: `refusal` when none had it. */
async function answerOfFirst(
  venue: Venue,
  wanted: WantedOrder,
  symbol: VenueSymbol,
  isPriceOurs: boolean,
  refusal: ApiError,
): Promise<object> {
  const { command } = wanted
  const requestId = command.requestId!
  const lastRequestId = (await venue.lastRequestId(command.account, symbol.symbol)) ?? 0
  if (requestId > lastRequestId) throw refusal
  if (requestId < lastRequestId) throw outdated()
  await venue.caughtUp()
  const outcome = venue.requests.find(command.account, symbol.symbol, requestId)
  // It was executed, and what came of it is not kept any more.
  if (!outcome) throw errors.indeterminate()
  if (!isOrderOf(outcome, command, isPriceOurs)) throw reused()
  return firstAnswer(outcome, wanted, symbol)
}

/** Whether an order is the one that a request was executed with. Of one that the book refused, the log has its name. */
function isOrderOf(
  { clientOrderId, events: [first] }: RequestOutcome,
  command: NewCommand,
  isPriceOurs: boolean,
): boolean {
  if (clientOrderId !== command.clientOrderId) return false
  if (first?.event !== 'accepted') return true
  const { peg, timeInForce = first.timeInForce, postOnly = false } = command
  const isSent = (sent: unknown, logged: string | undefined) =>
    sent === undefined || logged === undefined ? sent === logged : compare(String(sent), logged) === 0
  return (
    first.side === command.side &&
    first.orderType === command.orderType &&
    first.timeInForce === timeInForce &&
    first.postOnly === postOnly &&
    first.peg === peg &&
    first.trailingBasisPoints === command.trailingBasisPoints &&
    first.selfTradePrevention === command.selfTradePrevention &&
    (command.quantity === undefined || isSent(command.quantity, first.quantity)) &&
    isSent(command.quoteQuantity, first.quoteQuantity) &&
    (isPriceOurs || isSent(command.price, peg === undefined ? first.price : first.limitPrice)) &&
    isSent(command.stopPrice, first.stopPrice) &&
    isSent(command.displayQuantity, first.displayQuantity) &&
    isSent(command.activationPrice, first.activationPrice)
  )
}

/** What a new order is answered with; one that was executed before as it was then. @throws ApiError. */
async function answerOf(
  venue: Venue,
  report: PlacedReport & ExecutionReport,
  wanted: WantedOrder,
  symbol: VenueSymbol,
): Promise<object> {
  if (report.status === 'rejected' && !report.repeated) throwRequestRefusal(report.code)
  if (!report.repeated) return placedAnswer(report, wanted, symbol)
  const { account, requestId, clientOrderId = '' } = wanted.command
  await venue.caughtUp()
  const outcome = venue.requests.find(account, symbol.symbol, requestId!)
  if (outcome) return firstAnswer(outcome, wanted, symbol)
  if (report.status === 'rejected') throw refusal(report.code as Parameters<typeof refusal>[0])
  // What it traded then is not kept any more; which order it became is.
  return { symbol: symbol.symbol, orderId: report.orderId, orderListId: -1, clientOrderId }
}

function throwRequestRefusal(code: string | undefined): void {
  if (code === 'REQUEST_ID_OUTDATED') throw outdated()
  if (code === 'REQUEST_ID_REUSED') throw reused()
}

function outdated(): ApiError {
  return new ApiError(outdatedCode, 'The requestId is not above the last one.')
}

function reused(): ApiError {
  return new ApiError(reusedCode, 'The requestId was that of another order.')
}

function firstAnswer({ events, fees }: RequestOutcome, wanted: WantedOrder, symbol: VenueSymbol): object {
  const status = events[0]!.event === 'rejected' ? 'rejected' : 'done'
  return placedAnswer({ status, events, fees }, wanted, symbol)
}

/** What came of a request of the account's. */
async function requestStatus({ params, venue, account }: ApiRequest): Promise<object> {
  const symbol = venue.symbol(params.required('symbol'))
  const requestId = params.whole('requestId')
  const lastRequestId = (await venue.lastRequestId(account, symbol.symbol)) ?? 0
  await venue.caughtUp()
  if (requestId === undefined) return { symbol: symbol.symbol, lastRequestId }
  const outcome = venue.requests.find(account, symbol.symbol, requestId)
  const said = { symbol: symbol.symbol, requestId, lastRequestId }
  if (outcome) return { ...said, ...shownOutcome(outcome, account, symbol) }
  if (venue.requests.mayHaveForgotten(account, symbol.symbol, requestId))
    return { ...said, state: 'FORGOTTEN' }
  const isOver = requestId < venue.requests.lastId(account, symbol.symbol)
  return { ...said, state: isOver ? 'NOT_EXECUTED' : 'UNSEEN' }
}

function shownOutcome(outcome: RequestOutcome, account: number, symbol: VenueSymbol): object {
  const { clientOrderId, events } = outcome
  const [first] = events
  if (first?.event === 'rejected') {
    if (first.code !== 'FOK_NOT_FILLABLE')
      return { state: 'REFUSED', clientOrderId, error: refusal(first.code).toBody() }
    return { state: 'EXPIRED', clientOrderId }
  }
  if (first?.event !== 'accepted') throw errors.unknown()
  const wanted = { command: { account } as NewCommand, responseType: 'FULL' } as const
  return { state: 'EXECUTED', clientOrderId, order: firstAnswer(outcome, wanted, symbol) }
}

export const requestOperations: readonly Operation[] = [
  {
    method: 'order.request',
    rest: ['GET', '/order/request'],
    security: 'read',
    weight: 4,
    params: names('symbol', 'requestId'),
    run: requestStatus,
  },
]
