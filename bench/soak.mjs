// A pool under a steady mixed flow for a long time: rotations, checkpoints, retention, a cursor, a subscriber that catches up,
// backups that are opened, and `log verify` beside it. An auditor reads the log by itself and counts what is missing. Ends with
// latency beside each of these, and with the trend of each figure.
//
//   npm run soak -- [--seconds 1200] [--rate 50000] [--dir FOLDER]
import { execFile } from 'node:child_process'
import { readdirSync, rmSync, statSync } from 'node:fs'
import * as path from 'node:path'
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { bytes, count, duration } from '../dist/src/cli/number-format.js'
import { EnginePool } from '../dist/src/index.js'
import { figure, Report } from './lib/report.mjs'
import { progress } from './lib/rounds.mjs'
import { inFolder, readSettings, whole } from './lib/settings.mjs'
import { SoakFlow } from './lib/soak-flow.mjs'

const settings = readSettings({ seconds: '', rate: '50000' })
const seconds = settings.flags.seconds
  ? whole('seconds', settings.flags.seconds)
  : settings.pick(8, 120, 1200)
const ratePerSecond = whole('rate', settings.flags.rate)
const sampleMs = settings.pick(1000, 5000, 10_000)
const every = { verifyMs: settings.pick(3000, 30_000, 30_000), backupMs: settings.pick(3000, 40_000, 60_000) }
const symbols = Array.from({ length: 8 }, (_, i) => `SYM${i}`)
const cli = path.join(import.meta.dirname, '../dist/src/cli/main.js')
const report = new Report('soak', 'A soak: a steady flow beside everything else', settings)
const commandsMax = Math.ceil(ratePerSecond * seconds * 1.1)

/** The end of a child process: its exit code and what it printed. */
function runScript(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? -1) : 0, stdout, stderr })
    })
  })
}

class Soak {
  /** Which of the things beside the flow are running: latency counts for each of them. */
  #beside = new Set()
  #latency = new Map()
  #interval = createHistogram()
  #tags = []
  #lsn = 0
  #audit = { records: 0, repeated: 0, missing: 0, audited: 0, bytes: 0, lsn: 0 }
  #failures = []
  #runs = new Map()
  #samples = []
  #loopMs = 0
  #lastTick = performance.now()
  #over = false

  constructor(dir) {
    this.dir = path.join(dir, 'pool')
    this.copies = path.join(dir, 'copies')
  }

