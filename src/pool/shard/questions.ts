import type { DepthLevel, MatchingEngine, OrderState } from '../../matching/thread.js'
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
  | { readonly question: 'copy' }
  | {
      readonly question: 'digest'
      readonly books: { readonly instrumentId: number; readonly digest: string }[]
      readonly orders: number
    }

/** Answers the question record at a word offset: its kind is in the flags, its arguments after the header. */
export function answerQuestion(engine: MatchingEngine, words: Int32Array, at: number): Answer {
  const instrumentId = words[at + 1]! >>> 0
  switch ((words[at]! >>> 8) & 0xff) {
    case questionKind.depth:
      return packedDepth(engine.depth(instrumentId, readU64(words, at + 4)))
    case questionKind.order:
      return { question: 'order', order: engine.order(instrumentId, readU64(words, at + 4)) }
    case questionKind.lastRequest: {
      const account = readU64(words, at + 4)
      return { question: 'lastRequest', requestId: engine.lastRequestId(instrumentId, account) }
    }
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
