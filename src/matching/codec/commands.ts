import type {
  Allocation,
  BandAction,
  ListType,
  Peg,
  Phase,
  ReplacePriority,
  SelfTradePrevention,
  Side,
  TimeInForce,
} from './names.js'

/**
 * A price or a quantity as a decimal string such as "12.5"; a number counts as its `String(n)`. Prices must be whole multiples of
 * the instrument's `tickSize`, quantities of its `lotSize`; others are refused with `TIDEMARK_OFF_GRID`, never rounded.
 */
export type Decimal = string | number

/** 64 bits that travel with a command and come back with its outcome: a bigint below 2^64 or a safe integer. */
export type Tag = number | bigint

/** What every new order has. */
interface NewCommandFields {
  readonly type: 'new'
  /** The instrument's symbol. */
  readonly symbol: string
  /**
   * 1 to 2^53-1, unique among the live orders of the symbol. Without one the order gets the symbol's highest order id so far plus
   * one, accepted or not, and its report and its events say it.
   */
  readonly orderId?: number | undefined
  /**
   * The client's own name for the order: 1 to 36 printable ASCII characters, unique among the account's live orders of the symbol.
   * Cancel, replace and reduce may name the order by it, with the account.
   */
  readonly clientOrderId?: string | undefined
  /** 0 to 2^32-1. */
  readonly account: number
  /** Whether it buys or sells. */
  readonly side: Side
  /** The instrument's default unless stated. */
  readonly selfTradePrevention?: SelfTradePrevention | undefined
  /**
   * 1 to 2^32-1: with it, self-trade prevention counts the orders of this group as the order's own, of whatever account, and those of
   * its account no more.
   */
  readonly selfTradeGroup?: number | undefined
  /**
   * 1 to 2^53-1, growing for each account of a symbol. A command that is sent again under the id of the account's last request
   * is not executed again: it is answered with the first outcome.
   */
  readonly requestId?: number | undefined
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/** What every order has but a market order for an amount of the quote asset. */
interface QuantityFields {
  /** What is to be traded, the hidden part of an iceberg included. */
  readonly quantity: Decimal
  readonly quoteQuantity?: undefined
}

/** What an order has whose price is its own. */
interface NoPegFields {
  /** None: the price is the order's own. */
  readonly peg?: undefined
  readonly pegOffset?: undefined
}

/** What an order that can rest at a limit price may have. */
interface RestingFields {
  /** The limit: it buys for no more, and sells for no less. */
  readonly price: Decimal
  /** GTC unless stated. */
  readonly timeInForce?: TimeInForce | undefined
  /** The order is rejected with `POST_ONLY_WOULD_TRADE` if it would trade at once. */
  readonly postOnly?: boolean | undefined
  /** The visible part of an iceberg, at least a thousandth of the quantity. */
  readonly displayQuantity?: Decimal | undefined
  /** Milliseconds since 1970-01-01T00:00:00Z, for GTD. */
  readonly expireTime?: number | undefined
}

/** A stop waits for its price, so it is not for one call. */
export type StopTimeInForce = Exclude<TimeInForce, 'at-open' | 'at-close'>

/** What only orders that wait for the last price have. */
interface NoStopFields {
  /** None: it acts at once. */
  readonly stopPrice?: undefined
  readonly trailingOffset?: undefined
  readonly trailingBasisPoints?: undefined
  readonly activationPrice?: undefined
}

/** Waits for a last price … */
interface StopPriceFields extends Omit<NoStopFields, 'stopPrice'> {
  /** The last price that it waits for. */
  readonly stopPrice: Decimal
}

/** … or follows the last price at a distance. */
interface TrailFields {
  readonly stopPrice?: undefined
  /** The trail begins when the last price is there, as a stop price of the order's type is reached; at once unless stated. */
  readonly activationPrice?: Decimal | undefined
}

interface TrailByOffsetFields extends TrailFields {
  /** How far the stop price stays behind the best last price: a price, a multiple of `tickSize`. */
  readonly trailingOffset: Decimal
  readonly trailingBasisPoints?: undefined
}

interface TrailByPartFields extends TrailFields {
  /** The same in parts of 10,000 of that price, 1 to 9,999. */
  readonly trailingBasisPoints: number
  readonly trailingOffset?: undefined
}

type StopFields = StopPriceFields | TrailByOffsetFields | TrailByPartFields

/** What an order without a limit price has not. */
interface NoLimitFields {
  readonly price?: undefined
  /** Never: it has no price of its own to stay at. */
  readonly postOnly?: false | undefined
  readonly displayQuantity?: undefined
}

/** An order that trades at its price or better; GTC, DAY and GTD orders rest with what is left. */
export interface NewLimitCommand
  extends NewCommandFields,
    QuantityFields,
    NoPegFields,
    RestingFields,
    NoStopFields {
  /** The order's type. */
  readonly orderType: 'limit'
  /** For IOC: the order is rejected with `MIN_QUANTITY_NOT_FILLABLE` unless so much of it trades at once. */
  readonly minQuantity?: Decimal | undefined
}

/**
 * A limit order whose price follows a reference: the best price of other orders of its own side (`primary`), of the other side
 * (`market`), or the middle of both (`mid`). Rejected with `NO_PEG_REFERENCE` when there is none.
 */
export interface NewPeggedCommand
  extends NewCommandFields,
    QuantityFields,
    Omit<RestingFields, 'price' | 'postOnly' | 'timeInForce'>,
    NoStopFields {
  readonly orderType: 'limit'
  /** What the price follows. */
  readonly peg: Peg
  /** What is added to the reference, such as "-0.05"; a multiple of `tickSize`. 0 unless stated. */
  readonly pegOffset?: Decimal | undefined
  /** The limit: it buys for no more, and sells for no less. */
  readonly price?: Decimal | undefined
  /** GTC unless stated. */
  readonly timeInForce?: 'GTC' | 'DAY' | 'GTD' | undefined
  /** Never: it has no price of its own to stay at. */
  readonly postOnly?: false | undefined
  readonly minQuantity?: undefined
}

/** An order that trades at any price and never rests: what is left is cancelled. */
export type NewMarketCommand = MarketFields & (QuantityFields | QuoteQuantityFields)

/** What a market order for an amount of the quote asset has. */
interface QuoteQuantityFields {
  /**
   * What is to be spent, or to be received: the order trades until one more lot would go beyond it. At most as many decimals as
   * `tickSize` and `lotSize` have together.
   */
  readonly quoteQuantity: Decimal
  readonly quantity?: undefined
  readonly minQuantity?: undefined
  /** IOC. */
  readonly timeInForce?: 'IOC' | undefined
}

interface MarketFields extends NewCommandFields, NoPegFields, NoLimitFields, NoStopFields {
  readonly orderType: 'market'
  /** IOC unless stated. In a call, it waits for the price of all. */
  readonly timeInForce?: 'IOC' | 'FOK' | 'at-open' | 'at-close' | undefined
  readonly expireTime?: undefined
  /** As in a limit order. */
  readonly minQuantity?: Decimal | undefined
}

/**
 * Becomes a market order when the last price is at its stop price or beyond: of a stop, above to buy and below to sell; of a
 * take-profit, below to buy and above to sell. With a trail, when it has moved back from its best by the trail's distance.
 */
export type NewStopCommand = StopOrderFields & StopFields

interface StopOrderFields extends NewCommandFields, QuantityFields, NoPegFields, NoLimitFields {
  /** The order's type. */
  readonly orderType: 'stop' | 'take-profit'
  readonly minQuantity?: undefined
  /** GTC unless stated. */
  readonly timeInForce?: StopTimeInForce | undefined
  /** Milliseconds since 1970-01-01T00:00:00Z, for GTD. */
  readonly expireTime?: number | undefined
}

/** Becomes a limit order when the last price is at its stop price or beyond, as `NewStopCommand`. */
export type NewStopLimitCommand = StopLimitOrderFields & StopFields

interface StopLimitOrderFields
  extends NewCommandFields,
    QuantityFields,
    NoPegFields,
    Omit<RestingFields, 'timeInForce'> {
  /** The order's type. */
  readonly orderType: 'stop-limit' | 'take-profit-limit'
  /** GTC unless stated. */
  readonly timeInForce?: StopTimeInForce | undefined
  readonly minQuantity?: undefined
}

/** A new order. An `orderId` that a live order of the symbol has is rejected with `DUPLICATE_ORDER_ID`. */
export type NewCommand =
  | NewLimitCommand
  | NewPeggedCommand
  | NewMarketCommand
  | NewStopCommand
  | NewStopLimitCommand

/** Cancels a live order, waiting stops included. Rejected with `UNKNOWN_ORDER`, or `NOT_OWNER` when the account differs. */
export interface CancelCommand {
  readonly type: 'cancel'
  /** The instrument's symbol. */
  readonly symbol: string
  /** The order's id; or … */
  readonly orderId?: number | undefined
  /** … the client's own name for it, which needs an account. */
  readonly clientOrderId?: string | undefined
  /** When stated, it must own the order. */
  readonly account?: number | undefined
  /** As in a new order; it needs an account. */
  readonly requestId?: number | undefined
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/**
 * Gives a live order a new open quantity and, if stated, a new price. The same price and no more quantity keep its place in the
 * queue, unless the instrument's `replacePriority` is `always-lose`; otherwise it goes to the back, and trades if it crosses.
 */
export interface ReplaceCommand {
  readonly type: 'replace'
  /** The instrument's symbol. */
  readonly symbol: string
  /** The order's id; or … */
  readonly orderId?: number | undefined
  /** … the client's own name for it, which needs an account. */
  readonly clientOrderId?: string | undefined
  /** The price stays if it is not stated. */
  readonly price?: Decimal | undefined
  /** The new open quantity, whatever has been filled before. */
  readonly quantity: Decimal
  /** When stated, it must own the order. */
  readonly account?: number | undefined
  /** As in a new order; it needs an account. */
  readonly requestId?: number | undefined
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/** Takes quantity away from a live order, which keeps its place in the queue. */
export interface ReduceCommand {
  readonly type: 'reduce'
  /** The instrument's symbol. */
  readonly symbol: string
  /** The order's id; or … */
  readonly orderId?: number | undefined
  /** … the client's own name for it, which needs an account. */
  readonly clientOrderId?: string | undefined
  /** What is taken away from the open quantity; taking all of it or more cancels the order. */
  readonly quantity: Decimal
  /** When stated, it must own the order. */
  readonly account?: number | undefined
  /** As in a new order; it needs an account. */
  readonly requestId?: number | undefined
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/**
 * Cancels live orders, waiting stops included: those of an account, of everybody in a symbol, or those that a list names. Each
 * further field leaves out those to which it does not apply.
 */
export interface CancelAllCommand {
  readonly type: 'cancel-all'
  /** Orders of this account only. Without it either `everybody` or `orderIds` has to be stated … */
  readonly account?: number | undefined
  /** … and both of these need a symbol. */
  readonly everybody?: boolean | undefined
  /** Orders with these ids only, 1 to 128 of them. One that no live order has is passed over. */
  readonly orderIds?: readonly number[] | undefined
  /** In this symbol only; in every one unless stated. */
  readonly symbol?: string | undefined
  /** Of this side only; of both unless stated. */
  readonly side?: Side | undefined
  /** Orders with a limit price from `minPrice` to `maxPrice` only, both included; they need a symbol. */
  readonly minPrice?: Decimal | undefined
  /** The highest limit price, included. */
  readonly maxPrice?: Decimal | undefined
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/** An order of a list: a new order without what its list says for all of them. */
export type ListedOrder = DistributiveOmit<NewCommand, 'type' | 'symbol' | 'account' | 'requestId' | 'tag'>

type DistributiveOmit<T, Keys extends PropertyKey> = T extends unknown ? Omit<T, Keys> : never

/**
 * Two or three orders of an account that depend on each other. `oco`, one cancels the other: of two, the first that trades, is triggered
 * or ends cancels the other. `oto`, one triggers the other: the second enters the book when the first is filled. `otoco`: two that
 * cancel each other enter when the first is filled. If the book refuses one of them, it refuses all.
 */
export interface ListCommand {
  readonly type: 'list'
  /** The instrument's symbol. */
  readonly symbol: string
  /** 1 to 2^53-1, unique among the live lists of the symbol. Without one it is the id of the first order. */
  readonly listId?: number | undefined
  /**
   * The client's own id of the list, 1 to 36 printable ASCII characters. It comes back with the list's `accepted` events; the book neither compares
   * it nor finds a list by it.
   */
  readonly clientListId?: string | undefined
  /** Which of them end or bring in others. */
  readonly listType: ListType
  /** 0 to 2^32-1. */
  readonly account: number
  /** Of `oto` and `otoco`, the working order is the first. */
  readonly orders: readonly ListedOrder[]
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/** Cancels the live orders of a list. Rejected with `UNKNOWN_LIST`, or `NOT_OWNER` when the account differs. */
export interface CancelListCommand {
  readonly type: 'cancel-list'
  /** The instrument's symbol. */
  readonly symbol: string
  /** The list's id. */
  readonly listId: number
  /** When stated, it must own the list. */
  readonly account?: number | undefined
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/** From `from` on, up to the next range, prices are multiples of `tick`; both are multiples of `tickSize`, and `from` one of `tick`. */
export interface TickRange {
  /** The price from which it holds. */
  readonly from: Decimal
  /** The step of prices from there on. */
  readonly tick: Decimal
}

/** What an instrument says of itself beside its grids. In a change, `null` stands for "not any more". */
export interface InstrumentDetailFields {
  /** 1 to 32 bytes of UTF-8: what is traded … */
  readonly baseAsset?: string | null | undefined
  /** … and what it is paid with. */
  readonly quoteAsset?: string | null | undefined
  /** The lowest and highest price and stop price of an order that comes in or is replaced, multiples of `tickSize`. */
  readonly minPrice?: Decimal | null | undefined
  /** The highest price and stop price, a multiple of `tickSize`. */
  readonly maxPrice?: Decimal | null | undefined
  /** The least and the most quantity of an order that comes in or is replaced, multiples of `lotSize`. */
  readonly minQuantity?: Decimal | null | undefined
  /** The most quantity of an order, a multiple of `lotSize`. */
  readonly maxQuantity?: Decimal | null | undefined
  /** The least price times quantity of an order with a limit price, a multiple of `tickSize` times `lotSize`. */
  readonly minNotional?: Decimal | null | undefined
  /** What the static price band is around, a multiple of `tickSize`. Without it there is no static band. */
  readonly referencePrice?: Decimal | null | undefined
  /**
   * How far from the reference trades may be made, to both sides: as a distance, a multiple of `tickSize`, or in basis points of the
   * reference, 1 to 10,000, rounded down to a tick. When both are stated, the narrower counts.
   */
  readonly staticBand?: Decimal | null | undefined
  /** The same in parts of 10,000 of the reference price. */
  readonly staticBandBasisPoints?: number | null | undefined
  /** The same around the price of the last trade before an order; it does not bind the price of a call. */
  readonly dynamicBand?: Decimal | null | undefined
  /** The same in parts of 10,000 of the last price. */
  readonly dynamicBandBasisPoints?: number | null | undefined
  /**
   * What becomes of an order that would trade outside a band: it is refused (`refuse`, unless stated), trades up to the band and its
   * rest is cancelled (`trade-to-band`), or trades up to it and a call begins, in which it rests (`interrupt`).
   */
  readonly bandAction?: BandAction | null | undefined
  /** The most live orders that an account may have, 1 to 1,000: a new one that could stay is refused. */
  readonly maxAccountOrders?: number | null | undefined
  /** Prices from each `from` on are multiples of its `tick`; 1 to 32 ranges, ascending. */
  readonly tickTable?: readonly TickRange[] | null | undefined
  /** An object that JSON can hold, at most 1,024 bytes of its text. */
  readonly info?: Readonly<Record<string, unknown>> | null | undefined
}

/** Creates an instrument. */
export interface InstrumentCommand extends InstrumentDetailFields {
  readonly type: 'instrument'
  /** 1 to 64 bytes of UTF-8. */
  readonly symbol: string
  /** The price of one tick, a decimal string such as "0.01" with at most 15 digits. */
  readonly tickSize: string
  /** The quantity of one lot, likewise. */
  readonly lotSize: string
  /** `keep-on-reduce` unless stated. */
  readonly replacePriority?: ReplacePriority | undefined
  /** `none` unless stated. */
  readonly selfTradePrevention?: SelfTradePrevention | undefined
  /** How the orders of one price share what trades there; `price-time`, the oldest first, unless stated. */
  readonly allocation?: Allocation | undefined
  /** The phase that it begins in; `continuous` unless stated. */
  readonly phase?: Phase | undefined
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/**
 * Changes what an instrument says of itself: fields that are stated count from now on, `null` removes one, the rest stays. Orders
 * that are there stay, also outside new limits. Rejected with `LIMITS_CONFLICT` when a minimum would be above its maximum.
 */
export interface InstrumentChangeCommand extends InstrumentDetailFields {
  readonly type: 'instrument-change'
  /** The instrument's symbol. */
  readonly symbol: string
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/**
 * Changes the phase of an instrument. `continuous` matches orders as they come; `pre-open` and `auction`, the calls, gather them;
 * `halted` and `closed` take cancels only. Going from any phase to `continuous`, and from a call to `closed`, first trades all that
 * meets at one price.
 */
export interface PhaseCommand {
  readonly type: 'phase'
  /** The instrument's symbol. */
  readonly symbol: string
  /** The phase that begins. */
  readonly phase: Phase
  /** Of `auction`: it is the closing call, in which orders `at-close` take part. */
  readonly closing?: boolean | undefined
  /** Of `halted`: orders and changes of orders are taken as in a call. */
  readonly takesOrders?: boolean | undefined
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/**
 * Says that a trade does not count: it annuls what was published, and changes nothing in the book. Rejected with `UNKNOWN_TRADE`, or
 * `TRADE_ALREADY_BUSTED`.
 */
export interface BustCommand {
  /** The kind of command. */
  readonly type: 'bust'
  /** The instrument's symbol. */
  readonly symbol: string
  /** The trade's id: 1, 2, 3, … for each symbol. */
  readonly tradeId: number
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/** Cancels the DAY and GTD orders that have expired. Matching has no clock: nothing expires without this command. */
export interface ExpireCommand {
  readonly type: 'expire'
  /** The instrument's symbol. */
  readonly symbol: string
  /** GTD orders whose `expireTime` is not later than this are cancelled; milliseconds since 1970-01-01T00:00:00Z. */
  readonly time: number
  /** DAY orders are cancelled too. */
  readonly endOfDay?: boolean | undefined
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/**
 * Cancels all orders of an account, in every symbol, and refuses new ones with `ACCOUNT_BLOCKED` until it is unblocked: also in
 * symbols that are added meanwhile, and after a restart.
 */
export interface BlockCommand {
  /** The kind of command. */
  readonly type: 'block'
  /** The account: 0 to 2^32-1. */
  readonly account: number
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/** Ends the block of an account. */
export interface UnblockCommand {
  readonly type: 'unblock'
  /** The account: 0 to 2^32-1. */
  readonly account: number
  /** The caller's own 64 bits, which come back with the outcome. */
  readonly tag?: Tag | undefined
}

/** Commands for one symbol, each of which is one record. */
export type SymbolCommand =
  | NewCommand
  | CancelCommand
  | ReplaceCommand
  | ReduceCommand
  | ListCommand
  | CancelListCommand
  | PhaseCommand
  | BustCommand
  | ExpireCommand
  | InstrumentChangeCommand
  | (CancelAllCommand & { readonly symbol: string })

/** Everything that a pool takes. */
export type Command = SymbolCommand | CancelAllCommand | InstrumentCommand | BlockCommand | UnblockCommand
