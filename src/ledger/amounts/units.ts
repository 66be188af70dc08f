import type { PoolInstrument } from '../../pool/index.js'
import { LedgerError } from '../errors.js'
import { amountTooLarge, maxUnits } from './amount.js'
import type { Assets } from './assets.js'

/** What the prices and quantities of an instrument are in whole units of its two assets. */
export interface InstrumentUnits {
  readonly symbol: string
  /** Numbers of the assets. */
  readonly base: number
  readonly quote: number
  /** Units of the base asset in a lot. */
  readonly lot: bigint
  /** Units of the quote asset in a tick times a lot. */
  readonly step: bigint
  /** The same as numbers, where a double has them exactly; Infinity otherwise, so that no product looks exact. */
  readonly lotNumber: number
  readonly stepNumber: number
  /** Of an order for an amount: units of the quote asset are `amount × amountFactor / amountDivisor`. */
  readonly amountFactor: bigint
  readonly amountDivisor: bigint
}

/**
 * The units of an instrument.
 *
 * @throws LedgerError `TIDEMARK_NO_ASSETS` when it names none, `TIDEMARK_UNKNOWN_ASSET`, and `TIDEMARK_SCALE_TOO_SMALL` with the scale
 *   that would do.
 */
export function unitsOf(
  { definition, grids }: Pick<PoolInstrument, 'definition' | 'grids'>,
  assets: Assets,
): InstrumentUnits {
  const { symbol, details } = definition
  const { baseAsset, quoteAsset } = details ?? {}
  if (baseAsset === undefined || quoteAsset === undefined || baseAsset === quoteAsset) {
    throw new LedgerError(
      'TIDEMARK_NO_ASSETS',
      `${symbol} does not say what is traded for what: it needs a baseAsset and another quoteAsset of the ledger.`,
      { symbol, baseAsset, quoteAsset },
    )
  }
  const { price, quantity } = grids
  const [base, quote] = [assets.require(baseAsset), assets.require(quoteAsset)]
  const lots = { mantissa: BigInt(quantity.mantissa), scale: quantity.scale }
  const decimals = price.scale + quantity.scale
  const steps = { mantissa: BigInt(price.mantissa) * lots.mantissa, scale: decimals }
  const lot = wholeUnits(symbol, 'lotSize', lots, assets.of(base))
  const step = wholeUnits(symbol, 'tickSize times lotSize', steps, assets.of(quote))
  const shift = assets.of(quote).scale - decimals
  return {
    symbol,
    base,
    quote,
    lot,
    step,
    lotNumber: exact(lot),
    stepNumber: exact(step),
    amountFactor: shift > 0 ? 10n ** BigInt(shift) : 1n,
    amountDivisor: shift < 0 ? 10n ** BigInt(-shift) : 1n,
  }
}

/** `mantissa / 10^scale` in units of an asset. */
function wholeUnits(
  symbol: string,
  what: string,
  { mantissa, scale }: { readonly mantissa: bigint; readonly scale: number },
  asset: { readonly id: string; readonly scale: number },
): bigint {
  const shift = asset.scale - scale
  const divisor = shift < 0 ? 10n ** BigInt(-shift) : 1n
  if (mantissa % divisor === 0n) return shift < 0 ? mantissa / divisor : mantissa * 10n ** BigInt(shift)
  let needed = scale
  for (let rest = mantissa; rest % 10n === 0n; rest /= 10n) needed--
  throw new LedgerError(
    'TIDEMARK_SCALE_TOO_SMALL',
    `${what} of ${symbol} is no whole number of units of ${asset.id}, which has ${asset.scale} decimals; it would be with ${needed}.`,
    { symbol, asset: asset.id, scale: asset.scale, neededScale: needed },
  )
}

function exact(units: bigint): number {
  return units <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(units) : Number.POSITIVE_INFINITY
}

const safeMax = Number.MAX_SAFE_INTEGER

/** So many lots in units of the base asset. @throws LedgerError `TIDEMARK_AMOUNT_TOO_LARGE`. */
export function baseUnits(units: InstrumentUnits, lots: number): bigint {
  const product = lots * units.lotNumber
  if (product <= safeMax) return BigInt(product)
  const amount = BigInt(lots) * units.lot
  if (amount > maxUnits) throw amountTooLarge({ symbol: units.symbol })
  return amount
}

/** So many lots at a price in ticks, in units of the quote asset. @throws as `baseUnits`. */
export function quoteUnits(units: InstrumentUnits, price: number, lots: number): bigint {
  // Exact below 2^53, and at or above it when the exact product is: rounding keeps the order of numbers.
  const steps = price * lots
  const product = steps * units.stepNumber
  if (steps <= safeMax && product <= safeMax) return BigInt(product)
  const amount = BigInt(price) * BigInt(lots) * units.step
  if (amount > maxUnits) throw amountTooLarge({ symbol: units.symbol })
  return amount
}

/** What an order for an amount spends at most, in units of the quote asset: whole steps only. @throws as `baseUnits`. */
export function spentUnits(units: InstrumentUnits, amount: number): bigint {
  const whole = (BigInt(amount) * units.amountFactor) / units.amountDivisor
  const spent = whole - (whole % units.step)
  if (spent > maxUnits) throw amountTooLarge({ symbol: units.symbol })
  return spent
}
