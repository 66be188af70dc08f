import { MORE_SHIFT } from '../codec/command-layout.js'
import { commandClientOrderId } from '../codec/command-reader.js'
import { timeInForceCodes } from '../codec/names.js'
import { NewOrderFields } from '../codec/new-order-fields.js'
import { RecordBuffer } from '../codec/record-buffer.js'
import { AccountIndex } from './account-index.js'
import { BlockedAccounts } from './blocked-accounts.js'
import { BookTable } from './book-table.js'
import { Busts } from './busts.js'
import { ClientOrderIds } from './client-order-ids.js'
import { levelFields } from './level-store.js'
import { OrderIndex } from './order-index.js'
import { OrderLists } from './order-lists.js'
import {
  FLAG_CLIENT_ID,
  FLAG_LISTED,
  FLAG_PEGGED,
  FLAG_SELF_TRADE_GROUP,
  FLAG_TIME_IN_FORCE_SHIFT,
  FLAG_TRAILING,
  FLAG_WAITING,
  OrderStore,
  orderFields,
} from './order-store.js'
import { PeggedOrders } from './pegged-orders.js'
import { PriceLevels } from './price-levels.js'
import { recordMask } from './record-masks.js'
import { RequestLedger } from './request-ledger.js'
import { SelfTradeGroups } from './self-trade-groups.js'
import { TrailingStops } from './trailing-stops.js'

// The moves below touch the records directly: V8 stops inlining accessors when a function has taken in about 900 bytes
// of bytecode, and each call that is left costs 2 to 3 ns. The constants are copied because V8 folds a module's own
// constants only; an imported one is loaded each time.
const DAY = timeInForceCodes.DAY
const TIME_IN_FORCE_SHIFT = FLAG_TIME_IN_FORCE_SHIFT
const WAITING = FLAG_WAITING
const CLIENT_ID = FLAG_CLIENT_ID
const SELF_TRADE_GROUP = FLAG_SELF_TRADE_GROUP
const PEGGED = FLAG_PEGGED
const MORE = MORE_SHIFT
const LISTED = FLAG_LISTED
const ID = orderFields.id
const PRICE = orderFields.price
const OPEN = orderFields.open
const SHOWN = orderFields.shown
const NEXT = orderFields.next
const PREVIOUS = orderFields.previous
const LEVEL = orderFields.level
const ACCOUNT = orderFields.account
const FLAGS = orderFields.flags
const BOOK = orderFields.book
const LEVEL_SHOWN = levelFields.shown
const LEVEL_HIDDEN = levelFields.hidden
const LEVEL_HEAD = levelFields.head
const LEVEL_TAIL = levelFields.tail
const LEVEL_COUNT = levelFields.count

const RECORD = recordMask
/**
 * An order without any of these bits is neither a waiting stop nor DAY or GTD, which a book counts, and has nothing that is kept
 * elsewhere.
 */
const COUNTED_FLAGS = WAITING | CLIENT_ID | SELF_TRADE_GROUP | PEGGED | LISTED | (7 << TIME_IN_FORCE_SHIFT)

/** Whether an `expire` command could ever kill an order with these flags. */
export function canExpire(flags: number): boolean {
  return ((flags >> TIME_IN_FORCE_SHIFT) & 7) >= DAY
}

/** Read again for each order with extras. */
const fields = new NewOrderFields()

/** The state of all books of one shard, and the moves that every rule is made of. */
export class ShardBooks {
  readonly orders = new OrderStore()
  readonly index: OrderIndex
  readonly levels: PriceLevels
  readonly accounts = new AccountIndex(this.orders)
  readonly books = new BookTable()
  readonly requests = new RequestLedger()
  readonly clients = new ClientOrderIds()
  readonly busts = new Busts()
  readonly blocked = new BlockedAccounts()
  readonly groups = new SelfTradeGroups()
  readonly pegs = new PeggedOrders()
  readonly trails = new TrailingStops()
  readonly lists = new OrderLists()
  /** Where the events of the command at hand go. */
  record = new RecordBuffer()
  /** The order id that the command at hand names, 0 when it names none: events do not repeat it. */
  commandOrderId = 0
  /** Whether that command has the client's own id of the order. */
  commandSaysClient = false
  /** The record of the order that crosses, 0 for a new order, which has none; set before crossing. */
  aggressor = 0
  /** What that order has traded, in lots; set before crossing to what it had traded before. */
  aggressorFilled = 0
  /** The self-trade group of that order, 0 for none; set before crossing. */
  aggressorGroup = 0
  /** Set by crossing: self-trade prevention has ended the aggressor. What is left of it, if anything, is to be cancelled. */
  aggressorStopped = false
  /** Set by crossing: the next trade of the aggressor would have been outside the price bands. */
  aggressorBanded = false
  /** Set by crossing: how much of the aggressor went to decrement prevention instead of trades, in lots. */
  aggressorDecremented = 0
  /** The queue of triggered stops that have not acted yet, linked through `next`; empty between commands. */
  firstTriggered = 0
  lastTriggered = 0

