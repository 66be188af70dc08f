import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { Worker } from 'node:worker_threads'
import { workerFile } from '../../base/own-files.js'
import { closedError, type ErrorMessage, fromErrorMessage, LogError, threadEnded } from '../errors.js'
import type { ReplicationEpoch, StandbyPosition } from '../replicated/index.js'
import { int32, int64, type LogMemory, LogViews, replicatorState } from '../ring/memory.js'
import type { ReplicationSettings } from './options.js'
import type { ReplicationStats } from './replication-stats.js'
import type { BeginReplication, ReplicatorMessage, ReplicatorThreadData } from './replicator-messages.js'

const threadName = 'the replicator'
const threadLimits = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 }

/** The replicated log takes nothing for now, for this reason. */
export interface ReplicationStall {
  /** Why nothing was taken. */
  readonly error: LogError
  /** Everything before this LSN is replicated. */
  readonly replicatedLsn: number
  /** How much of the log is on this disk and not yet replicated, in bytes. */
  readonly lagBytes: number
}

/** The replicated log takes entries again. */
export interface ReplicationResumption {
  /** For how long nothing was taken, in milliseconds. */
  readonly stalledMs: number
}

/** A log was closed before all of it was replicated; the next opening ships the rest. */
export interface ReplicationRest {
  /** Why the rest is not replicated. */
  readonly error: LogError
  /** Everything before this LSN is replicated. */
  readonly replicatedLsn: number
  /** How much is not, in bytes. */
  readonly leftBytes: number
}

/** What ends the wait for a log to be shipped. */
export interface BeginLimits {
  /** The replicated log has taken nothing for so many milliseconds. Unless stated it is waited for. */
  readonly stallMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What the replicator reports to the log's owner. */
export interface ReplicatorEvents {
  /** It ended, and with it the log. */
  failed(error: unknown): void
  stalled(stall: ReplicationStall): void
  resumed(resumption: ReplicationResumption): void
  incomplete(rest: ReplicationRest): void
}

/** The thread that ships a log to the replicated log, as its owner sees it. */
export class ReplicatorHandle {
  readonly settings: ReplicationSettings
  readonly worker: Worker
  /** Resolves when the thread has ended. */
  readonly ended: Promise<void>
  readonly #views: LogViews
  #events: ReplicatorEvents | undefined
  /** Reports from before there was an owner, in order. */
  readonly #early: ((events: ReplicatorEvents) => void)[] = []
  #epoch = 0
  #standbys: readonly StandbyPosition[] = []
  #stalledSinceMs: number | undefined
  #stallError: LogError | undefined
  #isOver = false
  #failure: unknown
  #stallMs: number | undefined
  #stallTimer: NodeJS.Timeout | undefined
  #settle: { resolve: (message: ReplicatorMessage) => void; reject: (error: unknown) => void } | undefined

