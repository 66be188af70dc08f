import { assert } from '../../base/assert.js'
import type { Clock } from '../../base/clock.js'
import {
  type Disk,
  firstLsnWithout,
  NodeDisk,
  type RetentionSettings,
  retentionLimit,
} from '../../log/index.js'
import type { CursorStore } from '../delivery/cursors.js'
import type { InstrumentRegistry } from '../instruments.js'
import { listLedgerFiles } from '../ledger-files.js'
import type { ShardHandle } from '../shard/shard-handle.js'
import { listSnapshots, type PoolSnapshot, removeSnapshot, syncDirectory } from '../snapshot/snapshot-file.js'
import type { CheckpointReport } from '../types.js'
import type { Archiving } from './archiving.js'
import { CheckpointSchedule, type CheckpointTimes, type ScheduledLog } from './checkpoint-schedule.js'
import type { WrittenSnapshot } from './snapshot-thread.js'
import { Snapshots } from './snapshots.js'

/** A log of whose state snapshots are taken: one that this process writes, or follows. */
export interface CheckpointedLog extends ScheduledLog {
  readonly dir: string
  readonly firstLsn: number
  readonly syncedLsn: number
  waitSynced(lsn: number): Promise<void>
  removeBefore(lsn: number): Promise<number>
}

/** What keeps a state of its own of the log, and a snapshot of it in the pool's folder. */
export interface LedgerCheckpoint {
  /** Writes its snapshot, as of `lsn` or later; called at each checkpoint, before log is removed. */
  take(lsn: number): Promise<void>
  /** From where on it needs the log. @throws LogError `TIDEMARK_LOG_IO`, `TIDEMARK_TOO_MANY_FILES`. */
  readonly neededLsn: number
}

/** A `LedgerCheckpoint` of a log that another machine writes. */
export interface FollowedLedger extends LedgerCheckpoint {
  /** Writes a snapshot as of `lsn`, where nothing of a ledger was in the log. */
  begin(lsn: number): Promise<void>
}

export interface CheckpointSettings extends RetentionSettings, CheckpointTimes {
  /** Snapshots that are kept. */
  readonly keepSnapshots: number
}

/**
 * Takes snapshots of all books while the pool runs. Each shard copies its books as they are at one LSN, a little between
 * two commands, and a thread of its own writes and checks the file. Replay starts at the lowest of these LSNs and passes
 * over what each book has in it already.
 */
export class Checkpointer {
  #log: CheckpointedLog
  readonly #snapshots: Snapshots
  readonly #registry: InstrumentRegistry
  readonly #settings: CheckpointSettings
  #cursors: CursorStore
  #archiving: Archiving | undefined
  /** An open ledger; without one, the log is kept from the snapshot on that the ledger of the folder has, if it has one. */
  ledger: LedgerCheckpoint
  readonly #clock: Clock
  readonly #disk = new NodeDisk()
  /** When checkpoints are taken, and what became of them. */
  readonly schedule: CheckpointSchedule

