import type { Clock } from '../../base/clock.js'
import {
  commandAccount,
  commandGrids,
  commandInstrument,
  commandKinds,
  decodeDetails,
  decodeInstrument,
  flagsOf,
  legAt,
  legCount,
  listTypeCodes,
  listTypeOf,
  NewOrderFields,
  OMITS_ORDER_ID,
  optionalAt,
  readU64,
} from '../../matching/index.js'
import type { CommandGuard, InstrumentRegistry } from '../../pool/index.js'
import type { Assets } from '../amounts/assets.js'
import { baseUnits, type InstrumentUnits, quoteUnits, spentUnits, unitsOf } from '../amounts/units.js'
import { LedgerError } from '../errors.js'
import type { LedgerState } from '../state/ledger-state.js'
import { ListNeeds } from '../state/needs.js'
import { ORDER_FOR_AMOUNT, ORDER_SELL } from '../state/orders.js'
import { PendingHolds } from '../state/pending.js'
import { ListOpens } from '../state/positions.js'
import { LimitChecks } from './limit-checks.js'
import { insufficientFunds } from './refusals.js'

const NEW = commandKinds.new
const REPLACE = commandKinds.replace
const REDUCE = commandKinds.reduce
const LIST = commandKinds.list
const INSTRUMENT = commandKinds.instrument
const CHANGE = commandKinds['instrument-change']

/** Holds what a command may spend before its shard gets it, or refuses it. */
export class LedgerGuard implements CommandGuard {
  /** By shard: what is held for the commands that it has not logged durably. */
  readonly holds: readonly PendingHolds[]
  /** Changes of fees on their way: lists, whose holds depend on fees, wait for them. */
  feeChanges = 0
  readonly #state: LedgerState
  readonly #registry: InstrumentRegistry
  readonly #fields = new NewOrderFields()
  readonly #marks: number[]
  readonly #limits: LimitChecks
  /** With those that are about to be added: new instruments must come out in them too. */
  assets: Assets

  constructor(state: LedgerState, registry: InstrumentRegistry, shards: number, clock: Clock) {
    this.#state = state
    this.assets = state.assets
    this.#registry = registry
    this.#limits = new LimitChecks(state, registry, clock)
    this.holds = Array.from({ length: shards }, () => new PendingHolds(state))
    this.#marks = new Array<number>(shards).fill(0)
  }

  /** Lists on their way, whose acceptance will be by the fees that are in force then. */
  get listsOnTheWay(): number {
    return this.holds.reduce((sum, { lists }) => sum + lists, 0)
  }

  admit(shard: number, words: Int32Array, at: number): void {
    switch (words[at]! & 0xff) {
      case NEW:
        this.#admitNew(this.holds[shard]!, words, at)
        return
      case REPLACE:
        this.#admitReplace(this.holds[shard]!, words, at)
        return
      case REDUCE:
        this.#checkReduce(this.holds[shard]!, words, at)
        return
      case LIST:
        this.#admitList(this.holds[shard]!, words, at)
        return
      case INSTRUMENT:
        this.#checkInstrument(words, at)
        return
      case CHANGE:
        this.#admitChange(this.holds[shard]!, words, at)
    }
  }

