// The order book alone, in memory, one call a message, events encoded: the published `normal` workload where its file
// is there, and generated books that are deep, wide, sparse and swept. Beside it, in the same run, nodejs-order-book
// and limit-order-book; what is in the books afterwards is compared. Single operations by tinybench.
//
//   npm run bench:book -- [--quick] [--rounds N] [--messages N]
import { isDeepStrictEqual } from 'node:util'
import { Bench } from 'tinybench'
import { rate } from '../dist/src/cli/number-format.js'
import { encodeCancel, encodeNew, encodeReduce, encodeReplace } from '../dist/src/matching/index.js'
import { limitOrderBook, nodejsOrderBook, TidemarkBook } from './lib/book-engines.mjs'
import { generatedWorkloads, normalWorkload } from './lib/book-workloads.mjs'
import { figure, Report, range } from './lib/report.mjs'
import { interleaved, ratioOf, spreadOf } from './lib/rounds.mjs'
import { readSettings, whole } from './lib/settings.mjs'

const settings = readSettings({ messages: '' })
const { pick } = settings
const count = whole('messages', settings.flags.messages || pick('20000', '500000', '1000000'))
/** A slower engine is stopped after so long, and its speed is that of what it got done. */
const timeMs = pick(100, 300, 1500)
const setUpMsMax = pick(500, 1500, 10_000)
/** Messages between two looks at the clock; small first, because of engines that take long for each. */
const step = 64

const report = new Report('book', 'The book alone, in memory: messages a second', settings)
const peers = await installedPeers()
const normal = normalWorkload()
if (normal) normal.length = Math.min(normal.length, pick(50_000, normal.length, normal.length))
else report.leaveOut('the published workload', 'TIDEMARK_DATA names no folder that has it')
const medians = {}
const rows = []
const data = {}
for (const messages of [...(normal ? [normal] : []), ...generatedWorkloads(count)]) await workload(messages)
const names = ['tidemark', ...Object.keys(peers)]
report.table(
  'Messages a second',
  ['book', ...names, 'tidemark, first pass', 'bytes a message', 'same books after'],
  rows,
  {
    note: 'Median (smallest to largest). Peers that take longer than the time given do a part of the messages; tidemark does all, and the books are compared at the same message.',
    data,
    charts: names.length > 1 || rows.length > 1 ? [chart()] : [],
  },
)
goals()
await singleOperations()
report.finish()

async function installedPeers() {
  const installed = {}
  for (const [name, load] of [
    ['nodejs-order-book', nodejsOrderBook],
    ['limit-order-book', limitOrderBook],
  ]) {
    const peer = await report.measuredIfThere(name, load)()
    if (peer) installed[name] = peer
  }
  return installed
}

/** One pass over a new book; `timeLimitMs` counts from after the messages that fill it. */
function pass(Engine, messages, timeLimitMs) {
  const engine = new Engine(messages)
  const setUpStartMs = performance.now()
  for (let at = 0; at < messages.setUp; at += step) {
    engine.apply(at, Math.min(messages.setUp, at + step))
    if (performance.now() - setUpStartMs > setUpMsMax) return { perSecond: 0, done: 0, engine }
  }
  const startMs = performance.now()
  let at = messages.setUp
  let elapsedMs = 0
  if (timeLimitMs === undefined) {
    engine.apply(at, messages.length)
    at = messages.length
    elapsedMs = performance.now() - startMs
  }
  while (at < messages.length && elapsedMs < timeLimitMs) {
    const end = Math.min(messages.length, at + step)
    engine.apply(at, end)
    at = end
    elapsedMs = performance.now() - startMs
  }
  return { perSecond: ((at - messages.setUp) / elapsedMs) * 1000, done: at, engine }
}

async function workload(messages) {
  const cold = pass(TidemarkBook, messages).perSecond
  if (messages.publishedTrades !== undefined && !settings.quick) {
    const trades = new TidemarkBook(messages).countTrades(0, messages.length)
    if (trades !== messages.publishedTrades)
      throw new Error(`${trades} trades, published are ${messages.publishedTrades}`)
  }
  // What is compared at the end: the last book of each, and how far it got.
  const last = {}
  const contender = (name, Engine, limitMs) => [
    name,
    () => {
      if (last[name]?.done === 0) return { perSecond: 0 }
      const { perSecond, done, engine } = pass(Engine, messages, limitMs)
      last[name] = { done, engine }
      return { perSecond }
    },
  ]
  const results = await interleaved(
    settings.rounds,
    Object.fromEntries([
      contender('tidemark', TidemarkBook),
      ...Object.entries(peers).map(([name, Engine]) => contender(name, Engine, timeMs)),
    ]),
  )
  const speeds = Object.values(results).map((rounds) => spreadOf(rounds, ({ perSecond }) => perSecond))
  const same = Object.keys(peers).map((name) => agrees(messages, last[name]))
  const { engine } = last.tidemark
  medians[messages.name] = {
    speeds: Object.fromEntries(Object.keys(results).map((name, at) => [name, speeds[at]])),
    results,
  }
  data[messages.name] = { cold, results, messages: messages.length }
  rows.push([
    messages.name,
    ...speeds.map((speed) => (speed.median > 0 ? range(speed, rate) : 'too slow')),
    rate(cold),
    figure(engine.bytes / messages.length),
    same.length === 0 ? '-' : same.join(', '),
  ])
  messages.encoded = undefined
  messages.idNames = undefined
}

