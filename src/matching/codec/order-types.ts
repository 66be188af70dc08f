import { orderTypeCodes } from './names.js'

const { stop, market } = orderTypeCodes
const STOP_LIMIT = orderTypeCodes['stop-limit']
const TAKE_PROFIT = orderTypeCodes['take-profit']
const TAKE_PROFIT_LIMIT = orderTypeCodes['take-profit-limit']

/** Sets of order types, a bit for each code. */
const TAKES_PROFIT = (1 << TAKE_PROFIT) | (1 << TAKE_PROFIT_LIMIT)
const CONDITIONAL = (1 << stop) | (1 << STOP_LIMIT) | TAKES_PROFIT
const WITHOUT_LIMIT = (1 << market) | (1 << stop) | (1 << TAKE_PROFIT)

/** Whether an order of this type waits until the last price is where it says. */
export function isConditional(orderType: number): boolean {
  return ((CONDITIONAL >>> orderType) & 1) !== 0
}

/** Whether an order of this type has no limit price: it acts as a market order, at once or when its price is reached. */
export function hasNoLimit(orderType: number): boolean {
  return ((WITHOUT_LIMIT >>> orderType) & 1) !== 0
}

/** Whether an order that sells (1) or buys (0) waits for a rise of the last price; the others wait for a fall. */
export function waitsForRise(orderType: number, sell: number): boolean {
  return ((TAKES_PROFIT >>> orderType) & 1) === sell
}
