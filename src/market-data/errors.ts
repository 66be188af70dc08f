import { TidemarkError } from '../base/errors.js'

export type MarketDataErrorCode = 'TIDEMARK_MARKET_DATA_GAP' | 'TIDEMARK_MARKET_DATA_SNAPSHOT'

/** Market data that can't be continued from the events that it was given. */
export class MarketDataError extends TidemarkError {
  override readonly name = 'MarketDataError'
  declare readonly code: MarketDataErrorCode

  constructor(code: MarketDataErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(code, message, details)
  }
}

/** An event concerns an order or a symbol that no event before it brought. */
export function eventGap(what: string, details: Record<string, unknown>): MarketDataError {
  return new MarketDataError(
    'TIDEMARK_MARKET_DATA_GAP',
    `${what}: events are missing before LSN ${details['lsn']}. Begin at LSN 0, or with a snapshot and the events after its LSN.`,
    details,
  )
}
