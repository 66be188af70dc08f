import type { InstrumentRegistry } from '../../pool/index.js'
import { Assets } from '../amounts/assets.js'
import { type InstrumentUnits, unitsOf } from '../amounts/units.js'
import type { LimitsRecord } from '../records.js'
import type { Asset } from '../types.js'
import { type CellArrays, Cells } from './cells.js'
import { Credits, type StoredCredit } from './credits.js'
import { FeeTable, type StoredSchedule } from './fee-table.js'
import { digestOfStored, type KeyArrays, Keys } from './keys.js'
import { Limits } from './limits.js'
import { type ListHold, Lists, type StoredList } from './lists.js'
import { ORDER_FOR_AMOUNT, ORDER_SELL, type OrderArrays, Orders } from './orders.js'
import { ListOpens, Positions, type StoredPositions } from './positions.js'

/** A state in memory of its own, for a snapshot of it. */
export interface LedgerImage {
  readonly facts: {
    readonly lsn: number
    readonly startLsn: number
    readonly venue: number
    readonly assets: readonly Asset[]
    /** Numbers of the instruments that have had orders. */
    readonly instruments: readonly number[]
    readonly supply: readonly string[]
    readonly schedules: readonly StoredSchedule[]
    readonly limits: ReturnType<Limits['stored']>
    /** By instrument. Snapshots of version 2 have none. */
    readonly lastPrices?: readonly (readonly [number, number])[]
    /** As `lastPrices`. */
    readonly credits?: readonly StoredCredit[]
    readonly positions?: readonly StoredPositions[]
    readonly lists: readonly StoredList[]
    /** Before version 5: each with where its record ends and its digest. Later they are arrays. */
    readonly keys?: readonly (readonly [string, number, string])[]
  }
  readonly arrays: CellArrays & OrderArrays & KeyArrays
}

/** All that a ledger knows, as of an LSN. */
export class LedgerState {
  readonly assets = new Assets()
  readonly cells = new Cells()
  readonly orders = new Orders()
  readonly lists = new Lists()
  readonly fees = new FeeTable()
  readonly limits = new Limits()
  readonly credits = new Credits()
  readonly positions = new Positions()
  readonly keys = new Keys()
  /** By asset: what came in less what went out. */
  readonly supply: bigint[] = []
  /** By instrument: at what its last trade was made, in ticks. */
  readonly lastPrices: number[] = []
  /** The account that gets the fees. */
  venue = 0
  /** Where the ledger begins in the log; -1 until it does. */
  startLsn = -1
  /** All records up to here are counted. */
  lsn = 0
  readonly #registry: InstrumentRegistry
  readonly #units: (InstrumentUnits | undefined)[] = []
  /** By number: instruments that have had orders, as far as that is durable. */
  readonly #hadOrders: boolean[] = []

  constructor(registry: InstrumentRegistry) {
    this.#registry = registry
  }

  /** The state that an image holds. What is held is added up again: the image may have holds for what never became durable. */
  static restored(registry: InstrumentRegistry, { facts, arrays }: LedgerImage): LedgerState {
    const state = new LedgerState(registry)
    for (const asset of facts.assets) state.assets.add(asset)
    for (const instrument of facts.instruments) state.fixAssets(instrument)
    state.supply.push(...facts.supply.map(BigInt))
    for (const [instrument, price] of facts.lastPrices ?? []) state.lastPrices[instrument] = price
    state.lsn = facts.lsn
    state.startLsn = facts.startLsn
    state.venue = facts.venue
    if (facts.keys === undefined) state.keys.restore(arrays)
    else for (const [key, lsn, digest] of facts.keys) state.keys.add(key, lsn, digestOfStored(digest))
    state.fees.restore(facts.schedules)
    state.cells.restore(arrays)
    state.orders.restore(arrays)
    state.lists.restore(facts.lists, (instrument, orderId) => state.orders.find(instrument, orderId))
    const { cells, orders } = state
    state.credits.restore(facts.credits ?? [], cells)
    for (const limits of facts.limits) state.limits.set(limits, orders, cells)
    for (const positions of facts.positions ?? []) {
      state.positions.restore(positions)
      state.#countOpens(positions[0])
    }
    for (let order = 1; order < orders.end; order++)
      if (orders.instrument[order]! >= 0) cells.held[orders.cell[order]!]! += orders.hold[order]!
    for (const { baseCell, quoteCell, baseHeld, quoteHeld } of state.lists.all()) {
      cells.held[baseCell]! += baseHeld
      cells.held[quoteCell]! += quoteHeld
    }
    return state
  }

