import { crc32 } from 'node:zlib'
import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { segmentHeaderBytes } from '../format/segment.js'
import type { ReadBytes } from '../read/segment-window.js'

/** What is read at a time where a larger read fails. */
const pageBytes = 4096
/** A file with more unreadable pages than this is given up: each may take the drive seconds. */
const unreadablePagesMax = 64

/**
 * Reads a segment file also where the disk can't: page by page there, and a page that can't be read counts as zeros. On the
 * way it sums up the CRC of the bytes that are read from the first LSN on without a gap.
 */
export class TolerantRead {
  readonly #disk: Disk
  readonly #path: string
  #unreadablePages = 0
  #crc = 0
  #crcPosition = segmentHeaderBytes

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.#path = path
  }

  /** Whether a part of the file could not be read. */
  get unreadable(): boolean {
    return this.#unreadablePages > 0
  }

  /** CRC-32 of all bytes between the header and a place in the file, if the reading has come exactly so far. */
  crcUpTo(position: number): number | undefined {
    return this.#crcPosition === position ? this.#crc : undefined
  }

  /** @throws LogError `TIDEMARK_LOG_IO` when too much of the file can't be read. */
  readonly read: ReadBytes = (file, target, position) => {
    const bytes = this.#read(file, target, position)
    const known = this.#crcPosition - position
    if (known < 0 || known >= bytes) return bytes
    this.#crc = crc32(target.subarray(known, bytes), this.#crc)
    this.#crcPosition = position + bytes
    return bytes
  }

  #read(file: number, target: Buffer, position: number): number {
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
