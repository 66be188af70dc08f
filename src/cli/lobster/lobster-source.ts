import * as path from 'node:path'
import { orderTypeCodes, timeInForceCodes } from '../../matching/index.js'
import { inputFailure } from '../failure.js'
import {
  type CommandSink,
  type CommandSource,
  isRefusal,
  RefusalLog,
  type SourceInstrument,
  type SourceTarget,
} from '../inputs/command-source.js'
import type { InputFile } from '../inputs/input-file.js'
import { LineReader } from '../inputs/line-reader.js'
import { LobsterRows, type MessageRow, messageType, parseMessageRow, parseQuote } from './lobster-rows.js'
import { LocalEngine } from './local-engine.js'

/** Prices are dollars x 10,000, sizes are shares. */
const tickSize = '0.0001'
const lotSize = '1'
/** The order that rests and the one that takes are of different accounts. */
const restingAccount = 1
const takingAccount = 2
/** Orders that stand for an aggressor get ids far above the exchange's own: this plus the row. */
export const takerIdBase = 2 ** 52

const { limit } = orderTypeCodes
const { GTC, IOC } = timeInForceCodes

/** The symbol that a LOBSTER file's name begins with. */
export function lobsterSymbol(file: string): string {
  return /^([A-Za-z][A-Za-z0-9.]{0,11})_/.exec(path.basename(file))?.[1]?.toUpperCase() ?? 'LOBSTER'
}

/**
 * A LOBSTER message file as commands: submissions, reductions and deletions as they are, and for each execution of a
 * visible order an IOC order from the other side at its price and size. The tag is the row, from 0 on.
 *
 * With the order book file beside it, orders that are better than the best price shown after a row are cancelled
 * there: the exchange had no such order any more, and a file of few levels doesn't say when it went.
 */
export class LobsterSource implements CommandSource {
  readonly format = 'lobster'
  readonly symbol: string
  readonly instruments: readonly SourceInstrument[]
  readonly refusals = new RefusalLog()
  readonly rows = new LobsterRows()
  /** Cancels of orders better than the best shown. */
  cancelledBetter = 0
  readonly #file: InputFile
  readonly #messages: LineReader
  readonly #shownFile: InputFile | undefined
  readonly #shown: LineReader | undefined
  readonly #local: LocalEngine | undefined
  #instrumentId = 0
  #line = ''

  constructor(messages: InputFile, orderbook?: InputFile) {
    this.#file = messages
    this.#messages = new LineReader(messages)
    this.#shownFile = orderbook
    this.#shown = orderbook && new LineReader(orderbook)
    this.symbol = lobsterSymbol(messages.path)
    this.instruments = [{ symbol: this.symbol, tickSize, lotSize }]
    this.#local = orderbook && new LocalEngine(this.symbol, tickSize, lotSize)
  }

  get hasShown(): boolean {
    return this.#shown !== undefined
  }

  get progress(): number | undefined {
    return this.#file.fraction
  }

  /** When the row that was read last happened, in seconds after midnight. */
  get seconds(): number {
    return Number.parseFloat(this.#line)
  }

  begin(target: SourceTarget): void {
    this.#instrumentId = target.instrument(this.symbol)!.id
  }

  close(): void {
    this.#file.close()
    this.#shownFile?.close()
  }

  async fill(batch: CommandSink, goal: number): Promise<boolean> {
    while (batch.length < goal) {
      if (this.#messages.needsMore) await this.#messages.more()
      const line = this.#messages.take()
      if (line === null) return false
      if (line !== undefined && line.trim() === '') continue
      this.#line = line ?? this.#line
      const shown = this.#shown && (await this.#nextShown())
      const row = line === undefined ? undefined : parseMessageRow(line)
      if (!row) {
        this.#refuse('TIDEMARK_BAD_ROW', 'The row is not time,type,order id,size,price,direction.')
        continue
      }
      const index = this.rows.add(row)
      this.#submit(batch, row, index)
      if (shown === undefined) continue
      const quote = parseQuote(shown)
      if (!quote) {
        throw inputFailure(
          `Line ${this.#shown!.line} of ${this.#shownFile!.name} is not a row of an order book file.`,
        )
      }
      this.rows.setShown(index, quote)
      this.#cancelBetter(batch, index)
      this.rows.setLocal(index, this.#local!.book.quote())
    }
    return true
  }

  async #nextShown(): Promise<string> {
    const shown = this.#shown!
    if (shown.needsMore) await shown.more()
    const line = shown.take()
    if (typeof line === 'string' && line.trim() !== '') return line
    const rows = `${this.#shownFile!.name} has fewer rows than ${this.#file.name}`
    throw inputFailure(`${rows}: it ends before line ${this.#messages.line}.`)
  }

  #submit(batch: CommandSink, row: MessageRow, index: number): void {
    const { type, orderId, size, price, sell } = row
    const local = this.#local
    try {
      switch (type) {
        case messageType.submission:
          batch.addNew(this.#instrumentId, orderId, restingAccount, sell, limit, GTC, price, size, index)
          local?.new(orderId, restingAccount, sell, GTC, price, size)
          return
        case messageType.reduction:
          batch.addReduce(this.#instrumentId, orderId, size, index, restingAccount)
          local?.reduce(orderId, size)
          return
        case messageType.deletion:
          batch.addCancel(this.#instrumentId, orderId, index, restingAccount)
          local?.cancel(orderId)
          return
        case messageType.execution: {
          const taker = takerIdBase + index
          batch.addNew(this.#instrumentId, taker, takingAccount, 1 - sell, limit, IOC, price, size, index)
          local?.new(taker, takingAccount, 1 - sell, IOC, price, size)
          return
        }
        case messageType.halt:
          this.#submitHalt(batch, price, index)
          return
        default:
      }
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#refuse(error.code, error.message)
    }
  }

  /** A price of -1 halts; 0 lets orders in again, 1 lets them trade, and both are a resumption here. */
  #submitHalt(batch: CommandSink, price: number, index: number): void {
    if (price === -1) {
      batch.add({ type: 'phase', symbol: this.symbol, phase: 'halted', tag: index })
      this.#local?.halt()
    } else {
      batch.add({ type: 'phase', symbol: this.symbol, phase: 'continuous', tag: index })
      this.#local?.resume()
    }
  }

  #cancelBetter(batch: CommandSink, index: number): void {
    const local = this.#local!
    const shown = this.rows.shown(index)
    for (;;) {
      const { bid, ask } = local.book.quote()
      const bidIsBetter = bid.size > 0 && bid.price > shown.bid.price
      const askIsBetter = ask.size > 0 && (shown.ask.size === 0 || ask.price < shown.ask.price)
      if (!bidIsBetter && !askIsBetter) return
      for (const orderId of local.book.bestOrders(bidIsBetter ? 0 : 1)) {
        batch.addCancel(this.#instrumentId, orderId, index, restingAccount)
        local.cancel(orderId)
        this.cancelledBetter++
      }
    }
  }

  #refuse(code: string, message: string): void {
    this.refusals.add(this.#messages.line, code, message)
  }
}
