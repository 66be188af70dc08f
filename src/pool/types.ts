import type { Clock } from '../base/clock.js'
import type {
  CheckpointCounts,
  LatencySummary,
  LogReaderStats,
  LogSettingOptions,
  LogStats,
  ReplicationOptions,
  ReplicationStats,
} from '../log/index.js'
import type {
  Allocation,
  BandAction,
  CancelReason,
  Command,
  InstrumentDetailFields,
  OrderType,
  OutcomeStatus,
  Peg,
  Phase,
  RejectCode,
  ReplacePriority,
  ReplaceReason,
  SelfTradePrevention,
  Side,
  TimeInForce,
} from '../matching/index.js'

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

/** What a pool is opened with; docs/settings.md has a table with the defaults. */
export interface EnginePoolOptions extends LogSettingOptions {
  /** Folder of the log; made when it is not there. Environment: `TIDEMARK_DIR`. */
  readonly dir?: string | undefined
  /** Worker threads that match, each with its share of the symbols. Environment: `TIDEMARK_SHARDS`. Default 1. */
  readonly shards?: number | undefined
  /** Instruments that the pool must have: new ones are added, known ones must agree. */
  readonly instruments?: readonly InstrumentOptions[] | undefined
  /** Commands that may be accepted and not yet durable; beyond it `submit` rejects. Default 65,536. */
  readonly maxInFlight?: number | undefined
  /**
   * Questions (`depth`, `order`, `openOrders`, `highestOrderId`, `lastRequestId`, `digest`) that may wait for their answers; beyond it they reject.
   * Environment: `TIDEMARK_MAX_QUESTIONS`. Default 256.
   */
  readonly maxQuestions?: number | undefined
  /**
   * A checkpoint is taken when so many bytes of log have come since the last, and at the close, if anything has; 0: only
   * when asked. Default 256 MiB.
   */
  readonly checkpointBytes?: number | undefined
  /**
   * A checkpoint is taken when the last is so many milliseconds old and something was logged since; 0: not by time.
   * Default 0.
   */
  readonly checkpointIntervalMs?: number | undefined
  /** Snapshots that are kept. Default 2. */
  readonly keepSnapshots?: number | undefined
  /**
   * Bytes of log before the durable LSN that are kept beside what the kept snapshots need; what is older is deleted at a
   * checkpoint, and can no longer be subscribed to. Default Infinity: nothing is deleted.
   */
  readonly keepLogBytes?: number | undefined
  /**
   * Hours that a segment of the log is kept after it was sealed, beside what the kept snapshots need; what is older is
   * deleted at a checkpoint, even when `keepLogBytes` would keep it. Default Infinity.
   */
  readonly keepLogHours?: number | undefined
  /**
   * How many bytes before the durable LSN a cursor, the pool's own or that of a reader outside, may be and still keep the log from
   * being deleted. One that is further back is invalidated when the log that it needs is deleted. Default 1 GiB.
   */
  readonly cursorKeepBytes?: number | undefined
  /**
   * Folder of an archive: sealed segments become Parquet files there, and retention deletes a segment only when it is
   * archived and verified. Environment: `TIDEMARK_ARCHIVE`. Default: no archive.
   */
  readonly archive?: string | undefined
  /** Sends the log to a replicated log as well, on other machines. Default: it is on this disk alone. */
  readonly replication?: ReplicationOptions | undefined
  /**
   * Whether a GTD order is refused, before it is logged, whose `expireTime` is not after this process's clock (`TIDEMARK_FIELD_RANGE`).
   * Matching knows no clock: without this it rests until the next `expire`. Default `false`.
   */
  readonly refuseExpired?: boolean | undefined
  /** Time, for tests. @internal */
  readonly clock?: Clock | undefined
}

