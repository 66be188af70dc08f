// Imports run down only, and from outside a folder is imported by its doors. `npm run check:imports` checks it.
//
// The doors: `index.ts` is what the rest of the house uses; `thread.ts`, where there is one, is the part of it that worker
// threads load, since each of them loads its modules anew; `public.ts`, where there is one, is what users of the package
// get, and what `exports` of package.json names. Where there is none, the index is public.
//
// Type imports count: a type that a lower room takes from a higher one ties the two together just as well.

/** What each folder of src may import of the others. A folder that is not named here is refused. */
const folders = {
  base: [],
  client: ['base'],
  log: ['base'],
  replication: ['base', 'log'],
  matching: ['base'],
  pool: ['base', 'log', 'matching'],
  factors: ['base', 'log'],
  jobs: ['base', 'log'],
  archive: ['base', 'log', 'matching', 'pool', 'factors'],
  'market-data': ['base', 'log', 'matching', 'pool'],
  ledger: ['base', 'log', 'matching', 'pool'],
  store: ['base', 'log', 'matching', 'pool', 'ledger', 'factors', 'jobs'],
  server: ['base', 'log', 'matching', 'pool', 'market-data', 'ledger'],
  standby: ['base', 'log', 'pool', 'ledger', 'replication'],
  cli: [
    'base',
    'log',
    'matching',
    'pool',
    'ledger',
    'factors',
    'jobs',
    'archive',
    'store',
    'replication',
    'server',
    'standby',
  ],
}

/** The rooms and files of each folder from the bottom up. Each may import those before it, but none of its own row. */
const rows = {
  client: [
    'errors',
    'socket',
    'options',
    'signing',
    'connection',
    'types',
    ['orders', 'user-events', 'rest'],
    'client',
    'index',
  ],
  replication: ['settings', 'kv', ['memory', 'etcd'], 'index'],
  log: [
    'replicated',
    'errors',
    'options',
    'checkpoint-retries',
    'settle-or-poison',
    'task-threads',
    'disk',
    'format',
    'ring',
    'read',
    'recover',
    ['flush', 'tools'],
    'settings',
    'replication',
    'log-stats',
    'log-opening',
    'follow',
    'log-readers',
    'durable-log',
    ['public', 'thread'],
    'index',
  ],
  matching: ['codec', 'book', 'rules', ['public', 'thread'], 'index'],
  pool: [
    'errors',
    'types',
    'instrument-details',
    'order-terms',
    'instruments',
    'record-type',
    'ledger-files',
    'snapshot',
    'delivery',
    'shard',
    'intake',
    'checkpoint',
    'settings',
    'pool-opening',
    'pool-lifetime',
    'ledger-door',
    'event-forwarding',
    'engine-pool',
    'following-pool',
    'public',
    'index',
  ],
  factors: ['errors', 'values', 'ticks', 'entries', 'engine', 'durable', 'pool', ['thread', 'index']],
  jobs: [
    'errors',
    'clock',
    'job',
    'events',
    'controller-events',
    'state',
    'metrics',
    'dispatch/backoff',
    'controller-settings',
    'dispatch',
    'controller',
    'job-controller',
    'index',
  ],
  archive: ['errors', 'packages', 'manifest', 'tables', 'parquet', 'folder', 'write', 'read', 'index'],
  store: [
    'errors',
    'schema',
    'targets',
    'prepare-schema',
    'fold',
    'progress',
    'log-kind',
    'log-identity',
    'log-sync',
    'store-cursor',
    'store-options',
    ['store', 'store-status'],
    'index',
  ],
  'market-data': [
    'errors',
    'grids',
    'ring',
    'intervals',
    'price-side',
    'book',
    'candles',
    'types',
    'tape',
    'ticker',
    'symbol-data',
    'market-data',
    'follow',
    'public',
    'index',
  ],
  ledger: [
    'errors',
    'types',
    'amounts',
    'records',
    'state',
    'commands',
    'snapshot',
    'fold',
    'catch-up',
    'checkpoint',
    'followed',
    'movements',
    'questions',
    'ledger',
    'public',
    'index',
  ],
  standby: [
    'fork',
    ['seed-stream', 'following'],
    ['seed', 'seed-handler'],
    ['folder', 'options', 'announcement', 'standby-stats'],
    'standby',
    'index',
  ],
  server: [
    'errors',
    'packages',
    'venue/balances',
    'admin/entry',
    'logging/logger',
    'logging',
    'faults',
    'options',
    'dialect/amounts',
    'dialect/api-error',
    'dialect/params',
    'venue',
    'dialect',
    'access',
    'admin',
    'operations',
    'doors',
    'demo',
    'server',
    'index',
  ],
  cli: [
    'exit-codes',
    'examples',
    'failure',
    'number-format',
    'tables',
    'progress-bar',
    'latency',
    'output-file',
    'lines',
    'run-folder',
    'log-folder',
    'folder-backup',
    'outside-readers',
    'flags',
    'inputs',
    'flow',
    'lobster',
    ['archive', 'bench', 'completion', 'factors', 'jobs', 'log', 'run', 'serve', 'standby', 'store'],
    'program',
    'execute',
    'main',
  ],
}