  constructor(hashSeed: number) {
    this.levels = new PriceLevels(hashSeed)
    this.index = new OrderIndex(this.orders, hashSeed)
  }

  /**
   * Makes a record for the order of the new-order command at `at` and lists it under its id and its account. It is in
   * no queue yet.
   */
  admit(book: number, words: Int32Array, at: number, flags: number): number {
    const { orders } = this
    const order = orders.allocate()
    const { i32 } = orders
    const base = order << 4
    const account = words[at + 4]!
    i32[base + ID] = words[at + 2]!
    i32[base + ID + 1] = words[at + 3]!
    i32[base + PRICE] = words[at + 6]!
    i32[base + PRICE + 1] = words[at + 7]!
    i32[base + ACCOUNT] = account
    i32[base + FLAGS] = flags
    i32[base + BOOK] = book
    this.index.insert(order)
    this.accounts.add(order, book, account)
    if (((flags >> TIME_IN_FORCE_SHIFT) & 7) >= DAY) this.books.addExpiring(book, 1)
    const client = commandClientOrderId(words, at)
    if (client !== undefined) {
      i32[base + FLAGS] = flags | CLIENT_ID
      this.clients.add(book, account >>> 0, order, client)
    }
    if (words[at + 5]! >>> MORE !== 0) this.#admitExtras(order, words, at)
    return order
  }

