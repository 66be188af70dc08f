import { shown } from '../../base/shown.js'
import {
  dropReaderCursor,
  NodeDisk,
  type OutsideReader,
  outsideReaders,
  readersFloorLsn,
} from '../../log/index.js'
import { PoolError } from '../errors.js'
import type { LostReader, OvertakenReader } from '../types.js'

/** A log that readers outside may read: one that this process writes, or follows. */
interface WatchedLog {
  readonly dir: string
  readonly firstLsn: number
  readonly durableLsn: number
}

/** Watches the readers outside of a pool that have a cursor on its log: who of them dies, and who loses what it needs. */
export class ReaderWatch {
  /** Called once for each reader that died: it has ended, and did not say so. */
  onLost: (reader: LostReader) => void = () => {}
  /** Called when the log that a reader needs is removed, because it is too far back. */
  onOvertaken: (reader: OvertakenReader) => void = () => {}
  readonly #log: WatchedLog
  readonly #disk = new NodeDisk()
  readonly #keepBytes: number
  readonly #lost = new Set<string>()

  constructor(log: WatchedLog, keepBytes: number) {
    this.#log = log
    this.#keepBytes = keepBytes
  }

  /** The readers as they are now. @throws LogError `TIDEMARK_LOG_IO`. */
  async look(): Promise<OutsideReader[]> {
    const readers = await outsideReaders(this.#disk, this.#log.dir, this.#log)
    for (const { name, lost, lsn, lagBytes } of readers) {
      if (!lost) this.#lost.delete(name)
      else if (!this.#lost.has(name)) {
        this.#lost.add(name)
        this.onLost({ name, lsn: lsn!, lagBytes: lagBytes! })
      }
    }
    return readers
  }

  /** The LSN below which none of them holds the log. */
  floorLsn(readers: readonly OutsideReader[]): number {
    return readersFloorLsn(readers, this.#log.durableLsn, this.#keepBytes)
  }

  /** @throws PoolError `TIDEMARK_UNKNOWN_CURSOR`; LogError as of `dropReaderCursor`. */
  async drop(name: string): Promise<void> {
    if (await dropReaderCursor(this.#disk, this.#log.dir, name)) return
    throw new PoolError('TIDEMARK_UNKNOWN_CURSOR', `No reader outside has a cursor ${shown(name)}.`, { name })
  }

  /** Takes note that the log begins at another LSN than when `readers` were looked at. */
  removed(readers: readonly OutsideReader[], firstLsn: number): void {
    const { durableLsn } = this.#log
    for (const { name, state, lsn } of readers) {
      if (state !== 'valid' || lsn! >= firstLsn) continue
      this.onOvertaken({ name, lsn: lsn!, lagBytes: durableLsn - lsn!, keepBytes: this.#keepBytes })
    }
  }
}
