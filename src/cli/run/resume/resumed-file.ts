import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { outputFailure } from '../../failure.js'
import type { LineWriter } from '../event-feed.js'

const bufferCharsMax = 256 * 1024

/**
 * A text file that is written again from its beginning by a run that is resumed. What stands in it already is compared
 * and left alone; from the first difference on (a torn line, another run's lines, nothing) it is replaced. So it does
 * not matter how much of it an earlier run had written, and a program that reads it never sees it empty.
 */
export class ResumedFile implements LineWriter {
  readonly path: string
  readonly #descriptor: number
  /** Whether it can be read again and cut: a pipe or a device can't. */
  readonly #regular: boolean
  #agrees: boolean
  #at = 0
  #buffered: string[] = []
  #chars = 0

  /** Opens the file, or creates it. @throws CliFailure */
  constructor(path: string) {
    this.path = path
    this.#descriptor = this.#attempt('open', () =>
      openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666),
    )
    this.#regular = fstatSync(this.#descriptor).isFile()
    this.#agrees = this.#regular
  }

  write(text: string): void {
    this.#buffered.push(text)
    this.#chars += text.length
    if (this.#chars >= bufferCharsMax) this.flush()
  }

  /** Puts what is buffered into the file. */
  flush(): void {
    if (this.#chars === 0) return
    const bytes = Buffer.from(this.#buffered.join(''))
    this.#buffered = []
    this.#chars = 0
    if (this.#agrees && this.#holds(bytes)) {
      this.#at += bytes.length
      return
    }
    if (this.#agrees) this.#cut()
    this.#agrees = false
    this.#attempt('write', () => {
      for (let done = 0; done < bytes.length; ) {
        const position = this.#regular ? this.#at : null
        const written = writeSync(this.#descriptor, bytes, done, bytes.length - done, position)
        done += written
        this.#at += written
      }
    })
  }

  /** Nothing stands after what was written. */
  close(): void {
    try {
      this.flush()
      if (this.#regular) this.#cut()
    } finally {
      closeSync(this.#descriptor)
    }
  }

  #holds(bytes: Buffer): boolean {
    const there = Buffer.allocUnsafe(bytes.length)
    let done = 0
    while (done < there.length) {
      const read = this.#attempt('read', () =>
        readSync(this.#descriptor, there, done, there.length - done, this.#at + done),
      )
      if (read === 0) return false
      done += read
    }
    return there.equals(bytes)
  }

  #cut(): void {
    this.#attempt('write', () => ftruncateSync(this.#descriptor, this.#at))
  }

  #attempt<T>(action: string, call: () => T): T {
    try {
      return call()
    } catch (error) {
      throw outputFailure(action, this.path, error)
    }
  }
}
