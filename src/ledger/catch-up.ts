import { setImmediate as nextTurn } from 'node:timers/promises'
import { FileReader, NodeDisk, RecordAssembler } from '../log/index.js'
import type { RecordObserver } from '../pool/index.js'

/** Bytes that are folded in one turn of the event loop. */
const turnBytes = 4 * 1024 * 1024

/**
 * Gives an observer the durable records of a log's files from one LSN to another.
 *
 * @throws LogError `TIDEMARK_LOG_CORRUPT`, `TIDEMARK_LOG_IO`, `TIDEMARK_BAD_LSN` when the log begins later.
 */
export class CatchUp {
  readonly #files: FileReader
  readonly #walk: RecordAssembler

  constructor(dir: string, fromLsn: number, observer: RecordObserver) {
    this.#files = new FileReader(new NodeDisk(), dir, fromLsn, { chunkBytes: 256 * 1024 })
    const walk: RecordAssembler = new RecordAssembler({
      visit: (words, from, to, lsn, type, _flags, producer) =>
        observer.observe(words, from, to, lsn, type, producer, walk),
    })
    this.#walk = walk
  }

  /** Resolves when everything below `lsn`, which is durable and the end of a batch, was given. */
  async to(lsn: number): Promise<void> {
    for await (const _ of this.turnsTo(lsn));
  }

  /** As `to`; yields after each turn of the event loop, and at the end. Ends earlier, when everything up to `wantedLsn` was given. */
  async *turnsTo(lsn: number, wantedLsn = lsn): AsyncGenerator<void, void, undefined> {
    let bytes = 0
    while (this.#files.position < wantedLsn) {
      const chunk = this.#files.nextSync(lsn)
      if (chunk === undefined) break
      this.#walk.walk(chunk)
      bytes += chunk.endLsn - chunk.startLsn
      if (bytes < turnBytes) continue
      bytes = 0
      yield
      await nextTurn()
    }
    yield
  }

  /** Up to where, of what was given, records are whole: another one begins there. */
  wholeLsn(lsn: number): number {
    return this.#walk.unfinishedLsn ?? lsn
  }

  close(): void {
    this.#files.close()
  }
}
