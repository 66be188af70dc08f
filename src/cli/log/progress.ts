import { setImmediate, setTimeout } from 'node:timers/promises'
import { SingleBar } from 'cli-progress'
import type { InspectionStep } from '../../log/index.js'
import { bytes } from '../number-format.js'

/** How long an inspection may hold the thread before timers and signals get their turn. */
const holdMs = 50
const lineMs = 2000

/** Shows how far the reading or copying of a log is: a bar on a terminal, a line every two seconds elsewhere. */
export class LogProgress {
  readonly #stream: NodeJS.WriteStream
  readonly #done: string
  readonly #bar: SingleBar | undefined
  #shownMs = performance.now()

  /** `done` is what happens to the bytes: "read", "copied". */
  constructor(stream: NodeJS.WriteStream, done = 'read') {
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

  show({ bytesDone, bytesTotal }: Pick<InspectionStep, 'bytesDone' | 'bytesTotal'>): void {
    const fraction = bytesTotal === 0 ? 1 : bytesDone / bytesTotal
    const line = `${Math.floor(fraction * 100)}%  ${bytes(bytesDone)} of ${bytes(bytesTotal)} ${this.#done}`
    if (this.#bar) {
      this.#bar.update(Math.floor(fraction * 1000), { line })
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

/**
 * Runs an inspection to its end, with progress unless `progress` is false and with the waits that it asks for. `between`
 * is called between steps, and ends the run with `undefined` when it says `false`.
 */
export async function runInspection<T>(
  steps: Generator<InspectionStep, T>,
  options: { progress?: boolean; between?: () => boolean | Promise<boolean> } = {},
): Promise<T | undefined> {
  const display = options.progress === false ? undefined : new LogProgress(process.stderr)
  let turnMs = performance.now()
  try {
    for (;;) {
      const step = steps.next()
      if (step.done) return step.value
      display?.show(step.value)
      if (options.between && !(await options.between())) return undefined
      if (step.value.waitMs > 0) await setTimeout(step.value.waitMs)
      if (performance.now() - turnMs < holdMs) continue
      await setImmediate()
      turnMs = performance.now()
    }
  } finally {
    // However it ends, also by what `between` throws, the file that is being read is closed.
    steps.return(undefined as T)
    display?.stop()
  }
}
