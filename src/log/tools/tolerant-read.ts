import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import type { ReadBytes } from '../read/segment-window.js'

/** What is read at a time where a larger read fails. */
const pageBytes = 4096
/** A file with more unreadable pages than this is given up: each may take the drive seconds. */
const unreadablePagesMax = 64

/**
 * Reads a segment file also where the disk can't: page by page there, and a page that can't be read counts as zeros.
 */
export class TolerantRead {
  readonly #disk: Disk
  readonly #path: string
  #unreadablePages = 0

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.#path = path
  }

  /** Whether a part of the file could not be read. */
  get unreadable(): boolean {
    return this.#unreadablePages > 0
  }

  /** @throws LogError `TIDEMARK_LOG_IO` when too much of the file can't be read. */
  readonly read: ReadBytes = (file, target, position) => {
    try {
      return this.#disk.readSync(file, target, position)
    } catch {
      const page = target.subarray(0, pageBytes - (position % pageBytes))
      try {
        return this.#disk.readSync(file, page, position)
      } catch (cause) {
        if (++this.#unreadablePages > unreadablePagesMax) {
          attempt('read', this.#path, () => {
            throw cause
          })
        }
        page.fill(0)
        return page.byteLength
      }
    }
  }
}