  image(): LedgerImage {
    return {
      facts: {
        lsn: this.lsn,
        startLsn: this.startLsn,
        venue: this.venue,
        assets: this.assets.list().map((asset) => ({ ...asset })),
        instruments: [...this.#hadOrders.keys()].filter((instrument) => this.#hadOrders[instrument]),
        supply: this.supply.map(String),
        schedules: this.fees.stored(),
        limits: this.limits.stored(),
        credits: this.credits.stored(this.cells),
        positions: this.positions.stored(),
        lastPrices: Object.entries(this.lastPrices).map(
          ([instrument, price]) => [Number(instrument), price] as const,
        ),
        lists: this.lists.stored((order) => this.orders.orderId[order]!),
      },
      arrays: { ...this.cells.image(), ...this.orders.image(), ...this.keys.image() },
    }
  }

  /** A change of limits is in force. */
  setLimits(record: LimitsRecord): void {
    const { asset, credit = '0', instrument, position } = record
    // These limits are in units of what the instrument is traded in.
    if (record.notional !== undefined || position !== undefined) this.fixAssets(instrument!)
    if (asset === undefined) this.limits.set(record, this.orders, this.cells)
    else this.credits.set(this.cells.of(record.account!, asset), asset, BigInt(credit))
    if (instrument === undefined || position === undefined || this.positions.counts(instrument)) return
    this.positions.begin(instrument)
    this.#countOpens(instrument)
  }

  /** What is open of an order that is in no list changes by so many lots. One for an amount ends with its own record. */
  opens(order: number, lots: number): void {
    const { orders, cells, positions } = this
    const instrument = orders.instrument[order]!
    const flags = orders.flags[order]!
    if (!positions.counts(instrument) || (flags & ORDER_FOR_AMOUNT) !== 0) return
    const account = cells.account[orders.cell[order]!]!
    positions.open(instrument, account, (flags & ORDER_SELL) !== 0, BigInt(lots))
  }

  /** What is open of a list is what its orders say now. */
  opensOfList(list: ListHold): void {
    const { orders, cells, positions } = this
    const { instrument, waits, legs } = list
    if (!positions.counts(instrument)) return
    const opens = new ListOpens()
    for (const [i, order] of legs.entries())
      if (order !== 0)
        opens.add((orders.flags[order]! & ORDER_SELL) !== 0, orders.open[order]!, waits && i > 0)
    opens.finish()
    const account = cells.account[list.baseCell]!
    positions.open(instrument, account, false, opens.buying - list.buying)
    positions.open(instrument, account, true, opens.selling - list.selling)
    list.buying = opens.buying
    list.selling = opens.selling
  }

  /** Counts what is open in an instrument of which nothing was counted. */
  #countOpens(instrument: number): void {
    const { orders, lists } = this
    for (let order = 1; order < orders.end; order++)
      if (orders.instrument[order] === instrument && orders.list[order] === 0)
        this.opens(order, orders.open[order]!)
    for (const list of lists.all()) if (list.instrument === instrument) this.opensOfList(list)
  }

  get hasBegun(): boolean {
    return this.startLsn >= 0
  }

  /**
   * What an instrument's ticks and lots are in units of its assets, which stay as they are once they are known.
   *
   * @throws LedgerError as `unitsOf`.
   */
  units(instrument: number): InstrumentUnits {
    return this.#units[instrument] ?? this.#newUnits(instrument)
  }

  /** An order of the instrument was accepted, or what orders may be worth, or a position, was limited: its assets stay, across openings. */
  fixAssets(instrument: number): void {
    this.#hadOrders[instrument] = true
  }

  /** Whether orders of the instrument were taken, durably or just now. */
  hasFixedAssets(instrument: number): boolean {
    return this.#hadOrders[instrument] === true || this.#units[instrument] !== undefined
  }

  #newUnits(instrument: number): InstrumentUnits {
    const units = unitsOf(this.#registry.byId(instrument)!, this.assets)
    this.#units[instrument] = units
    return units
  }
}
