import { didYouMean, unknownFieldOf } from '../../base/known-fields.js'
import { shown } from '../../base/shown.js'
import { accountOf } from '../../matching/index.js'
import { backpressure, PoolError } from '../errors.js'
import type { InstrumentRegistry } from '../instruments.js'
import { questionKind } from '../shard/requests.js'
import type { ShardHandle } from '../shard/shard-handle.js'
import type {
  Depth,
  DigestAnswer,
  HighestOrderIdAnswer,
  IndicativeAnswer,
  LastRequestAnswer,
  OpenOrdersOptions,
  OpenOrdersPage,
  OpenOrdersPlace,
  OrderAnswer,
} from '../types.js'
import { toDepth, toDigest, toIndicative, toOpenOrders, toOrderState } from './answers.js'

/** The most levels of a side that `depth` gives. */
export const depthLevelsMax = 100_000
/** The most open orders of a page. */
export const openOrdersMax = 1000
const openOrdersDefault = 500
const openOrdersFields = new Set(['account', 'symbol', 'limit', 'after'])

/** The questions of the pool's users: checks them, keeps how many wait for their answers within a limit, asks the shards. */
export class PoolQuestions {
  readonly max: number
  readonly #shards: readonly ShardHandle[]
  readonly #registry: InstrumentRegistry
  readonly #checkUsable: () => void
  #waiting = 0

  /** `checkUsable` throws why nothing is answered any more, once nothing is. */
  constructor(options: {
    shards: readonly ShardHandle[]
    registry: InstrumentRegistry
    max: number
    checkUsable: () => void
  }) {
    this.#shards = options.shards
    this.#registry = options.registry
    this.max = options.max
    this.#checkUsable = options.checkUsable
  }

  /** Questions whose answers were not given yet. */
  get waiting(): number {
    return this.#waiting
  }

  async depth(symbol: string, levels: number): Promise<Depth> {
    if (!Number.isInteger(levels) || levels < 1 || levels > depthLevelsMax) {
      throw new PoolError(
        'TIDEMARK_BAD_ARGUMENT',
        `levels is ${shown(levels)}; use a whole number from 1 to ${depthLevelsMax}.`,
        { levels },
      )
    }
    const { instrument, lsn, answer } = await this.#ask(symbol, questionKind.depth, levels)
    if (answer.question !== 'depth') throw unreachable()
    return toDepth(answer, instrument, lsn)
  }

  async indicative(symbol: string): Promise<IndicativeAnswer> {
    const { instrument, lsn, answer } = await this.#ask(symbol, questionKind.indicative)
    if (answer.question !== 'indicative') throw unreachable()
    return toIndicative(answer, instrument, lsn)
  }

  async order(symbol: string, orderId: number): Promise<OrderAnswer> {
    if (!Number.isSafeInteger(orderId) || orderId < 1) {
      throw new PoolError(
        'TIDEMARK_BAD_ARGUMENT',
        `orderId is ${shown(orderId)}; use a whole number from 1 to 2^53-1.`,
        { orderId },
      )
    }
    const { instrument, lsn, answer } = await this.#ask(symbol, questionKind.order, orderId)
    if (answer.question !== 'order') throw unreachable()
    return { lsn, order: answer.order && toOrderState(answer.order, instrument) }
  }

  async lastRequestId(account: number, symbol: string): Promise<LastRequestAnswer> {
    const { lsn, answer } = await this.#ask(symbol, questionKind.lastRequest, accountOf(account))
    if (answer.question !== 'lastRequest') throw unreachable()
    return { lsn, requestId: answer.requestId }
  }

  async highestOrderId(symbol: string): Promise<HighestOrderIdAnswer> {
    const { lsn, answer } = await this.#ask(symbol, questionKind.highestOrderId)
    if (answer.question !== 'highestOrderId') throw unreachable()
    return { lsn, orderId: answer.orderId }
  }

