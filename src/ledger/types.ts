import type { EnginePool } from '../pool/index.js'

/** What balances are counted in: amounts are whole units of 10^-scale, up to 2^63-1 of them. */
export interface Asset {
  /** 1 to 32 bytes of UTF-8, as instruments name it in `baseAsset` and `quoteAsset`. */
  readonly id: string
  /** Decimals, 0 to 18. */
  readonly scale: number
}

/** What a ledger is opened with. */
export interface LedgerOptions {
  /** The pool whose accounts it keeps. */
  readonly pool: EnginePool
  /** All that are there, or more: those of the log stay with the scale that they have. */
  readonly assets: readonly Asset[]
  /** The account that gets the fees. Default 4294967295. The log keeps it: another one is refused later. */
  readonly venueAccount?: number | undefined
}

/** A decimal such as "12.50", or a number, which counts as its `String(n)`; never rounded. */
export type Amount = string | number

interface LedgerCommandFields {
  /** The asset's id. */
  readonly asset: string
  /**
   * 1 to 128 characters, of the caller's choice: a command whose key the log has already is not executed again and gets the first
   * receipt. The same key with other fields is refused with `TIDEMARK_KEY_REUSED`.
   */
  readonly key: string
}

/** Money that comes from outside. */
export interface DepositCommand extends LedgerCommandFields {
  /** Whose it is. */
  readonly account: number
  /** Above zero. */
  readonly amount: Amount
}

/** Money that goes outside: refused with `TIDEMARK_INSUFFICIENT_FUNDS` when it is not free. */
export interface WithdrawCommand extends DepositCommand {}

/** Money that goes from one account to another; it must be free. */
export interface TransferCommand extends LedgerCommandFields {
  /** The account that pays. */
  readonly from: number
  /** The account that gets it. */
  readonly to: number
  /** Above zero. */
  readonly amount: Amount
}

/** A correction by the venue: money that comes from nowhere, or goes there. */
export interface AdjustCommand extends LedgerCommandFields {
  /** Whose it is. */
  readonly account: number
  /** Above or below zero. What is taken must be free. */
  readonly amount: Amount
  /** At most 256 characters; the log keeps it. */
  readonly reason?: string | undefined
}

/**
 * What orders pay from now on, of what they receive: a buyer of the base asset, a seller of the quote asset. Orders that were accepted
 * before pay as before. Of several schedules that fit, the one for the account in the instrument counts, then the account's, then the
 * instrument's, then everybody's.
 */
export interface FeesCommand {
  /** Of this instrument only. */
  readonly symbol?: string | undefined
  /** Of this account only. */
  readonly account?: number | undefined
  /**
   * What a maker pays, as a part of 1 with at most 8 decimals: "0.001" is a tenth of a percent. Below zero it is a rebate: a part of
   * what the other side receives, paid out of that side's fee, and at most all of it.
   */
  readonly maker: Amount
  /** What a taker pays, 0 to 1. */
  readonly taker: Amount
  /** What both sides pay in the trades of a call, 0 to 1. Default: as a taker. */
  readonly auction?: Amount | undefined
  /** By asset: the most that one trade costs of it. */
  readonly caps?: Readonly<Record<string, Amount>> | undefined
  /** As in `DepositCommand`. */
  readonly key: string
}

/**
 * What an account may do at most from now on. A command states all limits of its account, or of its account in an instrument or an asset:
 * those that it leaves out end. An account without limits of its own has those for every account.
 */
export interface LimitsCommand {
  /** The instrument of `orderQuantity`, `orderNotional`, `priceDistanceBasisPoints` and `position`; the other limits are for all instruments together, and go without it. */
  readonly symbol?: string | undefined
  /** The asset of `credit`, which goes with an account and without a symbol. */
  readonly asset?: string | undefined
  /** Whose; of every account that has none of its own when left out. */
  readonly account?: number | undefined
  /** Live orders at once, those on their way included: 0 to 2^31-1. */
  readonly liveOrders?: number | undefined
  /**
   * New orders, lists and replaces in a second, 0 to 1,000,000; as many may come at once after a second of rest. Cancels and reduces
   * always pass. Counted in this process: a restart begins with a full second.
   */
  readonly commandsPerSecond?: number | undefined
  /** The quantity of one order. Needs a symbol. */
  readonly orderQuantity?: Amount | undefined
  /** What one order is worth at its limit, or its amount, in the quote asset. A market order to sell has no such value. Needs a symbol. */
  readonly orderNotional?: Amount | undefined
  /**
   * How far the limit price of one order may be beyond the price of the instrument's last trade: above it to buy, below it to sell. In parts
   * of 10,000 of that price, 0 to 1,000,000. Before the first trade everything is near. Needs a symbol.
   */
  readonly priceDistanceBasisPoints?: number | undefined
  /**
   * How much more of the base asset the account may have bought than sold in the instrument, and sold than bought, when all that it has open on
   * a side trades: 0 or more. Counted from the first record on that limits positions in the instrument. Needs a symbol.
   */
  readonly position?: Amount | undefined
  /**
   * How far below zero the account's orders may take what it has free of the asset, 0 or more. Withdrawals, transfers and adjustments take only
   * what is there. Needs an asset and an account.
   */
  readonly credit?: Amount | undefined
  /** As in `DepositCommand`. */
  readonly key: string
}

/** What became of a ledger command: it is on disk. */
export interface LedgerReceipt {
  /** Where its record ends; of a repetition, where the first one's ends. */
  readonly lsn: number
  /** The command's key. */
  readonly key: string
  /** Whether the log had the key already: nothing was executed now. */
  readonly repeated: boolean
}

