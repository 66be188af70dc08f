import { clientOrderIdWords, writeClientOrderId } from './client-order-id.js'
import {
  CODE_FOLLOWS,
  EVENT_HAS_CLIENT_ORDER_ID,
  EVENT_HAS_FILLED,
  EVENT_HAS_ORDER_ID,
  EVENT_HAS_PRICE,
  EVENT_HEADER_WORDS,
  REASON_SHIFT as LAYOUT_REASON_SHIFT,
  TRADE_WORDS as LAYOUT_TRADE_WORDS,
  REPEATED_WORDS,
  TRADE_HAS_MAKER_REMAINING,
  TRADE_HAS_TAKER,
  TRADE_HAS_TAKER_REMAINING,
  TRADE_IN_UNCROSS,
} from './event-layout.js'
import { detailsWordsMax, encodeDetails, type InstrumentDetails } from './instrument-details.js'
import { eventKinds } from './names.js'

// Copied because V8 folds a module's own constants only; an imported one is loaded each time.
const ACCEPTED = eventKinds.accepted
const TRADE = eventKinds.trade
const CANCELLED = eventKinds.cancelled
const REJECTED = eventKinds.rejected
const REPEATED = eventKinds.repeated
const HEADER_WORDS = EVENT_HEADER_WORDS
const TRADE_WORDS = LAYOUT_TRADE_WORDS
const HAS_ORDER_ID = EVENT_HAS_ORDER_ID
const HAS_PRICE = EVENT_HAS_PRICE
const HAS_FILLED = EVENT_HAS_FILLED
const HAS_CLIENT_ORDER_ID = EVENT_HAS_CLIENT_ORDER_ID
const HAS_TAKER = TRADE_HAS_TAKER
const HAS_MAKER_REMAINING = TRADE_HAS_MAKER_REMAINING
const HAS_TAKER_REMAINING = TRADE_HAS_TAKER_REMAINING
const PHASE_CHANGED = eventKinds['phase-changed']
const IN_UNCROSS = TRADE_IN_UNCROSS
const REASON_SHIFT = LAYOUT_REASON_SHIFT

const INITIAL_WORDS = 1024

/**
 * One record in the making: a command record and the event records that it caused, back to back. Owned by the caller
 * and used over and over. `i32` and `u8` are views of the same memory and are replaced when it grows.
 *
 * A caller that builds several in one memory begins each with `next`; the words before it are the caller's.
 */
export class RecordBuffer {
  /** The record as 32-bit words. */
  i32: Int32Array = new Int32Array(INITIAL_WORDS)
  /** The same memory as bytes. */
  u8: Uint8Array = new Uint8Array(this.i32.buffer)
  /** `trade` and `rejected` events written since this buffer was made; `reset` leaves them. */
  trades = 0
  /** How many of the events are rejections. */
  rejections = 0
  #words = 0
  #start = 0
  /** Where the last event about an order begins. */
  #last = 0

