import type { Clock } from '../../base/clock.js'
import { withoutStack } from '../../base/errors.js'
import { fromSteps } from '../../matching/index.js'
import type { InstrumentRegistry } from '../../pool/index.js'
import { unitsText } from '../amounts/amount.js'
import { type InstrumentUnits, quoteUnits, spentUnits } from '../amounts/units.js'
import { LedgerError, type LedgerErrorCode } from '../errors.js'
import type { LedgerState } from '../state/ledger-state.js'
import { CommandRates } from './command-rates.js'

/** Holds commands to the limits of their accounts. */
export class LimitChecks {
  readonly #state: LedgerState
  readonly #registry: InstrumentRegistry
  readonly #rates: CommandRates
  /** Accounts of the commands of the batch at hand that were counted, once for each. */
  readonly #counted: number[] = []
  #inBatch = false

  constructor(state: LedgerState, registry: InstrumentRegistry, clock: Clock) {
    this.#state = state
    this.#registry = registry
    this.#rates = new CommandRates(clock)
  }

  /**
   * Checks a command of an account that makes so many orders.
   *
   * @throws LedgerError `TIDEMARK_COMMAND_RATE_LIMIT`, `TIDEMARK_LIVE_ORDERS_LIMIT`.
   */
  checkCommand(account: number, orders: number): void {
    const { limits } = this.#state
    const own = limits.ofAccount(account)
    if (own === undefined) return
    const { liveOrders, perSecond } = own
    if (perSecond !== undefined && !this.#rates.has(account, perSecond)) {
      throw refusal(
        'TIDEMARK_COMMAND_RATE_LIMIT',
        `Account ${account} may send ${perSecond} commands a second.`,
        {
          account,
          limit: perSecond,
        },
      )
    }
    if (liveOrders === undefined || orders === 0) return
    const live = limits.live!.of(account)
    if (live + orders > liveOrders) {
      throw refusal(
        'TIDEMARK_LIVE_ORDERS_LIMIT',
        `Account ${account} may have ${liveOrders} live orders, and would have ${live + orders}.`,
        { account, limit: liveOrders, live },
      )
    }
  }

  /**
   * Checks an order: `lots` at a limit of `price` ticks, or for `amount`; 0 where it has none.
   *
   * @throws LedgerError `TIDEMARK_ORDER_QUANTITY_LIMIT`, `TIDEMARK_ORDER_NOTIONAL_LIMIT`.
   */
  checkOrder(
    units: InstrumentUnits,
    instrument: number,
    account: number,
    price: number,
    lots: number,
    amount: number,
  ): void {
    const own = this.#state.limits.ofOrder(instrument, account)
    if (own === undefined) return
    const { symbol } = units
    if (own.lots !== undefined && lots > own.lots) {
      const { quantity } = this.#registry.byId(instrument)!.grids
      const limit = fromSteps(own.lots, quantity)
      throw refusal(
        'TIDEMARK_ORDER_QUANTITY_LIMIT',
        `An order of account ${account} in ${symbol} may have a quantity of ${limit}, not ${fromSteps(lots, quantity)}.`,
        { account, symbol, limit },
      )
    }
    if (own.notional === undefined) return
    const notional = amount === 0 ? quoteUnits(units, price, lots) : spentUnits(units, amount)
    if (notional <= own.notional) return
    const { id, scale } = this.#state.assets.of(units.quote)
    const limit = unitsText(own.notional, scale)
    throw refusal(
      'TIDEMARK_ORDER_NOTIONAL_LIMIT',
      `An order of account ${account} in ${symbol} may be worth ${limit} ${id}, not ${unitsText(notional, scale)}.`,
      { account, symbol, asset: id, limit },
    )
  }

  /** The command that was checked is handed over, unless its batch is not. */
  count(account: number): void {
    const perSecond = this.#state.limits.ofAccount(account)?.perSecond
    if (perSecond === undefined) return
    this.#rates.take(account, perSecond)
    if (this.#inBatch) this.#counted.push(account)
  }

  beginBatch(): void {
    this.#inBatch = true
  }

  /** Nothing of the batch is handed over. */
  takeBack(): void {
    for (const account of this.#counted) this.#rates.release(account)
  }

  endBatch(): void {
    this.#inBatch = false
    this.#counted.length = 0
  }
}

/** Without stack frames: callers that hit a limit do so in thousands. */
function refusal(code: LedgerErrorCode, message: string, details: Record<string, unknown>): LedgerError {
  return withoutStack(() => new LedgerError(code, message, details))
}
