import {
  acceptedOrderAt,
  commandInstrument,
  commandKinds,
  commandTagHigh,
  commandTagLow,
  decodeDetails,
  decodeInstrument,
  EVENT_HEADER_WORDS,
  eventKinds,
  flagsOf,
  isPendingLeg,
  NewOrderFields,
  OrderEventFields,
  phaseOf,
  readU64,
  reasonOf,
  TRADE_IN_UNCROSS,
  TradeFields,
} from '../../matching/index.js'
import { commandRecordType, ledgerRecordType } from '../../pool/index.js'
import type { StoreTarget } from '../targets/target.js'
import type { FoldedTransaction, LogFold } from './log-fold.js'
import type { ListPlace } from './order-table.js'
import { PoolFold } from './pool-fold.js'
import { writePool } from './pool-writer.js'

/** The log of a pool: each record a command with the events that it caused. docs/command-format.md has the tables. */
export class PoolLogFold implements LogFold {
  readonly kind = 'pool'
  readonly #fold = new PoolFold()
  readonly #newOrder = new NewOrderFields()
  readonly #order = new OrderEventFields()
  readonly #trade = new TradeFields()

  begin(target: StoreTarget): Promise<void> {
    return this.#fold.load(target)
  }

  get rowCount(): number {
    return this.#fold.rowCount
  }

  visit(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    type: number,
    timeUs: number,
    { payload }: { readonly payload: Uint8Array },
  ): void {
    if (type === ledgerRecordType) this.#fold.ledgerRecord(payload, lsn, timeUs)
    if (type !== commandRecordType) return
    const first = from + (words[from]! >>> 18)
    if (first >= to) return
    const fold = this.#fold
    fold.begin(
      commandInstrument(words, from),
      lsn,
      timeUs,
      commandTagLow(words, from),
      commandTagHigh(words, from),
    )
    for (let at = first; at < to; at += words[at]! >>> 18) this.#event(words, from, at)
  }

  cut(): FoldedTransaction {
    const rows = this.#fold.cut()
    return { rowCount: rows.count, write: (target) => writePool(target, rows) }
  }

  #event(words: Int32Array, from: number, at: number): void {
    const fold = this.#fold
    const kind = words[at]! & 0xff
    switch (kind) {
      case eventKinds.accepted:
        {
          const order = acceptedOrderAt(words, at, from)
          if (order < 0) return
          this.#newOrder.read(words, order)
          fold.accepted(this.#newOrder, listPlace(words, at, from))
        }
        return
      case eventKinds.trade:
        this.#trade.read(words, at, from)
        fold.trade(this.#trade, flagsOf(words, at) & 1, (flagsOf(words, at) & TRADE_IN_UNCROSS) !== 0)
        return
      case eventKinds.cancelled:
      case eventKinds.replaced:
      case eventKinds.rejected:
      case eventKinds.triggered:
      case eventKinds.entered:
        this.#order.read(words, at, from)
        fold.orderEvent(kind, this.#order)
        return
      case eventKinds.repeated:
        fold.repeated(readU64(words, from + 2), words[at + 1]! >>> 0, reasonOf(words, at))
        return
      case eventKinds['instrument-created']:
        fold.instrumentCreated(decodeInstrument(words, from))
        return
      case eventKinds['instrument-changed']: {
        const { set } = decodeDetails(words, at + EVENT_HEADER_WORDS)
        fold.instrumentChanged(set)
        return
      }
      case eventKinds['phase-changed']: {
        const { phase, closing, takesOrders } = phaseOf(reasonOf(words, at), flagsOf(words, at))
        fold.phaseChanged(phase, closing ?? false, takesOrders ?? false)
        return
      }
      case eventKinds['volatility-interruption']:
        fold.interrupted()
        return
      case eventKinds['trade-busted']:
        fold.busted(readU64(words, from + 2))
        return
      case eventKinds['account-blocked']:
      case eventKinds['account-unblocked']:
        fold.accountEvent(kind, words[at + 1]! >>> 0)
    }
  }
}

/** Of the `accepted` event at `at`, in the record whose command is at `from`; `undefined` when that is no list. */
function listPlace(words: Int32Array, at: number, from: number): ListPlace | undefined {
  if ((words[from]! & 0xff) !== commandKinds.list) return undefined
  return { listId: readU64(words, from + 2), isPending: isPendingLeg(words, at, from) }
}
