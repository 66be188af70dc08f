import type { EventEmitter } from 'node:events'
import { announced, type JobControllerEvents, type JobOutcome } from '../controller-events.js'
import type { JobEvent } from '../events/event.js'
import type { LiveJob } from '../job.js'
import type { JobStore } from '../state/job-store.js'

/** Emits the events of a queue, and settles those who wait for it to drain, when what they report is on disk. */
export class Announcements {
  readonly #emitter: EventEmitter<JobControllerEvents>
  readonly #store: JobStore
  readonly #waiting = new Set<(error?: Error) => void>()

  constructor(emitter: EventEmitter<JobControllerEvents>, store: JobStore) {
    this.#emitter = emitter
    this.#store = store
  }

  /** Announces an event of the log. `extra` is the result or the error of its attempt. */
  announce(job: LiveJob, event: JobEvent, lsn: number, extra: unknown): void {
    const name = announced[event.type]
    if (this.#emitter.listenerCount(name) > 0) this.#announce(name, job, event, lsn, extra)
    if (this.#store.table.live.size === 0) this.#drainedAt(lsn)
  }

  /** Resolves when the queue has drained, and rejects with the error of `settle`. */
  drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.add((error) => {
        if (error) reject(error)
        else resolve()
      })
    })
  }

  /** Settles every `drained`: with `error` if there is one. */
  settle(error?: Error): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const settle of waiting) settle(error)
  }

  #announce(
    name: (typeof announced)[JobEvent['type']],
    job: LiveJob,
    event: JobEvent,
    lsn: number,
    extra: unknown,
  ): void {
    const { seq, detail } = event
    const outcome: JobOutcome = { id: job.id, attempt: job.attempts, seq }
    const delayMs = detail['delayMs'] as number
    const reason = detail['reason'] as string
    if (name === 'enqueued') this.#whenDurable(lsn, name, { id: job.id, seq })
    else if (name === 'dispatched') this.#whenDurable(lsn, name, { ...outcome, attemptId: seq })
    else if (name === 'completed') this.#whenDurable(lsn, name, { ...outcome, result: extra })
    else if (name === 'timedOut') this.#whenDurable(lsn, name, { ...outcome, delayMs })
    else if (name === 'retried') this.#whenDurable(lsn, name, { ...outcome, delayMs, reason, error: extra })
    else this.#whenDurable(lsn, name, { ...outcome, reason, error: extra })
  }

  #whenDurable<K extends keyof JobControllerEvents>(
    lsn: number,
    name: K,
    ...args: JobControllerEvents[K]
  ): void {
    if (this.#emitter.listenerCount(name) === 0) return
    const emitter = this.#emitter as EventEmitter
    this.#store.durable.add(
      lsn,
      () => emitter.emit(name, ...args),
      () => {},
    )
  }

  #drainedAt(lsn: number): void {
    this.#whenDurable(lsn, 'drained')
    if (this.#waiting.size === 0) return
    this.#store.durable.add(
      lsn,
      () => this.settle(),
      () => {},
    )
  }
}
