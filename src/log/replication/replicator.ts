import { setTimeout as sleep } from 'node:timers/promises'
import { assert } from '../../base/assert.js'
import type { Disk } from '../disk/disk.js'
import { isShortage, LogError } from '../errors.js'
import {
  ContiguousPrefix,
  type HolderLease,
  type LineageEntry,
  mayPass,
  type ReplicatedLog,
  type ReplicationEpoch,
  type StandbyPosition,
} from '../replicated/index.js'
import { int32, int64, type LogMemory, LogViews, logState, replicatorState } from '../ring/memory.js'
import { ReleasedSignal } from '../ring/released-signal.js'
import { poisonMemory, wakeFlusher, wakeWaiters } from '../ring/signals.js'
import { EntrySource, type OutgoingEntry } from './entry-source.js'
import { Stall } from './stall.js'
import { WindowKeeper } from './window-keeper.js'

/** How often what is on its way is looked at. */
const lookMs = 100
/** How long until a call is made again that was not taken, unless it is stated. */
const retryMsDefault = 50

export interface ReplicatorOptions {
  readonly memory: LogMemory
  readonly disk: Disk
  readonly directory: string
  readonly log: ReplicatedLog
  readonly epoch: ReplicationEpoch
  /** Where the replicated log ends, or begins when it is new. */
  readonly fromLsn: number
  readonly windowFirstLsn: number
  /** Where the segment of this opening begins, and its epoch. */
  readonly lineage: LineageEntry
  /** Whether the replicated log has no lineage yet: then this one's is what says whose it is, before anything is shipped. */
  readonly isNew: boolean
  readonly entryBytes: number
  readonly inFlight: number
  readonly windowBytes: number
  readonly leaseMs: number
  readonly closeMs: number
  readonly retryMs?: number
  readonly report: ReplicatorReports
}

/** What a replicator reports while it runs. */
interface ReplicatorReports {
  /** Everything before this is replicated now, and the lineage is put. */
  replicated(lsn: number): void
  stalled(error: Error): void
  resumed(stalledMs: number): void
  standbys(standbys: readonly StandbyPosition[]): void
  /** The log is closed, and so much of it is not replicated. */
  incomplete(leftBytes: number, error: LogError): void
}

/** An entry that was sent, until all before it are there too. */
interface SentEntry {
  readonly startLsn: number
  readonly endLsn: number
  readonly wholeEndLsn: number | undefined
  readonly sinceUs: number
  readonly sentMs: number
}

/**
 * Ships what is synced of a log to the replicated log, in the files' own bytes, and moves `replicated` to the end of what has
 * landed without a gap; where acknowledgements wait for that, `released` too, which no other thread moves there.
 *
 * Its LSNs, each at most the next: released (where it waits), replicated, end of the entries without a gap, end of those that were sent, synced.
 */
export class Replicator {
  readonly #options: ReplicatorOptions
  readonly #views: LogViews
  readonly #signal: ReleasedSignal
  readonly #source: EntrySource
  readonly #prefix: ContiguousPrefix
  readonly #stall: Stall
  readonly #window: WindowKeeper
  /** What was sent and is not in the prefix, in order of LSN. */
  readonly #sent: SentEntry[] = []
  #underWay = 0
  #lineage: 'due' | 'sent' | 'put' = 'due'
  #lineageSentMs: number | undefined
  /** What was synced when a log that closes was looked at last, and since when that is so. */
  #closingLsn = -1
  #closingMs = Number.POSITIVE_INFINITY
  #failure: unknown
  #isOver = false
  #lease: HolderLease | undefined
  #hasNews = false
  #wake: () => void = () => {}

