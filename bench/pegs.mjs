// node bench/pegs.mjs [--pegs 1000]: what pegged orders cost the book while the touch moves. `npm run bench:pegs` builds first.
import {
  encodeCancel,
  encodeInstrument,
  encodeNew,
  MatchingEngine,
  maxCommandWords,
  orderTypeCodes,
  RecordBuffer,
  timeInForceCodes,
} from '../dist/src/matching/public.js'

const flag = process.argv.indexOf('--pegs')
const pegs = flag < 0 ? 1000 : Number(process.argv[flag + 1])
const { limit } = orderTypeCodes
const { GTC } = timeInForceCodes
const none = { selfTradeGroup: 0, minQuantity: 0, quoteQuantity: 0 }
const words = new Int32Array(maxCommandWords)
const record = new RecordBuffer()

/** A book with a bid, an ask, and so many orders to buy that are pegged to the bid. */
class Market {
  engine = new MatchingEngine({ hashSeed: 1 })
  id = 1
  bytes = 0

  constructor(count) {
    encodeInstrument(words, 0, 0, 0, {
      instrumentId: 0,
      symbol: 'X',
      tickSize: '1',
      lotSize: '1',
      replacePriority: 'keep-on-reduce',
      selfTradePrevention: 'none',
    })
    this.#apply()
    this.order(0, 100_000)
    this.order(1, 200_000)
    for (let i = 0; i < count; i++) {
      const peg = { ...none, peg: 1, pegOffset: -(i % 10) }
      encodeNew(words, 0, 0, 0, 0, this.id++, 3, 0, limit, GTC, 0, 0, 0, 1, 0, 0, 0, 0, '', 0, 0, peg)
      this.#apply()
    }
  }

  #apply() {
    record.reset()
    this.engine.apply(words, 0, record)
    this.bytes = record.byteLength
  }

  order(sell, price) {
    encodeNew(words, 0, 0, 0, 0, this.id++, 1, sell, limit, GTC, 0, 0, price, 1, 0, 0, 0, 0)
    this.#apply()
    return this.id - 1
  }

  /** Two commands: an order comes to a price, and goes. */
  visit(price) {
    const id = this.order(0, price)
    encodeCancel(words, 0, 0, 0, 0, id, -1, 0)
    this.#apply()
  }
}

/** The median of several rounds, in microseconds of processor time a command. */
function measured(rounds, visits, market, price) {
  const times = []
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage()
    for (let i = 0; i < visits; i++) market.visit(price)
    const { user, system } = process.cpuUsage(start)
    times.push((user + system) / visits / 2)
  }
  return times.sort((a, b) => a - b)[rounds >> 1]
}

const show = (what, microseconds) =>
  console.log(`${what.padEnd(64)} ${microseconds.toFixed(2).padStart(9)} us`)

const plain = new Market(0)
show('a command, no pegs', measured(9, 100_000, plain, 100_001))
const pegged = new Market(pegs)
show(`a command away from the touch, beside ${pegs} pegs`, measured(9, 50_000, pegged, 90_000))
const moving = measured(9, 300, pegged, 100_001)
show(`a command that moves the touch, and with it ${pegs} pegs`, moving)
show('of that, each peg', moving / pegs)
console.log(`Its record is ${pegged.bytes} bytes.`)
