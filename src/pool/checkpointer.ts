import { rm } from 'node:fs/promises'
import type { DurableLog } from '../log/index.js'
import { rulesVersion } from '../matching/index.js'
import type { InstrumentRegistry } from './instruments.js'
import { questionKind } from './requests.js'
import type { ShardHandle } from './shard-handle.js'
import {
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

export interface CheckpointSettings {
  /** A checkpoint is taken when so many bytes of log have come since the last; 0: only when asked. */
  readonly checkpointBytes: number
  /** Snapshots that are kept. */
  readonly keepSnapshots: number
  /** Bytes of log that are kept behind the mark beside what the snapshots need; Infinity: all of it. */
  readonly keepLogBytes: number
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
  #lastEndLsn: number
  #running: Promise<CheckpointReport> | undefined

  constructor(options: {
    log: DurableLog
    shards: readonly ShardHandle[]
    registry: InstrumentRegistry
    settings: CheckpointSettings
    lastEndLsn: number
  }) {
    this.#log = options.log
    this.#shards = options.shards
    this.#registry = options.registry
    this.#settings = options.settings
    this.#lastEndLsn = options.lastEndLsn
  }

  /** Whether enough has been logged since the last snapshot for the next. */
  get due(): boolean {
    const { checkpointBytes } = this.#settings
    return (
      checkpointBytes > 0 &&
      this.#running === undefined &&
      this.#log.durableLsn - this.#lastEndLsn >= checkpointBytes
    )
  }

  /** Takes a snapshot, or joins the one that is being taken. */
  checkpoint(): Promise<CheckpointReport> {
    this.#running ??= this.#take().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Resolves when no snapshot is being taken. */
  async settled(): Promise<void> {
    await this.#running?.catch(() => {})
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
      await this.#log.waitDurable(writer.endLsn)
      snapshot = await writer.publish(rulesVersion)
    } catch (error) {
      await writer.discard()
      throw error
    }
    this.#lastEndLsn = snapshot.header.endLsn
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
    const { keepSnapshots, keepLogBytes } = this.#settings
    const paths = await snapshotPaths(this.#log.dir)
    const sound = await soundSnapshots(this.#log.dir)
    const kept = sound.slice(0, keepSnapshots)
    const keptPaths = new Set(kept.map(({ path }) => path))
    const oldestKept = kept.at(-1)
    // A damaged file stays while it is newer than what is kept: somebody may want to look at it.
    const stale = paths.filter(
      (file) => !keptPaths.has(file) && oldestKept !== undefined && file < oldestKept.path,
    )
    for (const file of stale) await rm(file, { force: true })
    if (stale.length > 0) await syncDirectory(this.#log.dir)
    if (oldestKept === undefined || keepLogBytes === Number.POSITIVE_INFINITY) return this.#log.firstLsn
    const needed = Math.min(...kept.map(({ header }) => header.replayFromLsn))
    return this.#log.removeBefore(Math.min(needed, this.#log.durableLsn - keepLogBytes))
  }
}
