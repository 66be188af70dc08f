import { ApiError, errors } from '../dialect/api-error.js'
import { Params } from '../dialect/params.js'
import { DelayLine } from '../faults/delays.js'
import type { RequestFate } from '../faults/plan.js'
import { type ApiRequest, names, type Operation } from '../operations/operation.js'
import type { Client } from './client.js'
import type { Caller, Desk, Session } from './desk.js'
import { isCutAfter, isCutBefore, refusalOf } from './fates.js'
import { Resumption } from './resumption.js'
import type { UserPlace, UserReceiver, UserStreams } from './user-streams.js'

/** Requests of one connection that may wait for their answers. */
const inFlightMax = 4096
/** Subscriptions to user data of one connection. */
const subscriptionsMax = 1000
const paramsMax = 64
/** The code of what the dialect does not have: a place from which on events are not kept any more. */
const eventsGoneCode = -2103
const subscribeParams = names('fromLsn', 'withLsn')

interface ApiMessage {
  readonly id: unknown
  readonly method: string
  readonly values: Map<string, string>
}

/** A connection of the WebSocket API. */
export class ApiConnection {
  readonly #client: Client
  readonly #desk: Desk
  readonly #methods: ReadonlyMap<string, Operation>
  readonly #users: UserStreams
  readonly #showLimits: boolean
  #session: Session | undefined
  /** Accounts whose orders are cancelled when the connection ends. */
  readonly #cancelled = new Set<number>()
  readonly #onLost: (account: number) => void
  #inFlight = 0
  /** Requests that are executed later on purpose. */
  readonly #arriving: DelayLine
  #lastSubscription = -1
  readonly #subscriptions = new Map<number, { end(): void }>()

