// The uncross of one book, in memory: a call of so many orders, of which about half trade, ends at one price. And what the price of a
// call costs that is asked for while it lasts.
//
//   npm run bench:uncross -- [--quick] [--rounds N] [--orders N]
import {
  encodeInstrument,
  encodeNew,
  encodePhase,
  MatchingEngine,
  phaseCodes,
  RecordBuffer,
} from '../dist/src/matching/index.js'
import { figure, Report, range } from './lib/report.mjs'
import { spread } from './lib/rounds.mjs'
import { readSettings, whole } from './lib/settings.mjs'

const settings = readSettings({ orders: '' })
const { pick } = settings
const orders = whole('orders', settings.flags.orders || pick('10000', '100000', '100000'))
const report = new Report('uncross', 'The uncross of one book, in memory', settings)
const words = new Int32Array(4096)
const record = new RecordBuffer()
const times = { uncross: [], processor: [], indicative: [] }
let trades = 0
for (let round = 0; round < settings.rounds + 1; round++) {
  const engine = callOf(orders, round)
  let started = performance.now()
  engine.indicative(0)
  const indicativeMs = performance.now() - started
  encodePhase(words, 0, 0, 0, 0, phaseCodes.continuous)
  record.reset()
  const before = record.trades
  const cpu = process.cpuUsage()
  started = performance.now()
  engine.apply(words, 0, record)
  const uncrossMs = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  trades = record.trades - before
  // The first round is the compiler's.
  if (round === 0) continue
  times.uncross.push(uncrossMs)
  times.processor.push((user + system) / 1000)
  times.indicative.push(indicativeMs)
}
report.table(
  'Milliseconds',
  ['what', 'ms'],
  [
    [`uncross of ${figure(orders)} orders, ${figure(trades)} trades`, range(spread(times.uncross))],
    ['the same, processor time, compiler and collector included', range(spread(times.processor))],
    ['its price, asked for before', range(spread(times.indicative))],
  ],
  { data: { orders, trades, ...times } },
)
report.finish()

/** A book in a call: prices spread over 2,000 ticks around the middle on each side, so that most of the better half trades. */
function callOf(count, seed) {
  const engine = new MatchingEngine({ hashSeed: 1 })
  const apply = () => {
    record.reset()
    engine.apply(words, 0, record)
  }
  const instrument = {
    instrumentId: 0,
    symbol: 'X',
    tickSize: '0.01',
    lotSize: '1',
    replacePriority: 'keep-on-reduce',
    selfTradePrevention: 'none',
    phase: 'auction',
  }
  encodeInstrument(words, 0, 0, 0, instrument)
  apply()
  let state = 12345 + seed
  const below = (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return Math.floor(((state >>> 0) / 4294967296) * bound)
  }
  for (let id = 1; id <= count; id++) {
    const price = 100_000 + below(4000) - 2000
    encodeNew(words, 0, 0, 0, 0, id, below(1000), id & 1, 0, 0, 0, 0, price, 1 + below(100), 0, 0, 0, 0)
    apply()
  }
  return engine
}
