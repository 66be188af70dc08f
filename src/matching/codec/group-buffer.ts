import { detailsWordsMax, encodeDetails, type InstrumentDetails } from './instrument-details.js'
import { eventKinds, type InstrumentStatus } from './names.js'

const ACCEPTED = eventKinds.accepted
const TRADE = eventKinds.trade
const CANCELLED = eventKinds.cancelled
const REPLACED = eventKinds.replaced
const REJECTED = eventKinds.rejected
const TRIGGERED = eventKinds.triggered
const REPEATED = eventKinds.repeated

const INITIAL_WORDS = 1024

/**
 * One group in the making: a command record and the event records that it caused, back to back. Owned by the caller
 * and used over and over. `i32` and `u8` are views of the same memory and are replaced when it grows.
 *
 * A caller that builds several in one memory begins each with `next`; the words before it are the caller's.
 */
export class GroupBuffer {
  i32 = new Int32Array(INITIAL_WORDS)
  u8 = new Uint8Array(this.i32.buffer)
  /** `trade` and `rejected` events written since this buffer was made; `reset` leaves them. */
  trades = 0
  rejections = 0
  #words = 0
  #start = 0

  get byteLength(): number {
    return (this.#words - this.#start) * 4
  }

  /** The words between which the group stands. */
  get start(): number {
    return this.#start
  }

  get end(): number {
    return this.#words
  }

  /** Empties the memory but for the first `words`, which are the caller's: the next group begins after them. */
  reset(words = 0): void {
    this.#words = words
    this.#start = words
  }

  /** Begins another group after this one, with `words` between them that are the caller's; returns where those begin. */
  next(words: number): number {
    const at = this.claim(words)
    this.#start = this.#words
    return at
  }

  /** The group's bytes, until the buffer changes. */
  bytes(): Uint8Array {
    return this.u8.subarray(this.#start * 4, this.#words * 4)
  }

  /** Copies a command record to the end. */
  copy(words: Int32Array, from: number, count: number): void {
    const at = this.claim(count)
    const i32 = this.i32
    // Records are whole pairs of words. The shortest, a cancel, and the commonest, a plain new order, take no loop: one
    // whose length varies at random costs more than the copying.
    if (count === 12) {
      i32[at + 11] = words[from + 11]!
      i32[at + 10] = words[from + 10]!
      i32[at + 9] = words[from + 9]!
      i32[at + 8] = words[from + 8]!
      i32[at + 7] = words[from + 7]!
      i32[at + 6] = words[from + 6]!
    } else {
      for (let i = 6; i < count; i += 2) {
        i32[at + i] = words[from + i]!
        i32[at + i + 1] = words[from + i + 1]!
      }
    }
    if (count >= 6) {
      i32[at + 5] = words[from + 5]!
      i32[at + 4] = words[from + 4]!
    }
    i32[at + 3] = words[from + 3]!
    i32[at + 2] = words[from + 2]!
    i32[at + 1] = words[from + 1]!
    i32[at] = words[from]!
  }

  accepted(): void {
    this.#begin(ACCEPTED, 2, 0, 0)
  }

  trade(
    sellTaker: number,
    tradeId: number,
    makerId: number,
    takerId: number,
    price: number,
    quantity: number,
    makerAccount: number,
    takerAccount: number,
    makerRemaining: number,
    takerRemaining: number,
  ): void {
    const at = this.#begin(TRADE, 18, sellTaker, 0)
    this.trades++
    const i32 = this.i32
    i32[at + 2] = tradeId | 0
    i32[at + 3] = (tradeId / 4294967296) | 0
    i32[at + 4] = makerId | 0
    i32[at + 5] = (makerId / 4294967296) | 0
    i32[at + 6] = takerId | 0
    i32[at + 7] = (takerId / 4294967296) | 0
    i32[at + 8] = price | 0
    i32[at + 9] = (price / 4294967296) | 0
    i32[at + 10] = quantity | 0
    i32[at + 11] = (quantity / 4294967296) | 0
    i32[at + 12] = makerAccount
    i32[at + 13] = takerAccount
    i32[at + 14] = makerRemaining | 0
    i32[at + 15] = (makerRemaining / 4294967296) | 0
    i32[at + 16] = takerRemaining | 0
    i32[at + 17] = (takerRemaining / 4294967296) | 0
  }

  /** As `cancelled`, with order id and price as they stand in words: four of them at `from`. */
  cancelledWords(words: Int32Array, from: number, sell: number, remaining: number, reason: number): void {
    const at = this.#begin(CANCELLED, 8, sell, reason)
    const i32 = this.i32
    i32[at + 2] = words[from]!
    i32[at + 3] = words[from + 1]!
    i32[at + 4] = words[from + 2]!
    i32[at + 5] = words[from + 3]!
    i32[at + 6] = remaining | 0
    i32[at + 7] = (remaining / 4294967296) | 0
  }

  /** `sell` is 0 or 1; `reason` one of `cancelReasons`. */
  cancelled(orderId: number, sell: number, price: number, remaining: number, reason: number): void {
    this.#orderState(CANCELLED, orderId, sell, price, remaining, reason)
  }

  /** `sell` is 0 or 1; `reason` one of `replaceReasons`. */
  replaced(orderId: number, sell: number, price: number, quantity: number, reason: number): void {
    this.#orderState(REPLACED, orderId, sell, price, quantity, reason)
  }

  /** `code` is one of `rejectCodes`; the order id, as two words, is 0 where the command names no order. */
  rejected(orderIdLow: number, orderIdHigh: number, code: number): void {
    const at = this.#begin(REJECTED, 4, 0, code)
    this.rejections++
    this.i32[at + 2] = orderIdLow
    this.i32[at + 3] = orderIdHigh
  }

  triggered(orderId: number): void {
    const at = this.#begin(TRIGGERED, 4, 0, 0)
    this.i32[at + 2] = orderId | 0
    this.i32[at + 3] = (orderId / 4294967296) | 0
  }

  /** A request that was executed before; the order id as two words. Unknown quantities, -1, are written as 0. */
  repeated(
    orderIdLow: number,
    orderIdHigh: number,
    first: { status: number; code: number; filled: number; remaining: number; lsn: number },
  ): void {
    const at = this.#begin(REPEATED, 10, first.status, first.code)
    const i32 = this.i32
    const [filled, remaining] = [first.filled + 1, first.remaining + 1]
    i32[at + 2] = orderIdLow
    i32[at + 3] = orderIdHigh
    i32[at + 4] = filled | 0
    i32[at + 5] = (filled / 4294967296) | 0
    i32[at + 6] = remaining | 0
    i32[at + 7] = (remaining / 4294967296) | 0
    i32[at + 8] = first.lsn | 0
    i32[at + 9] = (first.lsn / 4294967296) | 0
  }

  /** An event that says nothing but its kind: `instrument-created`, `halted` or `resumed`. */
  plain(kind: number): void {
    this.#begin(kind, 2, 0, 0)
  }

  /** What an instrument says of itself now. */
  instrumentChanged(status: InstrumentStatus, details: InstrumentDetails | undefined): void {
    // Room for the longest: how much it takes is known when it stands there.
    const at = this.claim(2 + detailsWordsMax)
    const length = 2 + encodeDetails(this.i32, at + 2, { status, set: details ?? {}, removed: [] })
    this.#words = at + length
    this.i32[at] = eventKinds['instrument-changed'] | (length << 18)
    this.i32[at + 1] = 0
  }

  #orderState(
    kind: number,
    orderId: number,
    sell: number,
    price: number,
    quantity: number,
    aux: number,
  ): void {
    const at = this.#begin(kind, 8, sell, aux)
    const i32 = this.i32
    i32[at + 2] = orderId | 0
    i32[at + 3] = (orderId / 4294967296) | 0
    i32[at + 4] = price | 0
    i32[at + 5] = (price / 4294967296) | 0
    i32[at + 6] = quantity | 0
    i32[at + 7] = (quantity / 4294967296) | 0
  }

  #begin(kind: number, words: number, flags: number, aux: number): number {
    const at = this.claim(words)
    this.i32[at] = kind | (flags << 8) | (words << 18)
    this.i32[at + 1] = aux
    return at
  }

  /** Makes room for words at the end, which the caller fills, and returns where they begin. */
  claim(words: number): number {
    const at = this.#words
    const end = at + words
    if (end > this.i32.length) this.#grow(end)
    this.#words = end
    return at
  }

  #grow(words: number): void {
    let length = this.i32.length * 2
    while (length < words) length *= 2
    const i32 = new Int32Array(length)
    i32.set(this.i32)
    this.i32 = i32
    this.u8 = new Uint8Array(i32.buffer)
  }
}
