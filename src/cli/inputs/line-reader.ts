import { StringDecoder } from 'node:string_decoder'
import type { InputFile } from './input-file.js'

/** A line longer than this is not kept; it is given as `undefined`. */
export const lineCharsMax = 1024 * 1024

/** Reads an input line by line, in memory that doesn't grow with the input, whatever the length of its lines. */
export class LineReader {
  /** Number of the line given last, from 1 on. */
  line = 0
  readonly #file: InputFile
  readonly #decoder = new StringDecoder('utf8')
  #text = ''
  #at = 0
  #rest = ''
  #tooLong = false
  #ended = false

  constructor(file: InputFile) {
    this.#file = file
  }

  /** Whether `take` has to be preceded by `more`. */
  get needsMore(): boolean {
    return !this.#ended && this.#text.indexOf('\n', this.#at) < 0
  }

  /** Reads on until a whole line is there, or the end. */
  async more(): Promise<void> {
    while (this.needsMore) {
      this.#keep(this.#text.slice(this.#at))
      this.#at = 0
      const chunk = await this.#file.next()
      this.#text = chunk ? this.#decoder.write(chunk) : this.#decoder.end()
      if (!chunk) this.#ended = true
    }
  }

  /** The next line without its end, `undefined` for one that is too long, `null` after the last. */
  take(): string | undefined | null {
    const end = this.#text.indexOf('\n', this.#at)
    if (end < 0) return this.#takeLast()
    const piece = this.#text.slice(this.#at, end)
    this.#at = end + 1
    return this.#finish(piece)
  }

  #takeLast(): string | undefined | null {
    const piece = this.#text.slice(this.#at)
    this.#at = this.#text.length
    if (piece === '' && this.#rest === '' && !this.#tooLong) return null
    return this.#finish(piece)
  }

  #finish(piece: string): string | undefined {
    this.#keep(piece)
    const line = this.#tooLong ? undefined : this.#rest
    this.#rest = ''
    this.#tooLong = false
    this.line++
    if (line === undefined) return undefined
    const start = this.line === 1 && line.charCodeAt(0) === 0xfeff ? 1 : 0
    return line.slice(start, line.endsWith('\r') ? -1 : undefined)
  }

  #keep(piece: string): void {
    if (this.#tooLong) return
    if (this.#rest.length + piece.length > lineCharsMax) {
      this.#tooLong = true
      this.#rest = ''
    } else {
      this.#rest = this.#rest === '' ? piece : this.#rest + piece
    }
  }
}
