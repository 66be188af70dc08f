import type { Phase } from '../../matching/index.js'
import type { VenueSymbol } from '../venue/venue.js'
import { preventionModes, preventionName } from './order-json.js'

export const orderTypes = [
  'LIMIT',
  'LIMIT_MAKER',
  'MARKET',
  'STOP_LOSS',
  'STOP_LOSS_LIMIT',
  'TAKE_PROFIT',
  'TAKE_PROFIT_LIMIT',
] as const

/** What the dialect, of today or of before, calls each phase. */
export const statusNames: Record<Phase, string> = {
  continuous: 'TRADING',
  halted: 'HALT',
  closed: 'BREAK',
  'pre-open': 'PRE_TRADING',
  auction: 'AUCTION_MATCH',
}

const stepsMax = 2n ** 53n - 1n
/** An iceberg's quantity is at most so many times what it shows. */
const icebergParts = 1000

/** A symbol as `exchangeInfo` describes it, with the limits of its instrument as filters. */
export function symbolJson(symbol: VenueSymbol): object {
  const precision = Math.max(8, decimals(symbol.tickSize) + decimals(symbol.lotSize))
  return {
    symbol: symbol.symbol,
    status: statusNames[symbol.phase],
    baseAsset: symbol.baseAsset,
    baseAssetPrecision: Math.max(8, decimals(symbol.lotSize)),
    quoteAsset: symbol.quoteAsset,
    quotePrecision: precision,
    quoteAssetPrecision: precision,
    baseCommissionPrecision: 8,
    quoteCommissionPrecision: 8,
    orderTypes,
    icebergAllowed: true,
    ocoAllowed: true,
    otoAllowed: true,
    opoAllowed: false,
    quoteOrderQtyMarketAllowed: true,
    allowTrailingStop: true,
    cancelReplaceAllowed: true,
    amendAllowed: true,
    pegInstructionsAllowed: true,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: filtersOf(symbol),
    permissions: [],
    permissionSets: [['SPOT']],
    defaultSelfTradePreventionMode: preventionName(symbol.selfTradePrevention),
    allowedSelfTradePreventionModes: preventionModes,
  }
}

export function filtersOf(symbol: VenueSymbol): object[] {
  const { tickSize, lotSize } = symbol
  const filters: object[] = [
    {
      filterType: 'PRICE_FILTER',
      minPrice: symbol.minPrice ?? tickSize,
      maxPrice: symbol.maxPrice ?? most(tickSize),
      tickSize,
    },
    {
      filterType: 'LOT_SIZE',
      minQty: symbol.minQuantity ?? lotSize,
      maxQty: symbol.maxQuantity ?? most(lotSize),
      stepSize: lotSize,
    },
    { filterType: 'ICEBERG_PARTS', limit: icebergParts },
    {
      filterType: 'TRAILING_DELTA',
      minTrailingAboveDelta: 1,
      maxTrailingAboveDelta: 9999,
      minTrailingBelowDelta: 1,
      maxTrailingBelowDelta: 9999,
    },
  ]
  if (symbol.minNotional !== undefined)
    filters.push({
      filterType: 'MIN_NOTIONAL',
      minNotional: symbol.minNotional,
      applyToMarket: false,
      avgPriceMins: 0,
    })
  return filters
}

function decimals(step: string): number {
  const at = step.indexOf('.')
  return at < 0 ? 0 : step.length - at - 1
}

/** 2^53-1 steps. */
function most(step: string): string {
  const scale = decimals(step)
  const digits = String(stepsMax * BigInt(step.replace('.', ''))).padStart(scale + 1, '0')
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
