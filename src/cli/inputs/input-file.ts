import { createReadStream, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { reasonOf } from '../../base/errno.js'
import { inputFailure } from '../failure.js'

const chunkBytes = 256 * 1024

/**
 * An input read once, in chunks, unpacked if it is gzip. `-` is standard input. The first chunk can be looked at
 * before anything is taken.
 */
export class InputFile {
  readonly path: string
  readonly #chunks: AsyncIterator<Buffer>
  readonly #size: number | undefined
  readonly #stop: () => void
  #rawBytes: () => number
  #first: Buffer | undefined
  #done = false

  /** @throws CliFailure (bad input) when the file can't be opened. */
  static async open(path: string): Promise<InputFile> {
    const file = new InputFile(path)
    file.#first = await file.#take()
    return file
  }

  private constructor(path: string) {
    this.path = path
    let size: number | undefined
    if (path !== '-') {
      try {
        const stat = statSync(path)
        if (stat.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' })
        size = stat.isFile() ? stat.size : undefined
      } catch (error) {
        throw this.#unreadable(error)
      }
    }
    const raw = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: chunkBytes })
    let taken = 0
    this.#rawBytes = () => taken
    this.#size = size
    this.#stop = () => {
      raw.destroy()
    }
    this.#chunks = unpacked(raw, (bytes) => {
      taken += bytes
    })
  }

  get name(): string {
    return this.path === '-' ? 'standard input' : this.path
  }

  /** The beginning of the content, unpacked; empty when the input is empty. */
  get head(): Buffer {
    return this.#first ?? Buffer.alloc(0)
  }

  /** The part of the file that has been read; undefined for a pipe. */
  get fraction(): number | undefined {
    if (this.#size === undefined) return undefined
    return this.#size === 0 ? 1 : Math.min(1, this.#rawBytes() / this.#size)
  }

  /** The next chunk, or undefined at the end. @throws CliFailure (bad input) when reading or unpacking fails. */
  async next(): Promise<Buffer | undefined> {
    const first = this.#first
    if (first) {
      this.#first = undefined
      return first
    }
    return this.#take()
  }

  close(): void {
    this.#stop()
  }

  async #take(): Promise<Buffer | undefined> {
    if (this.#done) return undefined
    try {
      const { value, done } = await this.#chunks.next()
      if (!done) return value
      this.#done = true
      return undefined
    } catch (error) {
      throw this.#unreadable(error)
    }
  }

  #unreadable(error: unknown): Error {
    return inputFailure(`Could not read ${this.name}: ${reasonOf(error)}.`, error)
  }
}

/** The chunks of a stream; those of a gzip stream unpacked. `onRaw` hears of every byte taken from the stream. */
async function* unpacked(
  raw: NodeJS.ReadableStream,
  onRaw: (bytes: number) => void,
): AsyncGenerator<Buffer, undefined> {
  const chunks = raw[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const first = await chunks.next()
  if (first.done) return undefined
  async function* counted() {
    for (let result: IteratorResult<Buffer> = first; !result.done; result = await chunks.next()) {
      onRaw(result.value.length)
      yield result.value
    }
  }
  if (first.value[0] === 0x1f && first.value[1] === 0x8b) {
    const gunzip = createGunzip({ chunkSize: chunkBytes })
    // A failed read ends the unpacking too: what reads from it gets the error.
    Readable.from(counted(), { objectMode: false })
      .on('error', (error) => gunzip.destroy(error))
      .pipe(gunzip)
    yield* gunzip
  } else {
    yield* counted()
  }
  return undefined
}