/** What an account has of an asset. Decimal strings with all decimals of the asset. */
export interface Balance {
  /** The asset's id. */
  readonly asset: string
  /** All of it: what is free and what is held. */
  readonly total: string
  /** What the account may spend or withdraw; below zero where it uses its credit line. */
  readonly free: string
  /** What its open orders hold, and its commands that are on their way. */
  readonly held: string
  /** How far below zero orders may take what is free; left out when the account has no credit line in the asset. */
  readonly credit?: string | undefined
}

/** A balance as of an LSN: all records up to it are counted, and none after it. */
export interface AccountBalance extends Balance {
  /** The LSN that it is as of. */
  readonly lsn: number
  /** Whose it is. */
  readonly account: number
}

/** All of an account's balances as of an LSN, in the order of the ledger's assets; assets that it never had are left out. */
export interface AccountBalances {
  /** The LSN that it is as of. */
  readonly lsn: number
  /** Whose it is. */
  readonly account: number
  /** A balance for each asset. */
  readonly balances: readonly Balance[]
}

/** What an open order holds. A list holds once for all of its orders: each of them says so, with the list's amounts. */
export interface OrderHold {
  /** The instrument's symbol. */
  readonly symbol: string
  /** The order's id. */
  readonly orderId: number
  /** The asset's id. */
  readonly asset: string
  /** What is held, a decimal string. */
  readonly amount: string
}

/** What is held of an account, and for what. */
export interface AccountHolds {
  /** The LSN that it is as of. */
  readonly lsn: number
  /** Whose it is. */
  readonly account: number
  /** By open order. */
  readonly orders: readonly OrderHold[]
  /** For commands on their way, whose outcome is not durable yet: by asset. */
  readonly pending: readonly { readonly asset: string; readonly amount: string }[]
}

/** What an account has bought and sold of an instrument since positions are counted in it. Decimal strings in the base asset. */
export interface InstrumentPosition {
  /** The instrument's symbol. */
  readonly symbol: string
  /** Bought less sold: below zero when more was sold. */
  readonly position: string
  /** What its open orders to buy may add, and its commands that are on their way. */
  readonly buying: string
  /** What its open orders to sell may take, and its commands that are on their way. */
  readonly selling: string
}

/** An account's positions as of an LSN, in the instruments where positions are limited and it has some. */
export interface AccountPositions {
  /** The LSN that it is as of. */
  readonly lsn: number
  /** Whose they are. */
  readonly account: number
  /** A position for each instrument. */
  readonly positions: readonly InstrumentPosition[]
}

/** What all accounts have of an asset. */
export interface AssetTotals {
  /** The asset's id. */
  readonly asset: string
  /** The sum over all accounts, the venue's among them. */
  readonly total: string
  /** Deposits and adjustments less withdrawals: the same, always. */
  readonly deposited: string
  /** What open orders and commands on their way hold. */
  readonly held: string
  /** Accounts that have had the asset. */
  readonly accounts: number
}

/** Why a balance changed. */
export type MovementKind = 'deposit' | 'withdraw' | 'transfer' | 'adjust' | 'trade' | 'fee' | 'rebate'

/** One change of one balance, which is on disk. */
export interface Movement {
  /** Where the record ends that made it. One record may make several. */
  readonly lsn: number
  /** When the record was written, in microseconds since 1970. */
  readonly timeUs: number
  /** Whose balance it is. */
  readonly account: number
  /** Why it changed. */
  readonly kind: MovementKind
  /** The asset's id. */
  readonly asset: string
  /** What came in, or went out: below zero. A decimal string. */
  readonly amount: string
  /** The balance after it, what is held of it included. */
  readonly balance: string
  /** The instrument of a trade, a fee or a rebate. */
  readonly symbol: string | undefined
  /** The order that traded: for what the venue gets, the order that paid it. */
  readonly orderId: number | undefined
  /** The trade. */
  readonly tradeId: number | undefined
  /** The key of a deposit, a withdrawal, a transfer or an adjustment. */
  readonly key: string | undefined
}

/** Of which orders `rates` says what they pay. */
export interface RatesOptions {
  /** Of this instrument. Default: of those that have no rates of their own. */
  readonly symbol?: string | undefined
  /** Accepted with this LSN. Default: from now on. */
  readonly lsn?: number | undefined
}

/** What an order pays of what it receives, as parts of 1 with 8 decimals: "0.00100000" is a tenth of a percent. */
export interface OrderRates {
  /** As a maker; below zero for a rebate. */
  readonly maker: string
  /** As a taker. */
  readonly taker: string
  /** In the trades of a call. */
  readonly auction: string
}

/** What a trade cost one of its two orders. */
export interface TradeFee {
  /** The asset that the order received; for a rebate, the one that it gave. */
  readonly asset: string
  /** A decimal string with all decimals of the asset; below zero for a rebate. */
  readonly amount: string
}

/** What a trade cost its two orders; `undefined` where nothing was taken and nothing paid. */
export interface TradeFees {
  /** Of the order that rested. */
  readonly maker: TradeFee | undefined
  /** Of the order that came. */
  readonly taker: TradeFee | undefined
}

/** Which part of an account's history a statement has. */
export interface StatementOptions {
  /** Movements whose record ends at this LSN or before are left out. Default: those before the oldest that the log goes back to. */
  readonly from?: number | undefined
  /** Movements whose record ends after this LSN are left out. Default: all that are durable now. */
  readonly to?: number | undefined
}
