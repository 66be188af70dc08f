import { SingleBar } from 'cli-progress'
import type { StoreStats } from '../../store/index.js'
import { bytes, count, duration, rate } from '../number-format.js'

const barMs = 100
const lineMs = 2000

/** Shows how far a store is: a bar on a terminal, a line every two seconds elsewhere. */
export class SyncProgress {
  readonly #stream: NodeJS.WriteStream
  readonly #stats: () => StoreStats
  readonly #bar: SingleBar | undefined
  readonly #timer: NodeJS.Timeout
  readonly #firstLsn: number
  #lastMs = performance.now()
  #lastRows = 0
  #ratePerSecond = 0

  constructor(stream: NodeJS.WriteStream, stats: () => StoreStats) {
    this.#stream = stream
    this.#stats = stats
    this.#firstLsn = stats().storedLsn
    if (stream.isTTY) {
      this.#bar = new SingleBar({
        stream,
        format: '{bar} {line}',
        barsize: 24,
        barCompleteChar: '#',
        barIncompleteChar: '-',
        hideCursor: true,
        clearOnComplete: true,
        fps: 20,
      })
      this.#bar.start(1000, 0, { line: '' })
    }
    this.#timer = setInterval(() => this.#show(), this.#bar ? barMs : lineMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#bar?.stop()
  }

  #show(): void {
    const stats = this.#stats()
    const { rows, storedLsn, syncedLsn } = stats
    const nowMs = performance.now()
    if (nowMs - this.#lastMs >= 1000 || this.#lastRows === 0) {
      this.#ratePerSecond = ((rows - this.#lastRows) / (nowMs - this.#lastMs)) * 1000
      this.#lastMs = nowMs
      this.#lastRows = rows
    }
    const span = syncedLsn - this.#firstLsn
    const fraction = span === 0 ? 1 : (storedLsn - this.#firstLsn) / span
    const line = progressLine(stats, fraction, this.#ratePerSecond)
    if (this.#bar) this.#bar.update(Math.floor(fraction * 1000), { line })
    else this.#stream.write(`${line}\n`)
  }
}

/** One line about a store that is being written. */
function progressLine(stats: StoreStats, fraction: number, ratePerSecond: number): string {
  const { rows, lagBytes, lagMs } = stats
  const lag = lagBytes === 0 ? 'no lag' : `lag ${bytes(lagBytes)}, ${duration(lagMs)}`
  return `${Math.floor(fraction * 100)}%  ${count(rows)} rows  ${rate(ratePerSecond)}/s  ${lag}`
}
