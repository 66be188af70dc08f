import type { NewCommand } from '../../matching/index.js'
import type { ExecutionReport } from '../../pool/index.js'
import { ApiError, errors } from '../dialect/api-error.js'
import type { Params } from '../dialect/params.js'
import type { RequestOutcome } from '../venue/requests.js'
import { requestTag } from '../venue/tags.js'
import type { Venue, VenueSymbol } from '../venue/venue.js'
import type { WantedOrder } from './new-order.js'
import { type ApiRequest, names, type Operation } from './operation.js'
import { placedAnswer, refusal } from './placed.js'

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

/** What a new order is answered with; one that was executed before as it was then. @throws ApiError. */
export async function answerOf(
  venue: Venue,
  report: ExecutionReport,
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
  if (code === 'REQUEST_ID_OUTDATED')
    throw new ApiError(outdatedCode, 'The requestId is not above the last one.')
  if (code === 'REQUEST_ID_REUSED') throw new ApiError(reusedCode, 'The requestId was that of another order.')
}

function firstAnswer({ events }: RequestOutcome, wanted: WantedOrder, symbol: VenueSymbol): object {
  const status = events[0]!.event === 'rejected' ? 'rejected' : 'done'
  return placedAnswer({ status, events }, wanted, symbol)
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
