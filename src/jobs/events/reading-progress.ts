import * as fs from 'node:fs'
import * as path from 'node:path'
import { callUser } from '../../base/emitter.js'
import { type Disk, listSegmentLsns } from '../../log/index.js'

/** Bytes between two reports. */
const stepBytes = 64 * 1024

/** How far a reading is: bytes of the log that it has read, and bytes of all that it may come to, the zeros made ready at the end included. */
export type OnProgress = (bytesDone: number, bytesTotal: number) => void

/** Bytes of the segment files in a folder, the zeros made ready in them included. */
export function logSizeOf(dir: string): number {
  const files = fs.readdirSync(dir).filter((name) => name.endsWith('.wal'))
  const sizes = files.map((name) => fs.statSync(path.join(dir, name), { throwIfNoEntry: false })?.size ?? 0)
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Reports how far a walk through the events of a log is. */
export class ReadingProgress {
  readonly #onProgress: OnProgress | undefined
  readonly #fromLsn: number = 0
  readonly #bytesTotal: number = 0
  #nextLsn = Number.POSITIVE_INFINITY

  /** The walk begins at `fromLsn`, or with the log. */
  constructor(disk: Disk, dir: string, onProgress: OnProgress | undefined, fromLsn?: number) {
    this.#onProgress = onProgress
    if (!onProgress) return
    const [firstLsn = 0] = listSegmentLsns(disk, dir)
    this.#fromLsn = fromLsn ?? firstLsn
    this.#bytesTotal = Math.max(0, logSizeOf(dir) - (this.#fromLsn - firstLsn))
    this.#nextLsn = this.#fromLsn + stepBytes
  }

  /** The walk has come to this LSN. */
  at(lsn: number): void {
    if (lsn < this.#nextLsn) return
    this.#nextLsn = lsn + stepBytes
    const bytesDone = Math.min(lsn - this.#fromLsn, this.#bytesTotal)
    callUser(() => this.#onProgress!(bytesDone, this.#bytesTotal))
  }
}
