import type { TradeFees } from '../../ledger/index.js'
import type { PoolEvent } from '../../pool/index.js'
import { Fifo } from './fifo.js'
import { requestIdOf } from './tags.js'

/** What came of a request: the events of its record. The first one says that the order was accepted, or why not. */
export interface RequestOutcome {
  readonly requestId: number
  readonly clientOrderId: string
  readonly events: readonly PoolEvent[]
  /** What its trades cost, by their ids, where a ledger says that. */
  readonly fees: ReadonlyMap<number, TradeFees>
}

/** Of one account in one symbol. */
interface Requests {
  readonly outcomes: Map<number, RequestOutcome>
  readonly ids: Fifo<number>
  lastId: number
  forgottenId: number
}

const notExecuted: ReadonlySet<string> = new Set(['REQUEST_ID_OUTDATED', 'REQUEST_ID_REUSED'])

/** What came of orders that have a request id, from the events of the log: the last ones of all accounts together. */
export class RequestHistory {
  readonly #eventsMax: number
  readonly #requests = new Map<string, Requests>()
  /** Whose the outcomes are, in their order, and how many events they have together. */
  readonly #order = new Fifo<Requests>()
  #events = 0
  /** Of the record that is being read. */
  #outcome:
    | (RequestOutcome & { readonly events: PoolEvent[]; readonly fees: Map<number, TradeFees> })
    | undefined

  /** Keeps outcomes that have at most `eventsMax` events together. */
  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax
  }

  /** `fees` is what a trade cost, where a ledger says that. */
  apply(event: PoolEvent, fees?: TradeFees): void {
    if (this.#outcome) {
      if (event.lsn === this.#outcome.events[0]!.lsn) {
        this.#outcome.events.push(event)
        if (event.event === 'trade' && fees) this.#outcome.fees.set(event.tradeId, fees)
        this.#events++
        return
      }
      this.#outcome = undefined
    }
    if (event.event !== 'accepted' && event.event !== 'rejected') return
    const requestId = requestIdOf(event.tag)
    if (requestId === undefined || event.account === undefined) return
    if (event.event === 'rejected' && notExecuted.has(event.code)) return
    this.#outcome = { requestId, clientOrderId: event.clientOrderId ?? '', events: [event], fees: new Map() }
    this.#add(event.account, event.symbol, this.#outcome)
  }

  find(account: number, symbol: string, requestId: number): RequestOutcome | undefined {
    return this.#requests.get(`${account} ${symbol}`)?.outcomes.get(requestId)
  }

  /** Whether a request that is not found may have been executed, and its outcome is not kept any more. */
  mayHaveForgotten(account: number, symbol: string, requestId: number): boolean {
    return requestId <= (this.#requests.get(`${account} ${symbol}`)?.forgottenId ?? 0)
  }

  /** The highest request id that was executed, as far as events were read; 0 before the first. */
  lastId(account: number, symbol: string): number {
    return this.#requests.get(`${account} ${symbol}`)?.lastId ?? 0
  }

  #add(account: number, symbol: string, outcome: RequestOutcome): void {
    const name = `${account} ${symbol}`
    let own = this.#requests.get(name)
    if (!own) {
      own = { outcomes: new Map(), ids: new Fifo(), lastId: 0, forgottenId: 0 }
      this.#requests.set(name, own)
    }
    own.outcomes.set(outcome.requestId, outcome)
    own.ids.push(outcome.requestId)
    own.lastId = outcome.requestId
    this.#order.push(own)
    this.#events++
    while (this.#events > this.#eventsMax && this.#order.size > 1) this.#forget()
  }

  #forget(): void {
    const own = this.#order.shift()!
    const id = own.ids.shift()!
    this.#events -= own.outcomes.get(id)!.events.length
    own.outcomes.delete(id)
    own.forgottenId = id
  }
}
