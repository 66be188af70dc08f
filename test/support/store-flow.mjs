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
    if (kind > 96) return { ...limit, timeInForce: kind === 97 ? 'at-open' : 'at-close' }
    return limit
  }
}