/** What a checkpoint did. */
export interface CheckpointReport {
  /** The file of the snapshot. */
  readonly path: string
  /** Highest and lowest LSN at which a book was taken. Opening replays the log from the lowest. */
  readonly lsn: number
  /** The lowest LSN at which a book was taken: the next opening replays from here. */
  readonly replayFromLsn: number
  /** How many books it holds. */
  readonly books: number
  /** Its size, in bytes. */
  readonly bytes: number
  /** The first LSN that is still in the log. */
  readonly firstLsn: number
  /** How long it took, in milliseconds. */
  readonly elapsedMs: number
}

/** A checkpoint that failed. The last one that was taken stays in place, and so does the log after it. */
export interface CheckpointFailure {
  /** What it failed with; a `TidemarkError` with a code as a rule, `TIDEMARK_LOG_IO` when the disk did not take it. */
  readonly error: Error
  /** Failures in a row, this one among them. */
  readonly failures: number
  /** Milliseconds until the next try, if one is due then; `undefined`: the pool closes, or takes none by itself. */
  readonly retryMs: number | undefined
  /** Log after the last checkpoint, in bytes. */
  readonly logBytes: number
}

/** Checkpoints fail, and the log after the last one is 2, 4, 8 … times `checkpointBytes`. */
export interface CheckpointOverdue {
  /** What the last one failed with. */
  readonly error: Error
  /** Failures in a row. */
  readonly failures: number
  /** Log after the last checkpoint, in bytes. */
  readonly logBytes: number
  /** The setting. */
  readonly checkpointBytes: number
}

/** Archiving fails. The log keeps what is not archived, and it is tried again. */
export interface ArchiveStall {
  /** What it failed with; a `TidemarkError` with a code as a rule. */
  readonly error: Error
  /** Failures in a row, this one among them. */
  readonly failures: number
  /** Milliseconds until the next try. */
  readonly retryMs: number
  /** Log that is sealed and not archived, in bytes. */
  readonly waitingBytes: number
}

/** How far the archive of a pool is. */
export interface ArchivingStats {
  /** Up to where records are archived and verified. */
  readonly archivedLsn: number
  /** Log that is sealed and not archived, in bytes. */
  readonly waitingBytes: number
  /** Failures in a row; 0 when the last try succeeded. */
  readonly failures: number
}

