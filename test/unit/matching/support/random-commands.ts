import { writeClientOrderId } from '#tidemark/matching/codec/client-order-id.js'
import {
  cancelAllFlags,
  commandKinds,
  type DetailName,
  encodeBlock,
  encodeBust,
  encodeCancel,
  encodeCancelAll,
  encodeCancelList,
  encodeExpire,
  encodeInstrument,
  encodeInstrumentChange,
  encodeNew,
  encodePhase,
  encodeReduce,
  encodeReplace,
  type InstrumentChange,
  type InstrumentDefinition,
  type NewOrderExtras,
  type Phase,
  phaseCodes,
} from '#tidemark/matching/index.js'

/** A small seeded generator (mulberry32): whole numbers below a bound, and picks. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * bound)
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}

export const instruments: readonly InstrumentDefinition[] = [
  {
    instrumentId: 0,
    symbol: 'KEEP',
    tickSize: '0.01',
    lotSize: '1',
    replacePriority: 'keep-on-reduce',
    selfTradePrevention: 'none',
  },
  {
    instrumentId: 7,
    symbol: 'LOSE',
    tickSize: '1',
    lotSize: '1',
    replacePriority: 'always-lose',
    selfTradePrevention: 'decrement',
  },
  {
    instrumentId: 9,
    symbol: 'SHARE',
    tickSize: '0.25',
    lotSize: '5',
    replacePriority: 'keep-on-reduce',
    selfTradePrevention: 'cancel-oldest',
    allocation: 'pro-rata',
  },
  {
    instrumentId: 10,
    symbol: 'TOP',
    tickSize: '1',
    lotSize: '0.5',
    replacePriority: 'keep-on-reduce',
    selfTradePrevention: 'none',
    allocation: 'pro-rata-top',
  },
]

/** Encodes the creation of both instruments; returns their word offsets. */
export function encodeInstruments(words: Int32Array): number[] {
  let at = 0
  return instruments.map((definition) => {
    const start = at
    at += encodeInstrument(words, at, 0, 0, definition)
    return start
  })
}

/** Where many of the ids of orders in lists come from. */
const listedIds = 100
const listedCount = 60

const HUGE = Number.MAX_SAFE_INTEGER

/**
 * Encodes one random command at word 0: every kind and every option, few ids, accounts and prices, so that orders
 * meet often and a book never holds more than a few dozen.
 */
export function encodeRandomCommand(words: Int32Array, random: Random, tag: number): void {
  const instrumentId = random.chance(1) ? 3 : random.pick([0, 0, 0, 0, 7, 7, 9, 10])
  const kind = random.below(1000)
  const isListed = random.chance(12)
  const id = random.chance(2)
    ? HUGE - random.below(4)
    : isListed
      ? listedIds + random.below(listedCount)
      : 1 + random.below(48)
  const account = random.chance(3) ? 0xffffffff : 1 + random.below(4)
  const stated = random.chance(20) ? account : -1
  if (kind < 60) encodeRandomList(words, random, instrumentId, tag, account)
  else if (kind < 70) encodeCancelList(words, 0, instrumentId, tag, 0, id, stated)
  else if (kind < 620) encodeRandomNew(words, random, instrumentId, tag, random.chance(4) ? 0 : id, account)
  else if (kind < 720) encodeCancel(words, 0, instrumentId, tag, 0, id, stated, 0)
  else if (kind < 740) encodeCancel(words, 0, instrumentId, tag, 0, 0, account, 0, clientIdOf(random))
  else if (kind < 880) {
    const price = random.chance(15) ? 0 : priceOf(random)
    const quantity = quantityOf(random)
    if (kind < 860) encodeReplace(words, 0, instrumentId, tag, 0, id, price, quantity, stated, 0)
    else encodeReplace(words, 0, instrumentId, tag, 0, 0, price, quantity, account, 0, clientIdOf(random))
  } else if (kind < 940) encodeReduce(words, 0, instrumentId, tag, 0, id, quantityOf(random), stated, 0)
  else if (kind < 960) encodeRandomCancelAll(words, random, instrumentId, tag, account)
  else if (kind < 970) encodeExpire(words, 0, instrumentId, tag, 0, 1 + random.below(10), random.chance(30))
  else if (kind < 985) encodeRandomPhase(words, random, instrumentId, tag)
  else if (kind < 988)
    encodeBust(words, 0, instrumentId, tag, 0, 1 + random.below(random.chance(50) ? 20 : 5000))
  else if (kind < 993) encodeBlock(words, 0, instrumentId, tag, 0, account, random.chance(25))
  else if (kind < 999) encodeInstrumentChange(words, 0, instrumentId, tag, 0, randomChange(random))
  else encodeInstrument(words, 0, tag, 0, instruments[0]!)
}

