/**
 * Market orders wait in a call in a queue of their own, which is better than any price: that of the buyers is above the highest
 * price there is, that of the sellers below the lowest. Both are whole numbers that a double holds.
 */
const marketBidPrice = Number.MAX_SAFE_INTEGER + 1
const marketAskPrice = 0

/** The price of the level at which an order without a limit (`price` is 0) or with one waits. `sell` is 0 or 1. */
export function queuePrice(price: number, sell: number): number {
  if (price !== 0) return price
  return sell === 0 ? marketBidPrice : marketAskPrice
}

/** Whether a level of bids or asks, by its price, is that of market orders. */
export function isMarketQueue(price: number): boolean {
  return price === marketBidPrice || price === marketAskPrice
}

/**
 * Orders for the closing call wait until then among the stops, at a stop price that no trade reaches. `sell` is 0 or 1.
 */
export function closingQueuePrice(sell: number): number {
  return sell === 0 ? marketBidPrice : marketAskPrice
}
