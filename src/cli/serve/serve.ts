import { EnginePool } from '../../pool/index.js'
import {
  type ApiKey,
  DemoTraders,
  demoInstruments,
  KeyStore,
  type Misbehaviour,
  resolveMisbehaviour,
  VenueServer,
} from '../../server/index.js'
import { usageFailure } from '../failure.js'
import { requireNoOther } from '../log-folder.js'
import { RunFolder } from '../run-folder.js'
import { adminKeyFileOf } from './admin-keys.js'
import { keyFileOf } from './keys.js'

interface ServeFlags {
  readonly port: number
  readonly host: string
  readonly shards: number
  readonly traders: number
  readonly weightLimit: number
  readonly orderLimit: number
  readonly adminPort?: number
  readonly adminHost: string
  readonly latency?: string
  readonly faults?: string
  readonly faultSeed?: number
  readonly lateMs?: number
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly json?: boolean
}

/** Accounts of a demo whose keys are printed; those of its traders begin after them. */
const demoAccounts = [1, 2]
const tradersFrom = 1001

/** Serves a pool, or a demo, until a signal comes. */
export async function serve(dir: string | undefined, flags: ServeFlags): Promise<void> {
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined))
    throw usageFailure('--tls-cert and --tls-key go together.')
  if ((flags.faultSeed ?? flags.lateMs) !== undefined && (flags.latency ?? flags.faults) === undefined)
    throw usageFailure('--fault-seed and --late-ms go with --faults or --latency.')
  // Before anything is made or opened.
  resolveMisbehaviour(misbehaviourOf(flags))
  if (dir === undefined) await serveDemo(flags)
  else await servePool(dir, flags)
}

async function servePool(dir: string, flags: ServeFlags): Promise<void> {
  requireNoOther(dir, 'pool')
  const stopped = signalled()
  const pool = await EnginePool.open({ dir, shards: flags.shards })
  try {
    const server = await openServer(pool, dir, flags)
    try {
      await server.ready()
      sayServing(server, dir, flags)
      await stopped
    } finally {
      await server.close()
    }
  } finally {
    await pool.close()
  }
}

/** Three symbols in a temporary folder, keys that are printed, and traders that make the market. */
async function serveDemo(flags: ServeFlags): Promise<void> {
  const stopped = signalled()
  const folder = RunFolder.choose(undefined, {})
  try {
    const keys = new KeyStore(keyFileOf(folder.path))
    const printed = demoAccounts.map((account) => keys.create({ account, label: 'demo' }))
    const traderKeys = Array.from({ length: flags.traders }, (_, i) =>
      keys.create({ account: tradersFrom + i, label: 'trader' }),
    )
    const pool = await EnginePool.open({
      dir: folder.path,
      shards: flags.shards,
      instruments: demoInstruments,
    })
    try {
      // Its traders are many, and stand at one address, yours as a rule.
      const sparedAccounts = traderKeys.map(({ account }) => account)
      const server = await openServer(pool, folder.path, { ...flags, weightLimit: 0 }, sparedAccounts)
      try {
        await server.ready()
        const traders = await DemoTraders.start({
          url: server.url,
          keys: traderKeys.map(({ apiKey, secret }) => ({ apiKey, secret: secret! })),
        })
        sayDemo(server, printed, flags)
        await stopped
        await traders.stop()
      } finally {
        await server.close()
      }
    } finally {
      await pool.close()
    }
  } finally {
    folder.release()
  }
}

/** What goes wrong on purpose; nothing unless a flag says what. */
function misbehaviourOf(flags: ServeFlags, sparedAccounts: readonly number[] = []): Misbehaviour {
  const { latency, faults, faultSeed, lateMs } = flags
  return { latency, faults, seed: faultSeed, lateMs, sparedAccounts }
}

function openServer(
  pool: EnginePool,
  dir: string,
  flags: ServeFlags,
  sparedAccounts?: readonly number[],
): Promise<VenueServer> {
  const { tlsCert, tlsKey } = flags
  return VenueServer.open({
    pool,
    keys: keyFileOf(dir),
    host: flags.host,
    port: flags.port,
    weightPerMinute: flags.weightLimit,
    ordersPer10Seconds: flags.orderLimit,
    ...(flags.adminPort !== undefined && {
      admin: { port: flags.adminPort, host: flags.adminHost, keys: adminKeyFileOf(dir) },
    }),
    onAdmin: (entry) => say(JSON.stringify(entry)),
    ...((flags.latency ?? flags.faults) !== undefined && {
      misbehaviour: misbehaviourOf(flags, sparedAccounts),
    }),
    ...(tlsCert !== undefined && { tls: { certFile: tlsCert, keyFile: tlsKey! } }),
  })
}

function sayServing({ url, adminUrl }: VenueServer, dir: string, { json }: ServeFlags): void {
  if (json) {
    say(JSON.stringify({ dir, url, adminUrl }))
    return
  }
  say(`Serving ${dir} at ${url}`)
  if (adminUrl !== undefined) say(`Administered at ${adminUrl}`)
}

function sayDemo({ url, adminUrl }: VenueServer, printed: readonly ApiKey[], { json }: ServeFlags): void {
  const keys = printed.map(({ account, apiKey, secret }) => ({ account, apiKey, secret }))
  if (json) {
    say(JSON.stringify({ url, adminUrl, keys }))
    return
  }
  say(`Serving a demo at ${url}`)
  if (adminUrl !== undefined) say(`Administered at ${adminUrl}`)
  for (const { account, apiKey, secret } of keys)
    say(`Account ${account}  API key ${apiKey}  secret ${secret}`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Resolves at the first SIGINT or SIGTERM. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
