import { closedGuard, type EnginePool, ledgerDoor } from '../../pool/index.js'
import type { WebReply, WebServer } from '../packages.js'
import type { Desk } from './desk.js'

/**
 * Whether a venue is well, from what its pool reports. `/healthz` is about what only a restart mends; `/readyz` says whether an order
 * that comes now would be taken and answered.
 */
export class Health {
  readonly #desk: Desk
  readonly #pool: EnginePool
  #poisoned = false
  #isFenced = false
  #isFull = false
  readonly #listeners: readonly [
    event: 'error' | 'fenced' | 'diskFull' | 'diskReady',
    listener: (error: Error) => void,
  ][]

  /** `onFailure` is called with what poisons the log. */
  constructor(desk: Desk, onFailure: (error: unknown) => void) {
    this.#desk = desk
    this.#pool = desk.venue.pool
    this.#listeners = [
      [
        'error',
        (error) => {
          this.#poisoned = true
          onFailure(error)
        },
      ],
      ['fenced', () => (this.#isFenced = true)],
      ['diskFull', () => (this.#isFull = true)],
      ['diskReady', () => (this.#isFull = false)],
    ]
    for (const [event, listener] of this.#listeners) this.#pool.on(event, listener)
  }

  addRoutes(web: WebServer): void {
    const answer = (reply: WebReply, problem: string | undefined) =>
      reply
        .code(problem === undefined ? 200 : 503)
        .header('content-type', 'application/json')
        .header('cache-control', 'no-store')
        .send(
          JSON.stringify(
            problem === undefined ? { status: 'ok' } : { status: 'unavailable', reason: problem },
          ),
        )
    web.route({ method: 'GET', url: '/healthz', handler: (_, reply) => answer(reply, this.broken) })
    web.route({ method: 'GET', url: '/readyz', handler: (_, reply) => answer(reply, this.unready) })
  }

  /** What only a restart mends. */
  get broken(): string | undefined {
    if (this.#poisoned) return 'the log is poisoned: a write, a sync or a thread failed'
    if (this.#isFenced) return 'another primary took over'
    return this.#desk.venue.failure && 'the log can not be followed any more'
  }

  /** Why nothing is taken now. */
  get unready(): string | undefined {
    if (this.#desk.isClosing) return 'it is shutting down'
    if (this.broken !== undefined) return this.broken
    if (!this.#desk.venue.isReady) return 'it is reading the log'
    if (this.#pool[ledgerDoor].intake.guard === closedGuard) return 'its ledger is not open'
    if (this.#isFull) return 'the disk is full, or no file can be opened'
    const { replication } = this.#pool.stats()
    if (replication?.ack === 'replicated' && replication.stalled) return 'the replicated log takes nothing'
    return undefined
  }

  /** The pool stays open. */
  close(): void {
    for (const [event, listener] of this.#listeners) this.#pool.off(event, listener)
  }
}
