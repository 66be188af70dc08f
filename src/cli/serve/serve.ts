import { EnginePool } from '../../pool/index.js'
import { VenueServer } from '../../server/index.js'
import { usageFailure } from '../failure.js'
import { requireNoOther } from '../log-folder.js'
import { keyFileOf } from './keys.js'

interface ServeFlags {
  readonly port: number
  readonly host: string
  readonly shards: number
  readonly weightLimit: number
  readonly orderLimit: number
  readonly tlsCert?: string
  readonly tlsKey?: string
}

/** Serves a pool until a signal comes. */
export async function serve(dir: string | undefined, flags: ServeFlags): Promise<void> {
  if (dir === undefined) throw usageFailure('Give the folder of a pool.')
  const { tlsCert, tlsKey } = flags
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw usageFailure('--tls-cert and --tls-key go together.')
  requireNoOther(dir, 'pool')
  const pool = await EnginePool.open({ dir, shards: flags.shards })
  try {
    const server = await VenueServer.open({
      pool,
      keys: keyFileOf(dir),
      host: flags.host,
      port: flags.port,
      weightPerMinute: flags.weightLimit,
      ordersPer10Seconds: flags.orderLimit,
      ...(tlsCert !== undefined && { tls: { certFile: tlsCert, keyFile: tlsKey! } }),
    })
    try {
      const stopped = signalled()
      await server.ready()
      process.stdout.write(`Serving ${dir} at ${server.url}\n`)
      await stopped
    } finally {
      await server.close()
    }
  } finally {
    await pool.close()
  }
}

/** Resolves at the first SIGINT or SIGTERM. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