  async run() {
    const pool = await EnginePool.open({
      dir: this.dir,
      shards: 2,
      instruments: symbols.map((symbol) => ({ symbol, tickSize: '0.01', lotSize: '0.001' })),
      segmentBytes: 16 * 1024 * 1024,
      checkpointIntervalMs: settings.pick(2000, 10_000, 15_000),
      keepLogBytes: 256 * 1024 * 1024,
      cursorKeepBytes: 512 * 1024 * 1024,
    })
    this.pool = pool
    for (const name of ['error', 'diskFull', 'cursorInvalidated', 'checkpointFailed']) {
      pool.on(name, (what) => this.#failures.push(`${name}: ${what?.code ?? ''} ${what?.message ?? ''}`))
    }
    const ticker = setInterval(() => this.#tick(), 1)
    const auditor = this.#startAuditor(pool.durableLsn)
    const flow = new SoakFlow(pool, {
      symbols,
      ratePerSecond,
      commandsMax,
      onAcknowledged: (tag, lsn, latencyMs) => this.#acknowledged(tag, lsn, latencyMs),
    })
    flow.start()
    const handOver = setInterval(() => this.#handOver(auditor), 1000)
    const sampler = setInterval(() => this.#sample(flow), sampleMs)
    const cursor = this.#consume()
    const chores = [
      this.#repeat('log verify', every.verifyMs, () => this.#verify()),
      this.#repeat('backup', every.backupMs, (turn) => this.#backup(turn)),
      this.#repeat('catch-up', every.verifyMs * 1.3, () => this.#catchUp()),
      this.#watchCheckpoints(),
    ]
    const startMs = performance.now()
    while (performance.now() - startMs < seconds * 1000) {
      progress(
        `${Math.round((performance.now() - startMs) / 1000)} of ${seconds} s, ${count(flow.sent)} commands`,
      )
      await sleep(200)
    }
    progress('')
    this.#over = true
    flow.stop()
    clearInterval(sampler)
    await Promise.all(chores)
    while (flow.inFlight > 0) await sleep(10)
    const delivered = await cursor.finish(pool.durableLsn)
    clearInterval(handOver)
    await this.#lastAudit(auditor)
    const { restingOrders } = await pool.digest()
    await pool.close()
    clearInterval(ticker)
    const reopened = JSON.parse((await runScript(this.#opener, this.dir)).stdout)
    if (reopened.restingOrders !== restingOrders) this.#failures.push('the books differ after opening again')
    this.#print(flow, delivered)
  }

  get #opener() {
    return path.join(import.meta.dirname, 'lib/soak-opener.mjs')
  }

  #acknowledged(tag, lsn, latencyMs) {
    this.#tags.push(tag)
    if (lsn > this.#lsn) this.#lsn = lsn
    const us = Math.max(1, Math.round(latencyMs * 1000))
    this.#interval.record(us)
    if (this.#beside.size === 0) this.#histogram('nothing').record(us)
    else for (const what of this.#beside) this.#histogram(what).record(us)
  }

  #histogram(what) {
    let histogram = this.#latency.get(what)
    if (!histogram) {
      histogram = createHistogram()
      this.#latency.set(what, histogram)
    }
    return histogram
  }

  #tick() {
    const nowMs = performance.now()
    this.#loopMs = Math.max(this.#loopMs, nowMs - this.#lastTick)
    this.#lastTick = nowMs
  }

  #startAuditor(fromLsn) {
    const auditor = new Worker(new URL('./lib/soak-auditor.mjs', import.meta.url), {
      workerData: { dir: this.dir, fromLsn, commandsMax },
    })
    auditor.on('message', (audit) => {
      this.#audit = audit
    })
    auditor.on('error', (error) => this.#failures.push(`the auditor: ${error.message}`))
    return auditor
  }

  #handOver(auditor) {
    auditor.postMessage({ lsn: this.pool.durableLsn, tags: Uint32Array.from(this.#tags) })
    this.#tags = []
  }

  async #lastAudit(auditor) {
    const lsn = this.pool.durableLsn
    this.#handOver(auditor)
    const deadlineMs = performance.now() + 60_000
    while (this.#audit.lsn < lsn && performance.now() < deadlineMs) await sleep(50)
    if (this.#audit.lsn < lsn) this.#failures.push('the auditor did not reach the end')
    await auditor.terminate()
  }

  async #repeat(what, delayMs, chore) {
    for (let turn = 0; ; turn++) {
      for (let waitedMs = 0; waitedMs < delayMs && !this.#over; waitedMs += 100) await sleep(100)
      if (this.#over) return
      this.#beside.add(what)
      try {
        await chore(turn)
        this.#runs.set(what, (this.#runs.get(what) ?? 0) + 1)
      } catch (error) {
        this.#failures.push(`${what}: ${error.code ?? ''} ${error.message}`)
      }
      this.#beside.delete(what)
    }
  }

  async #verify() {
    const { code, stdout, stderr } = await runScript(cli, 'log', 'verify', this.dir)
    if (code !== 0) throw new Error(`exit code ${code}: ${(stderr + stdout).slice(-300)}`)
  }

  /** By turns with the pool and with the command line; the copy must hold what was acknowledged when it began, and open. */
  async #backup(turn) {
    const target = path.join(this.copies, String(turn))
    const lsn = this.#lsn
    if (turn % 2 === 0) await this.pool.backup(target)
    else {
      const { code, stdout, stderr } = await runScript(cli, 'log', 'backup', this.dir, target)
      if (code !== 0) throw new Error(`exit code ${code}: ${(stderr + stdout).slice(-300)}`)
    }
    const { code, stdout, stderr } = await runScript(this.#opener, target)
    if (code !== 0) throw new Error(`the copy does not open: ${stderr.slice(-300)}`)
    const { endLsn } = JSON.parse(stdout)
    if (endLsn < lsn) throw new Error(`the copy ends at ${endLsn}, ${lsn} was acknowledged when it began`)
    rmSync(target, { recursive: true, force: true })
  }

  async #catchUp() {
    const to = this.pool.durableLsn
    const from = this.#samples.at(-1)?.durableLsn ?? to
    if (from >= to) return
    let last = from
    for await (const event of this.pool.subscribe({ from, to })) {
      if (event.lsn < last) throw new Error('events out of order')
      last = event.lsn
    }
  }

  /** Checkpoints come by themselves; one is under way while its temporary file is there. */
  async #watchCheckpoints() {
    let newest = ''
    while (!this.#over) {
      const names = readdirSync(this.dir)
      if (names.some((name) => name.includes('.tmp'))) this.#beside.add('checkpoint')
      else this.#beside.delete('checkpoint')
      const last =
        names
          .filter((name) => name.endsWith('.snap'))
          .sort()
          .at(-1) ?? ''
      if (last !== newest) this.#runs.set('checkpoint', (this.#runs.get('checkpoint') ?? 0) + 1)
      newest = last
      await sleep(20)
    }
  }

  /** A consumer with a cursor: every event, in order, acknowledged; trade ids without a gap. */
  #consume() {
    const { pool } = this
    let stopAt = Number.POSITIVE_INFINITY
    let events = 0
    let last = 0
    const tradeIds = new Map()
    const subscription = pool.subscribe({ cursor: 'soak' })
    const reading = (async () => {
      for await (const event of subscription) {
        events++
        if (event.lsn < last) this.#failures.push(`an event at LSN ${event.lsn} after one at ${last}`)
        last = event.lsn
        if (event.type === 'trade') {
          const expected = (tradeIds.get(event.symbol) ?? 0) + 1
          if (event.tradeId !== expected)
            this.#failures.push(`trade ${event.tradeId} of ${event.symbol} after ${expected - 1}`)
          tradeIds.set(event.symbol, event.tradeId)
        }
        if ((events & 1023) === 0) subscription.acknowledge()
        if (last >= stopAt) break
      }
    })().catch((error) => this.#failures.push(`the cursor: ${error.code ?? ''} ${error.message}`))
    const finish = async (lsn) => {
      stopAt = lsn
      const deadlineMs = performance.now() + 60_000
      while (subscription.deliveredLsn < lsn && performance.now() < deadlineMs) await sleep(50)
      await subscription.return()
      await reading
      return events
    }
    return { finish }
  }

  #sample(flow) {
    const memory = process.memoryUsage()
    const names = readdirSync(this.dir)
    const size = (name) => statSync(path.join(this.dir, name), { throwIfNoEntry: false })?.size ?? 0
    const interval = this.#interval
    const at = (part) => interval.percentile(part) / 1000
    this.#samples.push({
      atMs: performance.now(),
      commands: flow.sent,
      durableLsn: this.pool.durableLsn,
      rss: memory.rss,
      heap: memory.heapUsed,
      external: memory.external,
      descriptors: readdirSync('/proc/self/fd').length,
      files: names.length,
      folder: names.reduce((sum, name) => sum + size(name), 0),
      p50Ms: at(50),
      p99Ms: at(99),
      maxMs: interval.max / 1000,
      loopMs: this.#loopMs,
    })
    interval.reset()
    this.#loopMs = 0
  }

  #print(flow, delivered) {
    const { missing, repeated, audited, records } = this.#audit
    report.table(
      'What was checked',
      ['what', 'number'],
      [
        ['commands submitted', count(flow.sent)],
        ['refused', JSON.stringify(Object.fromEntries(flow.refused))],
        ['acknowledged and looked up in the log', count(audited)],
        ['records read by the auditor', count(records)],
        ['missing, repeated', `${missing}, ${repeated}`],
        ['events that the cursor got', count(delivered)],
        ['rotations', count(this.#rotations)],
        ...[...this.#runs].map(([what, runs]) => [what, count(runs)]),
        ['failures', this.#failures.length],
        ...this.#failures.slice(0, 20).map((failure) => ['', failure]),
      ],
    )
    report.table(
      'Latency of acknowledgements, from the time at which a command was due',
      ['beside', 'commands', 'p50', 'p99', 'p99.9', 'max'],
      [...this.#latency].map(([what, histogram]) => [
        what,
        count(histogram.count),
        ...[50, 99, 99.9].map((part) => duration(histogram.percentile(part) / 1000)),
        duration(histogram.max / 1000),
      ]),
    )
    this.#printTrends()
    report.goal('acknowledged and missing in the log', missing, { atMost: 0 })
    report.goal('failures', this.#failures.length, { atMost: 0 })
  }

  get #rotations() {
    const first = this.#samples[0]?.durableLsn ?? 0
    return Math.floor(((this.#samples.at(-1)?.durableLsn ?? 0) - first) / (16 * 1024 * 1024))
  }

  /** Means of the second tenth and of the last one, and the slope between them by least squares. */
  #printTrends() {
    const steady = this.#samples.slice(Math.floor(this.#samples.length / 10))
    if (steady.length < 4) return
    const part = Math.max(1, Math.floor(steady.length / 9))
    const mean = (samples, of) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
    const rows = [
      ['rss', bytes, (sample) => sample.rss],
      ['heap used', bytes, (sample) => sample.heap],
      ['external', bytes, (sample) => sample.external],
      ['descriptors', figure, (sample) => sample.descriptors],
      ['files', figure, (sample) => sample.files],
      ['folder', bytes, (sample) => sample.folder],
      ['p50', duration, (sample) => sample.p50Ms],
      ['p99', duration, (sample) => sample.p99Ms],
      ['max', duration, (sample) => sample.maxMs],
      ['event loop held', duration, (sample) => sample.loopMs],
    ].map(([what, format, of]) => {
      const slope = slopePerHour(steady, of)
      return [
        what,
        format(mean(steady.slice(0, part), of)),
        format(mean(steady.slice(-part), of)),
        `${slope < 0 ? '-' : '+'}${format(Math.abs(slope))}`,
      ]
    })
    report.table('Trends', ['what', 'at the start', 'at the end', 'slope an hour'], rows, {
      note: `${steady.length} samples of ${sampleMs / 1000} s, the first tenth left out.`,
      data: this.#samples,
      charts: [
        {
          kind: 'lines',
          title: 'Resident memory over time',
          x: 'seconds',
          y: 'MiB',
          series: [{ name: 'rss', points: steady.map(({ atMs, rss }) => [atMs / 1000, rss / 1048576]) }],
        },
      ],
    })
  }
}

/** The slope of a straight line through the samples, by least squares. */
function slopePerHour(samples, of) {
  const hours = samples.map(({ atMs }) => atMs / 3_600_000)
  const values = samples.map(of)
  const meanOf = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length
  const hour = meanOf(hours)
  const value = meanOf(values)
  const covariance = hours.reduce((sum, at, i) => sum + (at - hour) * (values[i] - value), 0)
  const variance = hours.reduce((sum, at) => sum + (at - hour) ** 2, 0)
  return variance === 0 ? 0 : covariance / variance
}

await inFolder(settings.dir, (dir) => new Soak(dir).run())
const { goals } = report.finish()
process.exitCode = goals.every(({ met }) => met) ? 0 : 1
