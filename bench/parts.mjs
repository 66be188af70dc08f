// Parts of the hot path beside what they were chosen over, in turn: CRC of a record's words, zeroing of ring space, encoding of
// plain objects, and promises that hang on one.
//
//   node bench/parts.mjs [--quick]
import crc32 from 'crc-32'
import { copyWithCrc, crcOfWords } from '../dist/src/log/format/crc.js'
import { commandGrids, encodeCommand, maxCommandWords } from '../dist/src/matching/index.js'
import { Report } from './lib/report.mjs'
import { interleaved, spread } from './lib/rounds.mjs'
import { readSettings } from './lib/settings.mjs'

const settings = readSettings()
const repeats = settings.pick(10, 200, 500)
const report = new Report('parts', 'Parts of the hot path, beside what they were chosen over', settings)

for (const bytes of [32, 56, 80, 88]) await compare(`CRC-32 of ${bytes} bytes`, 100, crcTasks(bytes))
await compare('Zeroing 1 KiB of shared memory, of 128', 128, zeroTasks())
await compare('Encoding a new order from a plain object', 1000, encodeTasks())
await compare('A promise made and settled', 1000, promiseTasks())
report.finish()

/** The tasks in turn, round after round: each is its count of what the title names, and its time is divided by that. */
async function compare(title, count, tasks) {
  const contenders = Object.fromEntries(
    Object.entries(tasks).map(([name, task]) => [
      name,
      () => {
        const startMs = performance.now()
        for (let i = 0; i < repeats; i++) task()
        return ((performance.now() - startMs) * 1e6) / (repeats * count)
      },
    ]),
  )
  for (const contender of Object.values(contenders)) contender()
  const results = await interleaved(settings.pick(5, 40, 100), contenders)
  const rows = Object.entries(results).map(([name, rounds]) => {
    const { median, min } = spread(rounds)
    return [name, median.toFixed(1), min.toFixed(1)]
  })
  report.table(title, ['', 'ns, median', 'ns, best'], rows, { data: results })
}

/** A call costs less than the clock, so each task does a hundred. */
function crcTasks(bytes) {
  const count = bytes / 4
  const words = Int32Array.from({ length: count }, (_, i) => Math.imul(i, 0x9e3779b1))
  const target = new Int32Array(count)
  const view = new Uint8Array(words.buffer)
  let crc = 0
  return {
    'crc-32, through a view': () => {
      for (let i = 0; i < 100; i++) crc = crc32.buf(view, crc)
    },
    'by words': () => {
      for (let i = 0; i < 100; i++) crc = crcOfWords(words, 0, count, crc)
    },
    'by words, and copied in the same pass': () => {
      for (let i = 0; i < 100; i++) crc = copyWithCrc(words, 0, count, target, 0, crc)
    },
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
