import { TidemarkError } from '../../base/errors.js'
import { LedgerError } from '../../ledger/index.js'
import { commandTagLow } from '../../matching/index.js'
import type { Command, CommandBatch, EnginePool, Instrument } from '../../pool/index.js'
import type { CommandSource, SourceTarget } from '../inputs/command-source.js'
import { LatencyRecorder } from '../latency.js'
import type { ResumePoint } from './resume/resume-point.js'

export interface FeederSettings {
  /** Commands handed over at once, and commands handed over and not yet durable, at most. */
  readonly handover: number
  readonly window: number
  /** Commands a second that arrive whether or not the pool keeps up; undefined: as fast as they are acknowledged. */
  readonly ratePerSecond: number | undefined
}

export interface FeederCounts {
  readonly submitted: number
  readonly acknowledged: number
  readonly trades: number
  readonly rejected: number
}

/** What one hand-over came to. */
interface Outcome {
  readonly lsn: number
  readonly commands: number
  readonly trades: number
  readonly rejected: number
}

const backpressure = 'TIDEMARK_BACKPRESSURE'
/** Acknowledgements are listened for at least this often, so that making commands is not counted as waiting for them. */
const hearMs = 1
/** A timer's resolution: an arrival less than this ahead is not slept for. */
const sleepMsMin = 1

/** Takes commands from a source and hands them to a pool, several hand-overs under way at a time. */
export class Feeder implements SourceTarget {
  readonly latency = new LatencyRecorder()
  /** LSN of the last command acknowledged so far. */
  lastLsn = 0
  /** Called after each acknowledgement. */
  onAcknowledged: () => void = () => {}
  readonly #pool: EnginePool
  readonly #source: CommandSource
  readonly #settings: FeederSettings
  readonly #batch: CommandBatch
  readonly #resume: ResumePoint | undefined
  #submitted = 0
  #acknowledged = 0
  #trades = 0
  #rejected = 0
  #startedMs = 0
  #endedMs = 0
  #stopped = false
  #failure: unknown
  #wakeUp: () => void = () => {}

  /** With a resume point the source is read from its beginning, and what is durable already is passed over. */
  constructor(pool: EnginePool, source: CommandSource, settings: FeederSettings, resume?: ResumePoint) {
    this.#pool = pool
    this.#source = source
    this.#settings = settings
    this.#resume = resume
    this.#batch = resume?.batch ?? pool.batch()
    if (resume) this.lastLsn = pool.durableLsn
  }

  get counts(): FeederCounts {
    return {
      submitted: this.#submitted,
      acknowledged: this.#acknowledged,
      trades: this.#trades,
      rejected: this.#rejected,
    }
  }

  /** From the first hand-over to the last acknowledgement. */
  get elapsedMs(): number {
    return this.#startedMs === 0 ? 0 : (this.#endedMs || performance.now()) - this.#startedMs
  }

  instrument(symbol: string): Instrument | undefined {
    return this.#pool.instrument(symbol)
  }

  /** Takes no more from the source; `run` returns when what is under way is settled. */
  stop(): void {
    this.#stopped = true
    this.#wakeUp()
  }

