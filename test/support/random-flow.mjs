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
}

/** What a report acknowledged, in the form in which the parent compares it with the log. */
export function acknowledgement({ symbol, tag }, report) {
  const trades = report.trades.map((trade) => [
    trade.tradeId,
    trade.makerOrderId,
    trade.takerOrderId,
    trade.price,
    trade.quantity,
  ])
  return { symbol, tag, lsn: report.lsn, trades }
}
