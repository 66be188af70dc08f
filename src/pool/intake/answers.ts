import {
  fromBigSteps,
  fromSteps,
  type OrderState as OrderSteps,
  packedInstrument,
  packedOrderNumbers,
  unpackOrder,
} from '../../matching/index.js'
import type { InstrumentRegistry, PoolInstrument } from '../instruments.js'
import { signedText } from '../order-terms.js'
import { type Answer, depthLevelNumbers } from '../shard/questions.js'
import type {
  Depth,
  DepthLevel,
  DigestAnswer,
  IndicativeAnswer,
  OpenOrdersPage,
  OrderState,
} from '../types.js'

/** A shard's answers, in ticks and lots, as the world outside sees them: symbols and decimal strings. */

type AnswerTo<Question extends Answer['question']> = Extract<Answer, { question: Question }>

export function toDepth(answer: AnswerTo<'depth'>, instrument: PoolInstrument, lsn: number): Depth {
  const { price, quantity } = instrument.grids
  const { levels, bids } = answer
  const sides: [DepthLevel[], DepthLevel[]] = [[], []]
  for (let at = 0; at < levels.length; at += depthLevelNumbers) {
    sides[at < bids * depthLevelNumbers ? 0 : 1].push({
      price: fromSteps(levels[at]!, price),
      quantity: fromSteps(levels[at + 1]!, quantity),
      orders: levels[at + 2]!,
    })
  }
  const { symbol } = instrument.definition
  return { lsn, symbol, bids: sides[0], asks: sides[1] }
}

export function toIndicative(
  { found, phase }: AnswerTo<'indicative'>,
  instrument: PoolInstrument,
  lsn: number,
): IndicativeAnswer {
  const { price: prices, quantity: lots } = instrument.grids
  const { price, quantity = 0n, surplus = 0n, surplusSide } = found ?? {}
  return {
    lsn,
    symbol: instrument.definition.symbol,
    phase,
    price: price === undefined ? undefined : fromSteps(price, prices),
    quantity: fromBigSteps(quantity, lots),
    surplus: fromBigSteps(surplus, lots),
    surplusSide,
  }
}

export function toOrderState(order: OrderSteps, instrument: PoolInstrument): OrderState {
  const { price, quantity } = instrument.grids
  return {
    orderId: order.orderId,
    clientOrderId: order.clientOrderId,
    symbol: instrument.definition.symbol,
    account: order.account,
    side: order.side,
    orderType: order.orderType,
    timeInForce: order.timeInForce,
    status: order.status,
    price: order.price === 0 ? undefined : fromSteps(order.price, price),
    stopPrice: order.stopPrice === undefined ? undefined : fromSteps(order.stopPrice, price),
    remaining: fromSteps(order.quantity, quantity),
    filled: fromSteps(order.filled, quantity),
    shown: fromSteps(order.shown, quantity),
    postOnly: order.postOnly,
    displayQuantity:
      order.displayQuantity === undefined ? undefined : fromSteps(order.displayQuantity, quantity),
    expireTime: order.expireTime,
    selfTradePrevention: order.selfTradePrevention,
    ...(order.listId !== undefined && { listId: order.listId }),
    ...(order.trailingOffset !== undefined && { trailingOffset: fromSteps(order.trailingOffset, price) }),
    ...(order.trailingBasisPoints !== undefined && { trailingBasisPoints: order.trailingBasisPoints }),
    ...(order.trailingReference !== undefined && {
      trailingReference: fromSteps(order.trailingReference, price),
    }),
    ...(order.activationPrice !== undefined && { activationPrice: fromSteps(order.activationPrice, price) }),
    ...(order.selfTradeGroup !== undefined && { selfTradeGroup: order.selfTradeGroup }),
    ...(order.peg !== undefined && { peg: order.peg, pegOffset: signedText(order.pegOffset ?? 0, price) }),
    ...(order.limitPrice !== undefined && { limitPrice: fromSteps(order.limitPrice, price) }),
  }
}

/**
 * The pages of all shards as one of at most `limit` orders. It ends at the latest where the first of them ends: that shard may have
 * more between there and where the others end.
 */
export function toOpenOrders(
  answers: readonly { lsn: number; answer: Answer }[],
  limit: number,
  registry: InstrumentRegistry,
): OpenOrdersPage {
  let end: { instrumentId: number; orderId: number } | undefined
  const found: { instrumentId: number; order: OrderSteps }[] = []
  for (const { answer } of answers) {
    if (answer.question !== 'openOrders') throw new Error('an answer of another kind than the question')
    const { orders, clientOrderIds, coveredTo } = answer
    for (let at = 0; at < orders.length; at += packedOrderNumbers) {
      const order = unpackOrder(orders, at, clientOrderIds.get(at / packedOrderNumbers))
      found.push({ instrumentId: packedInstrument(orders, at), order })
    }
    if (coveredTo && (end === undefined || isBefore(coveredTo, end))) end = coveredTo
  }
  found.sort((a, b) => a.instrumentId - b.instrumentId || a.order.orderId - b.order.orderId)
  const placeOf = ({ instrumentId, order: { orderId } }: (typeof found)[number]) => ({
    instrumentId,
    orderId,
  })
  const whole = found.filter((item) => end === undefined || !isBefore(end, placeOf(item)))
  const page = whole.slice(0, limit)
  if (page.length < whole.length) end = placeOf(page.at(-1)!)
  const instrumentOf = (instrumentId: number) => registry.byId(instrumentId)!
  return {
    lsn: Math.max(...answers.map(({ lsn }) => lsn)),
    orders: page.map(({ instrumentId, order }) => toOrderState(order, instrumentOf(instrumentId))),
    next: end && { symbol: instrumentOf(end.instrumentId).definition.symbol, orderId: end.orderId },
  }
}

function isBefore(
  a: { instrumentId: number; orderId: number },
  b: { instrumentId: number; orderId: number },
): boolean {
  return a.instrumentId < b.instrumentId || (a.instrumentId === b.instrumentId && a.orderId < b.orderId)
}

/** The digests of all shards as one, by symbol. */
export function toDigest(
  answers: readonly { lsn: number; answer: Answer }[],
  registry: InstrumentRegistry,
): DigestAnswer {
  const symbols: [string, string][] = []
  let restingOrders = 0
  for (const { answer } of answers) {
    if (answer.question !== 'digest') throw new Error('an answer of another kind than the question')
    restingOrders += answer.orders
    for (const { instrumentId, digest } of answer.books) {
      symbols.push([registry.byId(instrumentId)!.definition.symbol, digest])
    }
  }
  symbols.sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    lsn: Math.max(...answers.map(({ lsn }) => lsn)),
    symbols: Object.fromEntries(symbols),
    restingOrders,
  }
}
