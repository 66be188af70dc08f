import { assert } from '../../base/assert.js'
import type { Disk } from '../disk/disk.js'
import { NodeDisk } from '../disk/node-disk.js'
import { Ownership, type TakenFolder } from '../disk/ownership.js'
import { closedError, LogError } from '../errors.js'
import { checkSealed, type FollowedFolder } from '../log-opening.js'
import { FileReader } from '../read/file-reader.js'
import { type RecoveryReport, recoverFollowed } from '../recover/recovery.js'
import { SealedCheck } from '../recover/sealed-check.js'
import { ReplicationError } from '../replicated/index.js'
import { FollowedLsn } from '../ring/followed-lsn.js'
import { createLogMemory, type LogMemory, startLogMemory } from '../ring/memory.js'
import type { LogSettings } from '../settings.js'
import { SegmentRemover } from '../tools/segment-removal.js'
import { EntryCheck } from './entry-check.js'
import { FollowedSegment } from './followed-segment.js'

/** Bytes of a log that another machine wrote: whole batches of one segment. */
export interface LogEntry {
  readonly startLsn: number
  readonly endLsn: number
  readonly bytes: Uint8Array
  /** The header of the segment that begins at `startLsn`, one copy or both; undefined when none does. */
  readonly segmentHeader: Uint8Array | undefined
}

export interface FollowedLogOptions {
  readonly dir: string
  readonly kind: string
  readonly contentVersion: number
  readonly settings: LogSettings
  /** The folder, locked; `close` releases it. */
  readonly taken: TakenFolder
  /** LSN up to which the application has the log in a snapshot; see `DurableLog.openWithoutPreallocator`. */
  readonly coveredLsn: number
}

/**
 * A log that another machine writes, and of which this folder gets a copy: the same segments, byte for byte, each ending
 * where it ends there. What is appended is checked, written and synced; only then do the threads that replay it see it.
 *
 * When this process is to write the log itself, `handOver` gives the folder and the memory to `DurableLog`.
 */
export class FollowedLog {
  /** Called with batches that were checked, before they are written: `startLsn` is where they begin. What it rejects with ends the log. */
  beforeWrite: ((bytes: Buffer, startLsn: number) => Promise<void> | undefined) | undefined
  readonly dir: string
  readonly settings: LogSettings
  readonly recovery: RecoveryReport
  readonly memory: LogMemory
  readonly #disk: Disk
  readonly #taken: TakenFolder
  readonly #ownership: Ownership
  readonly #released: FollowedLsn
  readonly #segment: FollowedSegment
  readonly #check: EntryCheck
  readonly #remover: SegmentRemover
  #failure: Error | undefined
  #busy: Promise<void> = Promise.resolve()

  /**
   * Opens the copy, after a crash too. What a crash has torn, or may have kept from the disk, is not there: it is
   * appended again.
   *
   * @throws as `DurableLog.open`. The folder stays locked.
   */
  static async open(options: FollowedLogOptions): Promise<FollowedLog> {
    const { dir, kind, contentVersion, settings, taken, coveredLsn } = options
    const disk = new NodeDisk()
    const check = new SealedCheck(disk, dir)
    await checkSealed(check)
    const ownership = new Ownership(disk, dir, taken.identity)
    const { report, last } = recoverFollowed({
      disk,
      directory: dir,
      ownership,
      kind,
      contentVersion,
      coveredLsn,
      maxBatchBytes: settings.maxBatchBytes,
      initialSegmentBytes: settings.segmentBytes,
      sealed: check.states,
    })
    const entryCheck = new EntryCheck({ directory: dir, kind, contentVersion, last: last?.header })
    const segment = await FollowedSegment.open(disk, dir, last, report.endLsn, settings.segmentBytes)
    return new FollowedLog({
      dir,
      settings,
      recovery: report,
      disk,
      taken,
      ownership,
      segment,
      check: entryCheck,
    })
  }

