import { setImmediate as nextTurn } from 'node:timers/promises'
import { attemptAsync, type Disk, NodeDisk } from '../log/index.js'
import { type LedgerCheckpoint, type LedgerDoor, listLedgerFiles } from '../pool/index.js'
import { writeLedgerSnapshot } from './snapshot.js'
import type { LedgerImage, LedgerState } from './state/ledger-state.js'

/** Snapshots that are kept: one that turns out to be damaged leaves another one. */
const kept = 2

/** Writes a snapshot, and removes those that are kept no longer; returns the LSNs of those that are, newest first. @throws LogError `TIDEMARK_LOG_IO`. */
export async function placeSnapshot(disk: Disk, dir: string, image: LedgerImage): Promise<number[]> {
  await writeLedgerSnapshot(dir, image)
  const files = listLedgerFiles(disk, dir)
  for (const { path } of files.slice(kept)) await attemptAsync('remove', path, () => disk.async.remove(path))
  return files.slice(0, kept).map((file) => file.lsn)
}

/** Takes the ledger's snapshots at the checkpoints of its pool. */
export class LedgerCheckpoints implements LedgerCheckpoint {
  readonly #door: LedgerDoor
  readonly #state: LedgerState
  readonly #disk = new NodeDisk()
  /** By LSN, newest first, those that are in place. */
  #lsns: number[]
  #closed = false

  constructor(door: LedgerDoor, state: LedgerState) {
    this.#door = door
    this.#state = state
    this.#lsns = listLedgerFiles(this.#disk, door.log.dir).map(({ lsn }) => lsn)
  }

  /** Whether the folder has no snapshot yet. */
  get isFirst(): boolean {
    return this.#lsns.length === 0
  }

  get neededLsn(): number {
    return this.#lsns.at(-1) ?? 0
  }

  async take(lsn: number): Promise<void> {
    // What is durable reaches the state a moment later.
    while (this.#state.lsn < lsn && this.#door.publisher.publishedLsn < lsn) {
      const refusal = this.#door.log.poisoned
      if (refusal) throw refusal
      await nextTurn()
    }
    await this.write()
  }

  /** The state follows the log no more, so no snapshot of it is taken from now on. */
  close(): void {
    this.#closed = true
  }

  /** Writes a snapshot of the state as it is now. @throws LogError `TIDEMARK_LOG_IO`, `TIDEMARK_LOG_POISONED`. */
  async write(): Promise<void> {
    if (this.#closed) return
    const { dir } = this.#door.log
    // Between two deliveries everything that was delivered is in the state, sync markers among it.
    this.#state.lsn = Math.max(this.#state.lsn, this.#door.publisher.publishedLsn)
    const image = this.#state.image()
    const { lsn } = image.facts
    if (this.#lsns[0] === lsn) return
    await this.#door.log.waitSynced(lsn)
    this.#lsns = await placeSnapshot(this.#disk, dir, image)
  }
}
