// Parts of the hot path beside what they were chosen over, tinybench: CRC of a frame's words, zeroing of ring space, encoding of
// plain objects, and promises that hang on one.
//
//   node bench/parts.mjs [--quick]
import crc32 from 'crc-32'
import { Bench } from 'tinybench'
import { copyWithCrc, crcOfWords } from '../dist/src/log/crc.js'
import { commandGrids, encodeCommand, maxCommandWords } from '../dist/src/matching/index.js'
import { Report } from './lib/report.mjs'
import { readSettings } from './lib/settings.mjs'

const settings = readSettings()
const time = settings.pick(20, 300, 1000)
const report = new Report('parts', 'Parts of the hot path, beside what they were chosen over', settings)

await compare('CRC-32 of a frame of 80 bytes, and its copy', crcTasks())
await compare('Zeroing 128 KiB of shared memory', zeroTasks())
await compare('Encoding 1,000 new orders from plain objects', encodeTasks())
await compare('1,000 promises made and settled', promiseTasks())
report.finish()

async function compare(title, tasks) {
  const bench = new Bench({ time, warmupTime: time / 4 })
  for (const [name, task] of Object.entries(tasks)) bench.add(name, task)
  await bench.run()
  const rows = bench.tasks.map(({ name, result }) => {
    const { p50, p99 } = result.latency
    return [name, (p50 * 1e6).toFixed(0), (p99 * 1e6).toFixed(0)]
  })
  report.table(title, ['', 'ns, median', 'ns, p99'], rows)
}

/** A call costs less than the clock, so each task does a hundred. */
function crcTasks() {
  const words = Int32Array.from({ length: 2000 }, (_, i) => Math.imul(i, 0x9e3779b1))
  const target = new Int32Array(2000)
  const view = new Uint8Array(words.buffer, 0, 80)
  const hundred = (call) => () => {
    let crc = 0
    for (let i = 0; i < 100; i++) crc = call(crc)
    return crc
  }
  const copy = () => {
    for (let i = 0; i < 20; i++) target[i] = words[i]
  }
  return {
    'crc-32 through a view, and a copying loop, 100 times': hundred((crc) => {
      copy()
      return crc32.buf(view, crc)
    }),
    'CRC by words, and a copying loop, 100 times': hundred((crc) => {
      copy()
      return crcOfWords(words, 0, 20, crc)
    }),
    'CRC by words in one pass with the copy, 100 times': hundred((crc) =>
      copyWithCrc(words, 0, 20, target, 0, crc),
    ),
  }
}

function zeroTasks() {
  const bytes = 128 * 1024
  const shared = new Uint8Array(new SharedArrayBuffer(bytes))
  const zeros = new Uint8Array(bytes)
  return { 'fill(0)': () => shared.fill(0), 'set of zeros': () => shared.set(zeros) }
}

function encodeTasks() {
  const grids = commandGrids({ instrumentId: 0, tickSize: '0.01', lotSize: '0.001' })
  const words = new Int32Array(maxCommandWords)
  const base = { type: 'new', symbol: 'A', account: 7, side: 'buy', quantity: '0.010' }
  const numbers = Array.from({ length: 1000 }, (_, i) => i + 1)
  const spread = numbers.map((orderId) => ({ ...base, orderId, orderType: 'limit', price: '64000.17' }))
  const literal = numbers.map((orderId) => ({
    type: 'new',
    symbol: 'A',
    account: 7,
    side: 'buy',
    quantity: '0.010',
    orderId,
    orderType: 'limit',
    price: '64000.17',
  }))
  const encode = (commands) => () => {
    for (const command of commands) encodeCommand(words, 0, command, grids)
  }
  return { 'made by spreading': encode(spread), 'made as literals': encode(literal) }
}

function promiseTasks() {
  const count = 1000
  const pairs = () => {
    const resolvers = []
    const promises = Array.from({ length: count }, () => new Promise((resolve) => resolvers.push(resolve)))
    for (const [i, resolve] of resolvers.entries()) resolve(i)
    return promises.at(-1)
  }
  const bundles = () => {
    let last
    for (let from = 0; from < count; from += 64) {
      let resolve
      let next = from
      const one = new Promise((settle) => {
        resolve = settle
      })
      for (let i = from; i < Math.min(count, from + 64); i++) last = one.then(() => next++)
      resolve()
    }
    return last
  }
  return { 'a pair of resolving functions each': pairs, 'hanging on one, 64 each': bundles }
}