  #admitExtras(order: number, words: Int32Array, at: number): void {
    fields.read(words, at)
    const { selfTradeGroup } = fields
    if (selfTradeGroup === 0) return
    this.orders.i32[(order << 4) + FLAGS]! |= SELF_TRADE_GROUP
    this.groups.set(order, selfTradeGroup)
  }

  /** The order with this record is the one that crosses next. */
  setAggressor(order: number): void {
    this.aggressor = order
    this.aggressorFilled = this.orders.filled(order)
    this.aggressorGroup = this.groups.of(order)
  }

  /** Undoes `admit`. The order must be in no queue. */
  dismiss(order: number): void {
    const { orders } = this
    const { i32 } = orders
    const base = order << 4
    const book = i32[base + BOOK]!
    const flags = i32[base + FLAGS]!
    this.index.remove(order)
    this.accounts.remove(order)
    if ((flags & COUNTED_FLAGS) !== 0) this.uncount(book, order, flags)
    orders.release(order)
  }

  /** Puts an order at the back of the queue at a price of a book side. */
  enqueue(order: number, bookSide: number, price: number, open: number, shown: number): void {
    const { levels } = this
    this.append(order, levels.find(bookSide, price) || levels.insert(bookSide, price), open, shown)
  }

  /** Puts an order at the back of a level's queue. */
  append(order: number, level: number, open: number, shown: number): void {
    const { i32, f64 } = this.orders
    const levelWords = this.levels.i32
    const levelDoubles = this.levels.f64
    const base = order << 4
    const levelBase = level << 4
    const tail = levelWords[levelBase + LEVEL_TAIL]!
    const { copyFrom } = this.orders
    if (order >= copyFrom) this.orders.keep(order)
    if (tail >= copyFrom) this.orders.keep(tail)
    f64[(order << 3) + OPEN] = open
    f64[(order << 3) + SHOWN] = shown
    i32[base + LEVEL] = level
    i32[base + NEXT] = 0
    i32[base + PREVIOUS] = tail
    if (tail === 0) levelWords[levelBase + LEVEL_HEAD] = order
    else i32[(tail << 4) + NEXT] = order
    levelWords[levelBase + LEVEL_TAIL] = order
    levelWords[levelBase + LEVEL_COUNT]! += 1
    levelDoubles[(level << 3) + LEVEL_SHOWN]! += shown
    levelDoubles[(level << 3) + LEVEL_HIDDEN]! += open - shown
  }

  /** Takes an order out of its queue, and the level out of its book side if that was the last. */
  dequeue(order: number): void {
    const { i32, f64 } = this.orders
    const base = order << 4
    const level = i32[base + LEVEL]!
    const next = i32[base + NEXT]!
    const previous = i32[base + PREVIOUS]!
    const { copyFrom } = this.orders
    if (order >= copyFrom) this.orders.keep(order)
    if (previous >= copyFrom) this.orders.keep(previous)
    if ((next | previous) === 0) {
      this.levels.remove(level)
      return
    }
    const levelWords = this.levels.i32
    const levelDoubles = this.levels.f64
    const levelBase = level << 4
    const shown = f64[(order << 3) + SHOWN]!
    if (previous === 0) levelWords[levelBase + LEVEL_HEAD] = next
    else i32[(previous << 4) + NEXT] = next
    if (next === 0) levelWords[levelBase + LEVEL_TAIL] = previous
    else i32[(next << 4) + PREVIOUS] = previous
    levelWords[levelBase + LEVEL_COUNT]! -= 1
    levelDoubles[(level << 3) + LEVEL_SHOWN]! -= shown
    levelDoubles[(level << 3) + LEVEL_HIDDEN]! -= f64[(order << 3) + OPEN]! - shown
  }

  /** Moves an order to the back of its own queue. */
  moveToBack(order: number): void {
    const { orders, levels } = this
    const next = orders.next(order)
    if (next === 0) return
    const level = orders.level(order)
    const previous = orders.previous(order)
    const tail = levels.tail(level)
    if (previous === 0) levels.setHead(level, next)
    else orders.setNext(previous, next)
    orders.setPrevious(next, previous)
    orders.setNext(order, 0)
    orders.setPrevious(order, tail)
    orders.setNext(tail, order)
    levels.setTail(level, order)
  }

  /** Changes the quantities of a queued order where it stands. */
  resize(order: number, open: number, shown: number): void {
    const { orders, levels } = this
    const level = orders.level(order)
    const oldShown = orders.shown(order)
    const oldHidden = orders.open(order) - oldShown
    const hidden = open - shown
    orders.setQuantities(order, open, shown)
    if (shown !== oldShown) levels.addShown(level, shown - oldShown)
    if (hidden !== oldHidden) levels.addHidden(level, hidden - oldHidden)
  }

  /** Books what an aggressor lost in crossing as filled, but for what self-trade prevention took. */
  noteAggressorFill(order: number, lost: number): void {
    const filled = lost - this.aggressorDecremented
    if (filled !== 0) this.noteFill(order, filled)
  }

  /** Books a fill that leaves something of an order. */
  noteFill(order: number, quantity: number): void {
    this.orders.addFilled(order, quantity)
    if ((this.orders.flags(order) & LISTED) !== 0) this.lists.noteTraded(order)
  }

  /** Takes a queued order out of its queue, the index and its account's list, and frees its record. */
  discard(queued: number): void {
    const order = queued & RECORD
    const { orders, levels } = this
    const { i32, f64 } = orders
    const base = order << 4
    const level = i32[base | LEVEL]! & RECORD
    const next = i32[base | NEXT]! & RECORD
    const previous = i32[base | PREVIOUS]! & RECORD
    const flags = i32[base | FLAGS]!
    if (order >= orders.copyFrom) orders.keep(order)
    if (previous >= orders.copyFrom) orders.keep(previous)
    if ((flags & COUNTED_FLAGS) !== 0) this.uncount(i32[base | BOOK]!, order, flags)
    if ((next | previous) === 0) levels.remove(level)
    else {
      const levelWords = levels.i32
      const levelDoubles = levels.f64
      const levelBase = level << 4
      const shown = f64[(order << 3) | SHOWN]!
      if (previous === 0) levelWords[levelBase | LEVEL_HEAD] = next
      else i32[(previous << 4) | NEXT] = next
      if (next === 0) levelWords[levelBase | LEVEL_TAIL] = previous
      else i32[(next << 4) | PREVIOUS] = previous
      levelWords[levelBase | LEVEL_COUNT]! -= 1
      levelDoubles[(level << 3) | LEVEL_SHOWN]! -= shown
      levelDoubles[(level << 3) | LEVEL_HIDDEN]! -= f64[(order << 3) | OPEN]! - shown
    }
    this.index.remove(order)
    this.accounts.remove(order)
    orders.release(order)
  }

  /** Blocks an account in a book, or ends that. */
  setBlocked(book: number, account: number, isBlocked: boolean): void {
    const { books, blocked } = this
    books.keep(book)
    if (isBlocked) blocked.add(book, account)
    else blocked.remove(book, account)
    books.setBlocking(book, blocked.count(book) > 0)
  }

  /**
   * Takes an order with these flags out of its book's counts of waiting orders and of orders that can expire, and forgets what is
   * kept of it elsewhere. Its list hears of it.
   */
  uncount(book: number, order: number, flags: number): void {
    if ((flags & CLIENT_ID) !== 0) this.clients.remove(book, this.orders.account(order), order)
    if ((flags & SELF_TRADE_GROUP) !== 0) this.groups.remove(order)
    if ((flags & PEGGED) !== 0) this.pegs.remove(book, order)
    if (canExpire(flags)) this.books.addExpiring(book, -1)
    if ((flags & WAITING) !== 0) this.books.addStops(book, -1)
    if ((flags & FLAG_TRAILING) !== 0) this.trails.remove(order, book, flags & 1)
    if ((flags & LISTED) !== 0) this.lists.noteGone(order)
  }
}
