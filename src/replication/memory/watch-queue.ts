import type { KeyChange } from '../kv/kv.js'
import type { WatchSink } from './network.js'

/** The end of a watch that its reader takes changes from. */
export class WatchQueue implements WatchSink {
  readonly #waiting: (readonly KeyChange[])[] = []
  #error: Error | undefined
  #wake: () => void = () => {}

  push(changes: readonly KeyChange[]): void {
    if (this.#error) return
    this.#waiting.push(changes)
    this.#wake()
  }

  fail(error: Error): void {
    this.#error ??= error
    this.#wake()
  }

  async *read(signal: AbortSignal): AsyncGenerator<readonly KeyChange[]> {
    const onAbort = () => this.#wake()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      while (!signal.aborted) {
        const changes = this.#waiting.shift()
        if (changes) yield changes
        else if (this.#error) throw this.#error
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}
