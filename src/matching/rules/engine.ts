import { allAssertions, broken } from '../../base/assert.js'
import { rejectCommand } from '../book/order-events.js'
import { ShardBooks } from '../book/shard-books.js'
import { type CopyCounts, type CopyTarget, ShardCopy } from '../book/shard-copy.js'
import { ShardRestore } from '../book/shard-restore.js'
import { verifyShard } from '../book/verify.js'
import {
  CANCEL_WORDS,
  commandAccount,
  HAS_CLIENT_ORDER_ID,
  HAS_TAG,
  isForAmount,
  NEW_HAS_REQUEST_ID,
  NEW_SELL,
  NEW_WORDS,
  OMITS_ORDER_ID,
  REPLACE_WORDS,
  readU64,
  TAG_WORDS,
} from '../codec/command-layout.js'
import { commandClientOrderId } from '../codec/command-reader.js'
import { EventCursor } from '../codec/event-reader.js'
import { decodeInstrument } from '../codec/instrument-record.js'
import { limits } from '../codec/limits.js'
import { commandKinds, eventKinds, rejectCodes, selfTradePreventionCodes } from '../codec/names.js'
import type { RecordBuffer } from '../codec/record-buffer.js'
import { blockAccount, isBlocked, unblockAccount } from './account-blocks.js'
import { cancelOrder, reduceOrder, rejectHalted, replaceOrder } from './amendments.js'
import { BookQuestions } from './book-questions.js'
import { bustTrade } from './busting.js'
import { settle } from './consequences.js'
import { cancelFast, moveFast, placeFast } from './fast-path.js'
import { changeInstrument, haltCode, limitViolation } from './instrument-rules.js'
import { giveOrderId, placeOrder } from './new-order.js'
import { cancelList, placeList } from './order-lists.js'
import { changePhase } from './phases.js'
import { cancelAll, expireOrders } from './sweeps.js'

const NEW = commandKinds.new
const CANCEL = commandKinds.cancel
const REPLACE = commandKinds.replace
const REDUCE = commandKinds.reduce
/** The first words of the commands that the fast path takes: no optional field but the tag, and no flag but `SELL`. */
const FAST_NEW = NEW | (NEW_WORDS << 18)
const FAST_CANCEL = CANCEL | (CANCEL_WORDS << 18)
const FAST_REPLACE = REPLACE | (REPLACE_WORDS << 18)
/** What a tag adds to them: the fast path takes commands with and without one. */
const TAG = HAS_TAG << 8
const TAG_IN_HEADER = TAG + (TAG_WORDS << 18)
const SELL = NEW_SELL << 8
/** In the terms of a new order: any type but limit, any time in force but GTC and IOC. */
const NOT_LIMIT = 0xfeff
const NOOP = commandKinds.noop
const LIST = commandKinds.list
const OMITS = OMITS_ORDER_ID << 8
const HAS_CLIENT = HAS_CLIENT_ORDER_ID << 8
/** The flag as it stands in a record's first word; it is the same one in new orders and amendments. */
const HAS_REQUEST_ID = NEW_HAS_REQUEST_ID << 8

/** Whether the command at a word offset is one of those that are completed where they are copied to. */
function isCompleted(words: Int32Array, at: number): boolean {
  const header = words[at]!
  return ((header & OMITS) !== 0 && (header & 0xff) <= REDUCE) || isForAmount(words, at)
}

/** Orders that are looked at for each command, on average, when all assertions run. */
const verifiedPerCommand = 1

/** What a matching engine is made with. */
export interface EngineOptions {
  /** Seed of the order index's hash; random by default. It decides memory layout only, never results. */
  readonly hashSeed?: number
}

/**
 * The order books of one shard. The same commands always give the same bytes: there is no clock, no randomness and no
 * dependence on memory layout in any result.
 */
export class MatchingEngine extends BookQuestions {
  readonly #shard: ShardBooks
  /** How many orders may be looked at for the commands since the books were last verified; only with all assertions. */
  #unverified = 0

  constructor(options: EngineOptions = {}) {
    super(new ShardBooks(options.hashSeed ?? Math.floor(Math.random() * 4294967296)))
    this.#shard = this.shard
    // Not a branch in `apply`: V8 would inline less of what it calls.
    if (allAssertions) this.apply = this.#applyAsserted
  }

