import { checkOptions, optionNames } from '../log/index.js'
import { accountOf, toSteps } from '../matching/index.js'
import type { LedgerDoor, TradeEvent } from '../pool/index.js'
import { unitsText } from './amounts/amount.js'
import { baseUnits, quoteUnits } from './amounts/units.js'
import { countOf } from './commands/fields.js'
import { badArgument, ledgerClosed } from './errors.js'
import { movementsOf } from './movements.js'
import { feesOfTrade, noFees, rateScale } from './state/fee-table.js'
import type { LedgerState } from './state/ledger-state.js'
import { ORDER_SELL } from './state/orders.js'
import type {
  AccountBalance,
  AccountBalances,
  AccountHolds,
  AccountPositions,
  AssetTotals,
  Balance,
  InstrumentPosition,
  Movement,
  OrderHold,
  OrderRates,
  RatesOptions,
  StatementOptions,
  TradeFee,
  TradeFees,
} from './types.js'

const ratesOptions = optionNames<RatesOptions>({ symbol: true, lsn: true })
const statementOptions = optionNames<StatementOptions>({ from: true, to: true })

/** What an open ledger is asked: answered out of its state, and statements out of the log. */
export class LedgerQuestions {
  readonly #state: LedgerState
  readonly #door: Pick<LedgerDoor, 'log' | 'registry' | 'publisher'>
  /** From which LSN on the ledger's snapshots keep the log. */
  readonly #neededLsn: () => number
  readonly #isClosed: () => boolean

  constructor(
    state: LedgerState,
    door: Pick<LedgerDoor, 'log' | 'registry' | 'publisher'>,
    neededLsn: () => number,
    isClosed: () => boolean,
  ) {
    this.#state = state
    this.#door = door
    this.#neededLsn = neededLsn
    this.#isClosed = isClosed
  }

