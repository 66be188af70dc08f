// What a ledger costs: commands handed to a pool through it, beside the same commands without; a hold and its settlement alone, in
// memory; and reading the snapshot of many accounts with as many open orders.
//
//   npm run bench:ledger -- [--quick | --short] [--rounds N] [--accounts N] [--dir FOLDER]
import * as path from 'node:path'
import { systemClock } from '../dist/src/base/clock.js'
import { LedgerGuard } from '../dist/src/ledger/commands/guard.js'
import { LedgerFold } from '../dist/src/ledger/fold.js'
import { Ledger } from '../dist/src/ledger/index.js'
import { encodeRecord } from '../dist/src/ledger/records.js'
import { readLedgerSnapshot, writeLedgerSnapshot } from '../dist/src/ledger/snapshot.js'
import { LedgerState } from '../dist/src/ledger/state/ledger-state.js'
import { encodeInstrument, encodeNew, MatchingEngine, RecordBuffer } from '../dist/src/matching/index.js'
import {
  commandRecordType,
  EnginePool,
  InstrumentRegistry,
  ledgerRecordType,
} from '../dist/src/pool/index.js'
import { closedLoop } from './lib/closed-loop.mjs'
import { figure, Report, range } from './lib/report.mjs'
import { interleaved, ratioOf, spread, spreadOf } from './lib/rounds.mjs'
import { filled, inFolder, readSettings, whole } from './lib/settings.mjs'

const settings = readSettings({ accounts: '' }, { rounds: 9 })
const { pick } = settings
const commands = pick(2000, 100_000, 200_000)
const inMemory = pick(5000, 200_000, 500_000)
const accounts = whole('accounts', settings.flags.accounts || pick('2000', '1000000', '1000000'))
const report = new Report('ledger', 'The ledger', settings)
const market = {
  symbol: 'BTC-USD',
  tickSize: '0.01',
  lotSize: '0.001',
  baseAsset: 'BTC',
  quoteAsset: 'USD',
}
/** The market as the log has it. */
const definition = {
  instrumentId: 0,
  symbol: market.symbol,
  tickSize: market.tickSize,
  lotSize: market.lotSize,
  replacePriority: 'keep-on-reduce',
  selfTradePrevention: 'none',
  phase: 'continuous',
  details: { baseAsset: 'BTC', quoteAsset: 'USD' },
}
const assets = [
  { id: 'USD', scale: 5 },
  { id: 'BTC', scale: 3 },
]
const traders = 64

/** Orders of funded accounts around one price: about half of them trade. */
function* flow(count) {
  let state = 12345
  const below = (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return Math.floor(((state >>> 0) / 4294967296) * bound)
  }
  for (let id = 1; id <= count; id++) {
    yield { id, account: 1 + below(traders), sell: below(2), price: 9990 + below(20), lots: 1 + below(100) }
  }
}

async function withPool(hasLedger, use) {
  return inFolder(settings.dir, async (dir) => {
    const pool = await EnginePool.open({ dir, instruments: [market], maxInFlight: 65_536 })
    const ledger = hasLedger ? await Ledger.open({ pool, assets }) : undefined
    for (let account = 1; ledger && account <= traders; account++) {
      await ledger.deposit({ account, asset: 'USD', amount: '1000000000', key: `usd ${account}` })
      await ledger.deposit({ account, asset: 'BTC', amount: '1000000000', key: `btc ${account}` })
    }
    await filled(dir)
    try {
      return await use(pool, ledger ?? pool)
    } finally {
      await pool.close()
    }
  })
}

const objects = [...flow(commands)].map(({ id, account, sell, price, lots }) => ({
  type: 'new',
  symbol: market.symbol,
  orderId: id,
  account,
  side: sell ? 'sell' : 'buy',
  orderType: 'limit',
  price: price / 100,
  quantity: lots / 1000,
}))

const submitted = (hasLedger) => () =>
  withPool(hasLedger, async (pool, target) => {
    const through = { submit: (command) => target.submit(command), stats: () => pool.stats() }
    const { elapsedMs } = await closedLoop(through, objects, { from: 0, to: commands, inFlight: 10_000 })
    return commands / (elapsedMs / 1000)
  })

const batched = (hasLedger) => () =>
  withPool(hasLedger, async (pool, target) => {
    const { id: instrument } = pool.instrument(market.symbol)
    const all = [...flow(commands)]
    const startMs = performance.now()
    const slot = async (first) => {
      const batch = target.batch()
      for (let from = first * 1000; from < commands; from += 8000) {
        batch.clear()
        for (const { id, account, sell, price, lots } of all.slice(from, from + 1000))
          batch.addNew(instrument, id, account, sell, 0, 0, price, lots)
        await target.submitBatch(batch)
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, first) => slot(first)))
    return commands / ((performance.now() - startMs) / 1000)
  })

