import type { Clock } from '../../base/clock.js'
import { withoutStack } from '../../base/errors.js'
import { fromSteps, isConditional, type NewOrderFields, waitsForRise } from '../../matching/index.js'
import type { InstrumentRegistry } from '../../pool/index.js'
import { unitsText } from '../amounts/amount.js'
import { type InstrumentUnits, quoteUnits, spentUnits } from '../amounts/units.js'
import { LedgerError, type LedgerErrorCode } from '../errors.js'
import type { LedgerState } from '../state/ledger-state.js'
import { CommandRates } from './command-rates.js'

const noPosition = { net: 0n, buying: 0n, selling: 0n }

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

  /** Checks the limit price of a new order. @throws LedgerError `TIDEMARK_PRICE_DISTANCE_LIMIT`. */
  checkNewPrice(instrument: number, account: number, order: NewOrderFields): void {
    if (this.#state.limits.ofOrder(instrument, account)?.distance === undefined) return
    const { orderType, sell, stopPrice, trailingOffset, trailingBasisPoints } = order
    const last = this.#state.lastPrices[instrument] ?? 0
    let reference = last
    if (isConditional(orderType) && trailingOffset + trailingBasisPoints === 0) {
      // When it acts, the last price is at its stop price or beyond.
      const isReached = last !== 0 && waitsForRise(orderType, sell) === last >= stopPrice
      reference = isReached ? last : stopPrice
    }
    this.checkPrice(instrument, account, sell !== 0, order.price, reference)
  }

  /**
   * Checks a limit price, 0 where there is none, against the price from which its distance counts: the last one unless said.
   *
   * @throws LedgerError `TIDEMARK_PRICE_DISTANCE_LIMIT`.
   */
  checkPrice(
    instrument: number,
    account: number,
    sell: boolean,
    price: number,
    reference = this.#state.lastPrices[instrument] ?? 0,
  ): void {
    const distance = this.#state.limits.ofOrder(instrument, account)?.distance
    if (distance === undefined || price === 0 || reference === 0) return
    // In whole ticks, towards the reference. The products may be beyond 2^53.
    const far = BigInt(reference) * BigInt(distance)
    const furthest = Number(sell ? BigInt(reference) - far / 10_000n : BigInt(reference) + far / 10_000n)
    if (sell ? price >= furthest : price <= furthest) return
    const { definition, grids } = this.#registry.byId(instrument)!
    const { symbol } = definition
    const [limit, from, wanted] = [Math.max(furthest, 0), reference, price].map((ticks) =>
      fromSteps(ticks, grids.price),
    )
    throw refusal(
      'TIDEMARK_PRICE_DISTANCE_LIMIT',
      `An order of account ${account} in ${symbol} may ${sell ? 'sell at no less' : 'buy at no more'} than ${limit}, ${distance} basis points from ${from}, not at ${wanted}.`,
      { account, symbol, limit, reference: from, distanceBasisPoints: distance },
    )
  }

  /**
   * Checks that the position of an account stays within its limit when all that it has open on a side trades, and `lots` more. A side on which
   * it has gone too far already may not grow; the other one gets it back.
   *
   * @throws LedgerError `TIDEMARK_POSITION_LIMIT`.
   */
  checkPosition(
    units: InstrumentUnits,
    instrument: number,
    account: number,
    sell: boolean,
    lots: bigint,
  ): void {
    const most = this.#state.limits.ofOrder(instrument, account)?.position
    if (most === undefined) return
    const { net, buying, selling } = this.#state.positions.of(instrument, account) ?? noPosition
    const worst = (sell ? selling + lots - net : net + buying + lots) * units.lot
    if (worst <= most) return
    const { symbol } = units
    const { scale } = this.#state.assets.of(units.base)
    const [limit, position, would] = [most, net * units.lot, worst].map((amount) => unitsText(amount, scale))
    const verbs = sell ? ['sold', 'bought'] : ['bought', 'sold']
    throw refusal(
      'TIDEMARK_POSITION_LIMIT',
      `Account ${account} may have ${verbs[0]} ${limit} of ${symbol} more than ${verbs[1]}. With all that it has open, and this, it would be ${would}.`,
      { account, symbol, limit, position },
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