  /** Starts the thread for a log in `directory`, whose lock the caller holds. */
  constructor(
    memory: LogMemory,
    directory: string,
    settings: ReplicationSettings,
    taken: ReplicationEpoch | undefined,
  ) {
    this.settings = settings
    this.#views = new LogViews(memory)
    Atomics.store(this.#views.control32, int32.replicatorState, replicatorState.shipping)
    const workerData: ReplicatorThreadData = {
      ...settings,
      memory,
      directory,
      // The part before "#" says which folder it is: after a crash its next opening need not wait for the lease.
      owner: `${hostname()}:${directory}#${randomUUID()}`,
      taken,
    }
    this.worker = new Worker(workerFile('replicator'), {
      workerData,
      name: 'tidemark-replicator',
      execArgv: [],
      resourceLimits: threadLimits,
    })
    this.worker.on('message', (message: ReplicatorMessage) => this.#take(message))
    this.worker.on('error', (error) => this.#fail(threadEnded(threadName, error)))
    this.ended = new Promise((resolve) => {
      this.worker.once('exit', () => {
        if (!this.#isOver)
          this.#fail(new LogError('TIDEMARK_THREAD_DIED', 'The thread of the replicator ended.'))
        resolve()
      })
    })
  }

  /**
   * Takes the next epoch of the replicated log, if this folder has all that was ever acknowledged of it. Resolves with where
   * it ends: the folder's log must not end before.
   *
   * @throws LogError `TIDEMARK_PRIMARY_BEHIND`, `TIDEMARK_REPLICATION_HELD`, and as the engine of the replicated log.
   */
  async connect(): Promise<number> {
    const message = await this.#next()
    if (message.kind !== 'connected') throw new Error('the replicator connects first')
    this.#epoch = message.epoch
    return message.endLsn
  }

  /**
   * Has the log shipped from now on. Resolves as `begun` of `ReplicatorMessage` says.
   *
   * @throws as `connect`; with the code of the stall when a limit is reached, `TIDEMARK_LOG_CLOSED` when the signal aborts.
   */
  async begin(endLsn: number, { stallMs, signal }: BeginLimits = {}): Promise<void> {
    const begun = this.#next()
    const message: BeginReplication = { kind: 'begin', endLsn }
    this.worker.postMessage(message)
    this.#stallMs = stallMs
    const abort = () => this.#settle?.reject(closedError())
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    try {
      await begun
    } finally {
      signal?.removeEventListener('abort', abort)
      clearTimeout(this.#stallTimer)
      this.#stallMs = undefined
    }
    this.worker.unref()
  }

  /** Ends a thread whose log was not opened. */
  async abandon(): Promise<void> {
    this.#isOver = true
    await this.worker.terminate()
  }

  /** Sets the owner, who hears first what was reported before there was one. */
  own(events: ReplicatorEvents): void {
    this.#events = events
    for (const report of this.#early.splice(0)) report(events)
  }

  /** Whether what was appended cannot be acknowledged, since the replicated log takes nothing, for `closeMs` already. */
  isStuckSince(closingMs: number): boolean {
    if (this.settings.ack !== 'replicated' || this.#stalledSinceMs === undefined) return false
    return performance.now() - Math.max(closingMs, this.#stalledSinceMs) >= this.settings.closeMs
  }

  get stallError(): LogError | undefined {
    return this.#stallError
  }

  /** Everything before this is in the replicated log. */
  get replicatedLsn(): number {
    return Number(Atomics.load(this.#views.control64, int64.replicated))
  }

  stats(): ReplicationStats {
    const { control64 } = this.#views
    const sinceUs = Number(Atomics.load(control64, int64.unreplicatedSinceUs))
    return {
      role: 'primary',
      epoch: this.#epoch,
      ack: this.settings.ack,
      replicatedLsn: this.replicatedLsn,
      lagBytes: this.#lagBytes,
      lagMs: sinceUs === 0 ? 0 : Math.max(0, Date.now() - sinceUs / 1000),
      windowFirstLsn: Number(Atomics.load(control64, int64.windowFirst)),
      stalled: this.#stalledSinceMs !== undefined,
      standbys: this.#standbys,
    }
  }

  get #lagBytes(): number {
    const synced = Number(Atomics.load(this.#views.control64, int64.synced))
    return Math.max(0, synced - this.replicatedLsn)
  }

  #next(): Promise<ReplicatorMessage> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure)
      this.#settle = { resolve, reject }
    })
  }

  #take(message: ReplicatorMessage): void {
    if (message.kind === 'connected' || message.kind === 'begun') this.#settle?.resolve(message)
    else if (message.kind === 'failed') this.#fail(fromErrorMessage(message.error))
    else if (message.kind === 'ended') this.#isOver = true
    else if (message.kind === 'standbys') this.#standbys = message.standbys
    else if (message.kind === 'resumed') this.#resumed(message.stalledMs)
    else if (message.kind === 'stalled') this.#stalled(message.error)
    else {
      const { leftBytes } = message
      const error = fromErrorMessage(message.error)
      this.#report((events) => events.incomplete({ error, replicatedLsn: this.replicatedLsn, leftBytes }))
    }
  }

  #stalled(message: ErrorMessage): void {
    this.#stallError = fromErrorMessage(message)
    this.#stalledSinceMs = performance.now()
    const stall = { error: this.#stallError, replicatedLsn: this.replicatedLsn, lagBytes: this.#lagBytes }
    this.#report((events) => events.stalled(stall))
    if (this.#stallMs === undefined) return
    const { code, message: reason } = this.#stallError
    const error = new LogError(
      code,
      `The log could not be opened: for ${this.#stallMs} ms the replicated log did not take what it must have first. ${reason}`,
      { replicatedLsn: this.replicatedLsn, stallMs: this.#stallMs },
      { cause: this.#stallError },
    )
    this.#stallTimer = setTimeout(() => this.#settle?.reject(error), this.#stallMs)
  }

  #resumed(stalledMs: number): void {
    this.#stalledSinceMs = undefined
    clearTimeout(this.#stallTimer)
    this.#report((events) => events.resumed({ stalledMs }))
  }

  #fail(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = error
    this.#settle?.reject(error)
    this.#report((events) => events.failed(error))
  }

  #report(report: (events: ReplicatorEvents) => void): void {
    if (this.#events) report(this.#events)
    else this.#early.push(report)
  }
}