  /** The size of the record so far, in bytes. */
  get byteLength(): number {
    return (this.#words - this.#start) * 4
  }

  /** The words between which the record stands. */
  get start(): number {
    return this.#start
  }

  /** The word at which the next event begins. */
  get end(): number {
    return this.#words
  }

  /** Empties the memory but for the first `words`, which are the caller's: the next record begins after them. */
  reset(words = 0): void {
    this.#words = words
    this.#start = words
  }

  /** Begins another record after this one, with `words` between them that are the caller's; returns where those begin. */
  next(words: number): number {
    const at = this.claim(words)
    this.#start = this.#words
    return at
  }

  /** The record's bytes, until the buffer changes. */
  bytes(): Uint8Array {
    return this.u8.subarray(this.#start * 4, this.#words * 4)
  }

  /** Copies a command record to the end. */
  copy(words: Int32Array, from: number, count: number): void {
    const at = this.claim(count)
    const i32 = this.i32
    // Records are whole pairs of words. A plain cancel and a plain new order take no loop, without a tag: one whose length
    // varies at random costs more than the copying.
    if (count >= 10) {
      for (let i = 10; i < count; i += 2) {
        i32[at + i] = words[from + i]!
        i32[at + i + 1] = words[from + i + 1]!
      }
      i32[at + 9] = words[from + 9]!
      i32[at + 8] = words[from + 8]!
      i32[at + 7] = words[from + 7]!
      i32[at + 6] = words[from + 6]!
      i32[at + 5] = words[from + 5]!
      i32[at + 4] = words[from + 4]!
    } else {
      for (let i = 4; i < count; i += 2) {
        i32[at + i] = words[from + i]!
        i32[at + i + 1] = words[from + i + 1]!
      }
    }
    if (count >= 4) {
      i32[at + 3] = words[from + 3]!
      i32[at + 2] = words[from + 2]!
    }
    i32[at + 1] = words[from + 1]!
    i32[at] = words[from]!
  }

  /** Adds an event: a new order passed every check. */
  accepted(account: number): void {
    this.#begin(ACCEPTED, HEADER_WORDS, 0, account)
  }

  /**
   * A trade. `takerId` is 0 when the taker is the new order that stands at the beginning of the record: its id and account
   * are not repeated. Returns where it begins.
   */
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
  ): number {
    let flags = sellTaker
    let words = TRADE_WORDS
    if (takerId !== 0) {
      flags |= HAS_TAKER
      words += 4
    }
    if (makerRemaining !== 0) {
      flags |= HAS_MAKER_REMAINING
      words += 2
    }
    if (takerRemaining !== 0) {
      flags |= HAS_TAKER_REMAINING
      words += 2
    }
    const at = this.#begin(TRADE, words, flags, makerAccount)
    this.trades++
    const i32 = this.i32
    i32[at + 2] = tradeId | 0
    i32[at + 3] = (tradeId / 4294967296) | 0
    i32[at + 4] = makerId | 0
    i32[at + 5] = (makerId / 4294967296) | 0
    i32[at + 6] = price | 0
    i32[at + 7] = (price / 4294967296) | 0
    i32[at + 8] = quantity | 0
    i32[at + 9] = (quantity / 4294967296) | 0
    let next = at + TRADE_WORDS
    if (takerId !== 0) {
      i32[next] = takerId | 0
      i32[next + 1] = (takerId / 4294967296) | 0
      i32[next + 2] = takerAccount
      i32[next + 3] = 0
      next += 4
    }
    if (makerRemaining !== 0) {
      i32[next] = makerRemaining | 0
      i32[next + 1] = (makerRemaining / 4294967296) | 0
      next += 2
    }
    if (takerRemaining !== 0) {
      i32[next] = takerRemaining | 0
      i32[next + 1] = (takerRemaining / 4294967296) | 0
    }
    return at
  }

  /**
   * A `cancelled`, `replaced` or `triggered` event. Each of these is written only if it is not what is given here in brackets:
   * `orderId` (0: that of the command), `price` (0: that of the command, or none), `quantity` (0: that of the command),
   * `filled` (0) and `clientOrderId` (none, or that of the command).
   */
  order(
    kind: number,
    sell: number,
    reason: number,
    account: number,
    orderId: number,
    price: number,
    quantity: number,
    filled: number,
    clientOrderId: string,
  ): void {
    const flags =
      sell |
      (orderId === 0 ? 0 : HAS_ORDER_ID) |
      (price === 0 ? 0 : HAS_PRICE) |
      (filled === 0 ? 0 : HAS_FILLED) |
      (clientOrderId === '' ? 0 : HAS_CLIENT_ORDER_ID)
    const at = this.#begin(kind, HEADER_WORDS, flags | (reason << REASON_SHIFT), account)
    if (orderId !== 0) this.#field(orderId)
    if (price !== 0) this.#field(price)
    if (quantity !== 0 || kind === CANCELLED) this.#field(quantity)
    if (filled !== 0) this.#field(filled)
    if (clientOrderId !== '') this.#clientOrderId(clientOrderId)
    this.#end(at)
  }

  /** `code` is one of `rejectCodes`; `account` the one that the command states, or 0. */
  rejected(account: number, code: number): void {
    this.#last = this.#begin(REJECTED, HEADER_WORDS, shortCode(code) << REASON_SHIFT, account)
    this.#addCode(code)
    this.rejections++
  }

  /** A leg of the list at the beginning of the record, from 0, was accepted. */
  acceptedLeg(account: number, leg: number): void {
    this.#begin(ACCEPTED, HEADER_WORDS, leg << REASON_SHIFT, account)
  }

  /** As `rejected`, because of a leg of the list at the beginning of the record. */
  rejectedLeg(account: number, code: number, leg: number): void {
    this.rejected(account, code)
    this.i32[this.#last]! |= (leg + 1) << 8
  }

  /** As `rejected`, of a command that names a live order: `sell`, `price` and `filled` are that order's. */
  rejectedOrder(
    code: number,
    account: number,
    sell: number,
    price: number,
    filled: number,
    clientOrderId: string,
  ): void {
    this.rejections++
    this.order(REJECTED, sell, shortCode(code), account, 0, price, 0, filled, clientOrderId)
    this.i32[this.#last]! |= HAS_ORDER_ID << 8
    this.#addCode(code)
  }

  /** A request that was executed before. Unknown quantities, -1, are written as 0. */
  repeated(
    account: number,
    first: { status: number; code: number; filled: number; remaining: number; lsn: number },
  ): void {
    const flags = first.status | (shortCode(first.code) << REASON_SHIFT)
    const at = this.#begin(REPEATED, REPEATED_WORDS, flags, account)
    const i32 = this.i32
    const [filled, remaining] = [first.filled + 1, first.remaining + 1]
    i32[at + 2] = filled | 0
    i32[at + 3] = (filled / 4294967296) | 0
    i32[at + 4] = remaining | 0
    i32[at + 5] = (remaining / 4294967296) | 0
    i32[at + 6] = first.lsn | 0
    i32[at + 7] = (first.lsn / 4294967296) | 0
    this.#last = at
    this.#addCode(first.code)
  }

  /** An event that says nothing but its kind: `instrument-created`, `volatility-interruption` or `trade-busted`. */
  plain(kind: number): void {
    this.#begin(kind, HEADER_WORDS, 0, 0)
  }

  /** The instrument's phase, by its code, and its options (`PHASE_…`). */
  phaseChanged(phase: number, options: number): void {
    this.#begin(PHASE_CHANGED, HEADER_WORDS, options | (phase << REASON_SHIFT), 0)
  }

  /** Marks the trade at a word offset, which is the last event, as made at the price of a call. */
  markUncross(at: number): void {
    this.i32[at]! |= IN_UNCROSS << 8
  }

  /** An event that says its kind and an account: `account-blocked` or `account-unblocked`. */
  accountEvent(kind: number, account: number): void {
    this.#begin(kind, HEADER_WORDS, 0, account)
  }

  /** What an instrument says of itself now. */
  instrumentChanged(details: InstrumentDetails | undefined): void {
    // Room for the longest: how much it takes is known when it stands there.
    const at = this.claim(HEADER_WORDS + detailsWordsMax)
    const change = { set: details ?? {}, removed: [] }
    const length = HEADER_WORDS + encodeDetails(this.i32, at + HEADER_WORDS, change)
    this.#words = at + length
    this.i32[at] = eventKinds['instrument-changed'] | (length << 18)
    this.i32[at + 1] = 0
  }

  #begin(kind: number, words: number, flags: number, account: number): number {
    const at = this.claim(words)
    this.i32[at] = kind | (flags << 8) | (words << 18)
    this.i32[at + 1] = account
    return at
  }

  #clientOrderId(id: string): void {
    const at = this.claim(clientOrderIdWords(id.length))
    writeClientOrderId(this.i32, at, id)
  }

  /** Adds a u64 to the event at hand. */
  #field(value: number): void {
    const at = this.claim(2)
    this.i32[at] = value | 0
    this.i32[at + 1] = (value / 4294967296) | 0
  }

  /** Adds a code for which the first word of the last event has no room. */
  #addCode(code: number): void {
    if (code < CODE_FOLLOWS) return
    this.#field(code)
    this.i32[this.#last]! += 2 << 18
  }

  /** Sets the length of the event that begins at `at`, which is the last. */
  #end(at: number): void {
    this.#last = at
    this.i32[at]! += (this.#words - at - HEADER_WORDS) << 18
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

/** The code as the first word of an event has it. */
function shortCode(code: number): number {
  return code < CODE_FOLLOWS ? code : CODE_FOLLOWS
}
