import {
  EventCursor,
  encodeCancel,
  encodeInstrument,
  encodeNew,
  encodePhase,
  encodeReduce,
  eventKinds,
  MatchingEngine,
  maxCommandWords,
  orderTypeCodes,
  phaseCodes,
  RecordBuffer,
  timeInForceCodes,
} from '../../matching/index.js'
import { VisibleBook } from './visible-book.js'

const { limit } = orderTypeCodes

/**
 * A matching engine in this thread that gets the same commands as the pool, so that what is to be sent next can be
 * decided without waiting for the disk. Its user compares it with the pool's own events afterwards.
 */
export class LocalEngine {
  readonly book = new VisibleBook()
  readonly #engine = new MatchingEngine({ hashSeed: 1 })
  readonly #words = new Int32Array(maxCommandWords)
  readonly #record = new RecordBuffer()
  readonly #cursor = new EventCursor()

  constructor(symbol: string, tickSize: string, lotSize: string) {
    encodeInstrument(this.#words, 0, 0, 0, {
      instrumentId: 0,
      symbol,
      tickSize,
      lotSize,
      replacePriority: 'keep-on-reduce',
      selfTradePrevention: 'none',
    })
    this.#apply()
  }

  new(
    orderId: number,
    account: number,
    sell: number,
    timeInForce: number,
    price: number,
    size: number,
  ): void {
    encodeNew(
      this.#words,
      0,
      0,
      0,
      0,
      orderId,
      account,
      sell,
      limit,
      timeInForce,
      0,
      0,
      price,
      size,
      0,
      0,
      0,
      0,
    )
    this.#apply()
    const rests = timeInForce === timeInForceCodes.GTC && !this.#rejected
    if (rests && size > this.#takenFromTaker) this.book.add(orderId, sell, price, size - this.#takenFromTaker)
  }

  reduce(orderId: number, size: number): void {
    encodeReduce(this.#words, 0, 0, 0, 0, orderId, size, -1, 0)
    this.#apply()
    if (!this.#rejected) this.book.reduce(orderId, size)
  }

  cancel(orderId: number): void {
    encodeCancel(this.#words, 0, 0, 0, 0, orderId, -1, 0)
    this.#apply()
    if (!this.#rejected) this.book.remove(orderId)
  }

  halt(): void {
    encodePhase(this.#words, 0, 0, 0, 0, phaseCodes.halted)
    this.#apply()
  }

  resume(): void {
    encodePhase(this.#words, 0, 0, 0, 0, phaseCodes.continuous)
    this.#apply()
  }

  /** Of the command applied last: what its order traded at once, and whether the book refused it. */
  #takenFromTaker = 0
  #rejected = false

  #apply(): void {
    const record = this.#record
    record.reset()
    this.#engine.apply(this.#words, 0, record)
    this.#takenFromTaker = 0
    this.#rejected = false
    this.#cursor.reset(record.i32, 0, record.byteLength / 4)
    for (let kind = this.#cursor.next(); kind !== 0; kind = this.#cursor.next()) {
      if (kind === eventKinds.rejected) this.#rejected = true
      if (kind !== eventKinds.trade) continue
      const { makerOrderId, quantity } = this.#cursor.trade
      this.#takenFromTaker += quantity
      this.book.reduce(makerOrderId, quantity)
    }
  }
}
