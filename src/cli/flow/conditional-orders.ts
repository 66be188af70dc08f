import type { Command } from '../../pool/index.js'
import type { Random } from './random.js'

/** What a generated order needs to know of its symbol. */
export interface FlowPlace {
  readonly symbol: string
  readonly account: number
  /** Ticks of 0.01. */
  readonly middle: number
  /** Lots of 0.001. */
  readonly quantity: number
  readonly tag: number
}

/** Stops and take-profits are within so many ticks of the middle, trails too. */
const distanceTicks = 12

const priceOf = (ticks: number) => (Math.max(1, ticks) / 100).toFixed(2)
const quantityOf = (lots: number) => (lots / 1000).toFixed(3)

/** An order that waits for the last price: a stop, a take-profit, or one with a trail, each with a limit or without. */
export function conditionalOrder(random: Random, orderId: number, place: FlowPlace): Command {
  const { symbol, account, tag } = place
  return { type: 'new', symbol, account, tag, ...conditionalLeg(random, orderId, place, random.word() & 1) }
}

/** A list: a bracket around what is held, an entry with its exit, or an entry with a bracket. Takes three order ids. */
export function orderList(random: Random, firstId: number, place: FlowPlace): Command {
  const { symbol, account, middle, quantity, tag } = place
  const sell = random.word() & 1
  const distance = 1 + random.below(distanceTicks)
  const entry = limitLeg(firstId, sell, middle + (sell ? distance : -distance), quantity)
  const exit = limitLeg(firstId + 1, sell ^ 1, middle + (sell ? -2 : 2) * distance, quantity)
  const stop = { ...conditionalLeg(random, firstId + 2, place, sell ^ 1), quantity: exit.quantity }
  const kind = random.below(3)
  const list = { type: 'list', symbol, account, listId: firstId, tag } as const
  if (kind === 0) return { ...list, listType: 'oco', orders: [exit, stop] }
  if (kind === 1) return { ...list, listType: 'oto', orders: [entry, exit] }
  return { ...list, listType: 'otoco', orders: [entry, exit, stop] }
}

function limitLeg(orderId: number, sell: number, price: number, quantity: number) {
  return {
    orderId,
    side: sell ? 'sell' : 'buy',
    orderType: 'limit',
    price: priceOf(price),
    quantity: quantityOf(quantity),
  } as const
}

function conditionalLeg(random: Random, orderId: number, { middle, quantity }: FlowPlace, sell: number) {
  const away = 1 + random.below(distanceTicks)
  const order = { orderId, side: sell ? 'sell' : 'buy', quantity: quantityOf(quantity) } as const
  const isStop = random.below(2) === 0
  // A stop sells below and buys above the middle, a take-profit the other way round.
  const stopPrice = priceOf(middle + (isStop === (sell === 1) ? -away : away))
  switch (random.below(4)) {
    case 0:
      return { ...order, orderType: 'stop', trailingOffset: priceOf(away) } as const
    case 1:
      return {
        ...order,
        orderType: 'take-profit',
        trailingBasisPoints: away,
        activationPrice: stopPrice,
      } as const
    case 2:
      return { ...order, orderType: isStop ? 'stop' : 'take-profit', stopPrice } as const
    default:
      return {
        ...order,
        orderType: isStop ? 'stop-limit' : 'take-profit-limit',
        stopPrice,
        price: stopPrice,
      } as const
  }
}
