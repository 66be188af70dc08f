import { fromSteps, type NewCommand, parseGrid, toSteps } from '../../matching/index.js'
import type { Venue, VenueSymbol } from '../venue/venue.js'

/** So far above the best offer a market order buys, where its account is kept: what it may cost is held, so it has to end somewhere. */
const protection = 1.05

/**
 * The command of a new order where accounts are kept in a ledger: a market order to buy a quantity becomes a limit order that trades at once
 * or ends, at 5 % above the best offer. Any other stays as it is.
 */
export function protectedOrder(venue: Venue, command: NewCommand, symbol: VenueSymbol): NewCommand {
  if (venue.ledger === undefined || command.orderType !== 'market' || command.side !== 'buy') return command
  if (command.quantity === undefined) return command
  const grid = parseGrid('tickSize', symbol.tickSize)
  // Where nothing is offered any limit ends the order the same way.
  const [best = venue.market.lastTrade(symbol.symbol)] = venue.market.depth(symbol.symbol, 1).asks
  const ticks = best === undefined ? 1 : Math.ceil(toSteps('price', best.price, grid) * protection)
  return { ...command, orderType: 'limit', timeInForce: 'IOC', price: fromSteps(ticks, grid) }
}
