import * as fs from 'node:fs'
import * as path from 'node:path'
import { AtomicFileSync, NodeDisk } from '../../log/index.js'
import { ServerError } from '../errors.js'

/** Others than the owner may not read the file. */
const othersMask = 0o077

/** A disk whose new files only their owner can read. */
class PrivateDisk extends NodeDisk {
  override create(file: string): number {
    return fs.openSync(file, 'w+', 0o600)
  }
}

/** How often a file that is followed is looked at. */
const lookMs = 1000

/** A file of JSON that only its owner can read, that is written anew as a whole, and read again when it changed. */
export class PrivateFile {
  readonly path: string
  readonly #take: (value: unknown) => void
  #stamp = ''
  #lookedMs = Number.NEGATIVE_INFINITY
  #failure: string | undefined

  /** `take` is called with what stands in the file, `undefined` when there is none. It throws for what it can't use, and changes nothing then. */
  constructor(file: string, take: (value: unknown) => void) {
    this.path = file
    this.#take = take
  }

  /**
   * Reads the file, unless it is what was taken before.
   *
   * @throws ServerError `TIDEMARK_SERVER_KEY_FILE` for one that can't be read, or that others can read; what `take` throws.
   */
  read(): void {
    let stat: fs.Stats
    try {
      stat = fs.statSync(this.path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(this.path, error)
      this.#take(undefined)
      this.#stamp = ''
      return
    }
    const stamp = `${stat.mtimeMs} ${stat.ino} ${stat.size}`
    if (stamp === this.#stamp) return
    if ((stat.mode & othersMask) !== 0) {
      throw keyFailure(`${this.path} can be read by others than its owner; chmod 600 it.`, {
        file: this.path,
      })
    }
    let value: unknown
    try {
      value = JSON.parse(fs.readFileSync(this.path, 'utf8'))
    } catch (error) {
      throw unreadable(this.path, error)
    }
    this.#take(value)
    this.#stamp = stamp
  }

  /**
   * Reads the file again, once a second at most. One that can't be used changes nothing: who follows it is in the middle of a request, and
   * keeps what was taken before. `onFailure` is called when that begins.
   */
  look(onFailure: (error: unknown) => void): void {
    const nowMs = performance.now()
    if (nowMs - this.#lookedMs < lookMs) return
    this.#lookedMs = nowMs
    try {
      this.read()
      this.#failure = undefined
    } catch (error) {
      const { message } = error as Error
      if (message === this.#failure) return
      this.#failure = message
      onFailure(error)
    }
  }

  /** @throws LogError `TIDEMARK_LOG_IO`. */
  write(value: object): void {
    const text = `${JSON.stringify(value, undefined, 1)}\n`
    const folder = path.dirname(path.resolve(this.path))
    const file = new AtomicFileSync(new PrivateDisk(), folder, path.basename(this.path))
    file.write(new TextEncoder().encode(text))
    file.publish(path.basename(this.path))
  }
}

export function keyFailure(message: string, details: Record<string, unknown>): ServerError {
  return new ServerError('TIDEMARK_SERVER_KEY_FILE', message, details)
}

function unreadable(file: string, cause: unknown): ServerError {
  return new ServerError(
    'TIDEMARK_SERVER_KEY_FILE',
    `${file} could not be read: ${(cause as Error).message}`,
    { file },
    { cause },
  )
}
