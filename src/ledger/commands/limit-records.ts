import { accountOf, toSteps } from '../../matching/index.js'
import type { InstrumentRegistry } from '../../pool/index.js'
import { parsePositive, parseUnits } from '../amounts/amount.js'
import type { InstrumentUnits } from '../amounts/units.js'
import { badArgument } from '../errors.js'
import type { LimitsRecord } from '../records.js'
import type { LedgerState } from '../state/ledger-state.js'
import type { Amount, LimitsCommand } from '../types.js'
import { checkFields, countOf, keyOf } from './fields.js'

const liveOrdersMax = 0x7fff_ffff
const perSecondMax = 1_000_000
const basisPointsMax = 1_000_000

/** Which limits are of what: a command states those of one kind. */
const kinds = {
  all: {
    limits: ['liveOrders', 'commandsPerSecond'],
    advice: 'for all instruments and assets together: leave out symbol and asset',
  },
  symbol: {
    limits: ['orderQuantity', 'orderNotional', 'priceDistanceBasisPoints', 'position'],
    advice: 'of an instrument: give a symbol, and no asset',
  },
  asset: { limits: ['credit'], advice: 'of an account in an asset: give both, and no symbol' },
} as const satisfies Record<string, { limits: readonly (keyof LimitsCommand)[]; advice: string }>

const fields = ['symbol', 'asset', 'account', 'key', ...Object.values(kinds).flatMap(({ limits }) => limits)]

/**
 * The record of a change of limits. `unitsOf` gives the units of an instrument, whose assets stay from then on.
 *
 * @throws LedgerError `TIDEMARK_BAD_ARGUMENT`, `TIDEMARK_UNKNOWN_ASSET`, `TIDEMARK_BAD_AMOUNT`, `TIDEMARK_AMOUNT_TOO_LARGE`; CommandError;
 *   PoolError `TIDEMARK_UNKNOWN_SYMBOL`; what `unitsOf` throws.
 */
export function limitsRecordOf(
  command: LimitsCommand,
  state: LedgerState,
  registry: InstrumentRegistry,
  unitsOf: (instrument: number) => InstrumentUnits,
): LimitsRecord {
  checkFields('setLimits', command, fields)
  checkKind(command)
  const { symbol, asset, account, liveOrders, commandsPerSecond } = command
  const instrument = symbol === undefined ? undefined : registry.bySymbol(symbol)
  const number = asset === undefined ? undefined : state.assets.require(asset)
  // A key that is sent again is recognised by the text of its record: its fields keep their order.
  return {
    op: 'limits',
    key: keyOf(command.key),
    ...(instrument && { instrument: instrument.definition.instrumentId }),
    ...(account !== undefined && { account: accountOf(account) }),
    ...(liveOrders !== undefined && { liveOrders: countOf('liveOrders', liveOrders, liveOrdersMax) }),
    ...(commandsPerSecond !== undefined && {
      perSecond: countOf('commandsPerSecond', commandsPerSecond, perSecondMax),
    }),
    ...(instrument && orderLimitsOf(command, state, instrument, unitsOf)),
    ...(number !== undefined && { asset: number, ...creditOf(command, state.assets.of(number).scale) }),
    ...(instrument && positionOf(command, state, instrument.definition.instrumentId, unitsOf)),
  }
}

function checkKind(command: LimitsCommand): void {
  const { symbol, asset, account } = command
  const kind = asset !== undefined ? 'asset' : symbol !== undefined ? 'symbol' : 'all'
  if (kind === 'asset' && (symbol !== undefined || account === undefined))
    throw badArgument(`A limit with an asset is ${kinds.asset.advice}.`, { asset, symbol, account })
  for (const [other, { limits, advice }] of Object.entries(kinds)) {
    const stray = other === kind ? undefined : limits.find((limit) => command[limit] !== undefined)
    if (stray !== undefined) throw badArgument(`${stray} is a limit ${advice}.`, { field: stray })
  }
}

function creditOf({ credit }: LimitsCommand, scale: number): Pick<LimitsRecord, 'credit'> {
  const units = credit === undefined ? 0n : unitsOfLimit('credit', credit, scale)
  return units === 0n ? {} : { credit: String(units) }
}

function positionOf(
  { position }: LimitsCommand,
  state: LedgerState,
  instrument: number,
  unitsOf: (instrument: number) => InstrumentUnits,
): Pick<LimitsRecord, 'position'> {
  if (position === undefined) return {}
  const { scale } = state.assets.of(unitsOf(instrument).base)
  return { position: String(unitsOfLimit('position', position, scale)) }
}

function unitsOfLimit(field: string, value: Amount, scale: number): bigint {
  const units = parseUnits(field, value, scale)
  if (units < 0n) throw badArgument(`${field} must not be below zero.`, { field, value })
  return units
}

function orderLimitsOf(
  { orderQuantity, orderNotional, priceDistanceBasisPoints: distance }: LimitsCommand,
  state: LedgerState,
  { definition, grids }: ReturnType<InstrumentRegistry['bySymbol']>,
  unitsOf: (instrument: number) => InstrumentUnits,
): Pick<LimitsRecord, 'lots' | 'notional' | 'distance'> {
  const quoteScale = () => state.assets.of(unitsOf(definition.instrumentId).quote).scale
  return {
    ...(orderQuantity !== undefined && { lots: toSteps('orderQuantity', orderQuantity, grids.quantity) }),
    ...(orderNotional !== undefined && {
      notional: String(parsePositive('orderNotional', orderNotional, quoteScale())),
    }),
    ...(distance !== undefined && {
      distance: countOf('priceDistanceBasisPoints', distance, basisPointsMax),
    }),
  }
}
