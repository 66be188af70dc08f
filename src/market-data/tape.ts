import type { TradeEvent } from '../pool/index.js'
import { amountText, type MarketGrids, stepsOf, volumeText } from './grids.js'
import { Ring } from './ring.js'
import type { AggregateTrade, TapeTrade } from './types.js'

/** The last trades of a symbol, one by one and aggregated. */
export class Tape {
  readonly #symbol: string
  readonly #grids: MarketGrids
  readonly trades: Ring<TapeTrade>
  readonly aggregates: Ring<AggregateTrade>
  aggregateCount = 0
  /** What the record that is being read has brought. */
  #trades: TapeTrade[] = []

  constructor(symbol: string, grids: MarketGrids, kept: number) {
    this.#symbol = symbol
    this.#grids = grids
    this.trades = new Ring(kept)
    this.aggregates = new Ring(kept)
  }

  add(event: TradeEvent, price: number, quantity: number): void {
    const trade = {
      symbol: this.#symbol,
      tradeId: event.tradeId,
      price: event.price,
      quantity: event.quantity,
      amount: amountText(BigInt(price) * BigInt(quantity), this.#grids),
      takerSide: event.takerSide,
      makerOrderId: event.makerOrderId,
      takerOrderId: event.takerOrderId,
      timeUs: event.timeUs,
      lsn: event.lsn,
    }
    this.#trades.push(trade)
    this.trades.push(trade)
  }

  /** What the record brought: its trades, and those that one order took at one price as one. */
  endRecord(): { trades: readonly TapeTrade[]; aggregates: readonly AggregateTrade[] } {
    const trades = this.#trades
    this.#trades = []
    const aggregates: AggregateTrade[] = []
    for (let from = 0; from < trades.length; ) {
      const first = trades[from]!
      let to = from + 1
      while (to < trades.length && isSame(first, trades[to]!)) to++
      const aggregate = this.#aggregate(trades.slice(from, to))
      aggregates.push(aggregate)
      this.aggregates.push(aggregate)
      from = to
    }
    return { trades, aggregates }
  }

  #aggregate(trades: readonly TapeTrade[]): AggregateTrade {
    const first = trades[0]!
    const last = trades.at(-1)!
    const { quantity } = this.#grids
    let lots = 0n
    for (const trade of trades) lots += BigInt(stepsOf(trade.quantity, quantity))
    return {
      symbol: this.#symbol,
      aggregateId: ++this.aggregateCount,
      price: first.price,
      quantity: trades.length === 1 ? first.quantity : volumeText(lots, quantity),
      firstTradeId: first.tradeId,
      lastTradeId: last.tradeId,
      takerSide: first.takerSide,
      timeUs: first.timeUs,
      lsn: first.lsn,
    }
  }
}

function isSame(a: TapeTrade, b: TapeTrade): boolean {
  return a.takerOrderId === b.takerOrderId && a.price === b.price
}