  admitBatch(parts: readonly { readonly words: Int32Array; readonly used: number }[]): void {
    const { holds } = this
    for (let shard = 0; shard < holds.length; shard++) this.#marks[shard] = holds[shard]!.tail
    this.#limits.beginBatch()
    try {
      for (let shard = 0; shard < parts.length; shard++) {
        const { words, used } = parts[shard]!
        for (let at = 0; at < used; at += words[at]! >>> 18) this.admit(shard, words, at)
      }
    } catch (error) {
      for (let shard = 0; shard < holds.length; shard++) holds[shard]!.takeBack(this.#marks[shard]!)
      this.#limits.takeBack()
      throw error
    } finally {
      this.#limits.endBatch()
    }
  }

  #admitNew(holds: PendingHolds, words: Int32Array, at: number): void {
    const fields = this.#fields
    fields.read(words, at)
    const instrument = commandInstrument(words, at)
    const units = this.#unitsOf(holds, instrument)
    const sell = fields.sell !== 0
    const need = this.#needOf(units, sell)
    const asset = sell ? units.base : units.quote
    const orderId = (flagsOf(words, at) & OMITS_ORDER_ID) === 0 ? fields.orderId : 0
    const { account } = fields
    const isLimited = !this.#state.limits.isEmpty
    if (isLimited) {
      this.#limits.checkCommand(account, 1)
      this.#limits.checkOrder(units, instrument, account, fields.price, fields.quantity, fields.quoteQuantity)
      this.#limits.checkNewPrice(instrument, account, fields)
    }
    const opens = this.#opensOf(units, instrument, need)
    if (opens !== 0n) this.#limits.checkPosition(units, instrument, account, sell, opens)
    holds.addOrder(this.#hold(account, asset, need, orderId), need, instrument, orderId)
    if (!isLimited) return
    if (opens !== 0n) holds.countOpens(account, sell, opens)
    holds.countLive(account, 1)
    this.#limits.count(account)
  }

  /** The units of an instrument whose assets stay from now on. @throws LedgerError `TIDEMARK_ASSETS_CHANGING`, and as `unitsOf`. */
  fixedUnits(instrument: number): InstrumentUnits {
    return this.#unitsOf(this.holds[this.#registry.byId(instrument)!.shard]!, instrument)
  }

  /** The units of an instrument in which an order is taken now. @throws LedgerError `TIDEMARK_ASSETS_CHANGING`, and as `unitsOf`. */
  #unitsOf(holds: PendingHolds, instrument: number): InstrumentUnits {
    if (holds.changesAssets(instrument))
      throw assetsChanging(this.#registry.byId(instrument)!.definition.symbol)
    return this.#state.units(instrument)
  }

  /** What the order of `fields` may take at most. @throws LedgerError `TIDEMARK_HOLD_UNBOUNDED`, `TIDEMARK_AMOUNT_TOO_LARGE`. */
  #needOf(units: InstrumentUnits, sell: boolean): bigint {
    const { price, quantity, quoteQuantity } = this.#fields
    if (sell) {
      if (quoteQuantity !== 0) throw unbounded(units, 'sell a quantity, not an amount')
      return baseUnits(units, quantity)
    }
    if (quoteQuantity !== 0) return spentUnits(units, quoteQuantity)
    if (price === 0) throw unbounded(units, 'give it a price, or make it a market order for an amount')
    return quoteUnits(units, price, quantity)
  }

  /**
   * How many lots the order of `fields` may trade where positions are counted, 0 elsewhere: one for an amount, which is its need, what
   * that buys at one tick.
   */
  #opensOf(units: InstrumentUnits, instrument: number, need: bigint): bigint {
    if (!this.#state.positions.counts(instrument)) return 0n
    const { quantity, quoteQuantity } = this.#fields
    return quoteQuantity === 0 ? BigInt(quantity) : need / units.step
  }

