import type { Clock } from '../../base/clock.js'
import { errnoOf } from '../../base/errno.js'
import { TidemarkError } from '../../base/errors.js'
import {
  type DurableLog,
  fromErrorMessage,
  listSegmentLsns,
  NodeDisk,
  TaskThreads,
  threadEnded,
} from '../../log/index.js'
import type { ArchiveStall, ArchivingStats } from '../types.js'
import type { ArchiveOutcome, ArchiveTask } from './archive-task.js'

const threadName = 'the archive'
/** How often the pool looks whether a segment was sealed. */
const lookMs = 1000
const retryMsMax = 60_000
const passing = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EIO', 'ESTALE', 'ENOTCONN', 'ETIMEDOUT'])

/**
 * Archives what is sealed of a pool's log, in a thread of its own, while the pool runs. What fails is tried again for as long
 * as the pool is open: the log waits, because retention deletes nothing that is not archived.
 */
export class Archiving {
  readonly #log: DurableLog
  readonly #archive: string
  readonly #clock: Clock
  readonly #stop = new SharedArrayBuffer(4)
  #threads: TaskThreads<ArchiveTask, ArchiveOutcome> | undefined
  readonly #disk = new NodeDisk()
  #archivedLsn = 0
  /** Where the last sealed segment ends, as of the last look, and as of the last task that succeeded. */
  #sealedLsn = 0
  #doneLsn = -1
  #failures = 0
  #running: Promise<void> | undefined
  #cancel: () => void = () => {}
  #closed = false
  /** Called when archiving begins to fail, and with each failure after that; and when it succeeds again. */
  onStalled: (stall: ArchiveStall) => void = () => {}
  onResumed: () => void = () => {}

  constructor(log: DurableLog, archive: string, clock: Clock) {
    this.#log = log
    this.#archive = archive
    this.#clock = clock
  }

  /** Up to where records are archived and verified: retention deletes nothing after it. */
  get archivedLsn(): number {
    return this.#archivedLsn
  }

  stats(): ArchivingStats {
    return { archivedLsn: this.#archivedLsn, waitingBytes: this.#waitingBytes, failures: this.#failures }
  }

  /**
   * Looks into the archive and begins to archive.
   *
   * @throws ArchiveError when the archive can't be used, such as one of another log; what may pass is tried again instead.
   */
  async begin(): Promise<void> {
    const stopped = new SharedArrayBuffer(4)
    new Int32Array(stopped)[0] = 1
    try {
      this.#archivedLsn = await this.#task(stopped)
    } catch (error) {
      if (!mayPass(error)) {
        await this.close()
        throw error
      }
    }
    this.#next(0)
  }

  /** Ends after the part that is being written. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    Atomics.store(new Int32Array(this.#stop), 0, 1)
    await this.#running
    await this.#threads?.destroy()
  }

  get #waitingBytes(): number {
    return Math.max(0, this.#sealedLsn - this.#archivedLsn)
  }

  #next(delayMs: number): void {
    if (this.#closed) return
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#running = this.#look().finally(() => {
        this.#running = undefined
      })
    })
  }

  async #look(): Promise<void> {
    try {
      // The last segment is the active one.
      const sealedLsn = listSegmentLsns(this.#disk, this.#log.dir).at(-1) ?? 0
      this.#sealedLsn = sealedLsn
      if (sealedLsn === this.#doneLsn) return this.#next(lookMs)
      this.#archivedLsn = await this.#task(this.#stop)
      this.#doneLsn = sealedLsn
      const wasStalled = this.#failures > 0
      this.#failures = 0
      this.#next(lookMs)
      if (wasStalled) this.onResumed()
    } catch (error) {
      if (this.#closed) return
      this.#failures++
      const retryMs = Math.min(retryMsMax, lookMs * 2 ** (this.#failures - 1))
      this.#next(retryMs)
      this.onStalled({
        error: error as Error,
        failures: this.#failures,
        retryMs,
        waitingBytes: this.#waitingBytes,
      })
    }
  }

  async #task(stop: SharedArrayBuffer): Promise<number> {
    const threads = (this.#threads ??= new TaskThreads({
      worker: 'archive',
      name: threadName,
      minThreads: 1,
      maxThreads: 1,
    }))
    const task = { log: this.#log.dir, archive: this.#archive, stop }
    // A task reports its own failures in its outcome: a rejection is the end of the thread, and the next task gets another.
    const outcome = await threads.run(task).catch(async (cause) => {
      this.#threads = undefined
      await threads.destroy()
      throw threadEnded(threadName, cause)
    })
    if ('error' in outcome) throw fromErrorMessage(outcome.error)
    return outcome.archivedLsn
  }
}

/** Whether a failure may be over by itself, or when room is made: then the pool opens all the same, and tries again. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof TidemarkError)) return false
  return error.code === 'TIDEMARK_ARCHIVE_IN_USE' || passing.has(errnoOf(error.cause) ?? '')
}
