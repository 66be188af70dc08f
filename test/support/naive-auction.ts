/**
 * The price of a call, found by trying prices: slow, and obviously what docs/matching-rules.md says. `everyPrice` tries each
 * one; otherwise those at which anything can change, and their neighbours.
 */

export interface CallOrder {
  readonly side: 'buy' | 'sell'
  /** 0: a market order. */
  readonly price: number
  readonly open: number
}

export interface CallResult {
  readonly price: number
  readonly quantity: bigint
  /** What buyers would trade more than sellers; negative: sellers. */
  readonly surplus: bigint
}

export interface CallTerms {
  /** 0: none. */
  readonly reference: number
  /** Whether trades may be made at a price. */
  readonly allows?: (price: number) => boolean
  /** More prices to try, beside the limits and their neighbours. */
  readonly alsoTry?: readonly number[]
  /** Prices next to one at which trades may be made. */
  readonly near?: (price: number) => number[]
  readonly everyPrice?: boolean
}

export function naiveCallPrice(orders: readonly CallOrder[], terms: CallTerms): CallResult | undefined {
  const { reference, allows = () => true, near = () => [] } = terms
  const tried = pricesToTry(orders, terms)
    .filter(allows)
    .map((price) => resultAt(orders, price))
  const most = largest(tried.map(({ quantity }) => quantity))
  if (most === undefined || most === 0n) return undefined
  const full = tried.filter(({ quantity }) => quantity === most)
  const least = -largest(full.map(({ surplus }) => -absolute(surplus)))!
  const best = full.filter(({ surplus }) => absolute(surplus) === least).sort((a, b) => a.price - b.price)
  if (best.every(({ surplus }) => surplus > 0n)) return best.at(-1)
  if (best.every(({ surplus }) => surplus < 0n)) return best[0]
  const [lowest, highest] = [best[0]!.price, best.at(-1)!.price]
  const wanted = reference || lowest + Math.floor((highest - lowest) / 2)
  const bound = Math.min(Math.max(wanted, lowest), highest)
  const close = [bound, ...near(bound), lowest, highest].filter(
    (p) => p >= lowest && p <= highest && allows(p),
  )
  close.sort((a, b) => Math.abs(a - bound) - Math.abs(b - bound) || b - a)
  return resultAt(orders, close[0]!)
}

function pricesToTry(orders: readonly CallOrder[], terms: CallTerms): number[] {
  const { reference, alsoTry = [], everyPrice = false, near = () => [] } = terms
  const limits = orders.map(({ price }) => price).filter((price) => price !== 0)
  if (limits.length === 0) return reference === 0 ? [] : [reference]
  const lowest = Math.min(...limits)
  const highest = Math.max(...limits)
  if (everyPrice) return Array.from({ length: highest - lowest + 1 }, (_, at) => lowest + at)
  const points = [...alsoTry, reference, ...limits.flatMap((price) => [price - 1, price, price + 1])]
  const tried = new Set([...points, ...points.flatMap(near)])
  return [...tried].filter((price) => price >= lowest && price <= highest)
}

function resultAt(orders: readonly CallOrder[], price: number): CallResult {
  let demand = 0n
  let supply = 0n
  for (const order of orders) {
    const takesPart =
      order.price === 0 || (order.side === 'buy' ? order.price >= price : order.price <= price)
    if (!takesPart) continue
    if (order.side === 'buy') demand += BigInt(order.open)
    else supply += BigInt(order.open)
  }
  return { price, quantity: demand < supply ? demand : supply, surplus: demand - supply }
}

function largest(values: bigint[]): bigint | undefined {
  return values.reduce<bigint | undefined>(
    (most, value) => (most === undefined || value > most ? value : most),
    undefined,
  )
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value
}
