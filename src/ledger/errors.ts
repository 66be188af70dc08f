import { TidemarkError } from '../base/errors.js'

export type LedgerErrorCode =
  | 'TIDEMARK_INSUFFICIENT_FUNDS'
  | 'TIDEMARK_UNKNOWN_ASSET'
  | 'TIDEMARK_ASSET_DIFFERS'
  | 'TIDEMARK_NO_ASSETS'
  | 'TIDEMARK_ASSETS_FIXED'
  | 'TIDEMARK_SCALE_TOO_SMALL'
  | 'TIDEMARK_BAD_AMOUNT'
  | 'TIDEMARK_AMOUNT_TOO_LARGE'
  | 'TIDEMARK_HOLD_UNBOUNDED'
  | 'TIDEMARK_ORDER_NOT_KNOWN'
  | 'TIDEMARK_KEY_REUSED'
  | 'TIDEMARK_LEDGER_OPEN'
  | 'TIDEMARK_LEDGER_CLOSED'
  | 'TIDEMARK_ORDERS_OPEN'
  | 'TIDEMARK_BAD_ARGUMENT'

/** An error of the ledger: nothing of the call that got it was logged, and nothing was taken or held. */
export class LedgerError extends TidemarkError {
  override readonly name = 'LedgerError'
  declare readonly code: LedgerErrorCode

  constructor(
    code: LedgerErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
  }
}

export function badArgument(message: string, details: Record<string, unknown> = {}): LedgerError {
  return new LedgerError('TIDEMARK_BAD_ARGUMENT', message, details)
}
