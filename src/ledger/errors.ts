import { TidemarkError } from '../base/errors.js'

/** The codes of a `LedgerError`. */
export type LedgerErrorCode =
  /** The account has not so much free. `details` has what is needed, what is free and what is missing. Nothing was taken or held. Remedy: Deposit first, cancel orders that hold, or ask for less. */
  | 'TIDEMARK_INSUFFICIENT_FUNDS'
  /** The ledger has no asset of this name. Remedy: Name it in `assets` when the ledger is opened; check the spelling. */
  | 'TIDEMARK_UNKNOWN_ASSET'
  /** An asset is given other decimals than it has in the log. Remedy: Open with the scale that the log has; a scale never changes. */
  | 'TIDEMARK_ASSET_DIFFERS'
  /** The instrument does not say what is traded for what. Remedy: Give it a `baseAsset` and another `quoteAsset` of the ledger. */
  | 'TIDEMARK_NO_ASSETS'
  /** The assets of an instrument that has had orders, or a limit of what they are worth or of a position, can't change. Remedy: Make another instrument. */
  | 'TIDEMARK_ASSETS_FIXED'
  /** What the instrument is traded in is about to change. Remedy: Send the order again in a moment. */
  | 'TIDEMARK_ASSETS_CHANGING'
  /** A tick or a lot of the instrument is no whole number of the asset's units. `details.neededScale` would do. Remedy: Give the asset more decimals before it is first used, or the instrument a larger tick or lot. */
  | 'TIDEMARK_SCALE_TOO_SMALL'
  /** An amount is no decimal, has more decimals than its asset, or is not above zero. Remedy: Correct it; it is never rounded. */
  | 'TIDEMARK_BAD_AMOUNT'
  /** An amount or balance does not fit into 64 bits, in whole units of its asset. Remedy: Split it. */
  | 'TIDEMARK_AMOUNT_TOO_LARGE'
  /** Nothing limits what the order may spend, so it can't be held. Remedy: Give it a limit, or what the message names. */
  | 'TIDEMARK_HOLD_UNBOUNDED'
  /** A replace, or a reduce of what may be an order of a list, does not name a live order whose acceptance is durable. Remedy: Await the report of the order first. */
  | 'TIDEMARK_ORDER_NOT_KNOWN'
  /** Other orders of the list wait for what the order brings, so it is neither replaced nor reduced. Remedy: Cancel the list and send another one. */
  | 'TIDEMARK_WORKING_ORDER_FIXED'
  /** The key was given to a ledger command with other fields. Remedy: Send a command again with the same fields, or another one with a key of its own. */
  | 'TIDEMARK_KEY_REUSED'
  /** The pool has an open ledger already. Remedy: Use that one; there is one for each pool. */
  | 'TIDEMARK_LEDGER_OPEN'
  /** The ledger was closed before the call. Remedy: Open it again with `Ledger.open`. */
  | 'TIDEMARK_LEDGER_CLOSED'
  /** A ledger begins in a log with live orders, for which nothing is held. Remedy: Cancel them first. */
  | 'TIDEMARK_ORDERS_OPEN'
  /** What a list holds depends on its fees, and a change of them is on its way. Remedy: Send the list again in a moment. */
  | 'TIDEMARK_FEES_CHANGING'
  /** The folder has snapshots of a ledger, none of which is whole, or the newest of which is of a moment that its log does not reach. Remedy: Restore the folder from a backup; when its log goes back to the beginning of the ledger, remove the files. */
  | 'TIDEMARK_LEDGER_DAMAGED'
  /** The account has as many live orders as it may have. `details.limit` says how many. Remedy: Cancel one first. */
  | 'TIDEMARK_LIVE_ORDERS_LIMIT'
  /** The account sent as many commands in the last second as it may send. `details.limit` says how many. Remedy: Send it again later. */
  | 'TIDEMARK_COMMAND_RATE_LIMIT'
  /** The order is larger than one of the account may be. `details.limit` says how large. Remedy: Split it. */
  | 'TIDEMARK_ORDER_QUANTITY_LIMIT'
  /** The order is worth more than one of the account may be. `details.limit` says how much. Remedy: Split it. */
  | 'TIDEMARK_ORDER_NOTIONAL_LIMIT'
  /** The limit price of the order is further beyond the last price, or the stop price that it waits for, than one of the account may be. `details.limit` says how far it may go, `details.reference` from where. Remedy: Correct the price. */
  | 'TIDEMARK_PRICE_DISTANCE_LIMIT'
  /** If all that the account has open on a side traded, and the order, its position would be beyond its limit. `details.limit` says how large it may be, `details.position` how large it is; below zero when more was sold. Remedy: Cancel orders of that side, or trade on the other one. */
  | 'TIDEMARK_POSITION_LIMIT'
  /** The log no longer has what a statement begins with. Remedy: Begin it at a later LSN, or let the pool keep more of its log (`keepLogBytes`). */
  | 'TIDEMARK_STATEMENT_GONE'
  /** An argument of a call has a shape or value that it can't have. Remedy: Correct it; the message says what is allowed. */
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

export function ledgerClosed(): LedgerError {
  return new LedgerError('TIDEMARK_LEDGER_CLOSED', 'This ledger is closed. Open it again with Ledger.open.')
}
