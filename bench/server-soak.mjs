// A server under 100 connections at a steady rate for a long time: 20 trade over the WebSocket API, 10 follow their accounts, 70 follow
// the market. Every order is answered, every change of the depth and every trade comes to everybody, and what the server holds stays
// as it is: heap, handles, event loop delay, latency. Ends with a verdict, and with a plot.
//
//   npm run soak -- --server [--minutes 30] [--rate 400] [--dir FOLDER] [--plot FILE]
import { mkdirSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytes, count, duration } from '../dist/src/cli/number-format.js'
import { figure, Report } from './lib/report.mjs'
import { progress } from './lib/rounds.mjs'
import { inFolder, readSettings, whole } from './lib/settings.mjs'
import { soakPlot } from './lib/soak-plot.mjs'
import { ApiClient, connect, ServedProcess } from './lib/venue-clients.mjs'

const settings = readSettings({ minutes: '', rate: '400', plot: '' })
const seconds = settings.flags.minutes
  ? Math.round(Number(settings.flags.minutes) * 60)
  : settings.pick(10, 60, 1800)
if (!(seconds >= 5)) throw new Error(`minutes is ${settings.flags.minutes}; use a number from 0.1 up.`)
const ratePerSecond = whole('rate', settings.flags.rate)
const sampleMs = seconds <= 300 ? 1000 : 10_000
const traders = 20
const accountReaders = 10
const watchers = 70
const restingMax = 40
/** A run that is shorter fills what is kept for queries, and says nothing of what is flat. */
const verdictSeconds = 300
const report = new Report('server-soak', 'A soak of the server: 100 connections at a steady rate', settings)

class Soak {
  #failures = []
  #latency = createHistogram()
  #all = createHistogram()
  #samples = []
  #sent = 0
  #answered = 0
  #events = 0
  #reports = 0
  #isOver = false
  #lastUpdates = new Map()

  constructor(served) {
    this.served = served
  }

