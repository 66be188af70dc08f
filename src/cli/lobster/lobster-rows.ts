/** What a message says; the numbers are LOBSTER's. */
export const messageType = {
  submission: 1,
  reduction: 2,
  deletion: 3,
  execution: 4,
  hiddenExecution: 5,
  cross: 6,
  halt: 7,
} as const

/** Fields of a message row, by their place in `LobsterRows`. */
export interface MessageRow {
  readonly type: number
  readonly orderId: number
  readonly size: number
  /** Dollars x 10,000; for a halt -1, for its end 0 (quoting) and 1 (trading). */
  readonly price: number
  /** Side of the resting order: 0 buy, 1 sell. */
  readonly sell: number
}

const messagePattern = /^\d+(?:\.\d+)?,([1-7]),(\d+),(\d+),(-?\d+),(-?1)\s*$/

/** Reads a row of a message file: time, type, order id, size, price, direction. Undefined for any other text. */
export function parseMessageRow(line: string): MessageRow | undefined {
  const found = messagePattern.exec(line)
  if (!found) return undefined
  const [, type, orderId, size, price, direction] = found
  return {
    type: Number(type),
    orderId: Number(orderId),
    size: Number(size),
    price: Number(price),
    sell: direction === '-1' ? 1 : 0,
  }
}

/** The best prices of a side, with the size there; an empty side has the price 0. */
export interface Touch {
  readonly price: number
  readonly size: number
}

/** Best bid and ask. */
export interface Quote {
  readonly bid: Touch
  readonly ask: Touch
}

const emptyPrice = 9_999_999_999
const noTouch: Touch = { price: 0, size: 0 }

/** Reads the first level of a row of an order book file: ask price, ask size, bid price, bid size, … */
export function parseQuote(line: string): Quote | undefined {
  const columns = line.split(',', 4).map((text) => (text.trim() === '' ? Number.NaN : Number(text)))
  if (columns.length < 4 || !columns.every(Number.isSafeInteger)) return undefined
  const [askPrice, askSize, bidPrice, bidSize] = columns as [number, number, number, number]
  const touch = (price: number, size: number) =>
    Math.abs(price) === emptyPrice || size === 0 ? noTouch : { price, size }
  return { ask: touch(askPrice, askSize), bid: touch(bidPrice, bidSize) }
}

/** Columns of the table below. */
const column = {
  type: 0,
  orderId: 1,
  size: 2,
  price: 3,
  sell: 4,
  shownBidPrice: 5,
  shownBidSize: 6,
  shownAskPrice: 7,
  shownAskSize: 8,
  ourBidPrice: 9,
  ourBidSize: 10,
  ourAskPrice: 11,
  ourAskSize: 12,
  width: 13,
} as const

/** The rows that have been read, in one array of numbers: a day of a busy share has millions. */
export class LobsterRows {
  count = 0
  #cells = new Float64Array(column.width * 4096)

  add(row: MessageRow): number {
    const at = this.count * column.width
    if (at === this.#cells.length) {
      const grown = new Float64Array(at * 2)
      grown.set(this.#cells)
      this.#cells = grown
    }
    this.#cells[at + column.type] = row.type
    this.#cells[at + column.orderId] = row.orderId
    this.#cells[at + column.size] = row.size
    this.#cells[at + column.price] = row.price
    this.#cells[at + column.sell] = row.sell
    return this.count++
  }

  row(index: number): MessageRow {
    const at = index * column.width
    return {
      type: this.#cells[at + column.type]!,
      orderId: this.#cells[at + column.orderId]!,
      size: this.#cells[at + column.size]!,
      price: this.#cells[at + column.price]!,
      sell: this.#cells[at + column.sell]!,
    }
  }

  /** What the exchange showed after the message. */
  shown(index: number): Quote {
    return this.#quote(index, column.shownBidPrice)
  }

  setShown(index: number, quote: Quote): void {
    this.#setQuote(index, column.shownBidPrice, quote)
  }

  /** The touch of the local book after the message, and after the cancels that followed. */
  local(index: number): Quote {
    return this.#quote(index, column.ourBidPrice)
  }

  setLocal(index: number, quote: Quote): void {
    this.#setQuote(index, column.ourBidPrice, quote)
  }

  #quote(index: number, first: number): Quote {
    const at = index * column.width + first
    const cells = this.#cells
    return {
      bid: { price: cells[at]!, size: cells[at + 1]! },
      ask: { price: cells[at + 2]!, size: cells[at + 3]! },
    }
  }

  #setQuote(index: number, first: number, { bid, ask }: Quote): void {
    const at = index * column.width + first
    this.#cells[at] = bid.price
    this.#cells[at + 1] = bid.size
    this.#cells[at + 2] = ask.price
    this.#cells[at + 3] = ask.size
  }
}
