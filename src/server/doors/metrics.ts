import type { LatencySummary } from '../../log/index.js'
import type { ForeignMetric, Metric, MetricRegistry, ServerPackages } from '../packages.js'
import type { CutCounts } from './client.js'
import type { Desk } from './desk.js'

/** What is counted beside the pool's own figures. */
export interface Counted {
  readonly desk: Desk
  readonly cut: CutCounts
  /** How often what went wrong on purpose. */
  readonly faults: ReadonlyMap<string, number>
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
  const labelled = (name: string, help: string, label: string, read: () => Measured | Promise<Measured>) =>
    new prometheus.Gauge({
      name: `tidemark_${name}`,
      help,
      labelNames: [label],
      registers: [register],
      async collect(this: Metric) {
        const measured = await read()
        this.reset()
        for (const [value, count] of measured) this.set({ [label]: value }, count)
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
  register.registerMetric(
    histogram(
      'acknowledgement_seconds',
      'From submit to acknowledgement.',
      () => pool.stats().acknowledgementLatency,
    ),
  )
  register.registerMetric(
    histogram('flush_seconds', 'Write and sync of one flush.', () => pool.stats().log.flushLatency),
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
  labelled('faults_total', 'What went wrong on purpose.', 'kind', () => counted.faults)
  labelled('cut_total', 'Connections that the server ended.', 'why', () => Object.entries(counted.cut))
  addLags(counted, labelled)
  return register
}

type Labelled = (
  name: string,
  help: string,
  label: string,
  read: () => Measured | Promise<Measured>,
) => unknown

type Measured = Iterable<readonly [string, number]>

/** How far those are that follow the log: checkpoints, other machines, and who reads it from outside, a store for instance. */
function addLags({ desk }: Counted, labelled: Labelled): void {
  const { pool } = desk.venue
  labelled('checkpoint_age_seconds', 'Since the newest snapshot was taken; none without one.', 'of', () => {
    const { ageMs } = pool.stats().checkpoints
    return ageMs === undefined ? [] : [['books', ageMs / 1000]]
  })
  labelled('checkpoints_total', 'Checkpoints since the pool was opened.', 'outcome', () => {
    const { taken, failed } = pool.stats().checkpoints
    return [
      ['taken', taken],
      ['failed', failed],
    ]
  })
  labelled('replication_lag_bytes', 'Log that is synced here and not replicated.', 'of', () => {
    const { replication } = pool.stats()
    if (!replication) return []
    const standbys = replication.standbys.map(
      ({ name, lsn }) => [`standby ${name}`, Math.max(0, pool.durableLsn - lsn)] as const,
    )
    return [['replicated log', replication.lagBytes], ...standbys]
  })
  labelled('replication_lag_seconds', 'Since the first of it was appended.', 'of', () => {
    const { replication } = pool.stats()
    return replication ? [['replicated log', replication.lagMs / 1000]] : []
  })
  labelled('archive_lag_bytes', 'Log that is sealed and not archived.', 'of', () => {
    const { archive } = pool.stats()
    return archive ? [['archive', archive.waitingBytes]] : []
  })
  labelled(
    'reader_lag_bytes',
    'Log that a reader outside, such as a store, has yet to take.',
    'reader',
    async () =>
      (await pool.readers()).flatMap(({ name, lagBytes }) =>
        lagBytes === undefined ? [] : [[name, lagBytes] as const],
      ),
  )
}

/** A histogram that is counted elsewhere: of the pool's own counts, when they are asked for. */
function histogram(name: string, help: string, read: () => LatencySummary): ForeignMetric {
  const full = `tidemark_${name}`
  return {
    name: full,
    async get() {
      const { count, sumMs, atMost } = read()
      const buckets = atMost.map(({ ms, count: value }) => ({ le: ms / 1000, value }))
      return {
        name: full,
        help: `${help.slice(0, -1)}, seconds.`,
        type: 'histogram',
        aggregator: 'sum',
        values: [
          ...[...buckets, { le: '+Inf', value: count }].map(({ le, value }) => ({
            labels: { le },
            value,
            metricName: `${full}_bucket`,
          })),
          { labels: {}, value: sumMs / 1000, metricName: `${full}_sum` },
          { labels: {}, value: count, metricName: `${full}_count` },
        ],
      }
    },
  }
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