  constructor(options: {
    log: CheckpointedLog
    shards: readonly ShardHandle[]
    registry: InstrumentRegistry
    settings: CheckpointSettings
    cursors: CursorStore
    archiving: Archiving | undefined
    clock: Clock
    snapshot: PoolSnapshot | undefined
  }) {
    this.#log = options.log
    this.#snapshots = new Snapshots(options.log.dir, options.shards)
    this.#registry = options.registry
    this.#settings = options.settings
    this.#cursors = options.cursors
    this.#archiving = options.archiving
    this.#clock = options.clock
    this.ledger = closedLedger(this.#disk, options.log.dir)
    const { log, snapshot } = options
    this.schedule = new CheckpointSchedule({
      take: () => this.#take(),
      log,
      times: options.settings,
      clock: options.clock,
      snapshot: snapshot?.header ?? { endLsn: log.firstLsn, replayFromLsn: log.firstLsn },
      hasSnapshot: snapshot !== undefined,
    })
  }

  /** The log that was followed is written by this process from now on. A checkpoint that is being taken continues. */
  continueWith(log: CheckpointedLog, cursors: CursorStore, archiving: Archiving | undefined): void {
    this.#log = log
    this.#cursors = cursors
    this.#archiving = archiving
    this.ledger = closedLedger(this.#disk, log.dir)
    this.schedule.continueWith(log)
  }

  /** Takes note of commands that were settled; returns whether the next checkpoint is to begin. */
  due(commands: number): boolean {
    return this.schedule.due(commands)
  }

  /** Whether a checkpoint at the close is worth its time. */
  get dueAtClose(): boolean {
    return this.#registry.size > 0 && this.schedule.dueAtClose
  }

  /** Takes a checkpoint, or joins the one that is being taken. */
  checkpoint(): Promise<CheckpointReport> {
    return this.schedule.checkpoint()
  }

  /** From now on no checkpoint begins by itself. Resolves when none is being taken. */
  async close(): Promise<void> {
    await this.schedule.close()
  }

  /** Ends the thread that writes snapshots. After that none may be taken. */
  async endThread(): Promise<void> {
    await this.#snapshots.close()
  }

  async #take(): Promise<CheckpointReport> {
    const startMs = performance.now()
    const pending = this.#snapshots.begin()
    let written: WrittenSnapshot
    try {
      // A shard's memory runs ahead of the disk: a snapshot must not.
      const copiedLsn = await pending.copied
      await this.#log.waitSynced(copiedLsn)
      const { syncedLsn } = this.#log
      assert(copiedLsn <= syncedLsn, 'a snapshot gets its name when the log is synced up to it', () => ({
        copiedLsn,
        syncedLsn,
      }))
      written = await pending.publish(({ header }) => this.schedule.placed(header))
    } catch (error) {
      await pending.discard()
      throw error
    }
    const { path, header } = written.snapshot
    await this.ledger.take(header.endLsn)
    const firstLsn = await this.#retain(written.valid)
    return {
      path,
      lsn: header.endLsn,
      replayFromLsn: header.replayFromLsn,
      books: header.books,
      bytes: header.bytes,
      firstLsn,
      elapsedMs: performance.now() - startMs,
    }
  }

  /** Removes what is kept no longer; returns the first LSN that is still in the log. */
  async #retain(valid: readonly PoolSnapshot[]): Promise<number> {
    const { keepSnapshots } = this.#settings
    const paths = (await listSnapshots(this.#log.dir)).map(({ path }) => path)
    const kept = valid.slice(0, keepSnapshots)
    const keptPaths = new Set(kept.map(({ path }) => path))
    const oldestKept = kept.at(-1)
    // A damaged file stays while it is newer than what is kept: it shows what went wrong.
    const stale = paths.filter(
      (file) => !keptPaths.has(file) && oldestKept !== undefined && file < oldestKept.path,
    )
    for (const file of stale) await removeSnapshot(file)
    if (stale.length > 0) await syncDirectory(this.#log.dir)
    if (oldestKept === undefined) return this.#log.firstLsn
    return this.#retainLog(Math.min(...kept.map(({ header }) => header.replayFromLsn)))
  }

  async #retainLog(neededLsn: number): Promise<number> {
    const { outside } = this.#cursors
    const readers = await outside.look()
    const { dir, durableLsn, firstLsn } = this.#log
    const settled = retentionLimit(this.#disk, dir, this.#settings, durableLsn, this.#clock.wallMs())
    if (settled === undefined) return firstLsn
    // What is not archived and verified waits, however long that takes.
    const archivedLsn = this.#archiving?.archivedLsn ?? Number.POSITIVE_INFINITY
    const limit = Math.min(neededLsn, settled, archivedLsn, outside.floorLsn(readers), this.ledger.neededLsn)
    await this.#cursors.giveUpBelow(limit, (lsn) => firstLsnWithout(this.#disk, dir, lsn))
    // Asked again at the moment of deletion: a cursor may have been made meanwhile.
    const keptLsn = await this.#log.removeBefore(Math.min(limit, this.#cursors.floorLsn))
    outside.removed(readers, keptLsn)
    return keptLsn
  }
}

/** The ledger of a folder while it is not open: it needs the log from its newest snapshot on. */
export function closedLedger(disk: Disk, dir: string): LedgerCheckpoint {
  return {
    take: () => Promise.resolve(),
    get neededLsn() {
      return listLedgerFiles(disk, dir)[0]?.lsn ?? Number.POSITIVE_INFINITY
    },
  }
}
