import {
  fromSteps,
  limits,
  type NewCommand,
  parseGrid,
  TickTable,
  tickTableText,
  toSteps,
} from '../../matching/index.js'
import type { Venue, VenueSymbol } from '../venue/venue.js'

/** So far above the best offer a market order buys, where its account is kept: what it may cost is held, so it has to end somewhere. */
const protection = 1.05

/** Whether an order is a market order to buy a quantity, of which a ledger could hold nothing. */
function needsProtection(venue: Venue, { orderType, side, quantity }: NewCommand): boolean {
  return venue.ledger !== undefined && orderType === 'market' && side === 'buy' && quantity !== undefined
}

/** Resolves when the offers that were acknowledged are known, where an order needs one and none is; `undefined` when it needs none to come. */
export function offersToCome(
  venue: Venue,
  command: NewCommand,
  { symbol }: VenueSymbol,
): Promise<void> | undefined {
  if (!needsProtection(venue, command) || venue.market.depth(symbol, 1).asks.length > 0) return undefined
  return venue.caughtUp()
}

/**
 * The command of a new order where accounts are kept in a ledger: a market order to buy a quantity becomes a limit order that trades at once
 * or ends, at 5 % above the best offer. Any other stays as it is.
 */
export function protectedOrder(venue: Venue, command: NewCommand, symbol: VenueSymbol): NewCommand {
  if (!needsProtection(venue, command) || command.orderType !== 'market') return command
  if (command.quantity === undefined) return command
  const grid = parseGrid('tickSize', symbol.tickSize)
  const [best = venue.market.lastTrade(symbol.symbol)] = venue.market.depth(symbol.symbol, 1).asks
  const ticks =
    best === undefined
      ? ticksOfNothing(command, symbol)
      : Math.ceil(toSteps('price', best.price, grid) * protection)
  const price = fromSteps(taken(ticks, symbol), grid)
  return { ...command, orderType: 'limit', timeInForce: 'IOC', price }
}

/** Where nothing is offered, and never was, any limit that the instrument takes ends the order the same way. */
function ticksOfNothing({ quantity }: NewCommand, { minNotional, tickSize }: VenueSymbol): number {
  if (minNotional === undefined) return 1
  return Math.ceil(Number(minNotional) / (Number(quantity) * Number(tickSize))) + 1
}

/** The price of the instrument, in ticks, that comes next from this one upwards, or its highest one. */
function taken(ticks: number, { tickSize, minPrice, maxPrice, tickTable }: VenueSymbol): number {
  const grid = parseGrid('tickSize', tickSize)
  const lowest = minPrice === undefined ? 1 : toSteps('minPrice', minPrice, grid)
  const highest = maxPrice === undefined ? limits.maxPriceTicks : toSteps('maxPrice', maxPrice, grid)
  const within = Math.min(Math.max(ticks, lowest), highest)
  if (tickTable === undefined) return within
  const table = new TickTable(tickTableText(tickTable, grid))
  const above = table.atOrAbove(within)
  return above <= highest ? above : table.atOrBelow(highest)
}
