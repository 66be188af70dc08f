// The order book alone, one apply() a message, events encoded: node bench/book.mjs [messages]
// Times are the sum, over slices of the flow, of each slice's best of five runs, because a shared machine is noisy.
import {
  encodeCancel,
  encodeInstrument,
  encodeNew,
  encodeReplace,
  GroupBuffer,
  MatchingEngine,
} from '../dist/src/matching/index.js'

const MESSAGES = Number(process.argv[2] ?? 500_000)
const RUNS = 5
const SLICE = 20_000
const MID = 1_000_000

/** A seeded generator (mulberry32) of whole numbers below a bound. */
function seeded(seed) {
  let state = seed
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * bound)
  }
}

/** Adds, cancels and replaces that keep `resting` orders in the book; `distance` says how far from the middle. */
function makeFlow(resting, distance, takers) {
  const random = seeded(7)
  const words = new Int32Array((resting + MESSAGES) * 12)
  const live = []
  const flow = { words, warmUp: 0, end: 0 }
  let at = 0
  let id = 0
  const add = (immediate) => {
    const sell = random(2)
    const far = immediate ? -3 : 1 + distance(random)
    const price = MID + (sell === 1 ? far : -far)
    id++
    at += encodeNew(words, at, 0, id, 0, id, id % 97, sell, 0, immediate ? 1 : 0, 0, 0, price, 10, 0, 0, 0, 0)
    if (!immediate) live.push(id)
  }
  while (live.length < resting) add(false)
  flow.warmUp = at
  for (let i = 0; i < MESSAGES; i++) {
    const kind = random(100)
    if (kind < takers) add(true)
    else if (kind < 50 && live.length <= resting) add(false)
    else {
      const index = random(live.length)
      const victim = live[index]
      if (kind < 91) {
        live[index] = live[live.length - 1]
        live.pop()
        at += encodeCancel(words, at, 0, i, 0, victim, -1, 0)
      } else at += encodeReplace(words, at, 0, i, 0, victim, 0, 9, -1, 0)
    }
    if (live.length < resting / 2) add(false)
  }
  flow.end = at
  return flow
}

function newEngine() {
  const engine = new MatchingEngine()
  const words = new Int32Array(64)
  encodeInstrument(words, 0, 0, 0, {
    instrumentId: 0,
    symbol: 'BENCH',
    tickSize: '1',
    lotSize: '1',
    replacePriority: 'always-lose',
    selfTradePrevention: 'none',
  })
  engine.apply(words, 0, new GroupBuffer())
  return engine
}

function measure(name, flow) {
  const { words } = flow
  const best = []
  let counters
  let bytes = 0
  let messages = 0
  for (let run = 0; run < RUNS; run++) {
    const engine = newEngine()
    const group = new GroupBuffer()
    bytes = 0
    messages = 0
    let at = 0
    for (; at < flow.warmUp; at += words[at] >>> 18) {
      group.reset()
      engine.apply(words, at, group)
    }
    for (let slice = 0; at < flow.end; slice++) {
      const start = process.hrtime.bigint()
      let i = 0
      for (; i < SLICE && at < flow.end; i++) {
        group.reset()
        engine.apply(words, at, group)
        bytes += group.byteLength
        at += words[at] >>> 18
      }
      const time = Number(process.hrtime.bigint() - start)
      best[slice] = Math.min(best[slice] ?? Number.POSITIVE_INFINITY, time)
      messages += i
    }
    counters = engine.counters()
  }
  const nanoseconds = best.reduce((sum, time) => sum + time, 0) / messages
  const rate = (1000 / nanoseconds).toFixed(2)
  const { orders, levels } = counters
  console.log(
    `${name}: ${rate} M messages/s, ${nanoseconds.toFixed(0)} ns each, ${(bytes / messages).toFixed(0)} bytes a group, ` +
      `${orders} orders on ${levels} levels at the end`,
  )
}

const nearTouch = (random) => Math.floor(-Math.log(1 - random(1_000_000) / 1_000_000) * 40)
measure('5,000 resting near the touch  ', makeFlow(5000, nearTouch, 8))
measure('40,000 resting near the touch ', makeFlow(40_000, nearTouch, 8))
measure(
  '40,000 resting, any distance  ',
  makeFlow(40_000, (random) => random(20_000), 0),
)
measure(
  '40,000 resting, far and sparse',
  makeFlow(40_000, (random) => random(900_000), 0),
)