  balance(account: number, asset: string): AccountBalance {
    const number = this.#state.assets.require(asset)
    const cell = this.#state.cells.find(accountOf(account), number)
    return { lsn: this.#state.lsn, account, ...this.#balanceOf(cell, number) }
  }

  balances(account: number): AccountBalances {
    const { assets, cells, lsn } = this.#state
    const number = accountOf(account)
    const balances: Balance[] = []
    for (let asset = 0; asset < assets.size; asset++) {
      const cell = cells.find(number, asset)
      if (cell !== 0) balances.push(this.#balanceOf(cell, asset))
    }
    return { lsn, account: number, balances }
  }

  holds(account: number): AccountHolds {
    const { assets, cells, orders, lists, lsn } = this.#state
    const number = accountOf(account)
    const found: OrderHold[] = []
    const held = new Map<number, bigint>()
    const hold = (cell: number, orderId: number, instrument: number, amount: bigint) => {
      const asset = assets.of(cells.asset[cell]!)
      const { symbol } = this.#state.units(instrument)
      found.push({ symbol, orderId, asset: asset.id, amount: unitsText(amount, asset.scale) })
    }
    const listed = new Set<number>()
    for (let order = 1; order < orders.end; order++) {
      const instrument = orders.instrument[order]!
      const cell = orders.cell[order]!
      if (instrument < 0 || cells.account[cell] !== number) continue
      const orderId = orders.orderId[order]!
      const list = orders.list[order] === 0 ? undefined : lists.of(orders.list[order]!)
      if (list === undefined) {
        hold(cell, orderId, instrument, orders.hold[order]!)
        held.set(cell, (held.get(cell) ?? 0n) + orders.hold[order]!)
        continue
      }
      const sells = (orders.flags[order]! & ORDER_SELL) !== 0
      hold(cell, orderId, instrument, sells ? list.baseHeld : list.quoteHeld)
      if (listed.has(list.number)) continue
      listed.add(list.number)
      held.set(list.baseCell, (held.get(list.baseCell) ?? 0n) + list.baseHeld)
      held.set(list.quoteCell, (held.get(list.quoteCell) ?? 0n) + list.quoteHeld)
    }
    const pending: { asset: string; amount: string }[] = []
    for (let asset = 0; asset < assets.size; asset++) {
      const cell = cells.find(number, asset)
      const rest = cell === 0 ? 0n : cells.held[cell]! - (held.get(cell) ?? 0n)
      const { id, scale } = assets.of(asset)
      if (rest !== 0n) pending.push({ asset: id, amount: unitsText(rest, scale) })
    }
    return { lsn, account: number, orders: found, pending }
  }

  positions(account: number): AccountPositions {
    const { assets, positions, lsn } = this.#state
    const number = accountOf(account)
    const found: InstrumentPosition[] = []
    for (const instrument of positions.instruments()) {
      const position = positions.of(instrument, number)
      if (position === undefined) continue
      const { symbol, base, lot } = this.#state.units(instrument)
      const textOf = (lots: bigint) => unitsText(lots * lot, assets.of(base).scale)
      const { net, buying, selling } = position
      found.push({ symbol, position: textOf(net), buying: textOf(buying), selling: textOf(selling) })
    }
    return { lsn, account: number, positions: found }
  }

  async *statement(account: number, options: StatementOptions): AsyncGenerator<Movement, void, undefined> {
    checkOptions('statement', options, statementOptions)
    const number = accountOf(account)
    if (this.#isClosed()) throw ledgerClosed()
    const { log, registry, publisher } = this.#door
    const { startLsn } = this.#state
    const { publishedLsn } = publisher
    const from = options.from ?? (log.firstLsn < startLsn ? 0 : this.#neededLsn())
    const to = options.to ?? publishedLsn
    if (
      !Number.isSafeInteger(from) ||
      from < 0 ||
      !Number.isSafeInteger(to) ||
      to < from ||
      to > publishedLsn
    ) {
      throw badArgument(`A statement goes from an LSN to another up to ${publishedLsn}.`, { from, to })
    }
    yield* movementsOf(number, log, registry, { fromLsn: from, toLsn: to, startLsn }, publishedLsn)
  }

  rates(account: number, options: RatesOptions): OrderRates {
    checkOptions('rates', options, ratesOptions)
    const { symbol, lsn } = options
    const instrument =
      symbol === undefined ? undefined : this.#door.registry.bySymbol(symbol).definition.instrumentId
    const acceptedLsn = lsn === undefined ? Number.POSITIVE_INFINITY : lsnOf('lsn', lsn)
    const { maker, taker, auction } = this.#state.fees.at(instrument, accountOf(account), acceptedLsn)
    const text = (rate: number) => unitsText(BigInt(rate), rateScale)
    return { maker: text(maker), taker: text(taker), auction: text(auction) }
  }

  tradeFees(
    trade: TradeEvent,
    accepted: { readonly makerLsn: number; readonly takerLsn: number },
  ): TradeFees {
    const { definition, grids } = this.#door.registry.bySymbol(trade.symbol)
    const { assets, fees } = this.#state
    const makerLsn = lsnOf('makerLsn', accepted.makerLsn)
    const takerLsn = lsnOf('takerLsn', accepted.takerLsn)
    const ofMaker = fees.at(definition.instrumentId, trade.makerAccount, makerLsn)
    const ofTaker = fees.at(definition.instrumentId, trade.takerAccount, takerLsn)
    if (ofMaker === noFees && ofTaker === noFees) return { maker: undefined, taker: undefined }
    const units = this.#state.units(definition.instrumentId)
    const lots = toSteps('quantity', trade.quantity, grids.quantity)
    const ticks = toSteps('price', trade.price, grids.price)
    const takerSells = trade.takerSide === 'sell'
    const [ofBuyer, ofSeller] = takerSells ? [ofMaker, ofTaker] : [ofTaker, ofMaker]
    const { buyerFee, sellerFee, buyerRebate, sellerRebate } = feesOfTrade(
      {
        baseAsset: units.base,
        quoteAsset: units.quote,
        base: baseUnits(units, lots),
        quote: quoteUnits(units, ticks, lots),
        isUncross: trade.uncross,
        takerSells,
      },
      ofBuyer,
      ofSeller,
    )
    const fee = (received: number, paid: bigint, given: number, got: bigint): TradeFee | undefined => {
      if (paid === 0n && got === 0n) return undefined
      const { id, scale } = assets.of(got === 0n ? received : given)
      return { asset: id, amount: unitsText(paid - got, scale) }
    }
    const buyer = fee(units.base, buyerFee, units.quote, buyerRebate)
    const seller = fee(units.quote, sellerFee, units.base, sellerRebate)
    return takerSells ? { maker: buyer, taker: seller } : { maker: seller, taker: buyer }
  }

  totals(): { readonly lsn: number; readonly assets: readonly AssetTotals[] } {
    const { assets, cells, supply, lsn } = this.#state
    const total = new Array<bigint>(assets.size).fill(0n)
    const held = new Array<bigint>(assets.size).fill(0n)
    const accounts = new Array<number>(assets.size).fill(0)
    for (let cell = 1; cell < cells.end; cell++) {
      const asset = cells.asset[cell]!
      total[asset]! += cells.balance[cell]!
      held[asset]! += cells.held[cell]!
      accounts[asset]!++
    }
    return {
      lsn,
      assets: assets.list().map(({ id, scale }, asset) => ({
        asset: id,
        total: unitsText(total[asset]!, scale),
        deposited: unitsText(supply[asset]!, scale),
        held: unitsText(held[asset]!, scale),
        accounts: accounts[asset]!,
      })),
    }
  }

  #balanceOf(cell: number, asset: number): Balance {
    const { assets, cells, credits } = this.#state
    const { id, scale } = assets.of(asset)
    const credit = credits.of(cell)
    return {
      asset: id,
      total: unitsText(cells.balance[cell]!, scale),
      free: unitsText(cells.available(cell), scale),
      held: unitsText(cells.held[cell]!, scale),
      ...(credit !== 0n && { credit: unitsText(credit, scale) }),
    }
  }
}

/** @throws LedgerError `TIDEMARK_BAD_ARGUMENT`. */
function lsnOf(field: string, value: unknown): number {
  return countOf(field, value, Number.MAX_SAFE_INTEGER)
}
