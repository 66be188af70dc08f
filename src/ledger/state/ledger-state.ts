import type { InstrumentRegistry } from '../../pool/index.js'
import { Assets } from '../amounts/assets.js'
import { type InstrumentUnits, unitsOf } from '../amounts/units.js'
import { Cells } from './cells.js'
import { FeeTable } from './fee-table.js'
import { Keys } from './keys.js'
import { Lists } from './lists.js'
import { Orders } from './orders.js'

/** All that a ledger knows, as of an LSN. */
export class LedgerState {
  readonly assets = new Assets()
  readonly cells = new Cells()
  readonly orders = new Orders()
  readonly lists = new Lists()
  readonly fees = new FeeTable()
  readonly keys = new Keys()
  /** By asset: what came in less what went out. */
  readonly supply: bigint[] = []
  /** The account that gets the fees. */
  venue = 0
  /** Where the ledger begins in the log; -1 until it does. */
  startLsn = -1
  /** All records up to here are counted. */
  lsn = 0
  readonly #registry: InstrumentRegistry
  readonly #units: (InstrumentUnits | undefined)[] = []

  constructor(registry: InstrumentRegistry) {
    this.#registry = registry
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

  /** Whether orders of the instrument were taken: then its assets stay. */
  hasUnits(instrument: number): boolean {
    return this.#units[instrument] !== undefined
  }

  #newUnits(instrument: number): InstrumentUnits {
    const units = unitsOf(this.#registry.byId(instrument)!, this.assets)
    this.#units[instrument] = units
    return units
  }
}
