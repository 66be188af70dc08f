// Durable records a second through the log alone, 64-byte records from one other thread, beside a bare prototype: the same
// bytes with a CRC each from one thread into a ring, another thread writing the ring into a file of zeros and syncing.
//
//   node bench/log.mjs [--quick] [--rounds N] [--dir FOLDER] [--records N]
import { rmSync } from 'node:fs'
import * as path from 'node:path'
import { Worker } from 'node:worker_threads'
import { ZeroedFile } from '../dist/src/cli/bench/disk.js'
import { bytes, rate } from '../dist/src/cli/number-format.js'
import { DurableLog } from '../dist/src/log/index.js'
import { BareCommitter } from './lib/bare-committer.mjs'
import { word } from './lib/bare-memory.mjs'
import { figure, Report, range } from './lib/report.mjs'
import { interleaved, ratioOf, spreadOf } from './lib/rounds.mjs'
import { inFolder, readSettings, whole } from './lib/settings.mjs'

const settings = readSettings({ records: '' })
const records = whole('records', settings.flags.records || settings.pick('100000', '2000000', '6000000'))
const recordBytes = 64
const headerBytes = 32
const ringBytes = 16 * 1024 * 1024

async function writer(workerData) {
  const worker = new Worker(new URL('./lib/bare-record-writer.mjs', import.meta.url), { workerData })
  const answer = () =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  await answer()
  return {
    write: (count) => {
      const written = answer()
      worker.postMessage({ records: count })
      return written
    },
    end: () => worker.terminate(),
  }
}

function result(elapsedMs, flushes) {
  return { perSecond: (records / elapsedMs) * 1000, recordsPerFlush: records / flushes, elapsedMs }
}

function durableLog(durability) {
  return inFolder(settings.dir, async (dir) => {
    const log = await DurableLog.open({ dir, durability, ringBytes })
    const { memory, producerId } = log.producerHandle()
    const thread = await writer({ kind: 'log', memory, producerId, payloadBytes: recordBytes - headerBytes })
    await log.waitDurable(await thread.write(Math.floor(records / 5)))
    const before = log.stats().flushes
    const startMs = performance.now()
    await log.waitDurable(await thread.write(records))
    const elapsedMs = performance.now() - startMs
    const flushes = log.stats().flushes - before
    await thread.end()
    await log.close()
    return result(elapsedMs, flushes)
  })
}

function bareRing() {
  return inFolder(settings.dir, async (dir) => {
    const warm = Math.floor(records / 5)
    const fileBytes = (records + warm) * recordBytes + ringBytes
    const file = path.join(dir, 'bare.tmp')
    new ZeroedFile(file, fileBytes).close()
    const bare = await BareCommitter.start(file, fileBytes, ringBytes)
    const thread = await writer({ kind: 'bare', memory: bare.memory, payloadBytes: recordBytes })
    await thread.write(warm)
    await durable(bare, warm)
    const before = bare.commits
    const startMs = performance.now()
    await thread.write(records)
    await durable(bare, warm + records)
    const elapsedMs = performance.now() - startMs
    const flushes = bare.commits - before
    bare.tail = (warm + records) * recordBytes
    await thread.end()
    await bare.close()
    rmSync(file)
    return result(elapsedMs, flushes)
  })
}

/** Waits until the bare committer has synced so many records. */
async function durable({ control }, count) {
  for (;;) {
    const now = Atomics.load(control, word.durable)
    if (((now - count * recordBytes) | 0) >= 0) return
    const wait = Atomics.waitAsync(control, word.durable, now)
    if (wait.async) await wait.value
  }
}

const report = new Report('log', 'The log alone: durable records a second', settings)
const results = await interleaved(settings.rounds, {
  DurableLog: () => durableLog('group'),
  'DurableLog, unsafeNone': () => durableLog('unsafeNone'),
  'bare ring to writev + fdatasync': bareRing,
})
const perSecond = (one) => one.perSecond
const rows = Object.entries(results).map(([name, rounds]) => {
  const speed = spreadOf(rounds, perSecond)
  return [
    name,
    range(speed, rate),
    `${bytes(speed.median * recordBytes)}/s`,
    figure(spreadOf(rounds, (one) => one.recordsPerFlush).median),
  ]
})
report.table(
  '64 bytes a record, header included, from one thread',
  ['', 'records/s', 'bytes', 'records a sync'],
  rows,
  {
    note: `${records.toLocaleString('en-US')} records a round. The prototype has no LSNs, no readers, no segments, and its whole file is filled with zeros before the clock starts.`,
    data: results,
    charts: [
      {
        kind: 'bars',
        title: 'Records a second',
        unit: 'records a second, median and spread',
        bars: Object.entries(results).map(([name, rounds]) => ({ name, ...spreadOf(rounds, perSecond) })),
      },
    ],
  },
)
const [log, , bare] = Object.values(results)
report.goal('64-byte records a second, durable (or the next line)', spreadOf(log, perSecond).median, {
  atLeast: 8_000_000,
  absolute: true,
})
report.goal('DurableLog over the bare prototype', ratioOf(log, bare, perSecond).median, { atLeast: 0.8 })
report.finish()
