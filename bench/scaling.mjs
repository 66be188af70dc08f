// How the cost of a command grows: with resting orders and symbols (the book alone), with shards (the pool), and with the
// size of a record (the log).
//
//   npm run bench:scaling -- [--quick] [--rounds N] [--dir FOLDER] [--resting 10000000] [--symbols 100000]
import { drive } from '../dist/src/cli/bench/drive.js'
import { CommandTape } from '../dist/src/cli/bench/tape.js'
import { Random } from '../dist/src/cli/flow/random.js'
import { bytes, count, rate } from '../dist/src/cli/number-format.js'
import { EnginePool } from '../dist/src/index.js'
import { DurableLog } from '../dist/src/log/index.js'
import {
  encodeCancel,
  encodeInstrument,
  encodeNew,
  MatchingEngine,
  RecordBuffer,
} from '../dist/src/matching/index.js'
import { figure, Report, range } from './lib/report.mjs'
import { interleaved, spreadOf } from './lib/rounds.mjs'
import { inFolder, readSettings, shardCounts, whole } from './lib/settings.mjs'

const settings = readSettings({ resting: '', symbols: '' })
const { pick, flags } = settings
const restingMost = whole('resting', flags.resting || pick('10000', '100000', '1000000'))
const symbolsMost = whole('symbols', flags.symbols || pick('100', '10000', '100000'))
const operations = pick(5000, 200_000, 500_000)
const middle = 1_000_000

/** 1,000 and ten times as many, up to the most. */
function decades(from, most) {
  const values = []
  for (let value = from; value < most; value *= 10) values.push(value)
  return [...values, most]
}

/** Books with so many resting orders; then orders that rest, trade or are cancelled, with the size kept. */
function bookCost(resting, symbols) {
  const engine = new MatchingEngine()
  const record = new RecordBuffer()
  const words = new Int32Array(64)
  const apply = (at = 0, from = words) => {
    record.reset()
    engine.apply(from, at, record)
  }
  for (let instrumentId = 0; instrumentId < symbols; instrumentId++) {
    encodeInstrument(words, 0, 0, 0, {
      instrumentId,
      symbol: `S${instrumentId}`,
      tickSize: '1',
      lotSize: '1',
      replacePriority: 'keep-on-reduce',
      selfTradePrevention: 'none',
    })
    apply()
  }
  const random = new Random(11)
  let id = 0
  const encode = (target, at) => {
    id++
    const sell = random.below(2)
    const away = 1 + random.below(500)
    const price = middle + (sell === 1 ? away : -away)
    return encodeNew(
      target,
      at,
      id % symbols,
      id,
      0,
      id,
      1 + (id % 97),
      sell,
      0,
      0,
      0,
      0,
      price,
      10,
      0,
      0,
      0,
      0,
    )
  }
  while (id < resting) {
    encode(words, 0)
    apply()
  }
  // A third rest, a third are cancels of any order, and a third take one order's worth from the other side.
  const commands = new Int32Array(operations * 12)
  let end = 0
  for (let i = 0; i < operations; i++) {
    const kind = i % 3
    if (kind === 0) end += encode(commands, end)
    else if (kind === 1) {
      const victim = 1 + random.below(id)
      end += encodeCancel(commands, end, victim % symbols, i, 0, victim, -1, 0)
    } else {
      const taker = 4_000_000_000 + i
      const sell = random.below(2)
      const price = middle + (sell === 1 ? -600 : 600)
      const instrumentId = random.below(symbols)
      end += encodeNew(commands, end, instrumentId, i, 0, taker, 1, sell, 0, 1, 0, 0, price, 10, 0, 0, 0, 0)
    }
  }
  const startMs = performance.now()
  for (let at = 0; at < end; at += commands[at] >>> 18) apply(at, commands)
  return ((performance.now() - startMs) / operations) * 1e6
}

const report = new Report('scaling', 'Scaling: what a command costs as things grow', settings)
await book('resting orders', decades(1000, restingMost), (resting) => bookCost(resting, 1))
const filled = pick(10_000, 100_000, 200_000)
await book('symbols', [1, ...decades(10, symbolsMost)], (symbols) => bookCost(filled, symbols))
await shards()
await recordSizes()
report.finish()

