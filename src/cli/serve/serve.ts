import type { Ledger } from '../../ledger/index.js'
import { EnginePool } from '../../pool/index.js'
import {
  type ApiKey,
  DemoTraders,
  demoInstruments,
  KeyStore,
  type LogLevel,
  type Misbehaviour,
  openLogger,
  resolveMisbehaviour,
  type ServerLogger,
  VenueServer,
} from '../../server/index.js'
import { usageFailure } from '../failure.js'
import { requireNoOther } from '../log-folder.js'
import { RunFolder } from '../run-folder.js'
import { fundDemo, openAccounts } from './accounts.js'
import { adminKeyFileOf } from './admin-keys.js'
import { keyFileOf } from './keys.js'
import { Recording } from './recording.js'

interface ServeFlags {
  readonly port: number
  readonly host: string
  readonly shards: number
  readonly ledger?: boolean
  /** Default 20. */
  readonly traders?: number
  readonly record?: readonly string[]
  /** Default 1. */
  readonly speed?: number
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
  readonly logLevel?: LogLevel
  readonly logFile?: string
  readonly json?: boolean
}

/** Accounts of a demo whose keys are printed; those of its traders begin after them. */
const demoAccounts = [1, 2]
const tradersFrom = 1001
const tradersDefault = 20

/** Serves a pool, or a demo, until a signal comes. */
export async function serve(dir: string | undefined, flags: ServeFlags): Promise<void> {
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined))
    throw usageFailure('--tls-cert and --tls-key go together.')
  const { record, speed, traders } = flags
  if (speed !== undefined && record === undefined) throw usageFailure('--speed goes with --record.')
  if (dir === undefined && flags.ledger)
    throw usageFailure('A demo keeps accounts anyway: --ledger goes with DIR.')
  if (dir !== undefined && (record ?? traders) !== undefined)
    throw usageFailure('--record and --traders are for a demo: leave DIR out.')
  if (record !== undefined && traders !== undefined)
    throw usageFailure('A recording takes the place of --traders.')
  if ((flags.faultSeed ?? flags.lateMs) !== undefined && (flags.latency ?? flags.faults) === undefined)
    throw usageFailure('--fault-seed and --late-ms go with --faults or --latency.')
  const { logLevel, logFile } = flags
  if (logFile !== undefined && logLevel === undefined) throw usageFailure('--log-file goes with --log-level.')
  // Before anything is made or opened.
  resolveMisbehaviour(misbehaviourOf(flags))
  const logger = logLevel && openLogger({ level: logLevel, file: logFile })
  try {
    if (dir === undefined) await serveDemo(flags, logger)
    else await servePool(dir, flags, logger)
  } finally {
    await logger?.close()
  }
}

async function servePool(dir: string, flags: ServeFlags, logger: ServerLogger | undefined): Promise<void> {
  requireNoOther(dir, 'pool')
  const stopped = signalled()
  const pool = await EnginePool.open({ dir, shards: flags.shards })
  try {
    const ledger = await openAccounts(pool, dir, { wanted: flags.ledger === true })
    const server = await openServer(pool, dir, flags, { ledger, logger })
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

/** Symbols in a temporary folder, keys that are printed, and traders, or a recorded market, that make the market. */
async function serveDemo(flags: ServeFlags, logger: ServerLogger | undefined): Promise<void> {
  const stopped = signalled()
  const recording = flags.record && (await Recording.open(flags.record, flags.speed ?? 1))
  const traderCount = recording ? 0 : (flags.traders ?? tradersDefault)
  const folder = RunFolder.choose(undefined, {})
  try {
    const keys = new KeyStore(keyFileOf(folder.path))
    const printed = demoAccounts.map((account) => keys.create({ account, label: 'demo' }))
    const traderKeys = Array.from({ length: traderCount }, (_, i) =>
      keys.create({ account: tradersFrom + i, label: 'trader' }),
    )
    const pool = await EnginePool.open({
      dir: folder.path,
      shards: flags.shards,
      instruments: recording?.instruments ?? demoInstruments,
    })
    try {
      // Its traders are many, and stand at one address, yours as a rule.
      const traderAccounts = traderKeys.map(({ account }) => account)
      // A recording has accounts of its own, into which nothing was paid.
      const ledger = recording ? undefined : await openAccounts(pool, folder.path, { wanted: true })
      if (ledger) await fundDemo(ledger, demoAccounts, traderAccounts)
      const server = await openServer(
        pool,
        folder.path,
        { ...flags, weightLimit: 0 },
        { ledger, logger },
        traderAccounts,
      )
      try {
        await server.ready()
        const traders = await DemoTraders.start({
          url: server.url,
          keys: traderKeys.map(({ apiKey, secret }) => ({ apiKey, secret: secret! })),
        })
        sayDemo(server, printed, flags)
        const playing = recording && play(recording, pool, flags)
        await Promise.race([stopped, playing?.failed ?? stopped])
        recording?.stop()
        await playing?.ended
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

/** Plays a recording, and says when it is over; the venue stays open. `failed` rejects when it can't be played on. */
function play(
  recording: Recording,
  pool: EnginePool,
  { json }: ServeFlags,
): { ended: Promise<void>; failed: Promise<void> } {
  const ended = recording.play(pool).then(({ rows, commands, refused }) => {
    if (recording.isStopped) return
    say(
      json
        ? JSON.stringify({ recording: { rows, commands, refused } })
        : `The recording is over: ${rows} rows, ${commands} commands, ${refused} refused.`,
    )
  })
  return { ended, failed: ended.then(() => new Promise<void>(() => {})) }
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
  { ledger, logger }: { readonly ledger: Ledger | undefined; readonly logger: ServerLogger | undefined },
  sparedAccounts?: readonly number[],
): Promise<VenueServer> {
  const { tlsCert, tlsKey } = flags
  return VenueServer.open({
    pool,
    keys: keyFileOf(dir),
    ledger,
    logger,
    host: flags.host,
    port: flags.port,
    weightPerMinute: flags.weightLimit,
    ordersPer10Seconds: flags.orderLimit,
    ...(flags.adminPort !== undefined && {
      admin: { port: flags.adminPort, host: flags.adminHost, keys: adminKeyFileOf(dir) },
    }),
    onAdmin: (entry) => say(JSON.stringify(entry)),
    misbehaviour: misbehaviourOf(flags, sparedAccounts),
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
