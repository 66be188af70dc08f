import { broken } from '../../base/assert.js'
import { listTypeCodes } from '../codec/names.js'
import {
  FLAG_CLIENT_ID,
  FLAG_ICEBERG,
  FLAG_LISTED,
  FLAG_PEGGED,
  FLAG_PENDING,
  FLAG_SELF_TRADE_GROUP,
  FLAG_SELL,
  FLAG_TRACKING,
  FLAG_TRAILING,
  FLAG_WAITING,
} from './order-store.js'
import { SIDE_ASKS, SIDE_BIDS, SIDE_WAIT_FALL, SIDE_WAIT_RISE } from './price-levels.js'
import { queuePrice } from './queue-price.js'
import { canExpire, type ShardBooks } from './shard-books.js'
import { trailedPrice } from './trailing-stops.js'
import { waitingPrice, waitingSide } from './waiting-orders.js'

/**
 * Checks that all structures of a shard agree with each other, for the tests: it looks at every order.
 *
 * @throws InvariantError `TIDEMARK_INVARIANT` that names the first disagreement.
 */
export function verifyShard(shard: ShardBooks): void {
  let orders = 0
  let levels = 0
  for (let book = 0; book < shard.books.size; book++) {
    const found = verifyBook(shard, book)
    orders += found.orders
    levels += found.levels
  }
  expectEqual('entries of the order index', shard.index.size, orders)
  expectEqual('live levels', shard.levels.live, levels)
  let withLevel = 0
  for (let order = 1; order < shard.orders.used; order++) if (shard.orders.level(order) !== 0) withLevel++
  expectEqual('records with a level', withLevel, orders)
  expectEqual('orders in account lists', shard.accounts.verify(), orders)
  let named = 0
  let grouped = 0
  for (let order = 1; order < shard.orders.used; order++) {
    const { orders, clients } = shard
    if (orders.level(order) !== 0 && (orders.flags(order) & FLAG_SELF_TRADE_GROUP) !== 0) {
      grouped++
      expect('an order has the self-trade group that its flag says', shard.groups.of(order) !== 0)
    }
    if (orders.level(order) === 0 || (orders.flags(order) & FLAG_CLIENT_ID) === 0) continue
    named++
    const found = clients.find(orders.book(order), orders.account(order), clients.idOf(order))
    expectEqual('order with a client order id', found, order)
  }
  expectEqual('client order ids', shard.clients.size, named)
  expectEqual('self-trade groups', shard.groups.size, grouped)
  verifyPegs(shard)
  verifyTrails(shard)
  verifyLists(shard)
  expectEqual('first triggered stop between commands', shard.firstTriggered, 0)
  expectEqual('last triggered stop between commands', shard.lastTriggered, 0)
}

/** Each order in a list belongs to one, all of them to one account, and nothing is due between commands. */
function verifyLists({ orders, lists, books }: ShardBooks): void {
  let found = 0
  for (let order = 1; order < orders.used; order++) {
    const flags = orders.flags(order)
    if (orders.level(order) === 0 || (flags & FLAG_LISTED) === 0) continue
    found++
    const list = lists.of(order)
    const leg = list.legs.indexOf(order)
    expect('an order is in its list', leg >= 0 && lists.find(list.book, list.id) === list)
    expect(
      'a list is of one book and account',
      list.book === orders.book(order) && list.account === orders.account(order),
    )
    const isPending = list.type !== listTypeCodes.oco && leg > 0 && list.legs[0] !== 0
    expectEqual(
      'an order is pending while the working order of its list is there',
      (flags & FLAG_PENDING) !== 0,
      isPending,
    )
  }
  expectEqual('orders in lists', lists.orders, found)
  expectEqual('lists with consequences between commands', lists.due.length, 0)
  for (let book = 0; book < books.size; book++) {
    for (const list of lists.inBook(book)) {
      expect(
        'a list has orders, and nothing happened to it',
        list.legs.some((order) => order !== 0) && !list.isCancelled,
      )
      expect(
        'a list has nothing to settle',
        !list.isFilled && !list.hasTraded && !list.isDue && !list.isSettling,
      )
    }
  }
}

