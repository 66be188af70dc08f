import { baseUnits, type InstrumentUnits, quoteUnits } from '../amounts/units.js'
import { type FeeRates, rateDenominator } from './fee-table.js'

/** What an order may take of its account at most: lots of the base asset, or its limit price for each lot. */
export function needOf(units: InstrumentUnits, sell: boolean, price: number, lots: number): bigint {
  return sell ? baseUnits(units, lots) : quoteUnits(units, price, lots)
}

/**
 * What an order surely brings when all of its lots trade: at its limit, less the highest of its fees, with every lot in a trade of its
 * own, each of which is rounded.
 */
function surelyBrings(
  units: InstrumentUnits,
  sell: boolean,
  price: number,
  lots: number,
  rates: FeeRates,
): bigint {
  const ofLot = sell ? BigInt(price) * units.step : units.lot
  const highest = BigInt(Math.max(0, rates.maker, rates.taker, rates.auction))
  return BigInt(lots) * ((ofLot * (rateDenominator - highest)) / rateDenominator)
}

/** What the orders of a list need together, by asset. */
export class ListNeeds {
  base = 0n
  quote = 0n
  #waitingBase = 0n
  #waitingQuote = 0n
  #bringsBase = 0n
  #bringsQuote = 0n

  /** An order that acts, or may at any time: of several, only one will trade, so the larger counts. */
  add(units: InstrumentUnits, sell: boolean, price: number, lots: number): void {
    const need = needOf(units, sell, price, lots)
    if (sell) {
      if (need > this.base) this.base = need
    } else if (need > this.quote) this.quote = need
  }

  /** The order for which others wait. */
  addWorking(units: InstrumentUnits, sell: boolean, price: number, lots: number, rates: FeeRates): void {
    this.add(units, sell, price, lots)
    const brings = surelyBrings(units, sell, price, lots, rates)
    if (sell) this.#bringsQuote = brings
    else this.#bringsBase = brings
  }

  /** An order that waits until the working one is filled: it may spend what that one brings. */
  addWaiting(units: InstrumentUnits, sell: boolean, price: number, lots: number): void {
    const need = needOf(units, sell, price, lots)
    if (sell) {
      if (need > this.#waitingBase) this.#waitingBase = need
    } else if (need > this.#waitingQuote) this.#waitingQuote = need
  }

  /** Counts what the waiting orders need beyond what the working one brings. Called once, when all are added. */
  finish(): void {
    if (this.#waitingBase > this.#bringsBase) this.base += this.#waitingBase - this.#bringsBase
    if (this.#waitingQuote > this.#bringsQuote) this.quote += this.#waitingQuote - this.#bringsQuote
  }
}