// First: what the others leave to the collector would be counted.
await inFolder(settings.dir, async (dir) => {
  const registry = new InstrumentRegistry(1)
  registry.restore([definition])
  global.gc?.()
  const before = process.memoryUsage()
  const state = new LedgerState(registry)
  for (const asset of assets) {
    state.assets.add(asset)
    state.supply.push(0n)
  }
  state.startLsn = 8
  state.lsn = 16
  for (let account = 1; account <= accounts; account++) {
    const [usd, btc] = [state.cells.of(account, 0), state.cells.of(account, 1)]
    state.cells.balance[usd] = 1_000_000_000n
    state.cells.balance[btc] = 1_000_000n
  }
  global.gc?.()
  const after = process.memoryUsage()
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
  for (let account = 1; account <= accounts; account++) {
    const order = state.orders.add(0, account)
    state.orders.price[order] = 10_000
    state.orders.open[order] = 1
    state.orders.cell[order] = state.cells.of(account, 0)
    state.orders.hold[order] = 100_000n
  }
  await writeLedgerSnapshot(dir, state.image())
  const opened = []
  for (let round = 0; round < settings.rounds; round++) {
    const startMs = performance.now()
    const read = await readLedgerSnapshot(path.resolve(dir), registry)
    opened.push(performance.now() - startMs)
    if (read.orders.size !== accounts) throw new Error('the snapshot lost orders')
  }
  report.table(
    `${figure(accounts)} accounts with two assets and an open order each`,
    ['what', 'value'],
    [
      ['bytes an account and asset', figure(bytes / accounts / 2)],
      ['reading the snapshot, ms', range(spread(opened))],
    ],
    { data: { bytes, opened } },
  )
  report.goal('bytes an account and asset', bytes / accounts / 2, { atMost: 200, absolute: true })
  report.goal('reading the snapshot, s', spread(opened).median / 1000, { atMost: 1, absolute: true })
})
for (const [title, measure, atLeast] of [
  ['submit, 10,000 under way', submitted, 0.85],
  ['submitBatch of a CommandBatch of 1,000, 8 under way', batched, 0.75],
]) {
  const results = await interleaved(settings.rounds, {
    pool: measure(false),
    ledger: measure(true),
    'pool again': measure(false),
  })
  const rate = (value) => value
  report.table(
    title,
    ['what', 'commands/s', 'over the pool'],
    Object.entries(results).map(([name, rates]) => [
      name,
      range(spreadOf(rates, rate)),
      range(ratioOf(rates, results.pool, rate)),
    ]),
    { data: results },
  )
  const ratio = spread(results.ledger).median / spread(results.pool).median
  report.goal(`${title}: ledger over pool, medians`, ratio, { atLeast })
  report.goal(`${title}: ledger over pool, bests`, Math.max(...results.ledger) / Math.max(...results.pool), {
    atLeast,
  })
}

/** A ledger's parts without a log, with `count` orders encoded and their records. */
function parts(count) {
  const registry = new InstrumentRegistry(1)
  registry.restore([definition])
  const state = new LedgerState(registry)
  const guard = new LedgerGuard(state, registry, 1, systemClock)
  const fold = new LedgerFold(state, { holds: guard.holds, settle() {} })
  let lsn = 0
  const observe = (words, type) => {
    const payload = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
    lsn += words.byteLength + 8
    fold.observe(words, 0, words.length, lsn, type, 1, { payload, timestampUs: 0 })
  }
  const own = (record) => {
    const payload = encodeRecord(record)
    observe(new Int32Array(payload.buffer, 0, payload.byteLength >> 2), ledgerRecordType)
  }
  own({ op: 'open', assets, venue: 999 })
  for (let account = 1; account <= traders; account++) {
    for (const asset of [0, 1])
      own({ op: 'deposit', key: `${account}/${asset}`, account, asset, units: '1000000000000000' })
  }
  const engine = new MatchingEngine({ hashSeed: 1 })
  const record = new RecordBuffer()
  const words = new Int32Array(4096)
  encodeInstrument(words, 0, 0, 0, definition)
  engine.apply(words, 0, record)
  const orders = []
  const records = []
  let trades = 0
  for (const { id, account, sell, price, lots } of flow(count)) {
    const own = new Int32Array(64)
    const used = encodeNew(own, 0, 0, 0, 0, id, account, sell, 0, 0, 0, 0, price, lots, 0, 0, 0, 0)
    orders.push(own.slice(0, used))
    record.reset()
    const before = record.trades
    engine.apply(own, 0, record)
    trades += record.trades - before
    records.push(record.i32.slice(0, record.byteLength >> 2))
  }
  return { state, guard, observe, orders, records, trades }
}

const alone = { hold: [], settlement: [] }
let trades = 0
for (let round = 0; round < settings.rounds + 1; round++) {
  const { guard, observe, orders, records, trades: traded } = parts(inMemory)
  trades = traded
  let holdMs = 0
  let settlementMs = 0
  // As many on their way at once as a shard may have.
  for (let from = 0; from < orders.length; from += 1000) {
    const startMs = performance.now()
    for (const words of orders.slice(from, from + 1000)) guard.admit(0, words, 0)
    const heldMs = performance.now()
    for (const words of records.slice(from, from + 1000)) observe(words, commandRecordType)
    holdMs += heldMs - startMs
    settlementMs += performance.now() - heldMs
  }
  const holdNs = (holdMs * 1e6) / orders.length
  const settlementNs = (settlementMs * 1e6) / records.length
  // The first round is the compiler's.
  if (round === 0) continue
  alone.hold.push(holdNs)
  alone.settlement.push(settlementNs)
}
report.table(
  'In memory, nanoseconds a command',
  ['what', 'ns'],
  [
    ['hold of a new order', range(spread(alone.hold))],
    [`its record settled, with ${figure(trades / inMemory)} trades`, range(spread(alone.settlement))],
  ],
  { data: alone },
)
report.goal('a hold, ns', spread(alone.hold).median, { atMost: 150, absolute: true })
report.goal('a settlement, ns', spread(alone.settlement).median, { atMost: 150, absolute: true })

report.finish()
