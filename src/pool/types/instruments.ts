import type {
  Allocation,
  BandAction,
  InstrumentDetailFields,
  Phase,
  ReplacePriority,
  SelfTradePrevention,
} from '../../matching/index.js'

/**
 * What an instrument is added with. Opening compares the sizes, `replacePriority` and `selfTradePrevention` of one that is there
 * already; phase and other fields can change, and it keeps what it has.
 */
export interface InstrumentOptions extends InstrumentDetailFields {
  /** 1 to 64 bytes of UTF-8. */
  readonly symbol: string
  /** Decimal strings: the price of one tick, the quantity of one lot. */
  readonly tickSize: string
  /** The quantity of one lot, a decimal string such as `0.001`. */
  readonly lotSize: string
  /** Whether a replace that only takes quantity away keeps its place. Default `keep-on-reduce`. */
  readonly replacePriority?: ReplacePriority
  /** For orders that state nothing themselves. Default `none`. */
  readonly selfTradePrevention?: SelfTradePrevention
  /** `price-time` unless stated: how the orders of one price share what trades there. */
  readonly allocation?: Allocation
  /** The phase that it begins in. Default `continuous`. */
  readonly phase?: Phase
}

/** What an instrument says of itself; decimal strings. */
export interface InstrumentDetails {
  /** What is traded. */
  readonly baseAsset: string | undefined
  /** What it is paid with. */
  readonly quoteAsset: string | undefined
  /** The lowest price of an order. */
  readonly minPrice: string | undefined
  /** The highest price of an order. */
  readonly maxPrice: string | undefined
  /** The least quantity of an order. */
  readonly minQuantity: string | undefined
  /** The most quantity of an order. */
  readonly maxQuantity: string | undefined
  /** The least price times quantity of an order with a limit price. */
  readonly minNotional: string | undefined
  /** What the static band is around. */
  readonly referencePrice: string | undefined
  /** How far the static band reaches to both sides, a price. */
  readonly staticBand: string | undefined
  /** The same in parts of 10,000 of the reference price. */
  readonly staticBandBasisPoints: number | undefined
  /** How far the band around the last price reaches to both sides, a price. */
  readonly dynamicBand: string | undefined
  /** The same in parts of 10,000 of the last price. */
  readonly dynamicBandBasisPoints: number | undefined
  /** What becomes of an order that would trade outside a band. */
  readonly bandAction: BandAction | undefined
  /** How many live orders an account may have in it. */
  readonly maxAccountOrders: number | undefined
  /** The steps of prices, by ranges of price; undefined where all have `tickSize`. */
  readonly tickTable: readonly { readonly from: string; readonly tick: string }[] | undefined
  /** The venue's own data, which JSON holds. */
  readonly info: Readonly<Record<string, unknown>> | undefined
}

/** An instrument of a pool. Phase and details are those of the last change that is on disk. */
export interface Instrument extends InstrumentDetails {
  /** Its number in this log; what a `CommandBatch` takes in place of the symbol. */
  readonly id: number
  /** The matching thread that has its book. */
  readonly shard: number
  /** Its symbol. */
  readonly symbol: string
  /** Decimal strings: the price of one tick, the quantity of one lot. */
  readonly tickSize: string
  /** The quantity of one lot, a decimal string. */
  readonly lotSize: string
  /** Whether an order keeps its place when only its quantity goes down. */
  readonly replacePriority: ReplacePriority
  /** What its orders have unless they say otherwise. */
  readonly selfTradePrevention: SelfTradePrevention
  /** How the orders of one price share what trades there. */
  readonly allocation: Allocation
  /** The phase that it is in. */
  readonly phase: Phase
}
