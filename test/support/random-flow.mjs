export const symbols = ['AAA', 'BBB', 'CCC']
export const instruments = symbols.map((symbol) => ({ symbol, tickSize: '1', lotSize: '1' }))

/** An endless flow of commands, the same for a seed, that numbers the commands of each symbol from 0 in their tags. */
export class RandomFlow {
  #state
  #nextOrder
  #sent = { AAA: 0, BBB: 0, CCC: 0 }

  constructor(seed, firstOrder) {
    this.#state = seed
    this.#nextOrder = firstOrder
  }

  int(below) {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#state / 0x1_0000_0000) * below)
  }

  next() {
    const symbol = symbols[this.int(3)]
    const tag = this.#sent[symbol]++
    const kind = this.int(10)
    if (kind < 2) return { type: 'cancel', symbol, orderId: 1 + this.int(this.#nextOrder), tag }
    const price = 90 + this.int(20)
    const quantity = 1 + this.int(50)
    if (kind < 3)
      return { type: 'replace', symbol, orderId: 1 + this.int(this.#nextOrder), price, quantity, tag }
    if (this.int(12) === 0) return this.#later(symbol, tag)
    const market = kind === 9
    return {
      type: 'new',
      symbol,
      orderId: this.#nextOrder++,
      account: 1 + this.int(9),
      side: this.int(2) ? 'buy' : 'sell',
      orderType: market ? 'market' : 'limit',
      ...(market ? {} : { price }),
      quantity,
      timeInForce: market || kind === 8 ? 'IOC' : 'GTC',
      tag,
    }
  }

  /** An order that waits for a price, by a stop price or a trail, or a list of three orders. */
  #later(symbol, tag) {
    const account = 1 + this.int(9)
    const side = this.int(2) ? 'buy' : 'sell'
    const orderId = this.#nextOrder
    const quantity = 1 + this.int(50)
    const stop = { side, quantity, orderType: this.int(2) ? 'stop' : 'take-profit' }
    const trigger = this.int(2) ? { stopPrice: 90 + this.int(20) } : { trailingOffset: 1 + this.int(5) }
    if (this.int(2)) {
      this.#nextOrder++
      return { type: 'new', symbol, account, orderId, ...stop, ...trigger, tag }
    }
    this.#nextOrder += 3
    const limit = (id, own) => ({
      orderId: id,
      side: own,
      orderType: 'limit',
      price: 90 + this.int(20),
      quantity,
    })
    const entry = limit(orderId, side === 'buy' ? 'sell' : 'buy')
    const orders = [entry, limit(orderId + 1, side), { orderId: orderId + 2, ...stop, ...trigger }]
    return { type: 'list', symbol, account, listType: 'otoco', listId: orderId, orders, tag }
  }
}

/** What a report acknowledged, in the form in which the parent compares it with the log. */
export function acknowledgement({ symbol, tag }, report) {
  // Those of orders that it triggered or brought in, too.
  const all = report.events.filter(({ event }) => event === 'trade')
  const trades = all.map((trade) => [
    trade.tradeId,
    trade.makerOrderId,
    trade.takerOrderId,
    trade.price,
    trade.quantity,
  ])
  return { symbol, tag, lsn: report.lsn, trades }
}
