import {
  EventCursor,
  encodeCancel,
  encodeInstrument,
  encodeNew,
  encodeReplace,
  eventKinds,
  MatchingEngine,
  RecordBuffer,
} from '../../dist/src/matching/index.js'
import { messageType } from './book-workloads.mjs'

/**
 * An engine under test: `apply(from, to)` executes messages of the workload it was made for, `depth` gives the book as
 * [price, quantity] pairs, best first, to compare what came of it.
 *
 * @typedef {{ apply(from: number, to: number): void, depth(): { bids: number[][], asks: number[][] } }} BookEngine
 */

const instrumentId = 0
const wordsMax = 12

/** A matching engine with one instrument, tick and lot 1, where a modify always loses its place. */
function newEngine() {
  const engine = new MatchingEngine()
  const words = new Int32Array(64)
  encodeInstrument(words, 0, 0, 0, {
    instrumentId,
    symbol: 'BENCH',
    tickSize: '1',
    lotSize: '1',
    replacePriority: 'always-lose',
    selfTradePrevention: 'none',
  })
  engine.apply(words, 0, new RecordBuffer())
  return engine
}

/** The messages as command records, one after the other, and where each begins. */
function encoded(messages) {
  const words = new Int32Array(messages.length * wordsMax)
  const starts = new Int32Array(messages.length + 1)
  const { type, id, sell, price, quantity, immediate } = messages
  let at = 0
  for (let i = 0; i < messages.length; i++) {
    starts[i] = at
    if (type[i] === messageType.add) {
      at += encodeNew(
        words,
        at,
        instrumentId,
        i,
        0,
        id[i],
        1,
        sell[i],
        0,
        immediate[i],
        0,
        0,
        price[i],
        quantity[i],
        0,
        0,
        0,
        0,
      )
    } else if (type[i] === messageType.cancel) at += encodeCancel(words, at, instrumentId, i, 0, id[i], -1, 0)
    else at += encodeReplace(words, at, instrumentId, i, 0, id[i], price[i], quantity[i], -1, 0)
  }
  starts[messages.length] = at
  return { words, starts }
}

/** tidemark's book: one `apply` a message, every event encoded. */
export class TidemarkBook {
  constructor(messages) {
    messages.encoded ??= encoded(messages)
    this.encoded = messages.encoded
    this.engine = newEngine()
    this.record = new RecordBuffer()
    this.bytes = 0
  }

  apply(from, to) {
    const { engine, record } = this
    const { words, starts } = this.encoded
    const end = starts[to]
    let bytes = 0
    for (let at = starts[from]; at < end; at += words[at] >>> 18) {
      record.reset()
      engine.apply(words, at, record)
      bytes += record.byteLength
    }
    this.bytes += bytes
  }

  /** Trades of the messages from one on up to another; not measured. */
  countTrades(from, to) {
    const { engine, record } = this
    const { words, starts } = this.encoded
    const cursor = new EventCursor()
    let trades = 0
    for (let i = from; i < to; i++) {
      record.reset()
      engine.apply(words, starts[i], record)
      cursor.reset(record.i32, 0, record.byteLength >> 2)
      for (let kind = cursor.next(); kind !== 0; kind = cursor.next()) if (kind === eventKinds.trade) trades++
    }
    return trades
  }

  depth() {
    const { bids, asks } = this.engine.depth(instrumentId, 1_000_000)
    const pairs = (levels) => levels.map(({ price, quantity }) => [price, quantity])
    return { bids: pairs(bids), asks: pairs(asks) }
  }
}

/** nodejs-order-book, where a modify is a cancel and a new order, as the workload means it. */
export async function nodejsOrderBook() {
  const { OrderBook } = await import('nodejs-order-book')
  return class {
    constructor(messages) {
      this.messages = messages
      this.names = messages.names
      this.book = new OrderBook()
    }

    apply(from, to) {
      const { book, names } = this
      const { type, sell, price, quantity, immediate } = this.messages
      for (let i = from; i < to; i++) {
        const id = names[i]
        if (type[i] !== messageType.add && book.cancel(id) === undefined) continue
        if (type[i] === messageType.cancel) continue
        const side = sell[i] === 1 ? 'sell' : 'buy'
        const timeInForce = immediate[i] === 1 ? 'IOC' : 'GTC'
        book.limit({ side, id, size: quantity[i], price: price[i], timeInForce })
      }
    }

    depth() {
      const [asks, bids] = this.book.depth()
      const sorted = (levels, sign) => levels.toSorted((a, b) => sign * (a[0] - b[0]))
      return { bids: sorted(bids, -1), asks: sorted(asks, 1) }
    }
  }
}

/** limit-order-book, which computes in decimal strings; what is left of an IOC order is taken out again. */
export async function limitOrderBook() {
  const { default: library } = await import('limit-order-book')
  const { LimitOrder, LimitOrderBook } = library
  return class {
    constructor(messages) {
      this.messages = messages
      this.names = messages.names
      this.book = new LimitOrderBook({ symbol: 'BENCH', priceStep: '1', sizeStep: '1' })
    }

    apply(from, to) {
      const { book, names } = this
      const { type, sell, price, quantity, immediate } = this.messages
      for (let i = from; i < to; i++) {
        const id = names[i]
        if (type[i] !== messageType.add && !book.remove(id)) continue
        if (type[i] === messageType.cancel) continue
        const side = sell[i] === 1 ? 'ask' : 'bid'
        book.add(new LimitOrder(id, side, String(price[i]), String(quantity[i])))
        if (immediate[i] === 1) book.remove(id)
      }
    }

    depth() {
      const pairs = ({ queue }) =>
        queue.map((level) => [
          Number(level.price),
          level.queue.reduce((sum, order) => sum + Number(order.sizeRemaining), 0),
        ])
      return { bids: pairs(this.book.bidLevels), asks: pairs(this.book.askLevels) }
    }
  }
}
