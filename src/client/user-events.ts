import { callUser } from '../base/emitter.js'
import { type Connection, type Message, mayPass } from './connection.js'
import { ClientError, Interrupted, VenueRefusal } from './errors.js'
import type { EventPlace, ExecutionReport, UserEvent } from './types.js'

/** Where an account's events begin, and who gets them. */
export interface UserEventsOptions {
  /** Begins after this place. Default: with what happens from now on. */
  readonly from?: EventPlace | undefined
  /** Called with each event, once and in order. */
  readonly onEvent: (event: UserEvent) => void
  /** Called with the balances that changed, where the venue has some: an `outboundAccountPosition` of the dialect. */
  readonly onBalances?: ((event: Readonly<Record<string, unknown>>) => void) | undefined
  /**
   * Called when it ends: the venue does not keep the events that come next any more (a VenueRefusal, -2103), or refuses the key, or the client
   * was closed. What
   * happened meanwhile is in its lists of orders and trades then.
   */
  readonly onEnd?: ((error: Error) => void) | undefined
}

/** Messages that may come before it is known which subscription they are of. */
const earlyMax = 100_000

/** An account's events: subscribed to again after the last one that came, whenever the connection is lost or one was left out. */
export class UserEvents {
  readonly #connection: Connection
  readonly #options: UserEventsOptions
  readonly #ended: (events: UserEvents) => void
  /** Everything up to this LSN has come. */
  #wholeLsn: number | undefined
  #executionId: number | undefined
  /** LSN of the last event: of its record more may come. */
  #eventLsn: number | undefined
  #subscriptionId: number | undefined
  /** Each try to subscribe has a number; what belongs to an earlier one is not looked at. */
  #attempt = 0
  #early: Message[] = []
  #isClosed = false
  readonly #started: Promise<void>
  #start: () => void = () => {}
  #fail: (error: Error) => void = () => {}

  constructor(connection: Connection, options: UserEventsOptions, ended: (events: UserEvents) => void) {
    this.#connection = connection
    this.#options = options
    this.#ended = ended
    if (options.from) {
      this.#wholeLsn = Math.max(0, options.from.lsn - 1)
      this.#executionId = options.from.executionId
    }
    this.#started = new Promise((resolve, reject) => {
      this.#start = resolve
      this.#fail = reject
    })
    this.#started.catch(() => {})
    if (connection.isReady) this.subscribe()
  }

  /** Resolves when it is subscribed to for the first time. @throws VenueRefusal. */
  get started(): Promise<void> {
    return this.#started
  }

  /** After which LSN a subscription would have to begin to get what comes next. */
  get lsn(): number {
    return this.#wholeLsn ?? 0
  }

  /** Ends it: no further event is given. */
  close(): void {
    if (this.#isClosed) return
    const id = this.#subscriptionId
    this.#end()
    if (id !== undefined)
      this.#connection.send('userDataStream.unsubscribe', { subscriptionId: id }).catch(() => {})
  }

  /** Called by the client: a session is open. */
  subscribe(): void {
    if (!this.#isClosed) void this.#subscribe(++this.#attempt)
  }

  /** Called by the client: what was subscribed to is gone with the connection. */
  lost(): void {
    this.#attempt++
    this.#subscriptionId = undefined
    this.#early = []
  }

  /** Called by the client with what comes. */
  take(message: Message): void {
    if (this.#isClosed) return
    if (this.#subscriptionId === undefined) {
      if (this.#early.length < earlyMax) this.#early.push(message)
    } else if (message.subscriptionId === this.#subscriptionId) this.#apply(message)
  }

  /** Called by the client when it is closed. */
  fail(error: Error): void {
    if (this.#isClosed) return
    this.#end()
    this.#fail(error)
    const { onEnd } = this.#options
    if (onEnd) callUser(() => onEnd(error))
  }

  #end(): void {
    this.#isClosed = true
    this.#attempt++
    this.#subscriptionId = undefined
    this.#early = []
    this.#ended(this)
  }

  async #subscribe(attempt: number): Promise<void> {
    const isCurrent = () => attempt === this.#attempt
    const params = this.#wholeLsn === undefined ? { withLsn: true } : { fromLsn: this.#wholeLsn }
    try {
      const answer = await this.#connection.send('userDataStream.subscribe', params)
      if (!isCurrent()) return
      const { subscriptionId, lsn } = answer as { subscriptionId: number; lsn: number }
      this.#wholeLsn ??= lsn
      this.#subscriptionId = subscriptionId
      this.#start()
      for (const message of this.#early.splice(0)) this.take(message)
    } catch (error) {
      if (!isCurrent()) return
      if (error instanceof Interrupted) {
        // Without a connection it is tried when there is one again.
        if (this.#connection.isReady) this.subscribe()
      } else if (error instanceof VenueRefusal && mayPass(error)) {
        setTimeout(() => {
          if (isCurrent() && this.#connection.isReady) this.subscribe()
        }, 100)
      } else
        this.fail(error instanceof Error ? error : new ClientError('TIDEMARK_CLIENT_CLOSED', String(error)))
    }
  }

  #apply({ lsn, after, event }: Message): void {
    if (lsn === undefined || after === undefined) {
      const { onBalances } = this.#options
      // Others, such as those of lists, have no place either, and no balances.
      if (event?.['e'] === 'outboundAccountPosition' && onBalances) callUser(() => onBalances(event))
      return
    }
    const report = event as ExecutionReport | undefined
    // What comes a second time after a resumption.
    if (report && this.#executionId !== undefined && report.I <= this.#executionId) return
    if (after !== 0 && this.#executionId !== undefined && after > this.#executionId) {
      this.#resubscribe()
      return
    }
    if (!report) {
      this.#executionId ??= after
      this.#wholeLsn = Math.max(this.#wholeLsn!, lsn)
      return
    }
    if (this.#eventLsn !== undefined && lsn > this.#eventLsn)
      this.#wholeLsn = Math.max(this.#wholeLsn!, this.#eventLsn)
    this.#eventLsn = lsn
    this.#executionId = report.I
    callUser(() => this.#options.onEvent({ lsn, executionId: report.I, report }))
  }

  /** An event was left out: everything after the last whole record is asked for again. */
  #resubscribe(): void {
    const id = this.#subscriptionId
    this.lost()
    if (id !== undefined)
      this.#connection.send('userDataStream.unsubscribe', { subscriptionId: id }).catch(() => {})
    this.subscribe()
  }
}
