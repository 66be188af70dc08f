import { SingleBar } from 'cli-progress'
import { bytes, percent } from '../number-format.js'

const lineMs = 2000

/** Shows how far the work on an archive is: a bar on a terminal, a line every two seconds elsewhere. */
export class ArchiveProgressBar {
  readonly #stream: NodeJS.WriteStream
  readonly #done: string
  readonly #bar: SingleBar | undefined
  #shownMs = performance.now()

  /** `done` is what happens to the bytes: "archived", "checked". */
  constructor(stream: NodeJS.WriteStream, done: string) {
    this.#stream = stream
    this.#done = done
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
    this.#bar.start(1000, 0, { line: '' })
  }

  show(done: number, total: number): void {
    const line = `${percent(done, total)}  ${bytes(done)} of ${bytes(total)} ${this.#done}`
    if (this.#bar) {
      this.#bar.update(total === 0 ? 1000 : Math.floor((done / total) * 1000), { line })
      return
    }
    if (performance.now() - this.#shownMs < lineMs) return
    this.#shownMs = performance.now()
    this.#stream.write(`${line}\n`)
  }

  stop(): void {
    this.#bar?.stop()
  }
}