/** The checkpoints since the pool was opened. */
export interface CheckpointStats extends CheckpointCounts {
  /** Whether one is being taken now. */
  readonly running: boolean
  /** The highest LSN of a book in the newest snapshot; `undefined` when there is none. */
  readonly lastLsn: number | undefined
  /** Milliseconds since it was taken; of one that the opening found, since the opening. `undefined` when there is none. */
  readonly ageMs: number | undefined
  /** Log after the newest snapshot, in bytes: what the next opening replays. */
  readonly logBytes: number
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

/** One side's price level: decimal strings, and the number of orders. */
export interface DepthLevel {
  /** The price. */
  readonly price: string
  /** The visible quantity of all orders there. */
  readonly quantity: string
  /** How many orders stand there. */
  readonly orders: number
}

/** The best prices of an order book. */
export interface Depth {
  /** What the answer is taken at; it is given when that is on disk. */
  readonly lsn: number
  /** The instrument's symbol. */
  readonly symbol: string
  /** The buying side, the best price first. */
  readonly bids: readonly DepthLevel[]
  /** The selling side, the best price first. */
  readonly asks: readonly DepthLevel[]
}

/** What an uncross of a book would give, as of an LSN. */
export interface IndicativeAnswer {
  /** What the answer is taken at; it is given when that is on disk. */
  readonly lsn: number
  /** The instrument's symbol. */
  readonly symbol: string
  /** The phase that it is in. */
  readonly phase: Phase
  /** The price at which all would trade; `undefined` when nothing would. */
  readonly price: string | undefined
  /** What would trade, a decimal string. */
  readonly quantity: string
  /** What would trade at the price and finds no other side, and of which side it is. */
  readonly surplus: string
  /** The side that has the surplus; undefined without one. */
  readonly surplusSide: Side | undefined
}

/** What only some new orders have; decimal strings. What an order has not is not there. */
export interface OrderTerms {
  /** How far the stop price of a trail stays behind the best last price: a price, or … */
  readonly trailingOffset?: string
  /** … parts of 10,000 of it. */
  readonly trailingBasisPoints?: number
  /** The last price from which on the trail follows it. */
  readonly activationPrice?: string
  /** The group whose orders count as the order's own under self-trade prevention. */
  readonly selfTradeGroup?: number
  /** Of a new order only. */
  readonly minQuantity?: string
  /** The list that the order belongs to. */
  readonly listId?: number
  /** Of an accepted order of a list that stands aside until it has `entered`; otherwise not there. */
  readonly pending?: true
  /** Of a new order only: the amount of the quote asset that it is for; its quantity is what that came to. */
  readonly quoteQuantity?: string
  /** What the price follows, and what is added to that; `limitPrice` is the limit, and the price what it is now. */
  readonly peg?: Peg
  /** What is added to the reference. */
  readonly pegOffset?: string
  /** The limit of a pegged order. */
  readonly limitPrice?: string
}

/** One order, as of an LSN. */
export interface OrderAnswer {
  /** What the answer is taken at; it is given when that is on disk. */
  readonly lsn: number
  /** The live order, or `undefined`. */
  readonly order: OrderState | undefined
}

/** A live order; quantities and prices are decimal strings. */
export interface OrderState extends OrderTerms {
  /** The order's id. */
  readonly orderId: number
  /** The client's own name for it; `undefined` without one. */
  readonly clientOrderId: string | undefined
  /** The instrument's symbol. */
  readonly symbol: string
  /** The account. */
  readonly account: number
  /** Whether it buys or sells. */
  readonly side: 'buy' | 'sell'
  /** The order's type. */
  readonly orderType: OrderType
  /** How long it stays. */
  readonly timeInForce: TimeInForce
  /**
   * `waiting`: a stop or take-profit that was not triggered yet, or an order for the closing call before that. `pending`: of a list whose
   * working order is not filled yet.
   */
  readonly status: 'resting' | 'waiting' | 'pending'
  /** Absent for an order without a limit. */
  readonly price: string | undefined
  /** Of a trail: where it is now; `undefined` while it does not follow the last price, and where no price could be. */
  readonly stopPrice: string | undefined
  /** Open quantity, hidden part included; what traded so far; what of the open quantity is visible. */
  readonly remaining: string
  /** What traded so far. */
  readonly filled: string
  /** What of the open quantity is visible. */
  readonly shown: string
  /** Whether it is refused where it would trade at once. */
  readonly postOnly: boolean
  /** What an iceberg shows at a time. */
  readonly displayQuantity: string | undefined
  /** Milliseconds since 1970-01-01T00:00:00Z, of a GTD order. */
  readonly expireTime: number | undefined
  /** `undefined`: as the instrument says. */
  readonly selfTradePrevention: SelfTradePrevention | undefined
  /** The best last price since a trail follows it; absent while it does not. `activationPrice` is there only before. */
  readonly trailingReference?: string
}

/** A place among an account's open orders, which are in the order of their instruments' ids, then of their own. */
export interface OpenOrdersPlace {
  /** The instrument's symbol. */
  readonly symbol: string
  /** The order's id. */
  readonly orderId: number
}

/** Which open orders are asked for. */
export interface OpenOrdersOptions {
  /** The account. */
  readonly account: number
  /** In this symbol only; in every one unless stated. */
  readonly symbol?: string | undefined
  /** The most orders of a page, 1 to 1,000 (`openOrdersMax`). Default 500. */
  readonly limit?: number | undefined
  /** The place after which to begin: `next` of the page before. */
  readonly after?: OpenOrdersPlace | undefined
}

/** A page of an account's open orders. */
export interface OpenOrdersPage {
  /**
   * What the page is taken at; it is given when that is on disk. Each shard's orders are taken at one LSN; of several shards
   * this is the highest.
   */
  readonly lsn: number
  /** Live orders, waiting stops included, by ascending instrument id and order id. May be fewer than `limit`, or none, also when more follow. */
  readonly orders: readonly OrderState[]
  /** Where the next page begins; `undefined` when this is the last one. */
  readonly next: OpenOrdersPlace | undefined
}

/** The highest order id of a symbol, as of an LSN. */
export interface HighestOrderIdAnswer {
  /** What the answer is taken at; it is given when that is on disk. */
  readonly lsn: number
  /** The highest id that an accepted order has had, dead or alive; `undefined` before the first. */
  readonly orderId: number | undefined
}

/** The last request of an account in a symbol, as of an LSN. */
export interface LastRequestAnswer {
  /** What the answer is taken at; it is given when that is on disk. */
  readonly lsn: number
  /** The highest request id that was executed, or `undefined` when there was none. */
  readonly requestId: number | undefined
}

/** Fingerprints of all books, as of an LSN. */
export interface DigestAnswer {
  /** The highest LSN at which a shard was taken; the answer is given when that is on disk. */
  readonly lsn: number
  /** For each symbol a digest of all that decides its future: books, queues, stops, counters. */
  readonly symbols: Readonly<Record<string, string>>
  /** How many live orders there are. */
  readonly restingOrders: number
}

/**
 * What came of one command; everything in it is on disk. All fields are properties of the object's own: it can be printed,
 * spread, cloned and written as JSON, where the events' tags are strings.
 */
export interface ExecutionReport {
  /** The LSN of the command's record: everything before it is on disk. */
  readonly lsn: number
  /** The instrument's symbol; undefined for a command of all symbols. */
  readonly symbol: string | undefined
  /** The order's id, also one that the book gave; undefined where no single order is concerned. */
  readonly orderId: number | undefined
  /**
   * `resting`, `waiting` (for the last price), `partially-filled` (and resting), `filled`, `cancelled`, `replaced`, `rejected`, or
   * `done` for commands that concern no single order.
   */
  readonly status: ReportStatus
  /** Why it was rejected. */
  readonly code: string | undefined
  /**
   * Decimal strings: what traded in this command, and what of the order is open after it; `undefined` where the
   * record does not hold them.
   */
  readonly filled: string | undefined
  /** What of the order is open after it, a decimal string. */
  readonly remaining: string | undefined
  /**
   * Of a market order for a `quoteQuantity`, decimal strings: what was spent or received, and what of the amount is left. Absent
   * for others, and for a repetition.
   */
  readonly quoteFilled?: string
  /** What of the amount is left, a decimal string. */
  readonly quoteRemaining?: string
  /**
   * Whether the command's `requestId` had been executed before: then nothing was executed now, and status, code,
   * quantities and LSN are those of the first time; the trades are in the log at that LSN.
   */
  readonly repeated: boolean
  /** The trades of the command's own order. Those of stops that it triggered are among the events only. */
  readonly trades: readonly TradeEvent[]
  /** All events of the command, in their order. */
  readonly events: readonly PoolEvent[]
}

/** What became of a command. */
export type ReportStatus = OutcomeStatus

/** What became of a batch; all of it is durable. */
export interface BatchReport {
  /** LSN of the last command; all of the batch is durable. */
  readonly lsn: number
  /** How many commands it had. */
  readonly commands: number
  /** How many trades they made. */
  readonly trades: number
  /** How many of them the book refused. */
  readonly rejected: number
}

interface EventPlace {
  /** The event's command's LSN, and its number within the record: (lsn, index) orders all events of a log. */
  readonly lsn: number
  /** The event's number within its record, from 0 on. */
  readonly index: number
  /**
   * When it was logged, in microseconds since 1970-01-01T00:00:00Z by the clock of the machine that logged it. Events that were
   * logged together have the same time, and a clock that is set back takes it with it.
   */
  readonly timeUs: number
  /** The instrument's symbol. */
  readonly symbol: string
  /** The command's tag: the caller's own 64 bits, 0 without one. In JSON a string. */
  readonly tag: bigint
}

/** A fill, at the maker's price. */
export type TradeEvent = EventPlace & {
  readonly event: 'trade'
  /** 1, 2, 3, … for each symbol. */
  readonly tradeId: number
  /** The order that rested. */
  readonly makerOrderId: number
  /** The order that came. */
  readonly takerOrderId: number
  /** The maker's price. */
  readonly price: string
  /** What was traded. */
  readonly quantity: string
  /** Whether the taker bought or sold. */
  readonly takerSide: Side
  /** The account of the maker. */
  readonly makerAccount: number
  /** The account of the taker. */
  readonly takerAccount: number
  /** Open afterwards, hidden part included. */
  readonly makerRemaining: string
  /** What of the taker is open afterwards, hidden part included. */
  readonly takerRemaining: string
  /** Made at the one price of a call, where no order is first: the buyer is said to be the maker. */
  readonly uncross: boolean
}

interface OrderPlace extends EventPlace {
  /** The order's id. */
  readonly orderId: number
  /** The client's own name for the order; `undefined` without one. */
  readonly clientOrderId: string | undefined
  /** The account. */
  readonly account: number
  /** Whether it buys or sells. */
  readonly side: Side
  /** Limit price; `undefined` for orders without a limit. */
  readonly price: string | undefined
}

/** A new order passed every check: the whole of it as it was sent. What it traded, and what became of the rest, follows. */
export type AcceptedEvent = OrderPlace &
  OrderTerms & {
    /** What happened. */
    readonly event: 'accepted'
    /** The order's type. */
    readonly orderType: OrderType
    /** How long it stays. */
    readonly timeInForce: TimeInForce
    /** The quantity of the order, hidden part included. */
    readonly quantity: string
    /** `undefined` unless it is a stop or take-profit without a trail. */
    readonly stopPrice: string | undefined
    /** The visible part of an iceberg; `undefined` for others. */
    readonly displayQuantity: string | undefined
    /** Whether it is refused where it would trade at once. */
    readonly postOnly: boolean
    /** Milliseconds since 1970-01-01T00:00:00Z; `undefined` unless it is GTD. */
    readonly expireTime: number | undefined
    /** `undefined` where the instrument's holds. */
    readonly selfTradePrevention: SelfTradePrevention | undefined
  }

/** The open quantity or the price of an order changed without a trade. */
export type ReplacedEvent = OrderPlace & {
  readonly event: 'replaced'
  /** Open from now on, before the trades that may follow in the same record. */
  readonly quantity: string
  /** What the order had traded before. */
  readonly filled: string
  /** Why it changed. */
  readonly reason: ReplaceReason
}

/** An order, or what was left of it, went away without trading. */
export type CancelledEvent = OrderPlace & {
  readonly event: 'cancelled'
  /** What was open. */
  readonly remaining: string
  /** What the order had traded. */
  readonly filled: string
  /** Why it went away. */
  readonly reason: CancelReason
}

/** A waiting order became a market or limit order. */
export type TriggeredEvent = OrderPlace & {
  readonly event: 'triggered'
  /** What is open. */
  readonly remaining: string
  /** What the order had traded before. */
  readonly filled: string
}

/** A pending order of a list is no longer so, because the working order was filled: it waits for its stop price, or acts. */
export type EnteredEvent = Omit<TriggeredEvent, 'event'> & {
  readonly event: 'entered'
  /** Whether it waits for its stop price from now on; otherwise it acts. */
  readonly waiting: boolean
}

/**
 * The book refused a command, which changed nothing. Side, price and what was filled are those of the new order, or of the live
 * order that the command names, and `undefined` when there is none or it belongs to another account.
 */
export type RejectedEvent = EventPlace & {
  readonly event: 'rejected'
  /** 0 where the command names no order. */
  readonly orderId: number
  /** Of the command, or of the live order that it names. */
  readonly clientOrderId: string | undefined
  /** The account that the command states, or of the live order that it names. */
  readonly account: number | undefined
  /** Whether it buys or sells. */
  readonly side: Side | undefined
  /** The limit price. */
  readonly price: string | undefined
  /** What it had traded. */
  readonly filled: string | undefined
  /** Why it was refused. */
  readonly code: RejectCode
}

/** A request was sent again that had been executed before. */
export type RepeatedEvent = EventPlace & {
  readonly event: 'repeated'
  /** The order's id. */
  readonly orderId: number
  /** The account. */
  readonly account: number
  /** What became of it then. */
  readonly status: OutcomeStatus
  /** Why it was refused then; undefined where it was not. */
  readonly code: RejectCode | undefined
  /** LSN of the first execution. */
  readonly firstLsn: number
}

/** Something happened to an instrument as a whole. */
export type InstrumentEvent = EventPlace & {
  /** What happened. */
  readonly event: 'instrument-created' | 'volatility-interruption'
}

/** An instrument is in another phase. What an uncross trades, and what the change cancels, follows in the same record. */
export type PhaseChangedEvent = EventPlace & {
  readonly event: 'phase-changed'
  /** The phase that it is in. */
  readonly phase: Phase
  /** Of `auction`: it is the closing call. */
  readonly closing: boolean
  /** Of `halted`: orders are taken as in a call. */
  readonly takesOrders: boolean
}

/** A trade that was published does not count. */
export type TradeBustedEvent = EventPlace & {
  readonly event: 'trade-busted'
  /** The trade's id: 1, 2, 3, … for each symbol. */
  readonly tradeId: number
}

/** The symbol takes no orders of an account from now on, or takes them again. A block is one such event for each symbol. */
export type AccountEvent = EventPlace & {
  /** Whether it is blocked or not any more. */
  readonly event: 'account-blocked' | 'account-unblocked'
  /** The account. */
  readonly account: number
}

/** What an instrument says of itself from now on. */
export type InstrumentChangedEvent = EventPlace & InstrumentDetails & { readonly event: 'instrument-changed' }

/** A durable event, prices and quantities as decimal strings. */
export type PoolEvent =
  | TradeEvent
  | AcceptedEvent
  | ReplacedEvent
  | CancelledEvent
  | RejectedEvent
  | TriggeredEvent
  | EnteredEvent
  | RepeatedEvent
  | InstrumentEvent
  | PhaseChangedEvent
  | TradeBustedEvent
  | InstrumentChangedEvent
  | AccountEvent

/** Where a subscription begins and ends, and what it may hold. */
export interface SubscribeOptions {
  /**
   * The LSN after which to begin (exclusive). Default: the beginning of the log, as far as it is still there. A
   * cursor that exists has a place of its own: with it, `from` is an error.
   */
  readonly from?: number | undefined
  /**
   * The name of a durable cursor: the subscription continues after the last record that was acknowledged with it. A new
   * name makes a new cursor, at `from` or at the beginning of the log.
   */
  readonly cursor?: string | undefined
  /** Bytes that may wait in memory for a subscriber that has caught up, 64 KiB to 1 GiB. Default 4 MiB. */
  readonly bufferBytes?: number | undefined
  /** Ends at this LSN instead of waiting for new events. */
  readonly to?: number | undefined
  /** Ends the subscription when it is aborted. */
  readonly signal?: AbortSignal | undefined
}

/** How far a subscription has come. */
export interface SubscriptionStats extends Omit<LogReaderStats, 'lsn'> {
  /** LSN up to which the log was taken to be decoded, and of the last record of which every event was given. */
  readonly readLsn: number
  /** The LSN of the last record of which every event was given. */
  readonly deliveredLsn: number
}

/** All subscriptions that were begun and are not closed. */
export interface SubscriptionsStats {
  /** How many there are. */
  readonly open: number
  /** Of them, those that are fed from memory now. */
  readonly live: number
  /** What waits for them there. */
  readonly bufferedBytes: number
  /** How often a buffer was full, so that its subscription went over to the files. */
  readonly overflowed: number
}

/**
 * `invalidated`: the log that it had yet to read was removed; `beyond-end`: the log that it was in is not there any more;
 * `damaged`: its file can't be read.
 */
export type CursorState = 'valid' | 'invalidated' | 'beyond-end' | 'damaged'

/** A cursor of a pool. */
export interface CursorInfo {
  /** Its name. */
  readonly name: string
  /** Whether it can be used. */
  readonly state: CursorState
  /** Whether a subscription holds it. */
  readonly live: boolean
  /** LSN of the last record acknowledged, and of the last one that is known to be so on disk. */
  readonly lsn: number | undefined
  /** The LSN of the last record that is known on disk to be acknowledged. */
  readonly storedLsn: number | undefined
  /** Bytes of log from `lsn` to the durable LSN. */
  readonly lagBytes: number | undefined
  /** What is wrong with a damaged one. */
  readonly reason: string | undefined
}

/** A cursor was more than `cursorKeepBytes` before the durable LSN, and the log that it needed is deleted. */
export interface CursorInvalidation {
  /** The cursor's name. */
  readonly name: string
  /** Where it stands. */
  readonly lsn: number
  /** How much log there is from it to the durable LSN, in bytes. */
  readonly lagBytes: number
  /** The setting `cursorKeepBytes`, in bytes. */
  readonly keepBytes: number
}

/** A reader outside of the pool, such as a store in another process, died: it ended, and did not say so. Its cursor stays. */
export interface LostReader {
  /** The name of its cursor. */
  readonly name: string
  /** Where the cursor stands. */
  readonly lsn: number
  /** How much log there is from it to the durable LSN, in bytes. */
  readonly lagBytes: number
}

/** The log that a reader outside needs was removed: its cursor was more than `cursorKeepBytes` before the durable LSN. */
export interface OvertakenReader {
  /** The name of its cursor. */
  readonly name: string
  /** Where the cursor stands. */
  readonly lsn: number
  /** How much log there is from it to the durable LSN, in bytes. */
  readonly lagBytes: number
  /** The setting `cursorKeepBytes`, in bytes. */
  readonly keepBytes: number
}

/** What one matching thread has done since the pool was opened. */
export interface ShardStats {
  /** Commands that were executed. */
  readonly commands: number
  /** Trades that they made. */
  readonly trades: number
  /** Commands that the book refused. */
  readonly rejected: number
  /** The longest that matching has paused to answer a question, or for one step of the copy for a checkpoint, ms. */
  readonly longestAnswerMs: number
  /** Commands handed over whose outcome is not durable yet. */
  readonly inFlight: number
  /** What of it the shard has not taken up yet, in 32-bit words of its inbound ring. */
  readonly queuedWords: number
}

/** What a pool has done since it was opened, and what is under way. */
export interface PoolStats {
  /** Figures of each matching thread. */
  readonly shards: readonly ShardStats[]
  /** Sums over the shards. */
  readonly commands: number
  /** Trades that were made. */
  readonly trades: number
  /** Commands that the book refused. */
  readonly rejected: number
  /** Commands that are taken and not yet on disk. */
  readonly inFlight: number
  /** How many may be. */
  readonly maxInFlight: number
  /** Whether to wait for `drain` before the next command. */
  readonly needsDrain: boolean
  /** Questions that wait for their answers, and the most that may. */
  readonly questions: number
  /** The most questions that may wait. */
  readonly maxQuestions: number
  /**
   * From the submit of commands to their acknowledgement, since the pool was opened. A command that is submitted with others in
   * one turn of the event loop counts from when the first of up to 64 was.
   */
  readonly acknowledgementLatency: LatencySummary
  /** Figures of the log. */
  readonly log: LogStats
  /** The checkpoints since the opening. */
  readonly checkpoints: CheckpointStats
  /** `undefined` without an archive. */
  readonly archive: ArchivingStats | undefined
  /** `undefined` for a pool whose log is on this disk alone. */
  readonly replication: ReplicationStats | undefined
  /** All subscriptions together. */
  readonly subscriptions: SubscriptionsStats
}

export type { Command }
