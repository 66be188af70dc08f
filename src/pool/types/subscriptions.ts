import type { LogReaderStats } from '../../log/index.js'

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