  constructor(options: ReplicatorOptions) {
    const { memory, disk, directory, log, fromLsn, entryBytes, report } = options
    this.#options = options
    this.#views = new LogViews(memory)
    this.#signal = new ReleasedSignal(this.#views, int32.syncedSignal)
    this.#source = new EntrySource(disk, directory, fromLsn, entryBytes)
    this.#prefix = new ContiguousPrefix(fromLsn)
    this.#stall = new Stall(
      log.name,
      (error) => {
        this.#setState(replicatorState.stalled)
        report.stalled(error)
      },
      (stalledMs) => {
        this.#setState(replicatorState.shipping)
        report.resumed(stalledMs)
      },
    )
    this.#window = new WindowKeeper({
      log,
      epoch: options.epoch,
      windowBytes: options.windowBytes,
      windowFirstLsn: options.windowFirstLsn,
      endLsn: () => this.#prefix.endLsn,
      onTrimmed: (lsn) => this.#store64(int64.windowFirst, lsn),
      onStandbys: (standbys) => report.standbys(standbys),
      onFailed: (error) => this.#fail(error),
    })
    this.#store64(int64.windowFirst, options.windowFirstLsn)
    this.#store64(int64.replicated, fromLsn)
  }

  /**
   * Ships until the log is closed and all of it is replicated, or was not in time, or the log is poisoned.
   *
   * @throws ReplicationError `TIDEMARK_FENCED` and what else is final; LogError when the files can't be read, and
   *   `TIDEMARK_REPLICATION_UNAVAILABLE` when acknowledgements wait for what was not replicated in time.
   */
  async run(): Promise<void> {
    const timer = setInterval(() => this.#look(), lookMs)
    this.#signal.add(() => this.#notify())
    void this.#hold()
    void this.#window.run()
    try {
      while (!this.#step()) await this.#news()
    } catch (error) {
      // Before the flusher sees that nothing more is released: it must not take the end for a clean one.
      poisonMemory(this.#views)
      throw error
    } finally {
      this.#isOver = true
      this.#setState(replicatorState.ended)
      wakeFlusher(this.#views.control32)
      clearInterval(timer)
      this.#signal.close()
      this.#window.close()
      this.#source.close()
      // A lease that is let go saves the next primary the wait for its end; one that has no answer must not hold a close up.
      await Promise.race([this.#lease?.release(), sleep(lookMs)])
    }
  }

  /** Sends what there is to send; returns whether there is nothing more to do. */
  #step(): boolean {
    if (this.#failure !== undefined) throw this.#failure
    const { control32, control64 } = this.#views
    // Before the synced LSN: what a log has synced when it is closed is all that it will have.
    const state = Atomics.load(control32, int32.state)
    if (state === logState.poisoned) return true
    const synced = Number(Atomics.load(control64, int64.synced))
    if (state >= logState.closing && synced > this.#closingLsn) {
      this.#closingLsn = synced
      this.#closingMs = performance.now()
    }
    const { isNew, lineage } = this.#options
    const isLineageDue = isNew || this.#prefix.endLsn === lineage.firstLsn
    if (this.#lineage === 'due' && isLineageDue) void this.#putLineage()
    const limitLsn = this.#lineage === 'put' ? synced : isNew ? 0 : lineage.firstLsn
    while (this.#underWay < this.#options.inFlight) {
      const entry = this.#nextEntry(limitLsn)
      if (!entry) break
      this.#send(entry)
    }
    // A log that is closing may have more to write: it ends with what the flusher has synced when that has closed it.
    if (this.#prefix.endLsn >= synced) return state === logState.closed
    if (performance.now() - this.#closingMs < this.#options.closeMs) return false
    this.#giveUp(synced)
    return true
  }

  /** When no descriptor is free the entry comes a little later. */
  #nextEntry(limitLsn: number): OutgoingEntry | undefined {
    try {
      return this.#source.next(limitLsn)
    } catch (error) {
      if (!isShortage(error)) throw error
      return undefined
    }
  }

  /** The first entry of this epoch's own segment goes after the lineage that says where it begins. */
  async #putLineage(): Promise<void> {
    const { log, epoch, lineage, report } = this.#options
    this.#lineage = 'sent'
    this.#lineageSentMs = performance.now()
    if (!(await this.#insist(() => log.putLineage(epoch, lineage)))) return
    this.#lineage = 'put'
    this.#lineageSentMs = undefined
    this.#stall.passed()
    report.replicated(this.#prefix.endLsn)
    this.#notify()
  }

  #send(entry: OutgoingEntry): void {
    const { startLsn, endLsn, wholeEndLsn, sinceUs } = entry
    assert(
      endLsn <= Number(Atomics.load(this.#views.control64, int64.synced)),
      'only what is synced is shipped',
      () => ({ startLsn, endLsn }),
    )
    if (this.#sent.length === 0) this.#setSince(sinceUs)
    this.#sent.push({ startLsn, endLsn, wholeEndLsn, sinceUs, sentMs: performance.now() })
    this.#underWay++
    void this.#put(entry)
  }

  async #put(entry: OutgoingEntry): Promise<void> {
    const { log, epoch } = this.#options
    const { startLsn, endLsn, bytes, segmentHeader } = entry
    const landed = await this.#insist(() =>
      log.append(epoch, { startLsn, bytes, ...(segmentHeader && { segmentHeader }) }),
    )
    if (!landed) return
    this.#underWay--
    this.#stall.passed()
    this.#advance(this.#prefix.add(startLsn, endLsn))
    this.#notify()
  }

  /** Makes a call until it is answered; returns whether it was, before the end. */
  async #insist(call: () => Promise<void>): Promise<boolean> {
    while (!this.#isOver) {
      try {
        await call()
        return !this.#isOver
      } catch (error) {
        if (this.#isOver) return false
        if (!mayPass(error)) {
          this.#fail(error)
          return false
        }
        this.#stall.refused(error)
        await sleep(this.#options.retryMs ?? retryMsDefault)
      }
    }
    return false
  }

  /** Moves `replicated`, and `released` where it waits for it, to the last record that ends in the prefix. */
  #advance(prefixEndLsn: number): void {
    let wholeEndLsn: number | undefined
    let count = 0
    for (const entry of this.#sent) {
      if (entry.endLsn > prefixEndLsn) break
      wholeEndLsn = entry.wholeEndLsn ?? wholeEndLsn
      count++
    }
    this.#sent.splice(0, count)
    this.#setSince(this.#sent[0]?.sinceUs ?? 0)
    if (wholeEndLsn === undefined) return
    const { control64, isReplicated } = this.#views
    assert(
      wholeEndLsn > Number(Atomics.load(control64, int64.replicated)) &&
        wholeEndLsn <= Number(Atomics.load(control64, int64.synced)),
      'the replicated LSN only rises, up to what is synced',
      () => ({ wholeEndLsn, prefixEndLsn }),
    )
    this.#store64(int64.replicated, wholeEndLsn)
    if (isReplicated) this.#release(wholeEndLsn)
    if (this.#lineage === 'put') this.#options.report.replicated(wholeEndLsn)
  }

  /** What the log held when it was opened is released already. */
  #release(lsn: number): void {
    const { control32, control64 } = this.#views
    if (lsn <= Number(Atomics.load(control64, int64.released))) return
    Atomics.store(control64, int64.released, BigInt(lsn))
    wakeWaiters(control32)
    if (!this.#isFlusherNeeded()) return
    // Before the flusher is woken: it sets the word again if it waits on.
    Atomics.store(control32, int32.releaseAwaited, 0)
    wakeFlusher(control32)
  }

  /** Whether the flusher waits for what was released, or producers will soon want the space of it. */
  #isFlusherNeeded(): boolean {
    const { control32, control64, ringBytes } = this.#views
    if (Atomics.load(control32, int32.releaseAwaited) !== 0) return true
    if (Atomics.load(control32, int32.spaceWaiters) !== 0) return true
    const limit = Number(Atomics.load(control64, int64.claimLimit))
    return limit - Number(Atomics.load(control64, int64.claimTail)) < ringBytes / 2
  }

  /** What is on its way may land later; this log no longer waits for it. */
  #giveUp(syncedLsn: number): void {
    const { closeMs, report, log } = this.#options
    const replicatedLsn = Number(Atomics.load(this.#views.control64, int64.replicated))
    const leftBytes = syncedLsn - replicatedLsn
    const error = new LogError(
      'TIDEMARK_REPLICATION_UNAVAILABLE',
      `The log was closed, and ${log.name} did not take the last ${leftBytes} bytes of it within ${closeMs} ms. They are on this disk, and the next opening ships them.`,
      { replicatedLsn, leftBytes, closeMs },
    )
    report.incomplete(leftBytes, error)
    if (this.#views.isReplicated) throw error
  }

  /** Says that this primary is alive. The epoch decides everything; the lease only says to standbys when to look. */
  async #hold(): Promise<void> {
    const { log, epoch, leaseMs } = this.#options
    await this.#insist(async () => {
      this.#lease = await log.hold(epoch, leaseMs)
      void this.#lease.ended.then((error) => {
        if (error) this.#fail(error)
      })
    })
  }

  #look(): void {
    this.#stall.look(this.#lineageSentMs ?? this.#sent[0]?.sentMs)
    this.#notify()
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#notify()
  }

  #setState(state: number): void {
    Atomics.store(this.#views.control32, int32.replicatorState, state)
  }

  #setSince(sinceUs: number): void {
    this.#store64(int64.unreplicatedSinceUs, sinceUs)
  }

  #store64(word: number, value: number): void {
    Atomics.store(this.#views.control64, word, BigInt(value))
  }

  #notify(): void {
    this.#hasNews = true
    this.#wake()
  }

  /** Resolves when something has happened since it did so last. */
  async #news(): Promise<void> {
    if (!this.#hasNews) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#hasNews = false
  }
}