  /**
   * Executes the command record at a word offset. The record is copied to the end of `record`, which the caller has
   * reset, and everything that it caused is appended. A command that the book refuses appends one `rejected` event;
   * nothing is thrown for any record made by this package's encoders.
   */
  apply(words: Int32Array, at: number, record: RecordBuffer): void {
    const header = words[at]!
    const shard = this.#shard
    if (shard.record !== record) shard.record = record
    const instrumentId = words[at + 1]! >>> 0
    const book = shard.books.find(instrumentId)
    if (book >= 0 && this.#applyFast(header, book, words, at)) return
    const kind = header & 0xff
    const to = record.end
    record.copy(words, at, header >>> 18)
    if (isCompleted(words, at)) this.#applyCompleted(kind, book, to)
    else if (book < 0) this.#applyWithoutBook(kind, words, at, instrumentId)
    else if ((header & HAS_REQUEST_ID) !== 0 && kind <= REDUCE) this.#applyRequest(kind, book, words, at)
    else this.#execute(kind, book, words, at)
  }

  /**
   * Executes the command that was copied to a word offset of the record and is completed there: with an order id that it does not
   * name, or a quantity. What stands there of these is what an earlier execution wrote, when the log is replayed: it is found out again.
   */
  #applyCompleted(kind: number, book: number, at: number): void {
    const { record } = this.#shard
    // The record's memory may be replaced by a larger one meanwhile: what is read here stays as it is.
    const words = record.i32
    if ((words[at]! & OMITS) !== 0) {
      words[at + 2] = 0
      words[at + 3] = 0
    }
    if (isForAmount(words, at)) {
      words[at + 8] = 0
      words[at + 9] = 0
    }
    if (book < 0) this.#applyWithoutBook(kind, words, at, words[at + 1]! >>> 0)
    else if ((words[at]! & HAS_REQUEST_ID) !== 0) this.#applyRequest(kind, book, words, at)
    else this.#execute(kind, book, words, at)
  }

