import { ReplicationError } from '../replicated/index.js'

/** An entry that is on its way for longer than this says that the replicated log takes nothing. */
const stallMs = 1000

/** Whether entries get through, as the log's owner hears of it: once when they no longer do, and once when they do again. */
export class Stall {
  readonly #onStalled: (error: ReplicationError) => void
  readonly #onResumed: (stalledMs: number) => void
  readonly #name: string
  #sinceMs: number | undefined

  constructor(
    name: string,
    onStalled: (error: ReplicationError) => void,
    onResumed: (stalledMs: number) => void,
  ) {
    this.#name = name
    this.#onStalled = onStalled
    this.#onResumed = onResumed
  }

  get isOn(): boolean {
    return this.#sinceMs !== undefined
  }

  /** A call got no answer, or was refused for a reason that may pass. */
  refused(error: ReplicationError): void {
    if (this.#sinceMs !== undefined) return
    this.#sinceMs = performance.now()
    this.#onStalled(error)
  }

  /** Looks at the entry that is on its way for the longest, since `sentMs`. */
  look(sentMs: number | undefined): void {
    if (sentMs === undefined || performance.now() - sentMs < stallMs) return
    this.refused(
      new ReplicationError(
        'TIDEMARK_REPLICATION_UNAVAILABLE',
        `${this.#name} has not answered for ${stallMs} ms. Nothing is lost: the log waits, and continues by itself once an answer comes.`,
        { silentMs: stallMs },
      ),
    )
  }

  /** An entry got through. */
  passed(): void {
    if (this.#sinceMs === undefined) return
    const stalledMs = performance.now() - this.#sinceMs
    this.#sinceMs = undefined
    this.#onResumed(stalledMs)
  }
}
