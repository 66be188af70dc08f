import type { PoolEvent } from '../../pool/index.js'

/**
 * The JSON line of a durable event. `command` is the index of the input command, which travels as its tag. Undefined
 * for an event that concerns an instrument only.
 */
export function reportLine(event: PoolEvent): string | undefined {
  const { lsn, symbol } = event
  const command = Number(event.tag)
  switch (event.event) {
    case 'accepted': {
      const { orderId, side, price, quantity } = event
      return JSON.stringify({ lsn, command, symbol, event: 'accepted', orderId, side, price, quantity })
    }
    case 'trade': {
      const { makerOrderId, takerOrderId, price, quantity, takerSide } = event
      const trade = { makerOrderId, takerOrderId, price, quantity, takerSide }
      return JSON.stringify({ lsn, command, symbol, event: 'trade', ...trade })
    }
    case 'cancelled': {
      const { orderId, side, price, remaining, reason } = event
      return JSON.stringify({
        lsn,
        command,
        symbol,
        event: 'cancelled',
        orderId,
        side,
        price,
        remaining,
        reason,
      })
    }
    case 'replaced': {
      const { orderId, side, price, quantity } = event
      return JSON.stringify({ lsn, command, symbol, event: 'replaced', orderId, side, price, quantity })
    }
    case 'rejected': {
      const { orderId, code } = event
      return JSON.stringify({ lsn, command, symbol, event: 'rejected', orderId, code })
    }
    case 'triggered':
    case 'entered':
      return JSON.stringify({ lsn, command, symbol, event: event.event, orderId: event.orderId })
    default:
      return undefined
  }
}
