import { SingleBar } from 'cli-progress'
import { bytes } from './number-format.js'

const barMs = 100
const lineMs = 2000
const rateMs = 1000
const steps = 1000

/** What is shown: how far it is, 0 to 1, or undefined when the end is not known, and a line about it. */
export type Progress = readonly [fraction: number | undefined, line: string]

/** Shows on a stream how far something is: a bar on a terminal, a line every two seconds elsewhere. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream
  readonly #bar: SingleBar | undefined
  #timer: NodeJS.Timeout | undefined
  #shownMs = performance.now()

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    if (!stream.isTTY) return
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
    this.#bar.start(steps, 0, { line: '' })
  }

  /** Shows what `look` says now and then, until `stop`. Keeps the process alive only with `keepsAlive`. */
  watch(look: () => Progress, { keepsAlive = false } = {}): void {
    this.#timer = setInterval(() => this.#show(look()), this.#bar ? barMs : lineMs)
    if (!keepsAlive) this.#timer.unref()
  }

  /** For a loop: shows what `look` says, if it is time again. */
  showWhenDue(look: () => Progress): void {
    if (!this.#bar && performance.now() - this.#shownMs < lineMs) return
    this.#shownMs = performance.now()
    this.#show(look())
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#bar?.stop()
  }

  #show([fraction, line]: Progress): void {
    if (this.#bar) this.#bar.update(Math.floor((fraction ?? 0) * steps), { line })
    else this.#stream.write(`${line}\n`)
  }
}

/** Shows how many bytes of a log, or of an archive, are done. */
export class BytesProgress {
  readonly #done: string
  readonly #bar: ProgressBar

  /** `done` is what happens to the bytes: "read", "copied", "archived". */
  constructor(stream: NodeJS.WriteStream, done: string) {
    this.#done = done
    this.#bar = new ProgressBar(stream)
  }

  show(done: number, total: number): void {
    this.#bar.showWhenDue(() => {
      const fraction = total === 0 ? 1 : done / total
      return [fraction, `${Math.floor(fraction * 100)}%  ${bytes(done)} of ${bytes(total)} ${this.#done}`]
    })
  }

  stop(): void {
    this.#bar.stop()
  }
}

/** How many a second are added to a number that only grows; measured anew once a second. */
export class RateMeter {
  #lastMs = performance.now()
  #last = 0
  #perSecond = 0

  perSecond(now: number): number {
    const nowMs = performance.now()
    if (this.#last > 0 && nowMs - this.#lastMs < rateMs) return this.#perSecond
    this.#perSecond = ((now - this.#last) / (nowMs - this.#lastMs)) * 1000
    this.#lastMs = nowMs
    this.#last = now
    return this.#perSecond
  }
}
