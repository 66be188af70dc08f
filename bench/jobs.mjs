// The job queue beside plainjob on better-sqlite3 with synchronous FULL: both have a job on disk when they say so.
//
//   node bench/jobs.mjs [--jobs 10000] [--runs 5] [--dir <folder on the disk to measure>] [--json]
//
// Peers: plainjob 0.0.14, better-sqlite3 12.11.1, from bench/node_modules or `--peers <folder>`. Every round runs each
// contender once, in turn, in a new folder; the table shows medians and ranges over the rounds.
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { parseArgs } from 'node:util'
import { BatchWriter, JobController, JobLog } from '../dist/src/jobs/index.js'
import { loadPlainjob, openPlainjob } from './lib/plainjob.mjs'

const { values: flags } = parseArgs({
  options: {
    jobs: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '5' },
    dir: { type: 'string', default: os.tmpdir() },
    peers: { type: 'string', default: import.meta.dirname },
    json: { type: 'boolean', default: false },
  },
})
const JOBS = Number(flags.jobs)
const RUNS = Number(flags.runs)
const CALLERS = 100
const BATCH = 100
const SINGLE = Math.max(100, Math.round(JOBS / 20))
const payloadOf = (n) => ({ n, to: 'someone@example.org', text: 'x'.repeat(100) })

const peers = await loadPeers()
const { plainjob } = peers
const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }

async function loadPeers() {
  try {
    return await loadPlainjob(flags.peers)
  } catch (error) {
    console.error(`The peers are not installed (${error.message.split('\n')[0]}).`)
    console.error('Run: npm install --prefix bench plainjob@0.0.14 better-sqlite3@12.11.1')
    process.exit(2)
  }
}

async function inFolder(run) {
  const dir = fs.mkdtempSync(path.join(flags.dir, 'tidemark-bench-jobs-'))
  try {
    return await run(dir)
  } finally {
    fs.rmSync(dir, { recursive: true, force: true })
  }
}

async function perSecond(count, run) {
  const startMs = performance.now()
  await run()
  return (count / (performance.now() - startMs)) * 1000
}

function quantile(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
}

async function withTidemark(options, run) {
  return inFolder(async (dir) => {
    const queue = await JobController.open({ dir, ...options })
    try {
      return await run(queue)
    } finally {
      await queue.close()
    }
  })
}

async function withPlainjob(run) {
  return inFolder(async (dir) => {
    const queue = openPlainjob(dir, peers)
    try {
      return await run(queue)
    } finally {
      queue.close()
    }
  })
}

