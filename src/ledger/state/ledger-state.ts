import type { InstrumentRegistry } from '../../pool/index.js'
import { Assets } from '../amounts/assets.js'
import { type InstrumentUnits, unitsOf } from '../amounts/units.js'
import type { LimitsRecord } from '../records.js'
import type { Asset } from '../types.js'
import { type CellArrays, Cells } from './cells.js'
import { Credits, type StoredCredit } from './credits.js'
import { FeeTable, type StoredSchedule } from './fee-table.js'
import { Keys } from './keys.js'
import { Limits } from './limits.js'
import { Lists, type StoredList } from './lists.js'
import { type OrderArrays, Orders } from './orders.js'

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
    readonly lists: readonly StoredList[]
    /** Each with where its record ends and its digest. */
    readonly keys: readonly (readonly [string, number, string])[]
  }
  readonly arrays: CellArrays & OrderArrays
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
    for (const [key, lsn, digest] of facts.keys) state.keys.add(key, lsn, digest)
    state.fees.restore(facts.schedules)
    state.cells.restore(arrays)
    state.orders.restore(arrays)
    state.lists.restore(facts.lists, (instrument, orderId) => state.orders.find(instrument, orderId))
    const { cells, orders } = state
    state.credits.restore(facts.credits ?? [], cells)
    for (const limits of facts.limits) state.limits.set(limits, orders, cells)
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
        lastPrices: Object.entries(this.lastPrices).map(
          ([instrument, price]) => [Number(instrument), price] as const,
        ),
        lists: this.lists.stored((order) => this.orders.orderId[order]!),
        keys: [...this.keys.entries()].map(([key, { lsn, digest }]) => [key, lsn, digest] as const),
      },
      arrays: { ...this.cells.image(), ...this.orders.image() },
    }
  }

  /** A change of limits is in force. */
  setLimits(record: LimitsRecord): void {
    const { asset, credit = '0' } = record
    if (asset === undefined) this.limits.set(record, this.orders, this.cells)
    else this.credits.set(this.cells.of(record.account!, asset), asset, BigInt(credit))
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

  /** An order of the instrument was accepted: its assets stay, across openings. */
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