  /** Holds an amount, of the account's credit where it has too little, and returns the cell. @throws LedgerError `TIDEMARK_INSUFFICIENT_FUNDS`. */
  #hold(account: number, asset: number, need: bigint, orderId: number): number {
    const { cells, assets, credits } = this.#state
    const cell = cells.find(account, asset)
    const free = cells.available(cell)
    if (free < need && free + credits.of(cell) < need)
      throw insufficientFunds(assets.of(asset), account, need, free, credits.of(cell), { orderId })
    cells.held[cell]! += need
    return cell
  }

  /**
   * What a replace needs is held beside what its order holds: until the replace is durable, both may be spent, first what the
   * order trades before, then what it is replaced with.
   */
  #admitReplace(holds: PendingHolds, words: Int32Array, at: number): void {
    const { orders, cells } = this.#state
    const instrument = commandInstrument(words, at)
    const isNamed = (flagsOf(words, at) & OMITS_ORDER_ID) === 0
    const orderId = isNamed ? readU64(words, at + 2) : 0
    const order = isNamed ? orders.find(instrument, orderId) : 0
    // The id may be that of an order which is on its way, after the one that has it now: it may be another account's, or buy.
    if (order === 0 || holds.makes(instrument, orderId)) throw orderNotKnown(orderId)
    this.#refuseOfWorking(order, orderId)
    const flags = orders.flags[order]!
    const cell = orders.cell[order]!
    const account = cells.account[cell]!
    const stated = commandAccount(words, at)
    const sender = stated >= 0 ? stated : account
    const isLimited = !this.#state.limits.isEmpty
    if (isLimited) this.#limits.checkCommand(sender, 0)
    if ((flags & ORDER_FOR_AMOUNT) !== 0 || sender !== account) {
      // The book refuses it.
      holds.addNothing()
      if (isLimited) this.#limits.count(sender)
      return
    }
    const units = this.#state.units(instrument)
    const sell = (flags & ORDER_SELL) !== 0
    // Without a price it keeps that which the order has by then, perhaps from a replace that is on its way.
    const highest = orders.replaces[order] === 0 ? orders.price[order]! : orders.priceMax[order]!
    const price = readU64(words, at + 4) || highest
    const lots = readU64(words, at + 6)
    const need = sell ? baseUnits(units, lots) : quoteUnits(units, price, lots)
    if (isLimited) {
      this.#limits.checkOrder(units, instrument, account, price, lots, 0)
      this.#limits.checkPrice(instrument, account, sell, readU64(words, at + 4))
    }
    const counts = this.#state.positions.counts(instrument)
    if (counts) this.#limits.checkPosition(units, instrument, account, sell, BigInt(lots))
    this.#hold(account, cells.asset[cell]!, need, orderId)
    orders.priceMax[order] = Math.max(price, highest)
    holds.addReplace(cell, need, instrument, orderId, order)
    if (counts) holds.countOpens(account, sell, BigInt(lots))
    if (isLimited) this.#limits.count(account)
  }

  /** Others wait for what a working order brings: it must not become less. */
  #refuseOfWorking(order: number, orderId: number): void {
    const { orders, lists } = this.#state
    const list = orders.list[order]!
    if (list === 0) return
    const { waits, legs } = lists.of(list)
    if (waits && legs[0] === order) throw workingOrderFixed(orderId)
  }

  /** A reduce frees what it takes away, and needs no hold. It may only not be of an order for which others of its list wait. */
  #checkReduce(holds: PendingHolds, words: Int32Array, at: number): void {
    const { orders, lists, cells } = this.#state
    if (lists.size + holds.lists === 0) return
    const instrument = commandInstrument(words, at)
    if ((flagsOf(words, at) & OMITS_ORDER_ID) === 0) {
      const orderId = readU64(words, at + 2)
      const order = orders.find(instrument, orderId)
      // A list on its way may get ids that it does not state.
      if (holds.lists > 0 && (order === 0 || holds.makes(instrument, orderId))) throw orderNotKnown(orderId)
      if (order !== 0) this.#refuseOfWorking(order, orderId)
      return
    }
    // It names the order by the client's own id, which the ledger does not know: any of the account's lists may be meant.
    if (holds.lists > 0) throw orderNotKnown(0)
    const account = commandAccount(words, at)
    for (const list of lists.all())
      if (list.waits && list.instrument === instrument && cells.account[list.baseCell] === account)
        throw workingOrderFixed(0)
  }

  #admitList(holds: PendingHolds, words: Int32Array, at: number): void {
    const state = this.#state
    const instrument = commandInstrument(words, at)
    const account = commandAccount(words, at)
    const units = this.#unitsOf(holds, instrument)
    const waits = listTypeOf(words, at) !== listTypeCodes.oco
    if (this.feeChanges > 0) throw feesChanging(units)
    const rates = state.fees.rates[state.fees.find(instrument, account)]!
    const needs = new ListNeeds()
    const counts = state.positions.counts(instrument)
    const opens = new ListOpens()
    const fields = this.#fields
    const legs = legCount(words, at)
    const isLimited = !state.limits.isEmpty
    if (isLimited) this.#limits.checkCommand(account, legs)
    for (let leg = 0; leg < legs; leg++) {
      fields.read(words, legAt(words, at, leg))
      const sell = fields.sell !== 0
      this.#needOf(units, sell)
      if (isLimited) {
        this.#limits.checkOrder(units, instrument, account, fields.price, fields.quantity, 0)
        this.#limits.checkNewPrice(instrument, account, fields)
      }
      if (counts) opens.add(sell, fields.quantity, waits && leg > 0)
      if (!waits) needs.add(units, sell, fields.price, fields.quantity)
      else if (leg > 0) needs.addWaiting(units, sell, fields.price, fields.quantity)
      else if (fields.selfTradeGroup !== 0) needs.add(units, sell, fields.price, fields.quantity)
      else needs.addWorking(units, sell, fields.price, fields.quantity, rates)
    }
    needs.finish()
    opens.finish()
    if (opens.buying !== 0n) this.#limits.checkPosition(units, instrument, account, false, opens.buying)
    if (opens.selling !== 0n) this.#limits.checkPosition(units, instrument, account, true, opens.selling)
    const listId = readU64(words, at + 2)
    const base = needs.base === 0n ? 0 : this.#hold(account, units.base, needs.base, listId)
    let quote = 0
    try {
      quote = needs.quote === 0n ? 0 : this.#hold(account, units.quote, needs.quote, listId)
    } catch (error) {
      state.cells.held[base]! -= needs.base
      throw error
    }
    holds.addOfList(base, needs.base, instrument, 0, true)
    if (counts) holds.countOpens(account, true, opens.selling)
    holds.addOfList(quote, needs.quote, instrument, 0, true)
    if (counts) holds.countOpens(account, false, opens.buying)
    for (let leg = 0; leg < legs; leg++) {
      const own = legAt(words, at, leg)
      const orderId = (flagsOf(words, own) & OMITS_ORDER_ID) === 0 ? readU64(words, own + 2) : 0
      holds.addOfList(0, 0n, instrument, orderId, leg < legs - 1)
    }
    if (!isLimited) return
    holds.countLive(account, legs)
    this.#limits.count(account)
  }

  /** An instrument between two assets of the ledger must come out in whole units of both. */
  #checkInstrument(words: Int32Array, at: number): void {
    const definition = decodeInstrument(words, at)
    this.#checkUnits(definition)
  }

  #checkUnits(definition: ReturnType<typeof decodeInstrument>): void {
    const { assets } = this
    const { baseAsset, quoteAsset } = definition.details ?? {}
    if (baseAsset === undefined || quoteAsset === undefined) return
    if (assets.find(baseAsset) < 0 || assets.find(quoteAsset) < 0) return
    unitsOf({ definition, grids: commandGrids(definition) }, assets)
  }

  /** The assets of an instrument stay once orders were taken in them; until then a change is checked as a new one. */
  #admitChange(holds: PendingHolds, words: Int32Array, at: number): void {
    const instrument = commandInstrument(words, at)
    const { set, removed } = decodeDetails(words, optionalAt(words, at))
    const { definition } = this.#registry.byId(instrument)!
    const details = definition.details ?? {}
    const changes = (['baseAsset', 'quoteAsset'] as const).filter(
      (name) => removed.includes(name) || (set[name] !== undefined && set[name] !== details[name]),
    )
    if (changes.length === 0 && !holds.changesAssets(instrument)) {
      holds.addNothing()
      return
    }
    if (this.#state.hasFixedAssets(instrument)) {
      throw new LedgerError(
        'TIDEMARK_ASSETS_FIXED',
        `${definition.symbol} has had orders, or a limit in its assets: they can't change. Make another instrument.`,
        { symbol: definition.symbol, fields: changes },
      )
    }
    const kept = Object.fromEntries(
      Object.entries(details).filter(([name]) => !removed.includes(name as never)),
    )
    this.#checkUnits({ ...definition, details: { ...kept, ...set } })
    holds.addAssetChange(instrument)
  }
}

