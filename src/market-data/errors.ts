import { TidemarkError } from '../base/errors.js'

/** The codes of a `MarketDataError`. */
export type MarketDataErrorCode =
  /** An event concerns an order or a symbol that no event before it brought. Remedy: Begin at LSN 0, or with a snapshot and the events after its LSN. */
  | 'TIDEMARK_MARKET_DATA_GAP'
  /** A snapshot that is restored is not one of market data, is of another version, or has a symbol that is not known. Remedy: Restore one that `snapshot()` of this version made. */
  | 'TIDEMARK_MARKET_DATA_SNAPSHOT'

/** Market data that can't be continued from the events that it was given. */
export class MarketDataError extends TidemarkError {
  override readonly name = 'MarketDataError'
  /** What went wrong: one of the codes of docs/errors.md. */
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
