import {
  type CommandGrids,
  type InstrumentDetails as DetailSteps,
  fromSteps,
  notionalText,
} from '../matching/index.js'
import type { InstrumentDetails } from './types.js'

/** What an instrument says of itself, as the world outside sees it: decimal strings, and an object of its own. */
export function describeDetails(
  details: DetailSteps | undefined,
  grids: Pick<CommandGrids, 'price' | 'quantity'>,
): InstrumentDetails {
  const { baseAsset, quoteAsset, minPrice, maxPrice, minQuantity, maxQuantity, minNotional, info } =
    details ?? {}
  return {
    baseAsset,
    quoteAsset,
    minPrice: minPrice === undefined ? undefined : fromSteps(minPrice, grids.price),
    maxPrice: maxPrice === undefined ? undefined : fromSteps(maxPrice, grids.price),
    minQuantity: minQuantity === undefined ? undefined : fromSteps(minQuantity, grids.quantity),
    maxQuantity: maxQuantity === undefined ? undefined : fromSteps(maxQuantity, grids.quantity),
    minNotional: minNotional === undefined ? undefined : notionalText(minNotional, grids),
    info: info === undefined ? undefined : JSON.parse(info),
  }
}