/** Calls of all kinds last some dozens of commands, halts and closes fewer: most changes begin continuous trading. */
function encodeRandomPhase(words: Int32Array, random: Random, instrumentId: number, tag: number): void {
  const phases: readonly Phase[] = ['pre-open', 'auction', 'auction', 'halted', 'closed']
  const phase = random.chance(55) ? 'continuous' : random.pick(phases)
  const options = phase === 'auction' ? random.pick([0, 1]) : phase === 'halted' && random.chance(60) ? 2 : 0
  encodePhase(words, 0, instrumentId, tag, 0, phaseCodes[phase], options)
}

/** Of an account as a rule; seldom of everybody, so that books fill up. */
function encodeRandomCancelAll(
  words: Int32Array,
  random: Random,
  instrumentId: number,
  tag: number,
  account: number,
): void {
  const whose = random.chance(30) ? -1 : account
  const hasPrices = random.chance(whose < 0 ? 60 : 25)
  const least = priceOf(random)
  const most = Math.max(least, priceOf(random))
  const count = random.chance(whose < 0 ? 60 : 25) ? 1 + random.below(6) : 0
  const ids = Array.from({ length: count }, () => 1 + random.below(48))
  const flags = cancelAllFlags(random.pick([undefined, 'buy', 'sell']))
  const prices = hasPrices ? ([least, most] as const) : ([0, 0] as const)
  encodeCancelAll(words, 0, instrumentId, tag, 0, whose, flags, ...prices, ids)
}

/** Some limits come and others go. */
function randomChange(random: Random): InstrumentChange {
  const set: Record<string, string | number> = {}
  const removed: DetailName[] = []
  for (const [name, value] of [
    ['minPrice', 94 + random.below(6)],
    ['maxPrice', 101 + random.below(6)],
    ['minQuantity', 1 + random.below(4)],
    ['maxQuantity', random.chance(5) ? 2 : 6 + random.below(8)],
    ['minNotional', 100 * (1 + random.below(6))],
    ['referencePrice', 97 + random.below(7)],
    ['staticBand', 1 + random.below(8)],
    ['staticBandBasisPoints', random.pick([90, 300, 500, 9999, 10_000])],
    ['dynamicBand', 1 + random.below(5)],
    ['dynamicBandBasisPoints', random.pick([99, 101, 400])],
    ['bandAction', 1 + random.below(3)],
    ['maxAccountOrders', 2 + random.below(8)],
    ['tickTable', random.pick(['98:2', '100:5', '1:1,97:1,100:4', '96:2,98:7,105:3'])],
    ['baseAsset', random.pick(['X', 'Ω'])],
    ['quoteAsset', 'Y'],
    ['info', JSON.stringify({ n: random.below(3) })],
  ] as const) {
    if (random.chance(15)) set[name] = value
    else if (random.chance(60)) removed.push(name)
  }
  return { set, removed }
}

