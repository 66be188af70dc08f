/**
 * The largest values that matching accepts. Prices are in ticks, quantities in lots, ids without a unit; all of them
 * are safe integers, so arithmetic on them in a double is exact.
 */
export const limits = Object.freeze({
  /** Largest limit or stop price, in ticks. */
  maxPriceTicks: Number.MAX_SAFE_INTEGER,
  /** Largest quantity of one order, in lots. */
  maxQuantityLots: Number.MAX_SAFE_INTEGER,
  /** Largest sum of the open quantities (hidden ones included) at one price of one side, in lots. */
  maxLevelTotalLots: Number.MAX_SAFE_INTEGER,
  /** Largest order id; the smallest is 1. */
  maxOrderId: Number.MAX_SAFE_INTEGER,
  /** Largest request id; the smallest is 1. */
  maxRequestId: Number.MAX_SAFE_INTEGER,
  /** Largest account number; the smallest is 0. */
  maxAccount: 0xffffffff,
  /** Largest self-trade group; the smallest is 1. */
  maxSelfTradeGroup: 0xffffffff,
  /** Largest instrument id; the pool gives ids from 0 upwards without gaps. */
  maxInstrumentId: (1 << 22) - 1,
  /** The most order ids that one cancel-all names. */
  maxCancelOrderIds: 128,
  /** Longest client order id, in characters of printable ASCII; the shortest has one. */
  maxClientOrderIdChars: 36,
  /** Longest symbol, in bytes of UTF-8. */
  maxSymbolBytes: 64,
  /** Longest tick or lot size as a decimal string, in characters. */
  maxGridChars: 32,
  /** Longest name of a base or quote asset, in bytes of UTF-8. */
  maxAssetBytes: 32,
  /** Longest `info` of an instrument, in bytes of its JSON text as UTF-8. */
  maxInfoBytes: 1024,
  /** An iceberg may be at most this many times as large as the part it shows, so that one sweep stays bounded. */
  maxIcebergSlices: 1000,
  /** Largest distance of a trail in basis points; the smallest is 1. */
  maxTrailingBasisPoints: 9999,
  /** Most ranges of a tick table. */
  maxTickRanges: 32,
  /** Widest price band in basis points, hundredths of a percent. */
  maxBandBasisPoints: 10_000,
  /** Largest `maxAccountOrders`: so many orders are counted for each new one at most. */
  maxAccountOrders: 1000,
  /** Largest expiry time, in milliseconds since 1970-01-01T00:00:00Z. */
  maxTimeMs: Number.MAX_SAFE_INTEGER,
})

/** The instrument id of a command that belongs to no instrument. */
export const noInstrument = 0xffffffff