/** Callers that each await their job before they bring the next. */
async function fromCallers(callers, count, enqueue) {
  let next = 0
  const caller = async () => {
    while (next < count) await enqueue(next++)
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

const enqueueRates = {
  'tidemark, 1 caller awaiting each': () =>
    withTidemark({}, (queue) =>
      perSecond(SINGLE, () => fromCallers(1, SINGLE, (n) => queue.enqueue({ payload: payloadOf(n) }))),
    ),
  'plainjob, 1 caller': () =>
    withPlainjob((queue) =>
      perSecond(SINGLE, () => fromCallers(1, SINGLE, (n) => queue.add('job', payloadOf(n)))),
    ),
  [`tidemark, ${CALLERS} callers awaiting each`]: () =>
    withTidemark({}, (queue) =>
      perSecond(JOBS, () => fromCallers(CALLERS, JOBS, (n) => queue.enqueue({ payload: payloadOf(n) }))),
    ),
  [`plainjob, ${CALLERS} callers (its calls are synchronous)`]: () =>
    withPlainjob((queue) =>
      perSecond(SINGLE, () => fromCallers(CALLERS, SINGLE, (n) => queue.add('job', payloadOf(n)))),
    ),
  [`tidemark, enqueueMany of ${BATCH}`]: () =>
    withTidemark({}, (queue) =>
      perSecond(JOBS, async () => {
        for (let n = 0; n < JOBS; n += BATCH)
          await queue.enqueueMany(batch(n).map((payload) => ({ payload })))
      }),
    ),
  [`plainjob, addMany of ${BATCH}`]: () =>
    withPlainjob((queue) =>
      perSecond(JOBS, () => {
        for (let n = 0; n < JOBS; n += BATCH) queue.addMany('job', batch(n))
      }),
    ),
}

function batch(from) {
  return Array.from({ length: BATCH }, (_, i) => payloadOf(from + i))
}

/** From the first enqueue to the last completion on disk; handlers do nothing. */
const endToEnd = {
  'tidemark, concurrency 100': () =>
    withTidemark({ concurrency: 100 }, (queue) =>
      perSecond(JOBS, async () => {
        queue.start(async () => {})
        for (let n = 0; n < JOBS; n += BATCH)
          await queue.enqueueMany(batch(n).map((payload) => ({ payload })))
        await queue.drained()
      }),
    ),
  'tidemark, concurrency 1': () =>
    withTidemark({ concurrency: 1 }, (queue) =>
      perSecond(SINGLE, async () => {
        queue.start(async () => {})
        await queue.enqueueMany(Array.from({ length: SINGLE }, (_, n) => ({ payload: payloadOf(n) })))
        await queue.drained()
      }),
    ),
  'plainjob, one worker': () =>
    withPlainjob((queue) =>
      perSecond(SINGLE, async () => {
        queue.addMany(
          'job',
          Array.from({ length: SINGLE }, (_, n) => payloadOf(n)),
        )
        let left = SINGLE
        await new Promise((resolve) => {
          const onCompleted = () => {
            if (--left === 0) worker.stop().then(resolve)
          }
          const worker = plainjob.defineWorker('job', async () => {}, {
            queue,
            logger: silent,
            pollIntervall: 1,
            onCompleted,
          })
          void worker.start()
        })
      }),
    ),
}

/** From the call of enqueue to the call of the handler, one job at a time in an idle queue: milliseconds. */
const dispatchLatency = {
  tidemark: () =>
    withTidemark({}, async (queue) => {
      const latencies = []
      let started = () => {}
      queue.start(() => started(performance.now()))
      for (let n = 0; n < SINGLE; n++) {
        const handled = new Promise((resolve) => {
          started = resolve
        })
        const startMs = performance.now()
        await queue.enqueue({ payload: payloadOf(n) })
        latencies.push((await handled) - startMs)
        await queue.drained()
      }
      return latencies
    }),
  'plainjob, polling every ms': () =>
    withPlainjob(async (queue) => {
      const latencies = []
      let started = () => {}
      const handler = async () => started(performance.now())
      const worker = plainjob.defineWorker('job', handler, { queue, logger: silent, pollIntervall: 1 })
      void worker.start()
      for (let n = 0; n < SINGLE; n++) {
        const handled = new Promise((resolve) => {
          started = resolve
        })
        const startMs = performance.now()
        queue.add('job', payloadOf(n))
        latencies.push((await handled) - startMs)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      await worker.stop()
      return latencies
    }),
}

async function withLog(run) {
  return inFolder(async (dir) => {
    const log = await JobLog.open(dir)
    try {
      return await run(log)
    } finally {
      await log.close()
    }
  })
}

function batchWriter(size) {
  return () =>
    withLog((log) =>
      perSecond(JOBS, async () => {
        const writer = new BatchWriter(log, { size, intervalMs: 10 })
        for (let n = 0; n < JOBS; n++) {
          const appended = writer.append('ENQUEUE', `job-${n}`, payloadOf(n))
          if ((n + 1) % size === 0) await appended
        }
        await writer.close()
      }),
    )
}

const appendRates = {
  'one caller awaiting each append': () =>
    withLog((log) =>
      perSecond(SINGLE, () => fromCallers(1, SINGLE, (n) => log.append('ENQUEUE', `job-${n}`, payloadOf(n)))),
    ),
  'BatchWriter of 100, awaiting each batch': batchWriter(100),
  'BatchWriter of 500, awaiting each batch': batchWriter(500),
}

const results = {}

async function measure(title, contenders) {
  const rounds = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let run = 0; run < RUNS; run++) {
    for (const [name, contender] of Object.entries(contenders)) rounds[name].push(await contender())
  }
  results[title] = rounds
  return rounds
}

async function showRates(title, contenders) {
  const rounds = await measure(title, contenders)
  if (flags.json) return
  console.log(`\n${title}`)
  for (const [name, rates] of Object.entries(rounds)) {
    const sorted = [...rates].sort((a, b) => a - b).map(Math.round)
    console.log(
      `  ${name.padEnd(52)} ${String(quantile(sorted, 0.5)).padStart(9)}   (${sorted[0]} to ${sorted.at(-1)})`,
    )
  }
}

async function showLatencies(title, contenders) {
  const rounds = await measure(title, contenders)
  if (flags.json) return
  console.log(`\n${title}`)
  for (const [name, latencies] of Object.entries(rounds)) {
    const sorted = latencies.flat().sort((a, b) => a - b)
    const figures = [0.5, 0.99].map((part) => quantile(sorted, part).toFixed(3))
    console.log(`  ${name.padEnd(52)} p50 ${figures[0]} ms  p99 ${figures[1]} ms`)
  }
}

if (!flags.json) {
  console.log(`${os.cpus()[0]?.model.trim()}, ${os.availableParallelism()} cores, Node ${process.version}`)
  console.log(`${JOBS} jobs, ${SINGLE} where each is synced alone; ${RUNS} rounds`)
}
await showRates('durable enqueues a second', enqueueRates)
await showRates('end to end, jobs a second', endToEnd)
await showLatencies('dispatch latency, idle queue', dispatchLatency)
await showRates('appends to the job log a second', appendRates)
if (flags.json)
  console.log(JSON.stringify({ jobs: JOBS, single: SINGLE, runs: RUNS, node: process.version, results }))