/** Encodes a limit order, cancel or replace for a book of hundreds of levels, far from the touch as often as near. */
export function encodeDeepCommand(words: Int32Array, random: Random, tag: number): void {
  const id = 1 + random.below(600)
  const sell = random.below(2)
  const distance = random.chance(2) ? -random.below(20) : 1 + random.below(3000)
  const price = 10_000 + (sell === 1 ? distance : -distance)
  const quantity = 1 + random.below(5)
  const kind = random.below(10)
  if (kind < 7) {
    encodeNew(words, 0, 0, tag, 0, id, id % 7, sell, 0, 0, 0, 0, price, quantity, 0, 0, 0, 0)
  } else if (kind < 8) encodeReplace(words, 0, 0, tag, 0, id, price, quantity, -1, 0)
  else encodeCancel(words, 0, 0, tag, 0, id, -1, 0)
}

function encodeRandomNew(
  words: Int32Array,
  random: Random,
  instrumentId: number,
  tag: number,
  id: number,
  account: number,
): void {
  const orderType = random.pick([0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 3, 3, 4, 5])
  const hasLimit = orderType === 0 || orderType === 3 || orderType === 5
  const timeInForce =
    orderType === 1
      ? random.pick([1, 1, 1, 2, 5, 6])
      : random.pick(
          orderType === 0 ? [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6] : [0, 0, 0, 0, 0, 0, 1, 2, 3, 4],
        )
  const rests = timeInForce !== 1 && timeInForce !== 2
  const quantity = quantityOf(random)
  const display = 1 + random.below(3)
  const trail = orderType >= 2 && random.chance(40) ? random.pick([1, 1, 1, 1, 1, 2, 3, 3, 3]) : 0
  const isIceberg =
    hasLimit && rests && random.chance(20) && display <= quantity && quantity <= display * 1000
  const forAmount = orderType === 1 && timeInForce === 1 && random.chance(40)
  const canPeg = orderType === 0 && (timeInForce === 0 || timeInForce === 3 || timeInForce === 4)
  const pegged = canPeg && random.chance(15)
  encodeNew(
    words,
    0,
    instrumentId,
    tag,
    0,
    id,
    account,
    random.below(2),
    orderType,
    timeInForce,
    random.chance(40) ? 1 + random.below(5) : 0,
    hasLimit && rests && !pegged && random.chance(12) ? 1 : 0,
    hasLimit && !(pegged && random.chance(60)) ? priceOf(random) : 0,
    forAmount ? 0 : quantity,
    orderType >= 2 && (trail === 0 || random.chance(50)) ? priceOf(random) : 0,
    isIceberg ? display : 0,
    timeInForce === 4 ? 1 + random.below(10) : 0,
    0,
    random.chance(15) ? clientIdOf(random) : '',
    trail === 1 ? 1 + random.below(6) : trail === 2 ? HUGE - random.below(200) : 0,
    trail === 3 ? random.pick([1, 99, 100, 150, 500, 5000, 9999]) : 0,
    extrasOf(random, { immediate: orderType < 2 && timeInForce === 1, forAmount, pegged }, quantity),
  )
}

/** What few orders have, of which `is` says which may have what. */
function extrasOf(
  random: Random,
  is: { immediate: boolean; forAmount: boolean; pegged: boolean },
  quantity: number,
): NewOrderExtras | undefined {
  const selfTradeGroup = random.chance(20) ? random.pick([1, 2, 0xffffffff]) : 0
  const minQuantity =
    is.immediate && !is.forAmount && random.chance(30) ? Math.max(1, random.below(quantity + 1)) : 0
  const quoteQuantity = is.forAmount ? amountOf(random) : 0
  const peg = is.pegged ? 1 + random.below(3) : 0
  const offset = random.chance(2) ? random.pick([HUGE, -HUGE]) : random.below(7) - 3
  const pegOffset = peg === 0 ? 0 : offset
  const hasNone = selfTradeGroup === 0 && minQuantity === 0 && quoteQuantity === 0 && peg === 0
  return hasNone ? undefined : { selfTradeGroup, minQuantity, quoteQuantity, peg, pegOffset }
}

/** In units of the quote asset, of which the instruments have 1, 5 or 125 in a tick times a lot. */
function amountOf(random: Random): number {
  return random.chance(3) ? random.pick([1, HUGE]) : 1 + random.below(random.chance(50) ? 3000 : 200_000)
}