async function book(what, values, cost) {
  cost(values[0])
  const contenders = Object.fromEntries(values.map((value) => [value, () => cost(value)]))
  const results = await interleaved(Math.min(3, settings.rounds), contenders)
  const spreads = values.map((value) => spreadOf(results[value], (nanoseconds) => nanoseconds))
  report.table(
    `The book alone, over ${what}`,
    [what, 'ns a command', 'over the line before'],
    values.map((value, at) => [
      count(value),
      range(spreads[at]),
      at === 0 ? '' : figure(spreads[at].median / spreads[at - 1].median),
    ]),
    {
      note: `A third of the commands rest, a third cancel, a third trade.${what === 'symbols' ? ` ${count(filled)} orders rest in all.` : ''}`,
      data: results,
      charts: [
        {
          kind: 'lines',
          title: `Cost of a command over ${what}`,
          x: what,
          y: 'nanoseconds a command',
          series: [
            {
              name: 'the book alone',
              points: spreads.map(({ median, min, max }, at) => [values[at], median, min, max]),
            },
          ],
        },
      ],
    },
  )
}

async function shards() {
  const counts = shardCounts()
  const tape = new CommandTape({ commands: pick(50_000, 1_000_000, 2_000_000), symbols: 64 })
  const run = (number) =>
    inFolder(settings.dir, async (dir) => {
      const pool = await EnginePool.open({ dir, instruments: tape.instruments, shards: number })
      const part = { handover: 'batch', perBatch: 1000, window: 65_536, timeMs: pick(100, 500, 1000) }
      const warm = await drive(pool, tape, { ...part, from: 0, to: tape.length / 4 })
      const result = await drive(pool, tape, { ...part, from: warm.commands, to: tape.length })
      await pool.close()
      return (result.commands / result.elapsedMs) * 1000
    })
  const results = await interleaved(
    settings.rounds,
    Object.fromEntries(counts.map((number) => [`${number} shards`, () => run(number)])),
  )
  const spreads = Object.values(results).map((rounds) => spreadOf(rounds, (perSecond) => perSecond))
  report.table(
    'The pool, over shards: 64 symbols, submitBatch of CommandBatch',
    ['shards', 'commands/s', 'over one shard'],
    counts.map((number, at) => [
      number,
      range(spreads[at], rate),
      figure(spreads[at].median / spreads[0].median),
    ]),
    { data: results },
  )
}

async function recordSizes() {
  const sizes = pick([32, 1024], [32, 128, 1024, 8192], [32, 64, 128, 256, 1024, 4096, 16_384, 65_536])
  const goalBytes = pick(1, 64, 128) * 1024 * 1024
  const run = (size) =>
    inFolder(settings.dir, async (dir) => {
      const log = await DurableLog.open({ dir })
      const batch = new Array(Math.max(1, Math.min(256, Math.floor(131_072 / size)))).fill(
        new Uint8Array(size),
      )
      const records = Math.min(1_000_000, Math.ceil(goalBytes / (size + 32)))
      const lag = 8 * 1024 * 1024
      const startMs = performance.now()
      let written = 0
      let lsn = 0
      for (; written < records; written += batch.length) {
        if (lsn - log.durableLsn > lag) await log.waitDurable(lsn - lag / 2)
        lsn = log.appendBatch(batch)
      }
      await log.waitDurable(lsn)
      const perSecond = (written / (performance.now() - startMs)) * 1000
      await log.close()
      return perSecond
    })
  const results = await interleaved(
    Math.min(3, settings.rounds),
    Object.fromEntries(sizes.map((size) => [`${size} bytes`, () => run(size)])),
  )
  const spreads = Object.values(results).map((rounds) => spreadOf(rounds, (perSecond) => perSecond))
  report.table(
    'The log, over the size of a record',
    ['payload', 'records/s', 'payload/s'],
    sizes.map((size, at) => [bytes(size), range(spreads[at], rate), `${bytes(spreads[at].median * size)}/s`]),
    {
      note: 'appendBatch from the main thread; each record has a header of 32 bytes.',
      data: results,
      charts: [
        {
          kind: 'lines',
          title: 'Records a second over the size of a record',
          x: 'bytes of payload',
          y: 'records a second',
          series: [
            {
              name: 'DurableLog',
              points: spreads.map(({ median, min, max }, at) => [sizes[at], median, min, max]),
            },
          ],
        },
      ],
    },
  )
}
