import type { DurableLog } from '../log/index.js'
import { NodeDisk } from '../log/node-disk.js'
import { rulesVersion } from '../matching/index.js'
import { CheckpointSchedule, type CheckpointTimes } from './checkpoint-schedule.js'
import type { Clock } from './clock.js'
import type { CursorStore } from './cursors.js'
import type { InstrumentRegistry } from './instruments.js'
import { questionKind } from './requests.js'
import { firstLsnWithout, type RetentionSettings, retentionLimit } from './retention.js'
import type { ShardHandle } from './shard-handle.js'
import {
  removeSnapshot,
  type Snapshot,
  type SnapshotSection,
  SnapshotWriter,
  snapshotPaths,
  soundSnapshots,
  syncDirectory,
} from './snapshot-file.js'
import type { CheckpointReport } from './types.js'

/** Books that are asked for ahead of the one that is written: their copies are what a checkpoint holds in memory. */
const booksAhead = 4

export interface CheckpointSettings extends RetentionSettings, CheckpointTimes {
  /** Snapshots that are kept. */
  readonly keepSnapshots: number
}

/**
 * Takes snapshots of all books while the pool runs. Each shard is asked for one book at a time, between two of its
 * commands, so it pauses for the copy of one book and the other shards not at all. Replay starts at the lowest LSN of
 * a book and passes over what each book has in it already.
 */
export class Checkpointer {
  readonly #log: DurableLog
  readonly #shards: readonly ShardHandle[]
  readonly #registry: InstrumentRegistry
  readonly #settings: CheckpointSettings
  readonly #cursors: CursorStore
  readonly #clock: Clock
  readonly #disk = new NodeDisk()
  /** When checkpoints are taken, and what became of them. */
  readonly schedule: CheckpointSchedule

  constructor(options: {
    log: DurableLog
    shards: readonly ShardHandle[]
    registry: InstrumentRegistry
    settings: CheckpointSettings
    cursors: CursorStore
    clock: Clock
    snapshot: Snapshot | undefined
  }) {
    this.#log = options.log
    this.#shards = options.shards
    this.#registry = options.registry
    this.#settings = options.settings
    this.#cursors = options.cursors
    this.#clock = options.clock
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

  /** Begins none by itself any more; resolves when none is being taken. */
  async close(): Promise<void> {
    await this.schedule.close()
  }

  async #take(): Promise<CheckpointReport> {
    const startMs = performance.now()
    const writer = await SnapshotWriter.create(this.#log.dir)
    let snapshot: Snapshot
    try {
      const books: Promise<SnapshotSection>[] = []
      // The registry may grow meanwhile: what is added behind the last look is logged behind every book's LSN.
      for (let id = 0; id < this.#registry.size || books.length > 0; ) {
        while (id < this.#registry.size && books.length < booksAhead) {
          if (!this.#registry.byId(id)) {
            id++
            continue
          }
          const book = this.#ask(id++)
          // One that fails ends the checkpoint; the ones asked for ahead of it have nobody else to tell.
          book.catch(() => {})
          books.push(book)
        }
        const book = books.shift()
        if (book) await writer.add(await book)
      }
      // A shard's memory runs ahead of the disk: a snapshot must not.
      await this.#log.waitSynced(writer.endLsn)
      snapshot = await writer.publish(rulesVersion)
    } catch (error) {
      await writer.discard()
      throw error
    }
    this.schedule.placed(snapshot.header)
    const firstLsn = await this.#retain()
    const { header } = snapshot
    return {
      path: snapshot.path,
      lsn: header.endLsn,
      replayFromLsn: header.replayFromLsn,
      books: header.sections,
      bytes: header.bytes,
      firstLsn,
      elapsedMs: performance.now() - startMs,
    }
  }

  async #ask(instrumentId: number): Promise<SnapshotSection> {
    const shard = this.#shards[instrumentId % this.#shards.length]!
    const { lsn, answer } = await shard.ask(questionKind.book, instrumentId, 0)
    if (answer.question !== 'book') throw new Error('an answer of another kind than the question')
    return { instrumentId, lsn, book: answer.book }
  }

  /** Removes what is kept no longer; returns the first LSN that is still in the log. */
  async #retain(): Promise<number> {
    const { keepSnapshots } = this.#settings
    const paths = await snapshotPaths(this.#log.dir)
    const sound = await soundSnapshots(this.#log.dir)
    const kept = sound.slice(0, keepSnapshots)
    const keptPaths = new Set(kept.map(({ path }) => path))
    const oldestKept = kept.at(-1)
    // A damaged file stays while it is newer than what is kept: somebody may want to look at it.
    const stale = paths.filter(
      (file) => !keptPaths.has(file) && oldestKept !== undefined && file < oldestKept.path,
    )
    for (const file of stale) await removeSnapshot(file)
    if (stale.length > 0) await syncDirectory(this.#log.dir)
    if (oldestKept === undefined) return this.#log.firstLsn
    return this.#retainLog(Math.min(...kept.map(({ header }) => header.replayFromLsn)))
  }

  async #retainLog(neededLsn: number): Promise<number> {
    const { dir, durableLsn, firstLsn } = this.#log
    const settled = retentionLimit(this.#disk, dir, this.#settings, durableLsn, this.#clock.wallMs())
    if (settled === undefined) return firstLsn
    const limit = Math.min(neededLsn, settled)
    await this.#cursors.giveUpBelow(limit, (lsn) => firstLsnWithout(this.#disk, dir, lsn))
    // Asked again at the moment of deletion: a cursor may have been made meanwhile.
    return this.#log.removeBefore(Math.min(limit, this.#cursors.floorLsn))
  }
}
