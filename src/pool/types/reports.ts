import type { OutcomeStatus } from '../../matching/index.js'
import type { PoolEvent, TradeEvent } from './events.js'

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