  /** Finds the order that a command names by its client's id, and writes its id into the command; leaves 0 there when there is none. */
  #nameOrder(book: number, words: Int32Array, at: number): void {
    const { clients, orders } = this.#shard
    const order = clients.find(book, commandAccount(words, at), commandClientOrderId(words, at) ?? '')
    const id = order === 0 ? 0 : orders.id(order)
    words[at + 2] = id | 0
    words[at + 3] = (id / 4294967296) | 0
  }

  /** In the tests: checks the trades of each command and, as often as the number of orders allows, all the books. */
  #applyAsserted(words: Int32Array, at: number, record: RecordBuffer): void {
    const shard = this.#shard
    const book = shard.books.find(words[at + 1]! >>> 0)
    const before = book < 0 ? 0 : shard.books.trades(book)
    const from = record.end
    MatchingEngine.prototype.apply.call(this, words, at, record)
    const cursor = new EventCursor()
    cursor.reset(record.i32, from, record.end)
    let trades = before
    for (let kind = cursor.next(); kind !== 0; kind = cursor.next()) {
      if (kind !== eventKinds.trade) continue
      trades++
      if (cursor.trade.tradeId !== trades)
        broken('trade ids have no gap', { found: cursor.trade.tradeId, expected: trades })
    }
    if (book >= 0 && shard.books.trades(book) !== trades)
      broken('a book counts its trades', { counted: shard.books.trades(book), trades })
    this.#unverified += verifiedPerCommand
    if (this.#unverified < shard.orders.used + shard.books.size) return
    this.#unverified = 0
    verifyShard(shard)
  }

  /** Executes the commonest commands in their commonest form, and nothing if it is not one of them. */
  #applyFast(header: number, book: number, words: Int32Array, at: number): boolean {
    const shard = this.#shard
    // Pegs may follow what it does.
    if (shard.pegs.size !== 0 && shard.pegs.inBook(book)?.first !== undefined) return false
    const untagged = (header & TAG) === 0 ? header : header - TAG_IN_HEADER
    if (untagged === FAST_CANCEL) return cancelFast(shard, book, words, at)
    if (!shard.books.isUnrestricted(book) && !this.#mayPlace(header, book, words, at)) return false
    if ((untagged & ~SELL) === FAST_NEW)
      return (words[at + 5]! & NOT_LIMIT) === 0 && placeFast(shard, book, words, at)
    return untagged === FAST_REPLACE && moveFast(shard, book, words, at)
  }

  /**
   * Whether a new order or a replace is within the limits of its instrument, which is open, and its account not blocked. One that is
   * has no orders to replace.
   */
  #mayPlace(header: number, book: number, words: Int32Array, at: number): boolean {
    const { books } = this.#shard
    const isNew = (header & 0xff) === NEW
    if (!books.isContinuous(book) || (isNew && books.maxAccountOrders(book) !== Number.POSITIVE_INFINITY))
      return false
    if (isNew && isBlocked(this.#shard, book, words[at + 4]! >>> 0)) return false
    const priceAt = isNew ? at + 6 : at + 4
    return limitViolation(books, book, readU64(words, priceAt), readU64(words, priceAt + 2)) === 0
  }

  /** Executes a command that carries a request id, unless it was executed before. */
  #applyRequest(kind: number, book: number, words: Int32Array, at: number): void {
    const { requests, record } = this.#shard
    const account = commandAccount(words, at)
    if (requests.answer(book, account, words, at, record)) return
    this.#execute(kind, book, words, at)
    requests.note(book, account, words, at, record)
  }

  #execute(kind: number, book: number, words: Int32Array, at: number): void {
    const shard = this.#shard
    if ((words[at]! & OMITS) !== 0 && kind <= REDUCE) {
      if (kind !== NEW) this.#nameOrder(book, words, at)
      else if (!giveOrderId(shard, book, words, at)) return
    }
    shard.commandSaysClient = kind <= REDUCE && (words[at]! & HAS_CLIENT) !== 0
    shard.commandOrderId = kind <= REDUCE ? readU64(words, at + 2) : 0
    if (kind <= REDUCE && kind !== CANCEL && !shard.books.isContinuous(book) && !shard.books.isCall(book)) {
      const code = haltCode(shard.books, book)
      if (kind === NEW) rejectCommand(shard, words, at, code)
      else rejectHalted(shard, book, words, at, code)
      return
    }
    if (kind === NEW) placeOrder(shard, book, words, at)
    else if (kind === CANCEL) cancelOrder(shard, book, words, at)
    else if (kind === REPLACE) replaceOrder(shard, book, words, at)
    else this.#applyRare(kind, book, words, at)
    if (shard.books.stops(book) !== 0 || shard.lists.due.length !== 0 || shard.pegs.size !== 0)
      settle(shard, book)
  }

  #applyRare(kind: number, book: number, words: Int32Array, at: number): void {
    const shard = this.#shard
    switch (kind) {
      case REDUCE:
        reduceOrder(shard, book, words, at)
        return
      case LIST:
        // The ids that it leaves to the book are written into the record.
        placeList(shard, book, shard.record.i32, shard.record.start)
        return
      case commandKinds['cancel-list']:
        cancelList(shard, book, words, at)
        return
      case commandKinds['cancel-all']:
        cancelAll(shard, book, words, at)
        return
      case commandKinds.expire:
        expireOrders(shard, book, words, at)
        return
      case commandKinds.phase:
        changePhase(shard, book, words, at)
        return
      case commandKinds.bust:
        bustTrade(shard, book, words, at)
        return
      case commandKinds['instrument-change']:
        changeInstrument(shard, book, words, at)
        return
      case commandKinds.block:
        blockAccount(shard, book, words, at)
        return
      case commandKinds.unblock:
        unblockAccount(shard, book, words, at)
        return
      case commandKinds.instrument:
        rejectCommand(shard, words, at, rejectCodes.DUPLICATE_INSTRUMENT)
        return
    }
  }

  #applyWithoutBook(kind: number, words: Int32Array, at: number, instrumentId: number): void {
    const shard = this.#shard
    const { record } = shard
    if (kind === NOOP) return
    if (kind !== commandKinds.instrument || instrumentId > limits.maxInstrumentId) {
      rejectCommand(shard, words, at, rejectCodes.UNKNOWN_INSTRUMENT)
      return
    }
    const definition = decodeInstrument(words, at)
    shard.books.add(definition, selfTradePreventionCodes[definition.selfTradePrevention])
    shard.levels.reserveBooks(shard.books.size)
    shard.trails.reserveBooks(shard.books.size)
    record.plain(eventKinds['instrument-created'])
  }

  /**
   * Whether the command record at a word offset carries a request id: then `settleRequests` must be called when it is known
   * at which LSN its record ends, because a repetition is answered with that LSN.
   */
  hasRequestId(words: Int32Array, at: number): boolean {
    return (words[at]! & HAS_REQUEST_ID) !== 0 && (words[at]! & 0xff) <= REDUCE
  }

  /**
   * Whether the command record at a word offset has the id of a request of which the LSN is not known yet: then
   * `settleRequests` must be called before it is applied.
   */
  repeatsUnsettled(words: Int32Array, at: number): boolean {
    const { requests, books } = this.#shard
    if (!requests.hasUnsettled || !this.hasRequestId(words, at)) return false
    const book = books.find(words[at + 1]! >>> 0)
    return book >= 0 && requests.isUnsettled(book, commandAccount(words, at), words, at)
  }

  /**
   * Says where the records of commands with request ids stand in the log, those of which it was not said yet and which end at
   * the word `end` of their buffer or before: that word is at `lsn`.
   */
  settleRequests(lsn: number, end: number): void {
    this.#shard.requests.settle(lsn, end)
  }

  /**
   * Begins a copy of all books as they are now. Commands may be executed between its steps, and are not in it. One copy
   * at a time is made.
   */
  copy(target: CopyTarget): ShardCopy {
    return new ShardCopy(this.#shard, target)
  }

  /** Begins to restore the books of a copy for whose instruments `takes` returns true. The engine must not have them yet. */
  restore(counts: CopyCounts, takes: (instrumentId: number) => boolean): ShardRestore {
    return new ShardRestore(this.#shard, counts, takes)
  }

  /**
   * Checks that all structures agree with each other, for tests: it looks at every order.
   *
   * @throws InvariantError `TIDEMARK_INVARIANT` that names the first disagreement.
   */
  verify(): void {
    verifyShard(this.#shard)
  }
}
