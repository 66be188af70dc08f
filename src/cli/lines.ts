const flushChars = 64 * 1024

/** Lines for standard output in large pieces, at the pace of the reader. */
export class LineOutput {
  readonly #stream: NodeJS.WriteStream
  #pending: string[] = []
  #chars = 0

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.#stream = stream
  }

  line(text: string): void {
    this.#pending.push(text)
    this.#chars += text.length
  }

  /** Writes what is pending once it is much; `false` when the reader has gone away. */
  async drained(): Promise<boolean> {
    return this.#chars < flushChars || this.flush()
  }

  async flush(): Promise<boolean> {
    if (this.#stream.destroyed || this.#stream.errored) return false
    if (this.#pending.length === 0) return true
    const text = `${this.#pending.join('\n')}\n`
    this.#pending = []
    this.#chars = 0
    if (!this.#stream.write(text)) await this.#roomAgain()
    return !this.#stream.destroyed && !this.#stream.errored
  }

  /** Until the reader has taken what was written, or has gone away. */
  #roomAgain(): Promise<void> {
    const stream = this.#stream
    const events = ['drain', 'close', 'error'] as const
    return new Promise((resolve) => {
      const settle = () => {
        for (const event of events) stream.off(event, settle)
        resolve()
      }
      for (const event of events) stream.on(event, settle)
    })
  }
}
