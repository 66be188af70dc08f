import {
  bandActionNames,
  type CommandGrids,
  type InstrumentDetails as DetailSteps,
  fromSteps,
  notionalText,
  TickTable,
} from '../matching/index.js'
import type { InstrumentDetails } from './types.js'

/** What an instrument says of itself, as the world outside sees it: decimal strings, and an object of its own. */
export function describeDetails(
  details: DetailSteps | undefined,
  grids: Pick<CommandGrids, 'price' | 'quantity'>,
): InstrumentDetails {
  const { minPrice, maxPrice, minQuantity, maxQuantity, minNotional, bandAction, tickTable, info } =
    details ?? {}
  const price = (ticks: number | undefined) =>
    ticks === undefined ? undefined : fromSteps(ticks, grids.price)
  return {
    baseAsset: details?.baseAsset,
    quoteAsset: details?.quoteAsset,
    minPrice: price(minPrice),
    maxPrice: price(maxPrice),
    minQuantity: minQuantity === undefined ? undefined : fromSteps(minQuantity, grids.quantity),
    maxQuantity: maxQuantity === undefined ? undefined : fromSteps(maxQuantity, grids.quantity),
    minNotional: minNotional === undefined ? undefined : notionalText(minNotional, grids),
    referencePrice: price(details?.referencePrice),
    staticBand: price(details?.staticBand),
    staticBandBasisPoints: details?.staticBandBasisPoints,
    dynamicBand: price(details?.dynamicBand),
    dynamicBandBasisPoints: details?.dynamicBandBasisPoints,
    bandAction: bandAction === undefined ? undefined : bandActionNames[bandAction],
    maxAccountOrders: details?.maxAccountOrders,
    tickTable: tickTable === undefined ? undefined : describeTicks(tickTable, grids),
    info: info === undefined ? undefined : JSON.parse(info),
  }
}

function describeTicks(
  text: string,
  { price }: Pick<CommandGrids, 'price'>,
): { readonly from: string; readonly tick: string }[] {
  const table = new TickTable(text)
  return Array.from({ length: table.size }, (_, range) => ({
    from: fromSteps(table.from(range), price),
    tick: fromSteps(table.tick(range), price),
  }))
}