  async run() {
    const clients = await Promise.all(this.served.keys.slice(0, traders).map((key) => this.#trader(key)))
    const following = await Promise.all(
      this.served.keys.slice(0, accountReaders).map((key) => this.#accountReader(key)),
    )
    const watching = await Promise.all(Array.from({ length: watchers }, (_, i) => this.#watcher(i)))
    const startMs = performance.now()
    const flow = this.#flow(clients, startMs)
    while (performance.now() - startMs < seconds * 1000) {
      await sleep(sampleMs)
      const second = (performance.now() - startMs) / 1000
      await this.#sample(second)
      progress(`${Math.round(second)} of ${seconds} s, ${count(this.#answered)} orders`)
    }
    progress('')
    this.#isOver = true
    await flow
    await this.#settle()
    const cut = await this.served.ask('cut')
    for (const socket of watching) socket.terminate()
    for (const client of [...clients, ...following]) client.close()
    this.#print(cut)
  }

  async #trader(key) {
    const client = await ApiClient.open(this.served.url, key)
    await client.logon()
    return client
  }

  async #accountReader(key) {
    const client = await this.#trader(key)
    client.onEvent = ({ event }) => {
      if (event?.e === 'executionReport') this.#reports++
    }
    const { status } = await client.request('userDataStream.subscribe', {})
    if (status !== 200) this.#failures.push(`user data could not be subscribed to: ${status}`)
    return client
  }

  /** Follows the depth or the trades, and notes whatever is missing. */
  #watcher(number) {
    const isDepth = number % 2 === 0
    let previous = 0
    return connect(this.served.url, isDepth ? '/ws/btcusdt@depth@100ms' : '/ws/btcusdt@trade', (data) => {
      const event = JSON.parse(data)
      this.#events++
      const first = isDepth ? event.U : event.t
      if (previous > 0 && first !== previous + 1)
        this.#failures.push(`${isDepth ? 'a change' : 'a trade'} ${first} after ${previous}`)
      previous = isDepth ? event.u : event.t
      this.#lastUpdates.set(number, previous)
    })
  }

  /** Orders around one price, so that many trade; what rests is cancelled before there is too much of it. */
  async #flow(clients, startMs) {
    const resting = clients.map(() => [])
    const underWay = new Set()
    while (!this.#isOver) {
      const due = ((performance.now() - startMs) * ratePerSecond) / 1000
      while (this.#sent < due && !this.#isOver) {
        const at = this.#sent % clients.length
        const dueMs = startMs + (this.#sent++ * 1000) / ratePerSecond
        const done = this.#act(clients[at], resting[at], dueMs).finally(() => underWay.delete(done))
        underWay.add(done)
      }
      await sleep(1)
    }
    await Promise.all(underWay)
  }

  async #act(client, resting, dueMs) {
    const isCancel = resting.length > restingMax
    const answer = isCancel
      ? await client.request('order.cancel', { symbol: 'BTCUSDT', orderId: resting.shift() })
      : await client.request('order.place', this.#order())
    const latencyUs = Math.max(1, Math.round((performance.now() - dueMs) * 1000))
    this.#latency.record(latencyUs)
    this.#all.record(latencyUs)
    const { status, result, error } = answer
    // What was cancelled may have traded before.
    if (status === 200 || (isCancel && error?.code === -2011)) this.#answered++
    else this.#failures.push(`${isCancel ? 'a cancel' : 'an order'} was refused: ${JSON.stringify(error)}`)
    if (!isCancel && (result?.status === 'NEW' || result?.status === 'PARTIALLY_FILLED'))
      resting.push(result.orderId)
  }

  #order() {
    const side = Math.random() < 0.5 ? 'BUY' : 'SELL'
    const away = Math.floor(Math.random() * 20) - 2
    const price = (60_000 + (side === 'BUY' ? -away : away) * 0.01).toFixed(2)
    return { symbol: 'BTCUSDT', side, type: 'LIMIT', timeInForce: 'GTC', price, quantity: '0.00100' }
  }

  async #sample(second) {
    const at = (part) => this.#latency.percentile(part) / 1000
    const latency = { p50Ms: at(50), p99Ms: at(99), maxMs: this.#latency.max / 1000 }
    this.#latency.reset()
    this.#samples.push({ second, orders: this.#answered, ...latency, ...(await this.served.ask('sample')) })
  }

  /** Waits until all of a kind have got the same. */
  async #settle() {
    const endMs = performance.now() + 30_000
    const isLate = () =>
      [0, 1].some((kind) => {
        const last = [...this.#lastUpdates]
          .filter(([number]) => number % 2 === kind)
          .map(([, update]) => update)
        return new Set(last).size > 1 || last.length < watchers / 2
      })
    await sleep(500)
    while (isLate() && performance.now() < endMs) await sleep(50)
    if (isLate()) this.#failures.push('not every connection got the last event')
  }

  #print(cut) {
    report.table(
      'What was checked',
      ['what', 'number'],
      [
        ['connections', traders + accountReaders + watchers],
        ['orders and cancels sent, answered', `${count(this.#sent)}, ${count(this.#answered)}`],
        ['events of the market received', count(this.#events)],
        ['reports of accounts received', count(this.#reports)],
        [
          'latency p50, p99, p99.9',
          [50, 99, 99.9].map((part) => duration(this.#all.percentile(part) / 1000)).join(', '),
        ],
        ['failures', this.#failures.length],
        ...this.#failures.slice(0, 20).map((failure) => ['', failure]),
      ],
    )
    report.goal('failures', this.#failures.length, { atMost: 0 })
    report.goal('sent and not answered', this.#sent - this.#answered, { atMost: 0 })
    report.goal('connections that were cut', cut, { atMost: 0 })
    this.#printTrends()
    this.#plot()
  }

  /** The second tenth of the run beside the last one: what is flat is about the same in both. */
  #printTrends() {
    const steady = this.#samples.slice(Math.floor(this.#samples.length / 10))
    const part = Math.max(1, Math.floor(steady.length / 9))
    const median = (samples, of) => samples.map(of).sort((a, b) => a - b)[Math.floor(samples.length / 2)]
    const least = (samples, of) => Math.min(...samples.map(of))
    const rows = []
    for (const [what, format, of, pickOf, atMost] of [
      // What garbage is in a heap is chance: the least of a few samples is what it holds.
      ['heap used, least', bytes, ({ heap }) => heap, least, 1.25],
      ['resident memory', bytes, ({ rss }) => rss, median, 1.25],
      ['handles', figure, ({ handles }) => handles, median, 1.05],
      ['descriptors', figure, ({ descriptors }) => descriptors, median, 1.05],
      ['event loop delay, p99', duration, ({ loopP99Ms }) => loopP99Ms, median, 2],
      ['latency, p50', duration, ({ p50Ms }) => p50Ms, median, 2],
      ['latency, p99', duration, ({ p99Ms }) => p99Ms, median, 2],
    ]) {
      const [first, last] = [pickOf(steady.slice(0, part), of), pickOf(steady.slice(-part), of)]
      rows.push([what, format(first), format(last), figure(last / first)])
      if (seconds >= verdictSeconds)
        report.goal(`${what}: the end over the beginning`, last / first, { atMost })
    }
    report.table('Trends', ['what', 'at the start', 'at the end', 'ratio'], rows, {
      note: `${steady.length} samples of ${sampleMs / 1000} s, the first tenth left out.${seconds < verdictSeconds ? ' No verdict on what is flat: that takes 5 minutes or more, in the first of which what is kept for queries fills up.' : ''}`,
      data: this.#samples,
    })
  }

  #plot() {
    const series = (name, of) => ({
      name,
      points: this.#samples.map((sample) => [sample.second, of(sample)]),
    })
    const file = settings.flags.plot || path.join(import.meta.dirname, 'results/server-soak.svg')
    mkdirSync(path.dirname(path.resolve(file)), { recursive: true })
    writeFileSync(
      file,
      soakPlot(`100 connections, ${ratePerSecond} orders a second, ${seconds} seconds`, [
        {
          y: 'MiB',
          series: [
            series('heap used', ({ heap }) => heap / 1048576),
            series('resident', ({ rss }) => rss / 1048576),
          ],
        },
        {
          y: 'count',
          series: [
            series('handles', ({ handles }) => handles),
            series('descriptors', ({ descriptors }) => descriptors),
          ],
        },
        {
          y: 'milliseconds',
          series: [
            series('latency p50', ({ p50Ms }) => p50Ms),
            series('latency p99', ({ p99Ms }) => p99Ms),
            series('event loop delay p99', ({ loopP99Ms }) => loopP99Ms),
          ],
        },
      ]),
    )
  }
}

await inFolder(settings.dir, async (dir) => {
  const served = await ServedProcess.start(dir, traders + accountReaders)
  try {
    await new Soak(served).run()
  } finally {
    await served.close()
  }
})
const { goals } = report.finish()
process.exitCode = goals.every(({ met }) => met) ? 0 : 1
