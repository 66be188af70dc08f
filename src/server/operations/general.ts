import { ApiError, errors } from '../dialect/api-error.js'
import { statusNames, symbolJson } from '../dialect/symbol-json.js'
import type { VenueSymbol } from '../venue/venue.js'
import { type ApiRequest, names, type Operation } from './operation.js'

const symbolsMax = 1000

/** The symbols that a request names, or all; `one` where it named a single one. */
export function symbolsOf({ params, venue }: ApiRequest): { symbols: VenueSymbol[]; one: boolean } {
  const symbol = params.text('symbol')
  const list = params.list('symbols', symbolsMax)
  if (symbol !== undefined && list !== undefined) throw errors.badCombination()
  if (symbol !== undefined) return { symbols: [venue.symbol(symbol)], one: true }
  if (list !== undefined) return { symbols: list.map((name) => venue.symbol(name)), one: false }
  return { symbols: venue.symbols().filter((known) => venue.market.has(known.symbol)), one: false }
}

function exchangeInfo(request: ApiRequest): object {
  const { params, limits, nowMs } = request
  let { symbols } = symbolsOf(request)
  const status = params.text('symbolStatus')
  if (status !== undefined) {
    if (params.has('symbol') || params.has('symbols')) throw errors.badCombination()
    if (!Object.values(statusNames).includes(status)) throw new ApiError(-1122, 'Invalid symbolStatus.')
    symbols = symbols.filter((symbol) => statusNames[symbol.phase] === status)
  }
  const permissions = params.text('permissions')
  if (permissions !== undefined && !/\bSPOT\b/.test(permissions)) symbols = []
  const shown = symbols.map(symbolJson)
  return {
    timezone: 'UTC',
    serverTime: nowMs,
    rateLimits: limits.list(),
    exchangeFilters: [],
    symbols:
      params.flag('showPermissionSets') === false
        ? shown.map((symbol) => ({ ...symbol, permissionSets: [] }))
        : shown,
  }
}

export const generalOperations: readonly Operation[] = [
  {
    method: 'ping',
    rest: ['GET', '/ping'],
    security: 'none',
    weight: 1,
    params: names(),
    run: () => ({}),
  },
  {
    method: 'time',
    rest: ['GET', '/time'],
    security: 'none',
    weight: 1,
    params: names(),
    run: ({ nowMs }) => ({ serverTime: nowMs }),
  },
  {
    method: 'exchangeInfo',
    rest: ['GET', '/exchangeInfo'],
    security: 'none',
    weight: 20,
    params: names('symbol', 'symbols', 'permissions', 'showPermissionSets', 'symbolStatus'),
    run: exchangeInfo,
  },
]
