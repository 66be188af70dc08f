import { type Clock, delayMsMax } from '../../base/clock.js'
import { shown } from '../../base/shown.js'
import type { PhaseCommand } from '../../matching/index.js'
import { PoolError } from '../errors.js'
import type { ExecutionReport } from '../types.js'

/** How long the schedule waits before it sends a phase again that the pool had no room for. */
const retryMs = 10

/** A phase, and when it is to begin. */
export interface ScheduledPhase extends Omit<PhaseCommand, 'type' | 'tag'> {
  /** A date, or milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: Date | number
}

interface Entry {
  readonly atMs: number
  readonly command: PhaseCommand
}

interface ScheduleParts {
  readonly clock: Clock
  /** @throws when the command is malformed. */
  readonly check: (command: PhaseCommand) => void
  readonly submit: (command: PhaseCommand) => Promise<ExecutionReport>
}

/**
 * Sends phases when their time has come, by the clock of this process: the log holds the commands, and knows no schedule. Of the phases of
 * a symbol whose time is over when the schedule begins only the last is sent, so that a day can be scheduled again after a
 * restart.
 */
export class PhaseSchedule {
  /**
   * Resolves when all was sent and is durable, or when the schedule was stopped; rejects with the error of the first phase that the pool did
   * not take, after which no other is sent.
   */
  readonly done: Promise<void>
  readonly #parts: ScheduleParts
  readonly #entries: Entry[]
  #callOff: (() => void) | undefined
  #isOver = false
  #resolve!: () => void
  #reject!: (error: unknown) => void

  /** @throws PoolError, CommandError for what is malformed, before anything is sent. */
  constructor(phases: readonly ScheduledPhase[], parts: ScheduleParts) {
    this.#parts = parts
    if (!Array.isArray(phases)) {
      throw new PoolError('TIDEMARK_BAD_ARGUMENT', 'schedulePhases takes an array of phases.', { phases })
    }
    const entries = phases.map((phase) => entryOf(phase, parts.check)).sort((a, b) => a.atMs - b.atMs)
    const now = parts.clock.wallMs()
    this.#entries = entries.filter(({ atMs, command: { symbol } }, at) => {
      const isOver = entries
        .slice(at + 1)
        .some((later) => later.atMs <= now && later.command.symbol === symbol)
      return atMs > now || !isOver
    })
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Without this, an error would end a process that does not look at `done`.
    this.done.catch(() => {})
    this.#next()
  }

  /** Phases that were not sent yet. */
  get remaining(): number {
    return this.#isOver ? 0 : this.#entries.length
  }

  /** Sends no more. */
  stop(): void {
    this.#end()
    this.#resolve()
  }

  /** Sends what is due, one after the other, and waits for the next. */
  #next(): void {
    if (this.#isOver) return
    const [entry] = this.#entries
    if (entry === undefined) {
      this.stop()
      return
    }
    const { clock } = this.#parts
    // The clock may have been set back while it was waited: then it is waited again.
    const delayMs = entry.atMs - clock.wallMs()
    if (delayMs > 0) this.#wait(Math.min(delayMs, delayMsMax))
    else this.#send(entry)
  }

  #send({ command }: Entry): void {
    this.#callOff = undefined
    this.#parts.submit(command).then(
      () => {
        this.#entries.shift()
        this.#next()
      },
      (error) => {
        if (this.#isOver) return
        if (error.code === 'TIDEMARK_BACKPRESSURE') this.#wait(retryMs)
        else this.#fail(error)
      },
    )
  }

  #wait(delayMs: number): void {
    this.#callOff = this.#parts.clock.after(delayMs, () => this.#next())
  }

  #fail(error: unknown): void {
    this.#end()
    this.#reject(error)
  }

  #end(): void {
    this.#isOver = true
    this.#callOff?.()
  }
}

function entryOf(scheduled: ScheduledPhase, check: (command: PhaseCommand) => void): Entry {
  const { at, ...fields } = Object(scheduled) as ScheduledPhase
  const atMs = at instanceof Date ? at.getTime() : at
  if (!Number.isSafeInteger(atMs) || atMs < 0) {
    const message = `at is ${shown(at)}; use a date, or milliseconds since 1970-01-01T00:00:00Z.`
    throw new PoolError('TIDEMARK_BAD_ARGUMENT', message, { at })
  }
  const command: PhaseCommand = { ...fields, type: 'phase' }
  check(command)
  return { atMs, command }
}
