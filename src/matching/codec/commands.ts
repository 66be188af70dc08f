import type { ReplacePriority, SelfTradePrevention, Side, TimeInForce } from './names.js'

/** A decimal string on the instrument's grid; a number counts as its `String(n)`. */
export type Decimal = string | number

/** 64 bits that travel with a command and come back with its outcome: a bigint below 2^64 or a safe integer. */
export type Tag = number | bigint

interface NewCommandFields {
  readonly type: 'new'
  readonly symbol: string
  /** 1 to 2^53-1, unique among the live orders of the symbol. */
  readonly orderId: number
  /** 0 to 2^32-1. */
  readonly account: number
  readonly side: Side
  readonly quantity: Decimal
  /** The instrument's default unless stated. */
  readonly selfTradePrevention?: SelfTradePrevention | undefined
  readonly requestId?: number | undefined
  readonly tag?: Tag | undefined
}

/** What an order that can rest at a limit price may have. */
interface RestingFields {
  readonly price: Decimal
  /** GTC unless stated. */
  readonly timeInForce?: TimeInForce | undefined
  readonly postOnly?: boolean | undefined
  /** The visible part of an iceberg, at least a thousandth of the quantity. */
  readonly displayQuantity?: Decimal | undefined
  /** Milliseconds since 1970-01-01T00:00:00Z, for GTD. */
  readonly expireTime?: number | undefined
}

/** What an order without a limit price has not. */
interface NoLimitFields {
  readonly price?: undefined
  readonly postOnly?: false | undefined
  readonly displayQuantity?: undefined
}

export interface NewLimitCommand extends NewCommandFields, RestingFields {
  readonly orderType: 'limit'
  readonly stopPrice?: undefined
}

export interface NewMarketCommand extends NewCommandFields, NoLimitFields {
  readonly orderType: 'market'
  readonly stopPrice?: undefined
  /** IOC unless stated. */
  readonly timeInForce?: 'IOC' | 'FOK' | undefined
  readonly expireTime?: undefined
}

/** Becomes a market order when its stop price is reached. */
export interface NewStopCommand extends NewCommandFields, NoLimitFields {
  readonly orderType: 'stop'
  readonly stopPrice: Decimal
  /** GTC unless stated. */
  readonly timeInForce?: TimeInForce | undefined
  /** Milliseconds since 1970-01-01T00:00:00Z, for GTD. */
  readonly expireTime?: number | undefined
}

/** Becomes a limit order when its stop price is reached. */
export interface NewStopLimitCommand extends NewCommandFields, RestingFields {
  readonly orderType: 'stop-limit'
  readonly stopPrice: Decimal
}

export type NewCommand = NewLimitCommand | NewMarketCommand | NewStopCommand | NewStopLimitCommand

export interface CancelCommand {
  readonly type: 'cancel'
  readonly symbol: string
  readonly orderId: number
  /** When stated, it must own the order. */
  readonly account?: number | undefined
  /** Needs an account. */
  readonly requestId?: number | undefined
  readonly tag?: Tag | undefined
}

export interface ReplaceCommand {
  readonly type: 'replace'
  readonly symbol: string
  readonly orderId: number
  /** The price stays if it is not stated. */
  readonly price?: Decimal | undefined
  /** The new open quantity, whatever has been filled before. */
  readonly quantity: Decimal
  readonly account?: number | undefined
  readonly requestId?: number | undefined
  readonly tag?: Tag | undefined
}

export interface ReduceCommand {
  readonly type: 'reduce'
  readonly symbol: string
  readonly orderId: number
  /** What is taken away from the open quantity; taking all of it or more cancels the order. */
  readonly quantity: Decimal
  readonly account?: number | undefined
  readonly requestId?: number | undefined
  readonly tag?: Tag | undefined
}

/** Cancels the live orders of an account, waiting stops included. */
export interface CancelAllCommand {
  readonly type: 'cancel-all'
  readonly account: number
  /** In this symbol only; in every one unless stated. */
  readonly symbol?: string | undefined
  /** Of this side only; of both unless stated. */
  readonly side?: Side | undefined
  readonly tag?: Tag | undefined
}

export interface InstrumentCommand {
  readonly type: 'instrument'
  readonly symbol: string
  readonly tickSize: string
  readonly lotSize: string
  /** `keep-on-reduce` unless stated. */
  readonly replacePriority?: ReplacePriority | undefined
  /** `none` unless stated. */
  readonly selfTradePrevention?: SelfTradePrevention | undefined
  readonly tag?: Tag | undefined
}

export interface HaltCommand {
  readonly type: 'halt'
  readonly symbol: string
  readonly tag?: Tag | undefined
}

export interface ResumeCommand {
  readonly type: 'resume'
  readonly symbol: string
  readonly tag?: Tag | undefined
}

/** Kills what has run out of time. Matching has no clock: nothing expires without this command. */
export interface ExpireCommand {
  readonly type: 'expire'
  readonly symbol: string
  /** Orders good till a date not later than this go; milliseconds since 1970-01-01T00:00:00Z. */
  readonly time: number
  /** DAY orders go too. */
  readonly endOfDay?: boolean | undefined
  readonly tag?: Tag | undefined
}

/** Commands for one symbol, each of which is one record. */
export type SymbolCommand =
  | NewCommand
  | CancelCommand
  | ReplaceCommand
  | ReduceCommand
  | HaltCommand
  | ResumeCommand
  | ExpireCommand
  | (CancelAllCommand & { readonly symbol: string })

export type Command = SymbolCommand | CancelAllCommand | InstrumentCommand
