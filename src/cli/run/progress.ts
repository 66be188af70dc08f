import { SingleBar } from 'cli-progress'
import { bytes, count, rate } from '../number-format.js'

export interface ProgressState {
  /** 0 to 1; undefined when the end is not known. */
  readonly fraction: number | undefined
  readonly commands: number
  readonly trades: number
  readonly ratePerSecond: number
  /** Claimed in the log and not yet on disk. */
  readonly lagBytes: number
}

const barMs = 100
const lineMs = 2000

/** One line about a run that is under way. */
export function progressLine(state: ProgressState): string {
  const part = state.fraction === undefined ? '' : `${Math.floor(state.fraction * 100)}%  `
  return (
    `${part}${count(state.commands)} commands  ${count(state.trades)} trades  ` +
    `${rate(state.ratePerSecond)}/s  durable lag ${bytes(state.lagBytes)}`
  )
}

/** Shows a run's progress on a stream: a bar on a terminal, a line now and then elsewhere. */
export class ProgressDisplay {
  readonly #stream: NodeJS.WriteStream
  readonly #state: () => Omit<ProgressState, 'ratePerSecond'>
  readonly #bar: SingleBar | undefined
  readonly #timer: NodeJS.Timeout
  #lastMs = performance.now()
  #lastCommands = 0
  #ratePerSecond = 0

  constructor(stream: NodeJS.WriteStream, state: () => Omit<ProgressState, 'ratePerSecond'>) {
    this.#stream = stream
    this.#state = state
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
    const state = this.#state()
    const nowMs = performance.now()
    this.#ratePerSecond = ((state.commands - this.#lastCommands) / (nowMs - this.#lastMs)) * 1000
    this.#lastMs = nowMs
    this.#lastCommands = state.commands
    const line = progressLine({ ...state, ratePerSecond: this.#ratePerSecond })
    if (this.#bar) this.#bar.update(Math.floor((state.fraction ?? 0) * 1000), { line })
    else this.#stream.write(`${line}\n`)
  }
}
