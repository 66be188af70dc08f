import type { EnginePool, PoolEvent, Subscription } from '../pool/index.js'
import { MarketData } from './market-data.js'
import type { MarketDataOptions, MarketDataSnapshot } from './types.js'

/** What `followMarketData` is called with. */
export interface FollowOptions extends MarketDataOptions {
  /** Where to begin, in place of the beginning of the log. */
  readonly snapshot?: MarketDataSnapshot | undefined
}

/** What takes a pool's events: each of them, in order, and after the last one of a record its LSN. */
export interface EventSink {
  /** What the next event waits for, if anything. */
  before?(event: PoolEvent): Promise<void> | undefined
  apply(event: PoolEvent): void
  endRecord(lsn: number): void
}

/** Something that follows a pool's events. */
export interface EventFeed {
  /** Resolves when all that was durable when the feed began was taken; rejects when the feed fails before. */
  readonly ready: Promise<void>
  /** Resolves when the feed or its pool was closed; rejects with what else ended it. */
  readonly ended: Promise<void>
  /** Ends it. Resolves when no further event comes; a failure of the feed is reported by `ended` only. */
  close(): Promise<void>
}

/** Market data that follows a pool. */
export interface MarketDataFeed extends EventFeed {
  /** The market data, as of the last update that was given. */
  readonly data: MarketData
}

/**
 * Follows a pool's events, from the beginning of its log or from a snapshot: reads files until it has caught up, then what is new.
 *
 * @throws LogError `TIDEMARK_BAD_LSN` when the log is not kept back to where to begin, `TIDEMARK_BAD_SETTING`; PoolError
 *   `TIDEMARK_POOL_CLOSED`; MarketDataError `TIDEMARK_MARKET_DATA_SNAPSHOT`.
 *
 * @example
 * ```js
 * import { EnginePool } from 'tidemark'
 * import { followMarketData } from 'tidemark/market-data'
 *
 * const pool = await EnginePool.open({
 *   dir: './data',
 *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
 * })
 * const feed = followMarketData(pool)
 * await feed.ready
 * console.log(feed.data.depth('BTC-USD', 5).bids.length)
 * await feed.close()
 * await pool.close()
 * ```
 */
export function followMarketData(pool: EnginePool, options: FollowOptions = {}): MarketDataFeed {
  const { snapshot, ...kept } = options
  const instrumentOf = (symbol: string) => pool.instrument(symbol)
  const data = snapshot
    ? MarketData.restore(snapshot, instrumentOf, kept)
    : new MarketData(instrumentOf, kept)
  return { data, ...followEvents(pool, snapshot?.lsn, data) }
}

/** Gives a sink all events after an LSN, or from the beginning of the log. @throws as `EnginePool.subscribe`. */
export function followEvents(pool: EnginePool, from: number | undefined, sink: EventSink): EventFeed {
  const to = Math.max(pool.durableLsn, from ?? 0)
  // Of a log whose beginning is gone, an unstated place would be where it is still there.
  let subscription = pool.subscribe({ from: from ?? 0, to })
  let isClosed = false
  const ready = take(subscription, sink)
  const ended = ready.then(async () => {
    if (isClosed) return
    subscription = pool.subscribe({ from: to })
    await take(subscription, sink)
  })
  // Both are reported where they are awaited.
  ready.catch(() => {})
  ended.catch(() => {})
  return {
    ready,
    ended,
    close: async () => {
      isClosed = true
      await subscription.return()
      await ended.catch(() => {})
    },
  }
}

async function take(subscription: Subscription, sink: EventSink): Promise<void> {
  for await (const event of subscription) {
    const wait = sink.before?.(event)
    if (wait) await wait
    sink.apply(event)
    if (subscription.deliveredLsn >= event.lsn) sink.endRecord(event.lsn)
  }
}