function feesChanging({ symbol }: InstrumentUnits): LedgerError {
  return new LedgerError(
    'TIDEMARK_FEES_CHANGING',
    `What a list in ${symbol} holds depends on its fees, which are about to change: send it again in a moment.`,
    { symbol },
  )
}

function assetsChanging(symbol: string): LedgerError {
  return new LedgerError(
    'TIDEMARK_ASSETS_CHANGING',
    `What ${symbol} is traded in is about to change: send the order again in a moment.`,
    { symbol },
  )
}

function workingOrderFixed(orderId: number): LedgerError {
  return new LedgerError(
    'TIDEMARK_WORKING_ORDER_FIXED',
    'Other orders of its list wait for what this order brings, so it is neither replaced nor reduced meanwhile: cancel the list, and send another one.',
    { orderId },
  )
}

function unbounded({ symbol }: InstrumentUnits, advice: string): LedgerError {
  return new LedgerError(
    'TIDEMARK_HOLD_UNBOUNDED',
    `Nothing limits what this order in ${symbol} may spend, so it can't be held: ${advice}.`,
    { symbol },
  )
}

function orderNotKnown(orderId: number): LedgerError {
  return new LedgerError(
    'TIDEMARK_ORDER_NOT_KNOWN',
    'A replace names, by its orderId, a live order whose acceptance is durable, and so does a reduce of what may be in a list: await the report of the order first.',
    { orderId },
  )
}
