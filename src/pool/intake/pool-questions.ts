import { shown } from '../../base/shown.js'
import { accountOf } from '../../matching/index.js'
import { backpressure, PoolError } from '../errors.js'
import type { InstrumentRegistry } from '../instruments.js'
import { questionKind } from '../shard/requests.js'
import type { ShardHandle } from '../shard/shard-handle.js'
import type { Depth, DigestAnswer, LastRequestAnswer, OrderAnswer } from '../types.js'
import { toDepth, toDigest, toOrderState } from './answers.js'

export const depthLevelsMax = 100_000

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

  async digest(): Promise<DigestAnswer> {
    this.#checkUsable()
    const answers = await this.#limited(() =>
      Promise.all(this.#shards.map((shard) => shard.ask(questionKind.digest, 0, 0))),
    )
    return toDigest(answers, this.#registry)
  }

  async #ask(symbol: string, question: number, argument: number) {
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