/** Each trail belongs to one waiting order, whose stop price follows from its reference. */
function verifyTrails({ orders, trails, books }: ShardBooks): void {
  let found = 0
  let tracking = 0
  for (let order = 1; order < orders.used; order++) {
    const flags = orders.flags(order)
    if (orders.level(order) === 0 || (flags & FLAG_TRAILING) === 0) continue
    found++
    const slot = trails.slotOf(order)
    const reference = trails.reference(slot)
    expectEqual('order of a trail', trails.order(slot), order)
    expect('an order with a trail waits', (flags & FLAG_WAITING) !== 0)
    expectEqual('an order whose trail has a reference tracks', (flags & FLAG_TRACKING) !== 0, reference !== 0)
    if (reference === 0) continue
    tracking++
    const stop = trailedPrice(
      reference,
      trails.distance(slot),
      trails.isInBasisPoints(slot),
      flags & FLAG_SELL,
    )
    expectEqual('stop price of a trail', orders.stopPrice(order), stop)
  }
  expectEqual('trails', trails.size, found)
  for (let book = 0; book < books.size; book++) {
    for (const sell of [0, 1]) {
      let older = 0
      for (let slot = trails.oldest(book, sell); slot !== 0; slot = trails.younger(slot)) {
        tracking--
        expectEqual('older neighbour of a trail', trails.older(slot), older)
        const order = trails.order(slot)
        expect(
          'a trail is of its book and side',
          orders.book(order) === book && (orders.flags(order) & FLAG_SELL) === sell,
        )
        const [reference, before] = [trails.reference(slot), trails.reference(older)]
        const nears = sell === 0 ? reference >= before : reference <= before
        expect('references come nearer from old to young', older === 0 || nears)
        expect(
          'trails began one after the other',
          older === 0 || trails.beginning(slot) > trails.beginning(older),
        )
        older = slot
      }
      expectEqual('youngest trail', trails.youngest(book, sell), older)
    }
  }
  expectEqual('trails that track in lists', tracking, 0)
}

function verifyPegs(shard: ShardBooks): void {
  const { orders, pegs, levels, books } = shard
  let pegged = 0
  for (let order = 1; order < orders.used; order++) {
    if (orders.level(order) === 0 || (orders.flags(order) & FLAG_PEGGED) === 0) continue
    pegged++
    expectEqual(`level of pegged order ${orders.id(order)}`, pegs.of(order).level, orders.level(order))
  }
  expectEqual('pegged orders', pegs.size, pegged)
  for (let book = 0; book < books.size; book++) {
    let turn = 0
    for (let peg = pegs.inBook(book)?.first; peg !== undefined; peg = peg.next) {
      expect(`pegs of book ${book} are in the order of their turns`, peg.turn > turn)
      turn = peg.turn
      pegged--
    }
    for (let level = levels.best(book * 4); level !== 0; level = levels.worse(level))
      verifyPegsOf(shard, level)
    for (let level = levels.best(book * 4 + 1); level !== 0; level = levels.worse(level))
      verifyPegsOf(shard, level)
  }
  expectEqual('pegged orders that are in no list', pegged, 0)
}

function verifyPegsOf({ levels, orders, pegs }: ShardBooks, level: number): void {
  let pegged = 0
  for (let order = levels.head(level); order !== 0; order = orders.next(order))
    if ((orders.flags(order) & FLAG_PEGGED) !== 0) pegged++
  expectEqual(`pegged orders of level ${level}`, pegs.onLevel(level), pegged)
}

function verifyBook(shard: ShardBooks, book: number): { orders: number; levels: number } {
  const { books, levels } = shard
  const counts = { orders: 0, levels: 0, expiring: 0 }
  verifySide(shard, book, SIDE_BIDS, counts)
  verifySide(shard, book, SIDE_ASKS, counts)
  const waiting =
    verifySide(shard, book, SIDE_WAIT_FALL, counts) + verifySide(shard, book, SIDE_WAIT_RISE, counts)
  expectEqual(`waiting orders of book ${book}`, books.stops(book), waiting)
  expectEqual(`expiring orders of book ${book}`, books.expiring(book), counts.expiring)
  expectEqual(`book ${book} blocks accounts`, books.isBlocking(book), shard.blocked.count(book) > 0)
  for (const account of shard.blocked.of(book))
    expectEqual(`orders of account ${account}, which is blocked`, shard.accounts.first(book, account), 0)
  const bid = levels.best(book * 4 + SIDE_BIDS)
  const ask = levels.best(book * 4 + SIDE_ASKS)
  if (!books.isContinuous(book)) return counts
  expect(`book ${book} is not crossed`, bid === 0 || ask === 0 || levels.price(bid) < levels.price(ask))
  const rise = levels.best(book * 4 + SIDE_WAIT_RISE)
  const fall = levels.best(book * 4 + SIDE_WAIT_FALL)
  const last = books.lastPrice(book)
  expect(`orders of book ${book} wait for a rise`, last === 0 || rise === 0 || levels.price(rise) > last)
  expect(`orders of book ${book} wait for a fall`, last === 0 || fall === 0 || levels.price(fall) < last)
  return counts
}