function agrees(messages, { done, engine }) {
  if (done === 0) return '-'
  const own = new TidemarkBook(messages)
  own.apply(0, done)
  return isDeepStrictEqual(own.depth(), engine.depth()) ? 'yes' : 'NO'
}

function chart() {
  return {
    kind: 'bars',
    title: 'Messages a second',
    unit: 'messages a second, median and spread',
    bars: Object.entries(medians).flatMap(([book, { speeds }]) =>
      Object.entries(speeds).map(([name, speed]) => ({
        kind: name,
        name: `${book.split(/[:,]/)[0]}, ${name}`,
        ...speed,
      })),
    ),
  }
}

function goals() {
  const first = medians[normal ? normal.name : Object.keys(medians)[0]]
  const which = normal ? 'normal' : 'shallow (the published workload is not there)'
  const deep = Object.entries(medians).find(([name]) => name.startsWith('deep'))[1]
  const perSecond = (result) => result.perSecond
  report.goal(`${which}: messages/s`, first.speeds.tidemark.median, { atLeast: 12_000_000, absolute: true })
  if (peers['nodejs-order-book']) {
    const ratio = ratioOf(first.results.tidemark, first.results['nodejs-order-book'], perSecond)
    report.goal(`${which}: times nodejs-order-book`, ratio.median, { atLeast: 20 })
  }
  report.goal(
    `deep over ${which}`,
    ratioOf(deep.results.tidemark, first.results.tidemark, perSecond).median,
    { atLeast: 0.5 },
  )
}

async function singleOperations() {
  const messages = generatedWorkloads(1)[1]
  const book = new TidemarkBook(messages)
  book.apply(0, messages.setUp)
  const { engine, record } = book
  const words = new Int32Array(64)
  const apply = () => {
    record.reset()
    engine.apply(words, 0, record)
  }
  const order = (id, sell, price, quantity, timeInForce) => {
    encodeNew(words, 0, 0, 0, 0, id, 1, sell, 0, timeInForce, 0, 0, price, quantity, 0, 0, 0, 0)
    apply()
  }
  const cancel = (id) => {
    encodeCancel(words, 0, 0, 0, 0, id, -1, 0)
    apply()
  }
  const far = 990_000
  const id = 2_000_000
  order(id, 0, far, 1_000_000_000, 0)
  const repeat = 200
  const operations = {
    'new order that rests, and its cancel': () => {
      order(id + 1, 0, far, 10, 0)
      cancel(id + 1)
    },
    'new order at the touch, and its cancel': () => {
      order(id + 1, 0, 1_000_000, 10, 0)
      cancel(id + 1)
    },
    'maker, and the taker that fills it': () => {
      order(id + 1, 0, 1_000_000, 10, 0)
      order(id + 2, 1, 1_000_000, 10, 1)
    },
    'replace to another price and back': () => {
      for (const price of [far + 5, far]) {
        encodeReplace(words, 0, 0, 0, 0, id, price, 1_000_000_000, -1, 0)
        apply()
      }
    },
    'reduce by one lot': () => {
      encodeReduce(words, 0, 0, 0, 0, id, 1, -1, 0)
      apply()
    },
    'cancel of an unknown order (refused)': () => cancel(id + 9),
    'depth, ten levels a side': () => engine.depth(0, 10),
  }
  const bench = new Bench({ time: pick(20, 200, 500), warmupTime: pick(5, 50, 100), retainSamples: false })
  for (const [name, run] of Object.entries(operations)) {
    bench.add(name, () => {
      for (let i = 0; i < repeat; i++) run()
    })
  }
  await bench.run()
  const rows = bench.tasks.map(({ name, result }) => {
    const { mean, rme, samplesCount } = result.latency
    return [name, figure((mean / repeat) * 1e6), `${figure(rme)}%`, samplesCount * repeat]
  })
  report.table('Single operations on the deep book', ['', 'ns, mean', 'margin of error', 'times'], rows, {
    note: `tinybench, ${repeat} of them a sample; each is encoded and applied.`,
  })
}
