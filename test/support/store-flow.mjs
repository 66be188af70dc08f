export const symbols = ['AAA', 'BBB']
export const instruments = [
  { symbol: 'AAA', tickSize: '0.05', lotSize: '0.1' },
  { symbol: 'BBB', tickSize: '1', lotSize: '1', selfTradePrevention: 'decrement' },
]

/** An endless flow of commands of every kind, the same for a seed: a few accounts, prices close together, ids used again. */
export class StoreFlow {
  #state

  constructor(seed) {
    this.#state = seed
  }

  int(below) {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#state / 0x1_0000_0000) * below)
  }

  next() {
    const symbol = symbols[this.int(2)]
    const [tick, lot] = symbol === 'AAA' ? [0.05, 0.1] : [1, 1]
    const price = () => ((980 + this.int(40)) * tick).toFixed(2)
    const quantity = () => ((1 + this.int(30)) * lot).toFixed(1)
    const orderId = 1 + this.int(400)
    const account = 1 + this.int(4)
    const tag = this.int(3) === 0 ? { tag: this.int(1_000_000) } : {}
    const kind = this.int(100)
    if (kind < 12) return { type: 'cancel', symbol, orderId, ...tag }
    if (kind < 18) return { type: 'replace', symbol, orderId, price: price(), quantity: quantity(), ...tag }
    if (kind < 22) return { type: 'reduce', symbol, orderId, by: quantity(), ...tag }
    if (kind < 23) {
      const what = this.int(4)
      if (what === 0) return { type: 'cancel-all', symbol, account, ...tag }
      if (what === 1) return { type: 'bust', symbol, tradeId: 1 + this.int(200), ...tag }
      const phases = ['continuous', 'continuous', 'continuous', 'auction', 'pre-open', 'closed']
      const phase = phases[this.int(phases.length)]
      return { type: 'phase', symbol, phase, ...(phase === 'auction' && this.int(2) && { closing: true }) }
    }
    if (kind < 24) return { type: 'expire', symbol, time: 1_000_000 + this.int(2_000_000) }
    const order = {
      type: 'new',
      symbol,
      orderId,
      account,
      side: this.int(2) ? 'buy' : 'sell',
      // Without another number, so that the flow of a seed stays what it was.
      ...(orderId % 3 === 0 && { clientOrderId: `client-${orderId}` }),
      ...tag,
    }
    if (kind < 34) return { ...order, orderType: 'market', quantity: quantity(), timeInForce: 'IOC' }
    if (kind < 38)
      return { ...order, orderType: 'stop', stopPrice: price(), quantity: quantity(), timeInForce: 'IOC' }
    if (kind < 42)
      return { ...order, orderType: 'stop-limit', stopPrice: price(), price: price(), quantity: quantity() }
    const limit = { ...order, orderType: 'limit', price: price(), quantity: quantity() }
    if (kind < 46) return { ...limit, displayQuantity: (2 * lot).toFixed(1) }
    if (kind < 50) return { ...limit, postOnly: true }
    if (kind < 56) return { ...limit, timeInForce: kind % 2 ? 'IOC' : 'FOK' }
    if (kind < 60) return { ...limit, timeInForce: 'GTD', expireTime: 1_000_000 + this.int(2_000_000) }
    if (kind < 70)
      return {
        ...limit,
        selfTradePrevention: ['cancel-newest', 'cancel-oldest', 'cancel-both', 'decrement'][this.int(4)],
      }
    if (kind >= 70 && kind < 82) return this.#rare(kind, limit)
    if (kind > 96) return { ...limit, timeInForce: kind === 97 ? 'at-open' : 'at-close' }
    return limit
  }

  /** What few orders are, made of an order with a limit. */
  #rare(kind, limit) {
    const { price, ...order } = limit
    if (kind < 73) return this.#list(limit)
    if (kind === 73) return { type: 'cancel-list', symbol: limit.symbol, listId: 1001 + this.int(90) }
    if (kind === 74) return { ...order, orderType: 'take-profit', stopPrice: price, timeInForce: 'IOC' }
    if (kind === 75)
      return { ...order, orderType: 'stop', trailingBasisPoints: 10 + this.int(90), timeInForce: 'IOC' }
    if (kind < 78) return { ...limit, peg: ['primary', 'market', 'mid'][this.int(3)] }
    if (kind === 78) return { ...limit, selfTradeGroup: 1 + this.int(2) }
    if (kind === 79)
      return { ...limit, timeInForce: 'IOC', minQuantity: limit.symbol === 'AAA' ? '0.1' : '1' }
    const { quantity, ...withoutQuantity } = order
    return { ...withoutQuantity, orderType: 'market', quoteQuantity: String(20 + this.int(3000)) }
  }

  /** Sell when bought, at a gain or a loss; ids of their own, used again. */
  #list({ symbol, account, price, quantity }) {
    const first = 1001 + 3 * this.int(30)
    const lower = (Number(price) * 0.99).toFixed(2)
    const stopPrice = symbol === 'AAA' ? price : String(Math.floor(Number(lower)))
    const sell = { side: 'sell', quantity }
    const gain = { ...sell, orderId: first + 1, orderType: 'limit', price }
    const loss = { ...sell, orderId: first + 2, orderType: 'stop', stopPrice }
    if (this.int(3) === 0) return { type: 'list', symbol, account, listType: 'oco', orders: [gain, loss] }
    const buy = { orderId: first, side: 'buy', orderType: 'limit', price, quantity }
    if (this.int(2)) return { type: 'list', symbol, account, listType: 'oto', orders: [buy, gain] }
    return { type: 'list', symbol, account, listType: 'otoco', orders: [buy, gain, loss] }
  }
}
