import type { TradeFees } from '../../ledger/index.js'
import { fromSteps, parseGrid, type RejectCode, toSteps } from '../../matching/index.js'
import type { ExecutionReport } from '../../pool/index.js'
import { ApiError, errors } from '../dialect/api-error.js'
import { placedJson } from '../dialect/order-json.js'
import {
  type AccountTrade,
  acceptedOrder,
  bookCancel,
  bookEntry,
  bookReplace,
  bookTrade,
  bookTrigger,
  type OrderRecord,
} from '../venue/order-record.js'
import type { VenueSymbol } from '../venue/venue.js'
import type { WantedOrder } from './new-order.js'

/** What of a report an answer is made of. */
export type PlacedReport = Pick<ExecutionReport, 'status' | 'events'> & PlacedFees

interface PlacedFees {
  /** What the trades cost, by their ids, where a ledger says that. */
  readonly fees?: ReadonlyMap<number, TradeFees> | undefined
}

/** An order that a command placed, and what it traded in the command's record. */
export interface PlacedOrder {
  readonly order: OrderRecord
  readonly trades: AccountTrade[]
}

/** The orders that a command placed, as they are at the end of its record. */
export function placedOrders({ events, fees }: Pick<ExecutionReport, 'events'> & PlacedFees): PlacedOrder[] {
  const placed = new Map<number, PlacedOrder>()
  for (const event of events) {
    switch (event.event) {
      case 'accepted':
        placed.set(event.orderId, { order: acceptedOrder(event), trades: [] })
        break
      case 'trade':
        for (const id of [event.makerOrderId, event.takerOrderId]) {
          const one = placed.get(id)
          if (one)
            one.trades.push(bookTrade(one.order, event, id === event.makerOrderId, fees?.get(event.tradeId)))
        }
        break
      case 'cancelled':
      case 'replaced':
      case 'triggered':
      case 'entered': {
        const order = placed.get(event.orderId)?.order
        if (!order) break
        if (event.event === 'cancelled') bookCancel(order, event)
        else if (event.event === 'replaced') bookReplace(order, event)
        else if (event.event === 'triggered') bookTrigger(order, event.timeUs)
        else bookEntry(order, event)
      }
    }
  }
  return [...placed.values()]
}

/** What a new order is answered with. @throws ApiError -2010, -1013 for one that the book refused. */
export function placedAnswer(report: PlacedReport, wanted: WantedOrder, symbol: VenueSymbol): object {
  if (report.status === 'rejected') return refusedAnswer(report, wanted, symbol)
  const [placed] = placedOrders(report)
  if (!placed) throw errors.unknown()
  return placedJson(placed.order, symbol, placed.trades, wanted.responseType)
}

/** A FOK that can't be filled has expired in the dialect; in the book it was refused, and no list has it. */
function refusedAnswer(
  report: PlacedReport,
  { command, responseType }: WantedOrder,
  symbol: VenueSymbol,
): object {
  const [event] = report.events
  if (event?.event !== 'rejected') throw errors.unknown()
  if (event.code !== 'FOK_NOT_FILLABLE') throw refusal(event.code)
  const order = acceptedOrder({
    ...event,
    event: 'accepted',
    account: command.account,
    side: command.side,
    orderType: command.orderType,
    timeInForce: 'FOK',
    quantity: onGrid(String(command.quantity), symbol.lotSize),
    stopPrice: undefined,
    displayQuantity: undefined,
    postOnly: false,
    expireTime: undefined,
    selfTradePrevention: command.selfTradePrevention,
  })
  order.status = 'EXPIRED'
  return placedJson(order, symbol, [], responseType)
}

/** A quantity as the events have it, with the decimals of its grid. */
function onGrid(quantity: string, lotSize: string): string {
  const grid = parseGrid('lotSize', lotSize)
  return fromSteps(toSteps('quantity', quantity, grid), grid)
}

const filters: Partial<Record<RejectCode, string>> = {
  PRICE_TOO_LOW: 'PRICE_FILTER',
  PRICE_TOO_HIGH: 'PRICE_FILTER',
  QUANTITY_TOO_SMALL: 'LOT_SIZE',
  QUANTITY_TOO_LARGE: 'LOT_SIZE',
  NOTIONAL_TOO_SMALL: 'MIN_NOTIONAL',
  DISPLAY_QUANTITY_TOO_SMALL: 'ICEBERG_PARTS',
  PRICE_OFF_TICK: 'PRICE_FILTER',
  PRICE_OUTSIDE_BAND: 'PERCENT_PRICE',
  TOO_MANY_ORDERS: 'MAX_NUM_ORDERS',
}

const refusals: Partial<Record<RejectCode, string>> = {
  DUPLICATE_CLIENT_ORDER_ID: 'Duplicate order sent.',
  DUPLICATE_LIST_ID: 'Duplicate order sent.',
  NO_PEG_REFERENCE: 'Order book liquidity is too low for this pegged order.',
  POST_ONLY_WOULD_TRADE: 'Order would immediately match and take.',
  LEVEL_TOTAL_TOO_LARGE: 'The quantities at this price would be too large.',
  ORDER_IDS_EXHAUSTED: 'This symbol has no order id left.',
  ACCOUNT_BLOCKED: 'This action is disabled on this account.',
  NOT_IN_THIS_PHASE: 'Orders of this kind are not taken in this phase of the market.',
}

/** What the dialect says to an order that the book refuses. */
export function refusal(code: RejectCode): ApiError {
  const filter = filters[code]
  if (filter !== undefined) return errors.filter(filter)
  if (code === 'INSTRUMENT_HALTED' || code === 'INSTRUMENT_CLOSED')
    return new ApiError(-1013, 'Market is closed.')
  return errors.rejected(refusals[code] ?? 'NEW_ORDER_REJECTED')
}
