import type { LatencySummary } from '../../log/index.js'
import type { Metric, MetricRegistry, ServerPackages } from '../packages.js'
import type { CutCounts } from './client.js'
import type { Desk } from './desk.js'

/** What is counted beside the pool's own figures. */
export interface Counted {
  readonly desk: Desk
  readonly cut: CutCounts
  connections(): { streams: number; api: number; pages: number }
  subscriptions(): { streams: number; users: number }
}

/** The figures of a server for Prometheus; each is read when it is asked for. */
export function makeRegistry({ prometheus }: ServerPackages, counted: Counted): MetricRegistry {
  const register = new prometheus.Registry()
  prometheus.collectDefaultMetrics({ register, prefix: 'tidemark_' })
  const { pool } = counted.desk.venue
  const gauge = (name: string, help: string, read: () => number) =>
    new prometheus.Gauge({
      name: `tidemark_${name}`,
      help,
      registers: [register],
      collect(this: Metric) {
        this.set(read())
      },
    })
  const labelled = (
    name: string,
    help: string,
    label: string,
    read: () => Iterable<readonly [string, number]>,
  ) =>
    new prometheus.Gauge({
      name: `tidemark_${name}`,
      help,
      labelNames: [label],
      registers: [register],
      collect(this: Metric) {
        this.reset()
        for (const [value, count] of read()) this.set({ [label]: value }, count)
      },
    })
  gauge('commands_total', 'Commands executed since the pool was opened.', () => pool.stats().commands)
  gauge('trades_total', 'Trades since the pool was opened.', () => pool.stats().trades)
  gauge('rejected_total', 'Commands that the book refused.', () => pool.stats().rejected)
  gauge('in_flight', 'Commands accepted and not durable yet.', () => pool.stats().inFlight)
  gauge('questions', 'Questions that wait for their answers.', () => pool.stats().questions)
  gauge('durable_lsn', 'LSN up to which everything is on disk.', () => pool.durableLsn)
  gauge('venue_lag_bytes', 'Log that is durable and that clients cannot ask for yet.', () =>
    Math.max(0, counted.desk.venue.lagBytes()),
  )
  gauge(
    'durable_lag_bytes',
    'Log that is claimed and not durable yet.',
    () => pool.stats().log.durableLagBytes,
  )
  gauge('ring_fill', 'The part of the log ring that is taken, 0 to 1.', () => pool.stats().log.ringFill)
  gauge('flushes_total', 'Writes with their sync since the pool was opened.', () => pool.stats().log.flushes)
  gauge('checkpoint_log_bytes', 'Log after the newest snapshot.', () => pool.stats().checkpoints.logBytes)
  labelled('shard_queued_words', 'Words that wait in a shard’s inbound ring.', 'shard', () =>
    pool.stats().shards.map(({ queuedWords }, shard) => [String(shard), queuedWords] as const),
  )
  labelled('acknowledgement_ms', 'From submit to acknowledgement, milliseconds.', 'quantile', () =>
    quantiles(pool.stats().acknowledgementLatency),
  )
  labelled('flush_ms', 'Write and sync of one flush, milliseconds.', 'quantile', () =>
    quantiles(pool.stats().log.flushLatency),
  )
  gauge('requests_total', 'Requests over REST and the WebSocket API.', () => counted.desk.requests)
  gauge('accounts', 'Accounts of which orders or trades are kept.', () => counted.desk.venue.history.accounts)
  labelled('refusals_total', 'Requests that were refused, by code.', 'code', () =>
    [...counted.desk.refusals].map(([code, count]) => [String(code), count] as const),
  )
  labelled('connections', 'Open connections over WebSockets, and pages.', 'kind', () =>
    Object.entries(counted.connections()),
  )
  labelled('subscriptions', 'Streams that are subscribed to.', 'kind', () =>
    Object.entries(counted.subscriptions()),
  )
  labelled('cut_total', 'Connections that the server ended.', 'why', () => Object.entries(counted.cut))
  return register
}

function quantiles(latency: LatencySummary): [string, number][] {
  return [
    ['0.5', latency.p50Ms],
    ['0.9', latency.p90Ms],
    ['0.99', latency.p99Ms],
    ['0.999', latency.p999Ms],
    ['1', latency.maxMs],
  ]
}
