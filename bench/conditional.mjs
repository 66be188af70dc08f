// node bench/conditional.mjs [--stops 10000]: what trailing stops and order lists cost the book. `npm run bench:conditional` builds first.
import {
  commandGrids,
  encodeCommand,
  encodeInstrument,
  encodeNew,
  MatchingEngine,
  maxCommandWords,
  orderTypeCodes,
  RecordBuffer,
  timeInForceCodes,
} from '../dist/src/matching/public.js'

const flag = process.argv.indexOf('--stops')
const stops = flag < 0 ? 10_000 : Number(process.argv[flag + 1])
const definition = {
  instrumentId: 0,
  symbol: 'X',
  tickSize: '1',
  lotSize: '1',
  replacePriority: 'keep-on-reduce',
  selfTradePrevention: 'none',
}
const grids = commandGrids(definition)
const { limit, stop } = orderTypeCodes
const { GTC, IOC } = timeInForceCodes
const words = new Int32Array(maxCommandWords)
const record = new RecordBuffer()

/** A book with one last price, and so many sell stops with trails of as many distances as stated. */
class Market {
  engine = new MatchingEngine({ hashSeed: 1 })
  id = 1

  constructor() {
    encodeInstrument(words, 0, 0, 0, definition)
    this.#apply()
  }

  #apply() {
    record.reset()
    this.engine.apply(words, 0, record)
  }

  trade(price) {
    encodeNew(words, 0, 0, 0, 0, this.id++, 1, 1, limit, GTC, 0, 0, price, 1, 0, 0, 0, 0)
    this.#apply()
    encodeNew(words, 0, 0, 0, 0, this.id++, 2, 0, limit, IOC, 0, 0, price, 1, 0, 0, 0, 0)
    this.#apply()
  }

  trail(count, distances) {
    for (let i = 0; i < count; i++) {
      encodeNew(
        words,
        0,
        0,
        0,
        0,
        this.id++,
        3,
        1,
        stop,
        GTC,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        '',
        100_000 + (i % distances),
      )
      this.#apply()
    }
  }

  list() {
    const first = this.id
    this.id += 3
    const orders = [
      { orderId: first, side: 'buy', orderType: 'limit', price: 1_000_000, quantity: 1 },
      { orderId: first + 1, side: 'sell', orderType: 'limit', price: 1_000_100, quantity: 1 },
      { orderId: first + 2, side: 'sell', orderType: 'stop', stopPrice: 999_900, quantity: 1 },
    ]
    encodeCommand(words, 0, { type: 'list', symbol: 'X', listType: 'otoco', account: 3, orders }, grids)
    this.#apply()
  }

  fill() {
    encodeNew(words, 0, 0, 0, 0, this.id++, 1, 1, limit, IOC, 0, 0, 1_000_000, 1, 0, 0, 0, 0)
    this.#apply()
    encodeNew(words, 0, 0, 0, 0, this.id++, 1, 0, limit, IOC, 0, 0, 1_000_100, 1, 0, 0, 0, 0)
    this.#apply()
  }
}

/** The median of several rounds, in microseconds of processor time a call. */
function measured(rounds, calls, call) {
  const times = []
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage()
    for (let i = 0; i < calls; i++) call(round * calls + i)
    const { user, system } = process.cpuUsage(start)
    times.push((user + system) / calls)
  }
  return times.sort((a, b) => a - b)[rounds >> 1]
}

const show = (what, microseconds) =>
  console.log(`${what.padEnd(72)} ${microseconds.toFixed(2).padStart(9)} us`)

const plain = new Market()
plain.trade(1_000_000)
show(
  'a trade, no stops',
  measured(9, 20_000, (i) => plain.trade(1_000_000 - (i % 50))),
)
for (const distances of [1, 100, stops]) {
  const market = new Market()
  market.trade(1_000_000)
  market.trail(stops, distances)
  const name = `${stops} trailing stops of ${distances} distance${distances === 1 ? '' : 's'}`
  show(
    `a trade that moves no reference, ${name}`,
    measured(9, 20_000, (i) => market.trade(1_000_000 - (i % 50))),
  )
  show(
    `a trade that moves all of them, ${name}`,
    measured(9, 20, (i) => market.trade(1_000_001 + i)),
  )
}
const lists = new Market()
lists.trade(1_000_050)
show(
  'an otoco list, accepted',
  measured(9, 5000, () => lists.list()),
)
const filled = new Market()
filled.trade(1_000_050)
show(
  'an otoco list from its acceptance to the end: filled, entered, one traded, one cancelled',
  measured(9, 5000, () => {
    filled.list()
    filled.fill()
  }),
)
