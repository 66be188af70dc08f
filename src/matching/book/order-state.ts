import type { OrderType, Peg, SelfTradePrevention, Side, TimeInForce } from '../codec/names.js'

/** Everything about a live order; prices in ticks, quantities in lots. Fields that do not apply are absent. */
export interface OrderState {
  /** The order's id. */
  readonly orderId: number
  /** The client's own name for it; absent when it has none. */
  readonly clientOrderId?: string
  /** The account. */
  readonly account: number
  /** Whether it buys or sells. */
  readonly side: Side
  /** The order's type. */
  readonly orderType: OrderType
  /** How long it stays. */
  readonly timeInForce: TimeInForce
  /** `waiting`: a stop or take-profit that has not been triggered; `resting`: in the book; `pending`: of a list whose working order is not filled. */
  readonly status: 'resting' | 'waiting' | 'pending'
  /** The list that it belongs to. */
  readonly listId?: number
  /** Limit price; 0 for an order without a limit. */
  readonly price: number
  /** Open quantity, hidden part included. */
  readonly quantity: number
  /** Traded so far. */
  readonly filled: number
  /** The part of an iceberg that is visible now; the whole open quantity otherwise. */
  readonly shown: number
  /** Whether it is refused where it would trade at once. */
  readonly postOnly: boolean
  /** What an iceberg shows at a time, in lots. */
  readonly displayQuantity?: number
  /** Of a trail: where it is now. Absent while it does not track, and where no last price could be. */
  readonly stopPrice?: number
  /** How far the stop price of a trail stays from its reference: ticks, or parts of 10,000. */
  readonly trailingOffset?: number
  /** How far a trail stays from the best last price, in parts of 10,000 of it. */
  readonly trailingBasisPoints?: number
  /** The best last price since the trail tracks it; absent while it does not. */
  readonly trailingReference?: number
  /** The last price from which on a trail tracks, while it does not. */
  readonly activationPrice?: number
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly expireTime?: number
  /** Absent when the instrument's default applies. */
  readonly selfTradePrevention?: SelfTradePrevention
  /** The group whose orders count as the order's own under self-trade prevention. */
  readonly selfTradeGroup?: number
  /** What the price follows; not there for an order with a price of its own. */
  readonly peg?: Peg
  /** Ticks; may be negative. */
  readonly pegOffset?: number
  /** The limit of a peg, ticks: its price is what it is now. */
  readonly limitPrice?: number
}