/**
 * A list of any type, its legs one after the other, after its own fields. Of two that cancel each other one may rest; they have one side
 * and one quantity.
 */
function encodeRandomList(
  words: Int32Array,
  random: Random,
  instrumentId: number,
  tag: number,
  account: number,
): void {
  const type = random.pick([1, 2, 3])
  const side = random.below(2)
  const quantity = quantityOf(random)
  const clients = random.pick([[], [], ['a', 'order', 'x'.repeat(23)]])
  const firstId = random.pick([
    0,
    1 + random.below(46),
    listedIds + random.below(listedCount),
    listedIds + random.below(listedCount),
  ])
  const listId = random.chance(60) ? 0 : 1 + random.below(48)
  const name = random.pick(['', '', 'l', 'x'.repeat(7), 'list '.repeat(7)])
  let at = tag === 0 ? 6 : 8
  if (name !== '') at = writeClientOrderId(words, at, name)
  const count = type === 3 ? 3 : 2
  for (let leg = 0; leg < count; leg++) {
    const isPair = type === 1 || (type === 3 && leg > 0)
    const mayRest = type === 1 ? leg === 0 : type === 2 || leg < 2
    const conditional = random.pick([2, 2, 3, 4, 4, 5])
    const resting = isPair ? 0 : random.pick([0, 0, 0, 1])
    const orderType = mayRest && random.chance(60) ? resting : conditional
    const isImmediate = !isPair && random.chance(20)
    const timeInForce = orderType === 1 || isImmediate ? random.pick([1, 2]) : random.pick([0, 0, 0, 3, 4])
    const hasLimit = orderType === 0 || orderType === 3 || orderType === 5
    const rests = timeInForce !== 1 && timeInForce !== 2
    const trail = orderType >= 2 && random.chance(30) ? random.pick([1, 2]) : 0
    const legQuantity = isPair ? quantity : quantityOf(random)
    at += encodeNew(
      words,
      at,
      instrumentId,
      0,
      0,
      firstId === 0 ? 0 : firstId + leg,
      account,
      isPair ? side : random.below(2),
      orderType,
      timeInForce,
      random.chance(30) ? 1 + random.below(5) : 0,
      hasLimit && rests && random.chance(15) ? 1 : 0,
      hasLimit ? priceOf(random) : 0,
      legQuantity,
      orderType >= 2 && (trail === 0 || random.chance(50)) ? priceOf(random) : 0,
      0,
      timeInForce === 4 ? 1 + random.below(10) : 0,
      0,
      clients[leg] ?? '',
      trail === 1 ? 1 + random.below(4) : 0,
      trail === 2 ? random.pick([100, 250, 9999]) : 0,
      extrasOf(
        random,
        {
          immediate: type !== 1 && leg === 0 && orderType < 2 && timeInForce === 1,
          forAmount: false,
          pegged: false,
        },
        legQuantity,
      ),
    )
  }
  const flags = (tag === 0 ? 0 : 64) | (listId === 0 ? 256 : 0) | (name === '' ? 0 : 128)
  words[0] = commandKinds.list | (flags << 8) | (at << 18)
  words[1] = instrumentId
  words[2] = listId
  words[3] = 0
  words[4] = account
  words[5] = type | (count << 8)
  if (tag !== 0) {
    words[6] = tag
    words[7] = 0
  }
}

/** One of a few, so that accounts use theirs again: the shortest, the longest, and those between. */
function clientIdOf(random: Random): string {
  return random.pick(['a', 'order', '~'.repeat(36), '1234567', '12345678', 'x'.repeat(23)])
}

function priceOf(random: Random): number {
  return random.chance(1) ? random.pick([1, HUGE, HUGE - 1, 2 ** 32, 2 ** 32 - 1]) : 95 + random.below(11)
}

function quantityOf(random: Random): number {
  return random.chance(1) ? random.pick([HUGE, HUGE - 5, 2 ** 32]) : 1 + random.below(12)
}