  /**
   * Runs the source to its end and returns when every command is durable.
   *
   * @throws the first error that ended it, when all else is settled.
   */
  async run(): Promise<void> {
    this.#source.begin(this)
    this.#startedMs = performance.now()
    try {
      const resume = this.#resume
      const more = !resume || (await this.#runClosed(() => !resume.isCaughtUp))
      if (resume) this.#startedMs = performance.now()
      if (more && this.#settings.ratePerSecond === undefined) await this.#runClosed(() => true)
      else if (more) await this.#runOpen(this.#settings.ratePerSecond!)
      if (!this.#ended) resume?.finish()
    } catch (error) {
      // A source that is closed in the middle of a read may fail; nothing of what was handed over depends on it.
      if (!this.#stopped) this.#fail(error)
    }
    while (this.#acknowledged < this.#submitted && this.#failure === undefined) await this.#settledOne()
    this.#endedMs = performance.now()
    if (this.#failure !== undefined) throw this.#failure
  }

  async submit(command: Command): Promise<void> {
    if (this.#resume?.isDurable(command)) return
    const arrivedMs = performance.now()
    await this.#handOver(1, arrivedMs, 0, async () => {
      const report = await this.#pool.submit(command)
      const { lsn, trades, status } = report
      return { lsn, commands: 1, trades: trades.length, rejected: status === 'rejected' ? 1 : 0 }
    })
    // A cancel-all that is durable for one symbol may be pending for another, and an instrument's number depends on
    // those before it: what comes after them must not be in the log before they are.
    if (this.#resume) while (this.#inFlight > 0 && !this.#ended) await this.#settledOne()
  }

  /** Fills and hands over as long as `goOn` says so; returns whether the source has more. */
  async #runClosed(goOn: () => boolean): Promise<boolean> {
    const { handover, window } = this.#settings
    let heardMs = performance.now()
    let more = true
    while (more && !this.#ended && goOn()) {
      if (this.#inFlight > 0 && this.#inFlight + handover > window) {
        await this.#settledOne()
        heardMs = performance.now()
        continue
      }
      if (performance.now() - heardMs >= hearMs) {
        await new Promise(setImmediate)
        heardMs = performance.now()
      }
      more = await this.#fill(handover)
      await this.#handOverBatch(performance.now(), 0)
    }
    return more
  }

  #fill(goal: number): boolean | Promise<boolean> {
    this.#resume?.beginFill()
    return this.#source.fill(this.#resume ?? this.#batch, goal)
  }

  /**
   * Command number i arrives at i / rate after the start, whatever the pool does, and its latency counts from then: a
   * pool that stalls is charged for every command that would have waited.
   */
  async #runOpen(ratePerSecond: number): Promise<void> {
    const { handover, window } = this.#settings
    const spacingMs = 1000 / ratePerSecond
    const first = this.#submitted
    for (let more = true; more && !this.#ended; ) {
      const arrived = this.#submitted - first
      const due = Math.floor((performance.now() - this.#startedMs) / spacingMs) + 1 - arrived
      if (due <= 0) {
        await this.#sleep(this.#startedMs + arrived * spacingMs - performance.now())
        continue
      }
      const goal = Math.min(due, handover)
      if (this.#inFlight > 0 && this.#inFlight + goal > window) {
        await this.#settledOne()
        continue
      }
      more = await this.#fill(goal)
      await this.#handOverBatch(this.#startedMs + arrived * spacingMs, spacingMs)
    }
  }

  get #inFlight(): number {
    return this.#submitted - this.#acknowledged
  }

  get #ended(): boolean {
    return this.#stopped || this.#failure !== undefined
  }

  async #handOverBatch(arrivedMs: number, spacingMs: number): Promise<void> {
    const batch = this.#batch
    if (batch.length === 0) return
    try {
      await this.#handOver(batch.length, arrivedMs, spacingMs, () => this.#pool.submitBatch(batch))
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error
      await this.#handOverSingly(batch, arrivedMs)
    }
    batch.clear()
  }

  /** Hands over what the ledger takes of a batch that it refused as a whole, and notes the rest. */
  async #handOverSingly(batch: CommandBatch, arrivedMs: number): Promise<void> {
    const single = this.#pool.batch()
    for (const { words, used } of batch.parts) {
      for (let at = 0; at < used; at += words[at]! >>> 18) {
        single.clear()
        single.addEncoded(words.subarray(at))
        try {
          await this.#handOver(1, arrivedMs, 0, () => this.#pool.submitBatch(single))
        } catch (error) {
          if (!(error instanceof LedgerError)) throw error
          this.#source.refusals.add(commandTagLow(words, at) + 1, error.code, error.message)
        }
      }
    }
  }

  /**
   * Returns when the pool has taken the commands, not when they are durable. A pool that is full refuses at once, and
   * gets the same commands again when something has been settled.
   */
  async #handOver(
    commands: number,
    arrivedMs: number,
    spacingMs: number,
    send: () => Promise<Outcome>,
  ): Promise<void> {
    this.#submitted += commands
    for (;;) {
      const outcome = send()
      outcome.then(
        (known) => this.#settle(commands, known, arrivedMs, spacingMs),
        () => {},
      )
      try {
        // A refusal is there at once; only what was taken is still pending after a turn.
        await Promise.race([outcome, nextTurn()])
        outcome.catch((error) => this.#fail(error))
        return
      } catch (error) {
        const full = error instanceof TidemarkError && error.code === backpressure
        if (!full || this.#ended || this.#inFlight === commands) {
          this.#submitted -= commands
          throw error
        }
        await this.#settledOne()
      }
    }
  }

  #settle(commands: number, outcome: Outcome, arrivedMs: number, spacingMs: number): void {
    const nowMs = performance.now()
    this.#acknowledged += commands
    this.#trades += outcome.trades
    this.#rejected += outcome.rejected
    if (outcome.lsn > this.lastLsn) this.lastLsn = outcome.lsn
    if (spacingMs === 0) this.latency.record(nowMs - arrivedMs)
    else for (let i = 0; i < commands; i++) this.latency.record(nowMs - arrivedMs - i * spacingMs)
    this.onAcknowledged()
    this.#wakeUp()
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#wakeUp()
  }

  /** Resolves with the next acknowledgement, failure or stop. */
  #settledOne(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = resolve
    })
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      if (milliseconds < sleepMsMin) {
        setImmediate(resolve)
        return
      }
      const timer = setTimeout(resolve, milliseconds)
      this.#wakeUp = () => {
        if (!this.#ended) return
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** A few turns of the microtask queue: what is settled at once, has been heard of by then. */
async function nextTurn(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await null
}
