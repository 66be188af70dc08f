import type { TradeFees } from '../../ledger/index.js'
import type { TradeEvent } from '../../pool/index.js'

/** A command on its way, which was sent when everything up to an LSN was taken: its record comes after that. */
export interface Asker {
  readonly lsn: number
}

/**
 * What the last trades cost, for the answers to commands on their way: a trade is kept as long as one of these may have made it. However
 * little a history keeps, an answer has all of its fills.
 */
export class RecentFees {
  /** By rising LSN. */
  readonly #askers = new Set<Asker>()
  /** By LSN of the record, which rises, and trade id. */
  readonly #records = new Map<number, Map<number, TradeFees>>()

  get size(): number {
    return this.#records.size
  }

  ask(lsn: number): Asker {
    const asker = { lsn }
    this.#askers.add(asker)
    return asker
  }

  add({ lsn, tradeId }: TradeEvent, fees: TradeFees): void {
    if (this.#askers.size === 0) return
    const record = this.#records.get(lsn)
    if (record === undefined) this.#records.set(lsn, new Map([[tradeId, fees]]))
    else record.set(tradeId, fees)
  }

  /** What the trades of a record cost, by trade id. */
  of(lsn: number): ReadonlyMap<number, TradeFees> {
    return this.#records.get(lsn) ?? new Map()
  }

  end(asker: Asker): void {
    this.#askers.delete(asker)
    const [oldest] = this.#askers
    for (const lsn of this.#records.keys()) {
      if (oldest !== undefined && lsn > oldest.lsn) return
      this.#records.delete(lsn)
    }
  }
}
