import { commandKinds, decodeCommand, EventCursor, eventKinds } from '#tidemark/matching/index.js'

const cursor = new EventCursor()

/**
 * The matching-engine-benchmark's report lines of one record (command record first), in the order in which the
 * benchmark sorts them: by type within one sequence number. `from` and `end` are word offsets.
 *
 *   0,seq,side,id,price,quantity  accepted     3,seq,side,id,price,quantity  modified
 *   1,seq,price,quantity,maker,taker  trade    4,seq,id  cancel rejected
 *   2,seq,side,id,price  cancelled             5,seq,id  modify rejected
 */
export function benchmarkReports(words: Int32Array, from: number, end: number, seq: number): string[] {
  const lines: string[] = []
  cursor.reset(words, from, end)
  for (let kind = cursor.next(); kind !== 0; kind = cursor.next()) {
    switch (kind) {
      case eventKinds.accepted: {
        const command = decodeCommand(words, from)
        if (command?.type !== 'new') throw new Error(`accepted, but the command is ${command?.type}`)
        const side = command.side === 'sell' ? 1 : 0
        lines.push(`0,${seq},${side},${command.orderId},${command.price},${command.quantity}`)
        break
      }
      case eventKinds.trade: {
        const { price, quantity, makerOrderId, takerOrderId } = cursor.trade
        lines.push(`1,${seq},${price},${quantity},${makerOrderId},${takerOrderId}`)
        break
      }
      case eventKinds.cancelled: {
        const { sell, orderId, price } = cursor.order
        lines.push(`2,${seq},${sell},${orderId},${price}`)
        break
      }
      case eventKinds.replaced: {
        const { sell, orderId, price, quantity } = cursor.order
        lines.push(`3,${seq},${sell},${orderId},${price},${quantity}`)
        break
      }
      case eventKinds.rejected:
        lines.push(`${(words[from]! & 0xff) === commandKinds.cancel ? 4 : 5},${seq},${cursor.order.orderId}`)
        break
    }
  }
  return lines.sort((a, b) => a.charCodeAt(0) - b.charCodeAt(0))
}
