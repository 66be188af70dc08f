import type {
  DepthLevel,
  Indicative,
  MatchingEngine,
  OpenOrders,
  OpenOrdersPage,
  OrderState,
  Phase,
} from '../../matching/thread.js'
import { readU64 } from '../../matching/thread.js'
import { questionKind } from './requests.js'

/** Numbers of a level in the answer to a question for depth. */
export const depthLevelNumbers = 3

/** What a shard answers, in ticks and lots. */
export type Answer =
  /** Price, quantity and number of orders of each level, bids first: as objects, 50,000 levels took 250 ms instead of 33. */
  | { readonly question: 'depth'; readonly bids: number; readonly levels: Float64Array }
  | { readonly question: 'order'; readonly order: OrderState | undefined }
  | { readonly question: 'lastRequest'; readonly requestId: number | undefined }
  | { readonly question: 'highestOrderId'; readonly orderId: number | undefined }
  | ({ readonly question: 'openOrders' } & OpenOrdersPage)
  | {
      readonly question: 'indicative'
      readonly found: Indicative | undefined
      readonly phase: Phase
    }
  | { readonly question: 'copy' }
  | { readonly question: 'blockedAccounts' }
  | { readonly question: 'blockedBooks'; readonly books: ReadonlyMap<number, number> }
  | {
      readonly question: 'digest'
      readonly books: { readonly instrumentId: number; readonly digest: string }[]
      readonly orders: number
    }

/** Answers the questions of the pool's users, each at once or in steps, one after the other. */
export class Answers {
  readonly #engine: MatchingEngine
  /** What the question at hand has found so far. */
  #openOrders: OpenOrders | undefined

  constructor(engine: MatchingEngine) {
    this.#engine = engine
  }

  /**
   * Answers the question record at a word offset: its kind is in the flags, its arguments after the header. Returns `undefined`
   * when it takes another step: then it is to be given again, before any other.
   */
  answer(words: Int32Array, at: number): Answer | undefined {
    const engine = this.#engine
    const instrumentId = words[at + 1]! >>> 0
    const kind = (words[at]! >>> 8) & 0xff
    switch (kind) {
      case questionKind.depth:
        return packedDepth(engine.depth(instrumentId, readU64(words, at + 4)))
      case questionKind.order:
        return { question: 'order', order: engine.order(instrumentId, readU64(words, at + 4)) }
      case questionKind.lastRequest: {
        const account = readU64(words, at + 4)
        return { question: 'lastRequest', requestId: engine.lastRequestId(instrumentId, account) }
      }
      case questionKind.highestOrderId:
        return { question: 'highestOrderId', orderId: engine.highestOrderId(instrumentId) }
      case questionKind.indicative:
        return {
          question: 'indicative',
          found: engine.indicative(instrumentId),
          phase: engine.instrument(instrumentId)?.phase ?? 'closed',
        }
      case questionKind.blockedBooks:
        return { question: 'blockedBooks', books: engine.blockedAccounts() }
      case questionKind.openOrders:
      case questionKind.openOrdersEverywhere:
        return this.#openOrdersOf(words, at, kind === questionKind.openOrdersEverywhere)
      default:
        return {
          question: 'digest',
          books: engine
            .instruments()
            .map(({ instrumentId }) => ({ instrumentId, digest: engine.digest(instrumentId) })),
          orders: engine.counters().orders,
        }
    }
  }

  /** Gives up the question at hand. */
  giveUp(): void {
    this.#openOrders?.stop()
    this.#openOrders = undefined
  }

  #openOrdersOf(words: Int32Array, at: number, isEverywhere: boolean): Answer | undefined {
    this.#openOrders ??= this.#engine.openOrders({
      account: words[at + 4]! >>> 0,
      limit: words[at + 5]!,
      instrumentId: words[at + 1]! >>> 0,
      afterOrderId: readU64(words, at + 6),
      isEverywhere,
    })
    const page = this.#openOrders.step()
    if (page === undefined) return undefined
    this.#openOrders = undefined
    return { question: 'openOrders', ...page }
  }
}

function packedDepth({ bids, asks }: { bids: DepthLevel[]; asks: DepthLevel[] }): Answer {
  const levels = new Float64Array((bids.length + asks.length) * depthLevelNumbers)
  let at = 0
  for (const side of [bids, asks]) {
    for (const { price, quantity, orders } of side) {
      levels[at++] = price
      levels[at++] = quantity
      levels[at++] = orders
    }
  }
  return { question: 'depth', bids: bids.length, levels }
}