  async openOrders(options: OpenOrdersOptions): Promise<OpenOrdersPage> {
    this.#checkUsable()
    const { account, symbol, limit, after } = checkedOpenOrders(options)
    const only = symbol === undefined ? undefined : this.#registry.bySymbol(symbol)
    const place = after && this.#registry.bySymbol(after.symbol)
    const from = place ?? only
    const instrumentId = from?.definition.instrumentId ?? 0
    const shards = only ? [this.#shards[only.shard]!] : this.#shards
    const kind = only ? questionKind.openOrders : questionKind.openOrdersEverywhere
    // The shard reads the two words of the first argument by themselves.
    const first = account + limit * 0x1_0000_0000
    const answers = await this.#limited(() =>
      Promise.all(shards.map((shard) => shard.ask(kind, instrumentId, first, after?.orderId ?? 0))),
    )
    return toOpenOrders(answers, limit, this.#registry)
  }

  async digest(): Promise<DigestAnswer> {
    this.#checkUsable()
    const answers = await this.#limited(() =>
      Promise.all(this.#shards.map((shard) => shard.ask(questionKind.digest, 0))),
    )
    return toDigest(answers, this.#registry)
  }

  async #ask(symbol: string, question: number, argument = 0) {
    this.#checkUsable()
    const instrument = this.#registry.bySymbol(symbol)
    const shard = this.#shards[instrument.shard]!
    const { instrumentId } = instrument.definition
    const { lsn, answer } = await this.#limited(() => shard.ask(question, instrumentId, argument))
    return { instrument, lsn, answer }
  }

  async #limited<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.max) {
      throw backpressure(
        `${this.#waiting} questions wait for their answers, the most is ${this.max} (maxQuestions)`,
        { questions: this.#waiting, maxQuestions: this.max },
        'Await the answer of an earlier one, then ask again.',
      )
    }
    this.#waiting++
    try {
      return await ask()
    } finally {
      this.#waiting--
    }
  }
}

function unreachable(): never {
  throw new Error('an answer of another kind than the question')
}

/** The options of `openOrders`, each read once, with their defaults. @throws PoolError, CommandError. */
function checkedOpenOrders(options: OpenOrdersOptions): OpenOrdersOptions & { limit: number } {
  if (typeof options !== 'object' || options === null) {
    throw badArgument('openOrders takes an object with an account.', { options })
  }
  const unknown = unknownFieldOf(options, openOrdersFields)
  if (unknown !== undefined) {
    const hint = didYouMean(unknown, openOrdersFields)
    throw badArgument(`openOrders has no option ${JSON.stringify(unknown)}.${hint}`, { option: unknown })
  }
  const { account, symbol, limit = openOrdersDefault, after } = options
  if (!Number.isInteger(limit) || limit < 1 || limit > openOrdersMax) {
    throw badArgument(`limit is ${shown(limit)}; use a whole number from 1 to ${openOrdersMax}.`, { limit })
  }
  const place = after === undefined ? undefined : checkedPlace(after)
  if (place && symbol !== undefined && place.symbol !== symbol) {
    const message = `after is a place in ${shown(place.symbol)}, and the page is to be of ${shown(symbol)}: use the next of a page of the same symbol.`
    throw badArgument(message, { symbol, after: place.symbol })
  }
  return { account: accountOf(account), symbol, limit, after: place }
}

function checkedPlace(after: OpenOrdersPlace): OpenOrdersPlace {
  const { symbol, orderId } = Object(after) as OpenOrdersPlace
  if (typeof symbol !== 'string' || !Number.isSafeInteger(orderId) || orderId < 0) {
    const message = `after is ${shown(after)}; use the next of the page before, { symbol, orderId }.`
    throw badArgument(message, { after })
  }
  return { symbol, orderId }
}

function badArgument(message: string, details: Record<string, unknown>): PoolError {
  return new PoolError('TIDEMARK_BAD_ARGUMENT', message, details)
}
