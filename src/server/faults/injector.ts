import { Delays } from './delays.js'
import { FaultPlan, type MessageFate, type RequestFate } from './plan.js'
import { type FaultKind, type FaultSettings, type Misbehaviour, resolveMisbehaviour } from './settings.js'

/** What goes wrong on purpose now, as long as anything does. */
export class FaultInjector {
  readonly delays = new Delays()
  /** How often what went wrong. */
  readonly counts = new Map<FaultKind, number>()
  readonly #spared: readonly number[] | undefined
  #plan: FaultPlan | undefined
  #isEnded = false

  /** What goes wrong at first, which also says who is spared unless another says otherwise. @throws as `set`. */
  constructor(misbehaviour: Misbehaviour | undefined) {
    this.#spared = misbehaviour?.sparedAccounts
    this.set(misbehaviour)
  }

  /** Begins anew with other settings, or behaves from now on. @throws ServerError `TIDEMARK_SERVER_FAULTS`. */
  set(misbehaviour: Misbehaviour = {}): void {
    const settings = resolveMisbehaviour(misbehaviour, this.#spared)
    const isNothing =
      settings.latency.length === 0 && Object.values(settings.rates).every((rate) => rate === 0)
    this.#plan = isNothing || this.#isEnded ? undefined : new FaultPlan(settings)
  }

  get settings(): FaultSettings | undefined {
    return this.#plan?.settings
  }

  /** The fate of the next request of an account, or of those that have none. `undefined`: nothing befalls it. */
  request(account: number | undefined): RequestFate | undefined {
    const plan = this.#plan
    if (!plan || (account !== undefined && plan.settings.sparedAccounts.has(account))) return undefined
    const fate = plan.request(String(account ?? ''))
    // What happens to a request happens whether it does so before or after.
    if (fate.fault) this.#count(fate.fault)
    return fate
  }

  /** The fate of the next message to a connection. */
  message(connection: string): MessageFate | undefined {
    const fate = this.#plan?.message(connection)
    if (fate?.fault) this.#count(fate.fault)
    return fate
  }

  /** Nothing goes wrong any more, and what is waited for happens now. */
  end(): void {
    this.#isEnded = true
    this.#plan = undefined
    this.delays.end()
  }

  #count(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }
}