/** What package users get, and the only file of ours that joins folders without standing in one. */
const entry = '^src/index\\.ts$'

const inFolder = (folder) => `^src/${folder}/`
const inRoom = (folder, room) => `^src/${folder}/${room}(/|(\\.d)?\\.ts$)`

/** A room whose part stands in another row, as `dispatch/backoff` does, is the room without that part. */
function partsElsewhere(folder, room) {
  return rows[folder]
    .flat()
    .filter((other) => other.startsWith(`${room}/`))
    .map((other) => inRoom(folder, other))
}

function* rulesBetweenFolders() {
  for (const [folder, below] of Object.entries(folders)) {
    yield {
      name: `${folder}: imports only ${below.join(', ') || 'nothing of ours'}`,
      from: { path: inFolder(folder) },
      to: { path: '^(src|workers)/', pathNot: [folder, ...below].map(inFolder) },
    }
    if (folder === 'base') continue
    yield {
      name: `${folder}: from outside, import its index`,
      from: { path: '^src/', pathNot: [inFolder(folder), entry] },
      to: { path: inFolder(folder), pathNot: `^src/${folder}/((etcd|memory)/)?(index|thread)\\.ts$` },
    }
  }
}

function* rulesBetweenRooms() {
  for (const [folder, folderRows] of Object.entries(rows)) {
    const below = []
    for (const row of folderRows.map((row) => [row].flat())) {
      for (const room of row) {
        const elsewhere = partsElsewhere(folder, room)
        yield {
          name: `${folder}/${room}: imports only rooms below it`,
          from: { path: inRoom(folder, room), pathNot: elsewhere },
          to: { path: inFolder(folder), pathNot: [...below, inRoom(folder, room)] },
        }
      }
      below.push(...row.map((room) => inRoom(folder, room)))
    }
  }
}

const placed = Object.entries(rows).flatMap(([folder, folderRows]) =>
  folderRows.flat().map((room) => inRoom(folder, room)),
)
const unplaced = { path: '^src/', pathNot: [...placed, inFolder('base'), entry] }
const forbidden = [
  { name: 'no circles', from: {}, to: { circular: true } },
  { name: 'every import is there', from: {}, to: { couldNotResolve: true } },
  { name: 'every file has a row', from: unplaced, to: {} },
  { name: 'every file has a row', from: {}, to: unplaced },
  {
    name: 'workers: import only src and packages',
    from: { path: '^workers/' },
    to: { path: '^(workers|test|bench|examples|dist)/' },
  },
  {
    name: 'the package: imports only what is public',
    from: { path: entry },
    to: { path: '^src/[^/]+/', pathNot: ['^src/[^/]+/public\\.ts$', inFolder('base')] },
  },
  {
    name: 'threads of a pool load no index',
    from: { path: '^workers/(shard|snapshot|factors)\\.ts$' },
    to: { path: '^src/[^/]+/index\\.ts$', reachable: true },
  },
  ...rulesBetweenFolders(),
  ...rulesBetweenRooms(),
]

export default {
  forbidden: forbidden.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    // The TypeScript compiler has no interface to parse with since version 7.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
}
