/**
 * What bench/compare.mjs measures: each case runs its `child` on every build, and what stands `beside` it once a round on
 * this build. `aims` are for this build: a value, or a ratio of this build's figure over another contender's, taken round by
 * round.
 *
 * @typedef {{ what: string, of: string, over?: string, overOf?: string, overBest?: string[], speed?: boolean, perSecond?: boolean,
 *   best?: boolean, atMost?: number, atLeast?: number }} Aim `of` and `overOf`: names of figures; `overBest`: the best of these
 *   contenders; `speed`: the other over this one, for times; `perSecond`: one over the time; `best`: the best round
 * @typedef {{ title: string, child: string, with: object, beside?: Record<string, { child: string, with: object }>,
 *   aims?: Aim[] }} Case
 */

const databases = [
  'better-sqlite3, WAL, FULL',
  'lmdb, flushed',
  'lmdb, two batches under way',
  'classic-level, sync',
]
const stores = [...databases, 'append + fdatasync', 'raw write + fdatasync, zeroed file']
/** The raw write is no store: it writes over zeros and knows no end. */
const peers = [...databases, 'append + fdatasync']

/** @returns {Record<string, Case>} */
export function plan(pick) {
  return { ...throughputCases(pick), ...latencyCases(pick), ...otherCases(pick) }
}

function throughputCases(pick) {
  const commands = pick(10_000, 200_000, 400_000)
  const batches = {
    sizes: [10, 100, 1000, 10_000],
    commands: pick(400_000, 1_500_000, 5_000_000),
    warmMs: pick(20, 600, 1500),
    forMs: pick(40, 150, 500),
  }
  return {
    batch: {
      title: 'CommandBatch in batches of 1,000, one shard',
      child: 'throughput',
      with: { commands: pick(20_000, 500_000, 1_000_000), handover: 'batch', perBatch: 1000, window: 65_536 },
      aims: [
        { what: 'log bytes a command', of: 'log bytes', atMost: 85 },
        { what: 'processor time of the shard, over before', of: 'shard ns', over: 'before', atMost: 0.6 },
        {
          what: 'processor time of all threads, over before',
          of: 'all threads ns',
          over: 'before',
          atMost: 0.7,
        },
        { what: 'CommandBatch: speed over before', of: 'wall ns', over: 'before', speed: true, atLeast: 1.5 },
        {
          what: 'CommandBatch: commands/s, best round',
          of: 'wall ns',
          perSecond: true,
          best: true,
          atLeast: 4e6,
        },
      ],
    },
    submit: {
      title: 'submit, a promise each, 10,000 under way',
      child: 'throughput',
      with: { commands, handover: 'submit', perBatch: 1, window: 10_000 },
      aims: [{ what: 'submit: speed over before', of: 'wall ns', over: 'before', speed: true, atLeast: 1.2 }],
    },
    objects: {
      title: 'submitBatch of plain objects in batches of 1,000',
      child: 'throughput',
      with: { commands, handover: 'objects', perBatch: 1000, window: 65_536 },
      aims: [
        { what: 'objects: speed over before', of: 'wall ns', over: 'before', speed: true, atLeast: 1.2 },
      ],
    },
    batches: {
      title: 'Durable batches of 10 to 10,000, one shard, beside other stores',
      child: 'batches',
      with: { ...batches, store: 'tidemark pool, matched' },
      beside: Object.fromEntries(
        stores.map((store) => [store, { child: 'batches', with: { ...batches, store } }]),
      ),
      aims: [
        [10, peers, 'peer', 1],
        [100, peers, 'peer', 1.5],
        [1000, databases, 'database', 2.5],
        [10_000, databases, 'database', 2],
      ].map(([size, overBest, who, atLeast]) => ({
        what: `batches of ${size.toLocaleString('en-US')}: speed over the best ${who}`,
        of: `batches of ${size}: ns`,
        overBest,
        speed: true,
        atLeast,
      })),
    },
  }
}

function latencyCases(pick) {
  const warm = pick(20_000, 100_000, 200_000)
  const seconds = pick(0.3, 1.5, 4)
  const arrivals = (ratePerSecond, atMost) => ({
    title: `${ratePerSecond.toLocaleString('en-US')} arrivals a second, beside a bare group commit of the same bytes`,
    child: 'arrivals',
    with: { ratePerSecond, seconds, warm },
    beside: { 'bare group commit': { child: 'bareArrivals', with: { ratePerSecond, seconds } } },
    aims: [
      {
        what: `${ratePerSecond.toLocaleString('en-US')}/s: p99 over the bare group commit`,
        of: 'p99 ms',
        over: 'bare group commit',
        atMost,
      },
    ],
  })
  const rotating = { ratePerSecond: 200_000, seconds: pick(0.5, 4, 8), warm }
  return {
    closedLoop: {
      title:
        'Closed loop, 136 under way (4 times 34), a promise each, beside raw write + fdatasync of as many bytes',
      child: 'closed',
      with: { commands: pick(10_000, 200_000, 500_000), callers: 4, inFlight: 34, warm },
      aims: [{ what: 'closed loop: p99 over p50', of: 'p99 ms', overOf: 'p50 ms', atMost: 3 }],
    },
    arrivals: arrivals(200_000, 1.2),
    arrivals500k: arrivals(500_000, 3),
    rotations: {
      title: '200,000 arrivals a second with 13 rotations and 5 checkpoints, beside none',
      child: 'rotations',
      with: { ...rotating, wanted: 13, checkpoints: 5 },
      beside: {
        'none of them': { child: 'rotations', with: { ...rotating, wanted: 0, checkpoints: 0 } },
      },
      aims: [
        {
          what: 'rotations and checkpoints: p99.9 over none',
          of: 'p99.9 ms',
          over: 'none of them',
          atMost: 1.5,
        },
      ],
    },
  }
}

function otherCases(pick) {
  const jobs = { single: pick(50, 500, 1000), batched: pick(1000, 10_000, 20_000), perBatch: 100 }
  const enqueued = (what, atLeast) => ({
    what: `jobs, ${what}: speed over plainjob`,
    of: `${what}: ns`,
    overBest: ['plainjob'],
    speed: true,
    atLeast,
  })
  return {
    records: {
      title: 'DurableLog, payloads of 64 bytes',
      child: 'records',
      with: { payloadBytes: 64, count: pick(100_000, 2_000_000, 4_000_000) },
      aims: [
        {
          what: 'DurableLog: speed over before',
          of: 'a thread of its own: ns',
          over: 'before',
          speed: true,
          atLeast: 1.3,
        },
        {
          what: 'DurableLog: records/s (or the line before)',
          of: 'a thread of its own: ns',
          perSecond: true,
          atLeast: 8e6,
        },
      ],
    },
    jobs: {
      title: 'Durable enqueues of one caller, beside plainjob on better-sqlite3',
      child: 'jobs',
      with: jobs,
      beside: { plainjob: { child: 'plainjob', with: jobs } },
      aims: [enqueued('awaiting each', 0.9), enqueued('batches of 100', 1.2)],
    },
    opening: {
      title: 'Opening',
      child: 'opening',
      with: { commands: pick(20_000, 300_000, 1_000_000) },
      aims: [
        {
          what: 'opening without a snapshot, over before',
          of: 'no snapshot ms',
          over: 'before',
          atMost: 0.8,
        },
      ],
    },
    book: {
      title: 'The book alone',
      child: 'book',
      with: { commands: pick(20_000, 300_000, 600_000) },
      aims: [{ what: 'each book: speed over before', of: '*', over: 'before', speed: true, atLeast: 0.98 }],
    },
  }
}
