import { contingencyOf, isDone } from '../venue/order-lists.js'
import type { ListRecord } from '../venue/order-record.js'
import type { VenueSymbol } from '../venue/venue.js'
import { cancelJson } from './order-json.js'

/** What every description of a list has. */
export function listFields(list: ListRecord) {
  const done = isDone(list)
  return {
    orderListId: list.listId,
    contingencyType: contingencyOf(list),
    listStatusType: done ? 'ALL_DONE' : 'EXEC_STARTED',
    listOrderStatus: done ? 'ALL_DONE' : 'EXECUTING',
    listClientOrderId: list.name,
    transactionTime: done ? Math.max(...list.orders.map(({ updateMs }) => updateMs)) : list.timeMs,
    symbol: list.symbol,
    orders: list.orders.map(({ symbol, orderId, clientOrderId }) => ({ symbol, orderId, clientOrderId })),
  }
}

/** What the cancel of a list, or of one of its orders, is answered with; `clientOrderId` is that of the cancel. */
export function cancelledListJson(list: ListRecord, symbol: VenueSymbol, clientOrderId?: string): object {
  return {
    ...listFields(list),
    orderReports: list.orders.map((order) => cancelJson(order, symbol, clientOrderId ?? order.clientOrderId)),
  }
}
