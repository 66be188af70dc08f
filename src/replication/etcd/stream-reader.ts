import type { ClientDuplexStream } from '@grpc/grpc-js'
import type { CallFailure } from './failures.js'

/** So often within the time that a stream may be silent its node is asked for a sign of life. */
const questionsPerTimeout = 3

/** gRPC's status of a call that took too long. */
const deadlineExceeded = 4

/**
 * Reads a stream message by message. No more is read ahead than the stream buffers, so a slow reader slows its node down and fills no memory here.
 */
export class StreamReader<Reply> {
  readonly #stream: ClientDuplexStream<object, Reply>
  readonly #timeoutMs: number
  readonly #ask: () => void
  #error: Error | undefined
  #ended = false
  #wake: () => void = () => {}

  /**
   * @param timeoutMs the stream counts as dead when nothing comes for so long. Time in which nothing is to be read does not count.
   * @param ask asks the node for a message.
   */
  constructor(stream: ClientDuplexStream<object, Reply>, timeoutMs: number, ask: () => void) {
    this.#stream = stream
    this.#timeoutMs = timeoutMs
    this.#ask = ask
    stream.on('readable', () => this.#wake())
    stream.on('error', (error: Error) => {
      this.#error = error
      this.#wake()
    })
    stream.on('end', () => {
      this.#ended = true
      this.#wake()
    })
  }

  /** The next message; undefined when the stream has ended. @throws the stream's error, or one that says that the node is silent. */
  async next(): Promise<Reply | undefined> {
    let questionsLeft = questionsPerTimeout
    for (;;) {
      const message = this.#stream.read() as Reply | null
      if (message !== null) return message
      if (this.#error) throw this.#error
      if (this.#ended) return undefined
      const woken = await this.#wait(this.#timeoutMs / (questionsPerTimeout + 1))
      if (woken) continue
      if (questionsLeft-- === 0) throw silence(this.#timeoutMs)
      this.#ask()
    }
  }

  /** Lets `next` return undefined: nothing more is to be read. */
  end(): void {
    this.#ended = true
    this.#wake()
  }

  #wait(delayMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs, false)
      this.#wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }
}

function silence(timeoutMs: number): Error & CallFailure {
  const details = `a node said nothing for ${timeoutMs} ms`
  return Object.assign(new Error(details), { code: deadlineExceeded, details })
}