  constructor(
    client: Client,
    desk: Desk,
    methods: ReadonlyMap<string, Operation>,
    users: UserStreams,
    showLimits: boolean,
    onLost: (account: number) => void,
  ) {
    this.#onLost = onLost
    this.#client = client
    this.#desk = desk
    this.#methods = methods
    this.#users = users
    this.#showLimits = showLimits
    this.#arriving = new DelayLine(desk.faults.delays)
    client.onText((text) => this.#take(text))
    client.onClose(() => {
      for (const subscription of this.#subscriptions.values()) subscription.end()
      this.#subscriptions.clear()
      for (const account of this.#cancelled) this.#onLost(account)
    })
  }

  #take(text: string): void {
    let message: ApiMessage
    try {
      message = readMessage(text)
    } catch (error) {
      this.#send(null, refused(this.#desk.refusalOf(error)))
      return
    }
    if (this.#inFlight >= inFlightMax) {
      this.#send(message.id, refused(new ApiError(-1003, 'Too many requests queued.', 429)))
      return
    }
    this.#inFlight++
    const fate = this.#desk.fateOf(message.values.get('apiKey') ?? this.#session?.apiKey)
    if (fate || !this.#arriving.isEmpty)
      this.#arriving.put(fate?.beforeMs ?? 0, () => void this.#perform(message, fate))
    else void this.#perform(message, undefined)
  }

  async #perform(message: ApiMessage, fate: RequestFate | undefined): Promise<void> {
    const showLimits = message.values.get('returnRateLimits')
    const payload = payloadOf(message.values)
    message.values.delete('returnRateLimits')
    if (isCutBefore(fate)) {
      this.#client.terminate()
      return
    }
    let answer: object
    try {
      const refusal = refusalOf(fate, this.#desk.venue.nowMs())
      if (refusal) throw refusal
      answer = { status: 200, result: await this.#execute(message, payload) }
    } catch (error) {
      answer = refused(this.#desk.refusalOf(error))
    }
    if (fate?.fault === 'late') await this.#desk.faults.delays.wait(fate.afterMs)
    this.#inFlight--
    if (isCutAfter(fate)) this.#client.terminate()
    else if (fate?.fault !== 'lost')
      this.#send(message.id, answer, showLimits, fate?.fault === 'late' ? 0 : fate?.afterMs)
  }

  #execute({ method, values }: ApiMessage, payload: string): Promise<unknown> {
    const own = this.#ownOperations.get(method)
    const operation = own ?? this.#methods.get(method)
    if (!operation) throw errors.unsupported('there is no such method')
    const caller: Caller = {
      address: this.#client.address,
      apiKey: values.get('apiKey'),
      payload,
      session: this.#session,
    }
    return this.#desk.execute(operation, new Params(values), caller)
  }

  /** What concerns the connection itself. */
  readonly #ownOperations: ReadonlyMap<string, Operation> = new Map(
    (
      [
        ['session.logon', 'read', names(), (request) => this.#logon(request.params, request.nowMs)],
        ['session.status', 'none', names(), ({ nowMs }) => this.#status(nowMs)],
        ['session.logout', 'none', names(), ({ nowMs }) => this.#logout(nowMs)],
        [
          'session.cancelOnDisconnect',
          'trade',
          names('enabled'),
          ({ params, account }) => this.#setCancelOnDisconnect(params, account),
        ],
        ['session.subscriptions', 'none', names(), () => this.#listSubscriptions()],
        ['userDataStream.subscribe', 'read', subscribeParams, (request) => this.#subscribe(request)],
        [
          'userDataStream.subscribe.signature',
          'read',
          subscribeParams,
          (request) => this.#subscribe(request),
        ],
        [
          'userDataStream.unsubscribe',
          'none',
          names('subscriptionId'),
          ({ params }) => this.#unsubscribe(params),
        ],
      ] as [string, Operation['security'], ReadonlySet<string>, Operation['run']][]
    ).map(([method, security, params, run]) => [method, { method, security, weight: 2, params, run }]),
  )

  #logon(params: Params, nowMs: number): object {
    this.#session = { apiKey: params.required('apiKey'), sinceMs: nowMs }
    return this.#status(nowMs)
  }

  #status(nowMs: number): object {
    return {
      apiKey: this.#session?.apiKey ?? null,
      authorizedSince: this.#session?.sinceMs ?? null,
      connectedSince: this.#connectedMs,
      returnRateLimits: this.#showLimits,
      serverTime: nowMs,
      userDataStream: this.#subscriptions.size > 0,
    }
  }

  readonly #connectedMs = Date.now()

  #logout(nowMs: number): object {
    this.#session = undefined
    return this.#status(nowMs)
  }

  #setCancelOnDisconnect(params: Params, account: number): object {
    params.required('enabled')
    const enabled = params.flag('enabled')!
    if (enabled) this.#cancelled.add(account)
    else this.#cancelled.delete(account)
    return { enabled }
  }

  async #subscribe({ params, account }: ApiRequest): Promise<object> {
    const fromLsn = params.whole('fromLsn')
    const withLsn = params.flag('withLsn') === true || fromLsn !== undefined
    await this.#desk.venue.caughtUp()
    if (this.#client.closed) throw errors.closing()
    if (this.#subscriptions.size >= subscriptionsMax)
      throw new ApiError(-2042, 'Maximum subscription ID reached for this connection.')
    const subscriptionId = ++this.#lastSubscription
    if (withLsn) return this.#subscribeFrom(subscriptionId, account, fromLsn ?? this.#desk.venue.takenLsn)
    const receiver: UserReceiver = {
      event: (event) => this.#client.publish(JSON.stringify({ subscriptionId, event })),
    }
    this.#users.add(account, receiver)
    this.#subscriptions.set(subscriptionId, { end: () => this.#users.remove(account, receiver) })
    return { subscriptionId }
  }

  /** With the LSN of each event, and all events after `fromLsn`. */
  #subscribeFrom(subscriptionId: number, account: number, fromLsn: number): object {
    const { log } = this.#users
    if (fromLsn < log.forgottenLsn)
      throw new ApiError(eventsGoneCode, 'Events after this fromLsn are not kept any more.')
    const publish = (message: object) => this.#client.publish(JSON.stringify({ subscriptionId, ...message }))
    const receiver: UserReceiver = {
      event: (event, place) => publish(place ? { lsn: place.lsn, after: place.after, event } : { event }),
      position: ({ lsn, after }: UserPlace) => publish({ lsn, after }),
    }
    const resumption = new Resumption(this.#client, this.#users, account, fromLsn, receiver)
    this.#subscriptions.set(subscriptionId, resumption)
    return { subscriptionId, lsn: fromLsn }
  }

  #unsubscribe(params: Params): object {
    const only = params.whole('subscriptionId')
    const ids = only === undefined ? [...this.#subscriptions.keys()] : [only]
    for (const id of ids) {
      const found = this.#subscriptions.get(id)
      if (!found) throw new ApiError(-2036, 'User Data Stream subscription not active.')
      found.end()
      this.#subscriptions.delete(id)
    }
    return {}
  }

  #listSubscriptions(): object[] {
    return [...this.#subscriptions.keys()].map((subscriptionId) => ({ subscriptionId }))
  }

  #send(id: unknown, answer: object, showLimits?: string, delayMs = 0): void {
    const limits = showLimits === undefined ? this.#showLimits : showLimits === 'true'
    const { desk, account } = { desk: this.#desk, account: this.#accountOfSession() }
    const shown = limits
      ? { rateLimits: desk.limits.states(this.#client.address, account, desk.venue.nowMs()) }
      : undefined
    this.#client.sendLater(JSON.stringify({ id, ...answer, ...shown }), delayMs)
  }

  #accountOfSession(): number | undefined {
    return this.#session && this.#desk.keys.find(this.#session.apiKey)?.account
  }
}

function refused(refusal: ApiError): object {
  return { status: refusal.status, error: refusal.toBody() }
}

const idPattern = /^[A-Za-z0-9_-]{0,64}$/

/** @throws ApiError for what is no request. */
function readMessage(text: string): ApiMessage {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    throw new ApiError(-1135, 'Invalid JSON Request')
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    throw new ApiError(-1135, 'Invalid JSON Request')
  const { id, method, params = {}, ...others } = message as Record<string, unknown>
  if (!(id === null || Number.isSafeInteger(id) || (typeof id === 'string' && idPattern.test(id))))
    throw errors.missing('id')
  if (typeof method !== 'string' || method.length > 64) throw errors.missing('method')
  if (Object.keys(others).length > 0) throw new ApiError(-1135, 'Invalid JSON Request')
  if (typeof params !== 'object' || params === null || Array.isArray(params)) throw errors.badValue('params')
  return { id, method: method.replace(/^v3\//, ''), values: valuesOf(params) }
}

function valuesOf(params: object): Map<string, string> {
  const values = new Map<string, string>()
  const entries = Object.entries(params)
  if (entries.length > paramsMax) throw new ApiError(-1101, 'Too many parameters sent for this endpoint.')
  for (const [name, value] of entries) {
    if (typeof value === 'string') values.set(name, value)
    else if (typeof value === 'number' || typeof value === 'boolean') values.set(name, String(value))
    else if (Array.isArray(value)) values.set(name, JSON.stringify(value))
    else throw errors.badValue(name.slice(0, 64))
  }
  return values
}

/** What a signature of the WebSocket API covers: the parameters by name. */
function payloadOf(values: ReadonlyMap<string, string>): string {
  return [...values.keys()]
    .filter((name) => name !== 'signature')
    .sort()
    .map((name) => `${name}=${values.get(name)}`)
    .join('&')
}