/** Returns the number of orders of the book side. */
function verifySide(
  shard: ShardBooks,
  book: number,
  side: number,
  counts: { orders: number; levels: number; expiring: number },
): number {
  const { levels } = shard
  const bookSide = book * 4 + side
  let orders = 0
  let better = 0
  for (let level = levels.best(bookSide); level !== 0; level = levels.worse(level)) {
    counts.levels++
    expectEqual('bookSide of a level', levels.bookSide(level), bookSide)
    expectEqual('better neighbour of a level', levels.better(level), better)
    expectEqual('level found by its price', levels.find(bookSide, levels.price(level)), level)
    if (better !== 0) {
      const worsens =
        (side & 1) === 0
          ? levels.price(level) < levels.price(better)
          : levels.price(level) > levels.price(better)
      expect(`prices of bookSide ${bookSide} are sorted`, worsens)
    }
    orders += verifyQueue(shard, book, side, level, counts)
    better = level
  }
  levels.verify(bookSide)
  counts.orders += orders
  return orders
}

/** Returns the number of orders of the level. */
function verifyQueue(
  shard: ShardBooks,
  book: number,
  side: number,
  level: number,
  counts: { expiring: number },
): number {
  const { levels, orders, index, books } = shard
  const waits = side >= SIDE_WAIT_FALL
  let shown = 0
  let hidden = 0
  let count = 0
  let previous = 0
  for (let order = levels.head(level); order !== 0; order = orders.next(order)) {
    count++
    const id = orders.id(order)
    const flags = orders.flags(order)
    const open = orders.open(order)
    const visible = orders.shown(order)
    expectEqual(`previous of order ${id}`, orders.previous(order), previous)
    expectEqual(`level of order ${id}`, orders.level(order), level)
    expectEqual(`book of order ${id}`, orders.book(order), book)
    expectEqual(`order ${id} in the index`, index.find(book, id | 0, (id / 4294967296) | 0), order)
    expectEqual(
      `price of order ${id}`,
      waits
        ? waitingPrice(flags, orders.stopPrice(order))
        : queuePrice(orders.price(order), flags & FLAG_SELL),
      levels.price(level),
    )
    expectEqual(`order ${id} waits`, (flags & FLAG_WAITING) !== 0, waits)
    const sells = (flags & FLAG_SELL) !== 0
    expectEqual(`side of order ${id}`, waits ? waitingSide(flags) : sells ? SIDE_ASKS : SIDE_BIDS, side)
    expect(`order ${id} shows part of what is open`, visible >= 1 && visible <= open)
    const isIceberg = (flags & FLAG_ICEBERG) !== 0 && !waits
    expect(
      `order ${id} shows no more than it may`,
      isIceberg ? visible <= orders.displayQuantity(order) : visible === open,
    )
    const isPriced = waits || orders.price(order) !== 0
    expect(`order ${id} is of a kind that rests`, isPriced || !books.isContinuous(book))
    if (canExpire(flags)) counts.expiring++
    shown += visible
    hidden += open - visible
    previous = order
  }
  expectEqual(`last order of level ${level}`, levels.tail(level), previous)
  expectEqual(`orders of level ${level}`, levels.count(level), count)
  expectEqual(`shown total of level ${level}`, levels.shown(level), shown)
  expectEqual(`hidden total of level ${level}`, levels.hidden(level), hidden)
  expect(`level ${level} is not empty`, count > 0)
  return count
}

function expect(what: string, holds: boolean): void {
  if (!holds) broken(what, {})
}

function expectEqual<T>(what: string, found: T, expected: T): void {
  if (found !== expected) broken(`${what} is as the orders say`, { found, expected })
}
