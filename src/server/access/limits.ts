import { ApiError } from '../dialect/api-error.js'

/** How much is taken of one address and one account; 0: no limit. */
export interface Limits {
  /** Weight of the requests of an address in a minute. */
  readonly weightPerMinute: number
  /** Orders of an account in 10 seconds. */
  readonly ordersPer10Seconds: number
}

const minuteMs = 60_000
const tenSecondsMs = 10_000
/** Addresses or accounts that are counted at once; when there are more, those of an earlier span go first. */
const countedMax = 100_000

/** Counts within spans of the clock that all begin at once, as the dialect has it: 1 minute begins with each minute. */
class Counter<Key> {
  readonly #spanMs: number
  #counts = new Map<Key, number>()
  #span = 0

  constructor(spanMs: number) {
    this.#spanMs = spanMs
  }

  add(key: Key, count: number, nowMs: number): number {
    const span = Math.floor(nowMs / this.#spanMs)
    if (span !== this.#span || this.#counts.size > countedMax) {
      this.#span = span
      this.#counts = new Map()
    }
    const total = (this.#counts.get(key) ?? 0) + count
    this.#counts.set(key, total)
    return total
  }

  get(key: Key, nowMs: number): number {
    return Math.floor(nowMs / this.#spanMs) === this.#span ? (this.#counts.get(key) ?? 0) : 0
  }

  endMs(nowMs: number): number {
    return (Math.floor(nowMs / this.#spanMs) + 1) * this.#spanMs
  }
}

/** One of the limits, as answers show it. */
export interface LimitState {
  readonly rateLimitType: 'REQUEST_WEIGHT' | 'ORDERS'
  readonly interval: 'MINUTE' | 'SECOND'
  readonly intervalNum: number
  readonly limit: number
  readonly count: number
}

/** What each address and account has used of its limits. */
export class RateLimits {
  readonly limits: Limits
  readonly #weights = new Counter<string>(minuteMs)
  readonly #orders = new Counter<number>(tenSecondsMs)

  constructor(limits: Limits) {
    this.limits = limits
  }

  /** Counts a request. @throws ApiError -1003 with status 429 when the address has used its weight. */
  request(address: string, weight: number, nowMs: number): void {
    const { weightPerMinute } = this.limits
    const used = this.#weights.add(address, weight, nowMs)
    if (weightPerMinute === 0 || used <= weightPerMinute) return
    throw tooMany(
      -1003,
      `Too much request weight used; current limit is ${weightPerMinute} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.`,
      nowMs,
      this.#weights.endMs(nowMs),
    )
  }

  /** Counts new orders. @throws ApiError -1015 with status 429 when the account has sent too many. */
  order(account: number, count: number, nowMs: number): void {
    const { ordersPer10Seconds } = this.limits
    const sent = this.#orders.add(account, count, nowMs)
    if (ordersPer10Seconds === 0 || sent <= ordersPer10Seconds) return
    throw tooMany(
      -1015,
      `Too many new orders; current limit is ${ordersPer10Seconds} orders per 10 SECOND.`,
      nowMs,
      this.#orders.endMs(nowMs),
    )
  }

  weightOf(address: string, nowMs: number): number {
    return this.#weights.get(address, nowMs)
  }

  ordersOf(account: number, nowMs: number): number {
    return this.#orders.get(account, nowMs)
  }

  /** What `exchangeInfo` says of the limits. */
  list(): Omit<LimitState, 'count'>[] {
    const { weightPerMinute, ordersPer10Seconds } = this.limits
    const list: Omit<LimitState, 'count'>[] = []
    if (weightPerMinute > 0) list.push(weightLimit(weightPerMinute))
    if (ordersPer10Seconds > 0) list.push(orderLimit(ordersPer10Seconds))
    return list
  }

  /** What an answer of the WebSocket API shows: the orders only to whom an account is known. */
  states(address: string, account: number | undefined, nowMs: number): LimitState[] {
    return this.list()
      .filter(({ rateLimitType }) => rateLimitType === 'REQUEST_WEIGHT' || account !== undefined)
      .map((limit) => ({
        ...limit,
        count:
          limit.rateLimitType === 'ORDERS' ? this.ordersOf(account!, nowMs) : this.weightOf(address, nowMs),
      }))
  }
}

function weightLimit(limit: number): Omit<LimitState, 'count'> {
  return { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit }
}

function orderLimit(limit: number): Omit<LimitState, 'count'> {
  return { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit }
}

function tooMany(code: number, message: string, nowMs: number, endMs: number): ApiError {
  return new ApiError(
    code,
    message,
    429,
    { serverTime: nowMs, retryAfter: endMs },
    Math.ceil((endMs - nowMs) / 1000),
  )
}
