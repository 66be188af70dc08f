import { closeSync, openSync, writeSync } from 'node:fs'
import { outputFailure } from './failure.js'

const bufferCharsMax = 256 * 1024

/** A text file written in large pieces. Every error names the file. */
export class OutputFile {
  readonly path: string
  readonly #descriptor: number
  #buffered: string[] = []
  #chars = 0

  /** Creates the file, or empties it. @throws CliFailure */
  constructor(path: string) {
    this.path = path
    try {
      this.#descriptor = openSync(path, 'w')
    } catch (error) {
      throw outputFailure('write', path, error)
    }
  }

  write(text: string): void {
    this.#buffered.push(text)
    this.#chars += text.length
    if (this.#chars >= bufferCharsMax) this.#flush()
  }

  close(): void {
    try {
      this.#flush()
    } finally {
      closeSync(this.#descriptor)
    }
  }

  #flush(): void {
    const bytes = Buffer.from(this.#buffered.join(''))
    this.#buffered = []
    this.#chars = 0
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at)
    } catch (error) {
      throw outputFailure('write', this.path, error)
    }
  }
}