  private constructor(options: {
    dir: string
    settings: LogSettings
    recovery: RecoveryReport
    disk: Disk
    taken: TakenFolder
    ownership: Ownership
    segment: FollowedSegment
    check: EntryCheck
  }) {
    const { dir, settings, recovery, disk, ownership } = options
    this.dir = dir
    this.settings = settings
    this.recovery = recovery
    this.#disk = disk
    this.#taken = options.taken
    this.#ownership = ownership
    this.#segment = options.segment
    this.#check = options.check
    this.memory = createLogMemory(
      settings.ringBytes,
      settings.maxBatchBytes,
      settings.durability === 'each' ? 1 : undefined,
    )
    startLogMemory(this.memory, recovery.endLsn, 0)
    this.#released = new FollowedLsn(this.memory)
    this.#remover = new SegmentRemover({
      disk,
      directory: dir,
      segmentBytes: settings.segmentBytes,
      firstLsn: recovery.firstLsn,
      check: () => ownership.check(),
    })
  }

  /** LSN up to which the copy is on disk. */
  get durableLsn(): number {
    return this.#released.value
  }

  get syncedLsn(): number {
    return this.durableLsn
  }

  /** The first LSN that is in the copy. */
  get firstLsn(): number {
    return this.#remover.firstLsn
  }

  /** What ended it, if something did. */
  get poisoned(): Error | undefined {
    return this.#failure
  }

  /**
   * Appends entries, each of which begins where the one before ends, or earlier, with bytes that are there already. Resolves
   * when they are on disk. One call at a time.
   *
   * @throws LogError `TIDEMARK_LOG_CORRUPT` for an entry that holds no whole, valid batches or does not fit to those before,
   *   `TIDEMARK_RULES_DIFFER` for records of other matching rules, `TIDEMARK_LOG_IO`, `TIDEMARK_LOCK_LOST`,
   *   `TIDEMARK_LOG_CLOSED`. Every failure is final: open it again.
   */
  append(entries: readonly LogEntry[]): Promise<void> {
    const appended = this.#busy.then(() => this.#append(entries))
    this.#busy = appended.catch((error) => this.fail(error))
    return appended
  }

  async waitDurable(lsn: number): Promise<void> {
    assert(lsn <= this.durableLsn, 'what a standby answers is on its disk', () => ({
      lsn,
      durableLsn: this.durableLsn,
    }))
  }

  waitSynced(lsn: number): Promise<void> {
    return this.waitDurable(lsn)
  }

  /** See `DurableLog.removeBefore`. */
  async removeBefore(lsn: number): Promise<number> {
    this.#checkUsable()
    return this.#remover.removeBelow(() => Math.min(lsn, this.durableLsn))
  }

  /** Nothing is appended any more. */
  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
  }

  /** Ends this view of the folder, and leaves the folder locked and the memory in use: for `DurableLog.continueFollowed`. */
  async handOver(): Promise<FollowedFolder> {
    await this.#end()
    const { dir, settings, memory, durableLsn: endLsn, firstLsn } = this
    return { dir, settings, memory, taken: this.#taken, firstLsn, endLsn }
  }

  async close(): Promise<void> {
    await this.#end()
    this.#taken.release()
  }

  async #end(): Promise<void> {
    this.fail(closedError())
    await this.#busy
    await this.#remover.idle()
    await this.#segment.close()
  }

  async #append(entries: readonly LogEntry[]): Promise<void> {
    this.#checkUsable()
    const segment = this.#segment
    for (const entry of entries) {
      const { startLsn, endLsn } = entry
      const known = segment.endLsn - startLsn
      if (known < 0) throw gap(this.dir, segment.endLsn, startLsn)
      if (known > 0) await this.#compare(entry, Math.min(endLsn, segment.endLsn))
      if (endLsn <= segment.endLsn) continue
      if (known === 0 && entry.segmentHeader) {
        const header = this.#check.header(entry.segmentHeader, startLsn)
        await segment.rotate(header)
        this.#ownership.watch(segment.path)
      }
      const bytes = entry.bytes.subarray(known)
      const batches = this.#check.batches(bytes, segment.endLsn)
      await this.beforeWrite?.(batches, segment.endLsn)
      await segment.write(bytes)
    }
    await segment.sync()
    this.#ownership.confirm()
    this.#released.move(segment.endLsn)
  }

  /** What is there already must be the same bytes. */
  async #compare({ startLsn, bytes }: LogEntry, endLsn: number): Promise<void> {
    if (startLsn < this.firstLsn) return
    const reader = new FileReader(this.#disk, this.dir, startLsn, { known: true, verify: false })
    try {
      for (let chunk = await reader.next(endLsn); chunk; chunk = await reader.next(endLsn)) {
        const expected = bytes.subarray(chunk.startLsn - startLsn, chunk.endLsn - startLsn)
        if (!chunk.bytes.equals(expected)) throw diverged(this.dir, chunk.startLsn, chunk.endLsn)
      }
    } finally {
      reader.close()
    }
  }

  #checkUsable(): void {
    if (this.#failure) throw this.#failure
  }
}

function gap(directory: string, endLsn: number, startLsn: number): LogError {
  return new LogError(
    'TIDEMARK_LOG_CORRUPT',
    `The copy of the log in ${directory} ends at LSN ${endLsn}, and what comes next begins at ${startLsn}.`,
    { dir: directory, lsn: endLsn, startLsn },
  )
}

function diverged(directory: string, fromLsn: number, toLsn: number): ReplicationError {
  return new ReplicationError(
    'TIDEMARK_LOG_DIVERGED',
    `The log in ${directory} has other bytes than the replicated log between LSN ${fromLsn} and ${toLsn}. Move the folder away and seed the standby anew.`,
    { dir: directory, fromLsn, toLsn },
  )
}
