import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import type { Ledger } from '#tidemark/ledger/index.js'
import { EnginePool, type EnginePoolOptions } from '#tidemark/pool/index.js'
import {
  type ApiKey,
  KeyStore,
  type NewKey,
  type ServerModules,
  VenueServer,
  type VenueServerOptions,
} from '#tidemark/server/index.js'
import { root } from './run-script.js'
import { temporaryDirectory } from './temporary.js'

const peers = createRequire(path.join(root, 'test/peers/package.json'))

/** The optional packages of the server; what of them is missing, when some are. */
export const serverModules: ServerModules | string = findModules()

function findModules(): ServerModules | string {
  try {
    return {
      fastify: peers('fastify'),
      ws: peers('ws'),
      prometheus: peers('prom-client'),
      uplotFolder: path.dirname(peers.resolve('uplot')),
    }
  } catch (error) {
    const reason = (error as Error).message.split('\n', 1)[0]!
    process.stderr.write(`SKIPPED: the server is not tested: ${reason} (npm ci --prefix test/peers).\n`)
    return reason
  }
}

const served = [
  {
    symbol: 'BTCUSDT',
    tickSize: '0.01',
    lotSize: '0.00001',
    baseAsset: 'BTC',
    quoteAsset: 'USDT',
    minNotional: '5',
  },
  { symbol: 'ETHUSDT', tickSize: '0.01', lotSize: '0.0001', baseAsset: 'ETH', quoteAsset: 'USDT' },
] as const

export interface ServedVenue {
  readonly dir: string
  readonly pool: EnginePool
  readonly server: VenueServer
  /** Keys of accounts 1 and 2 that may trade, and of account 1 that may only read. */
  readonly alice: Required<Pick<ApiKey, 'apiKey' | 'secret'>>
  readonly bob: Required<Pick<ApiKey, 'apiKey' | 'secret'>>
  readonly reader: Required<Pick<ApiKey, 'apiKey' | 'secret'>>
  readonly keys: KeyStore
  readonly ledger: Ledger | undefined
}

/** What a venue is served with; `ledger` opens that of its pool. */
export interface VenueOptions extends Omit<Partial<VenueServerOptions>, 'ledger'> {
  readonly ledger?: (pool: EnginePool) => Promise<Ledger>
}

/** A venue that is served on a free port, and closed when the test is over. */
export async function openVenue(
  { ledger: openLedger, ...options }: VenueOptions = {},
  poolOptions: EnginePoolOptions = {},
): Promise<ServedVenue> {
  const { dir = temporaryDirectory() } = poolOptions
  const pool = await EnginePool.open({ instruments: served, ...poolOptions, dir })
  const file = path.join(dir, 'keys.json')
  const keys = new KeyStore(file)
  const alice = keys.create({ account: 1 }) as Required<ApiKey>
  const bob = keys.create({ account: 2 }) as Required<ApiKey>
  const reader = keys.create({ account: 1, permission: 'read' }) as Required<ApiKey>
  const modules = serverModules as ServerModules
  onTestFinished(() => pool.close())
  const ledger = await openLedger?.(pool)
  const server = await VenueServer.open({ pool, keys: file, modules, ledger, ...options })
  onTestFinished(() => server.close())
  await server.ready()
  return { dir, pool, server, alice, bob, reader, keys, ledger }
}

/**
 * A pool that is served while all tests of a file run, each of which has accounts of its own. A test may open further servers of the
 * pool. `more` are keys beside those that `newKey` gives: a server takes some time to know of one that is made while it runs.
 */
export function sharedVenue(options: Partial<VenueServerOptions> = {}, more: readonly NewKey[] = []) {
  let venue: { pool: EnginePool; server: VenueServer } | undefined
  const dir = mkdtempSync(path.join(tmpdir(), 'tidemark-'))
  const keys = new KeyStore(path.join(dir, 'keys.json'))
  const made = more.map((key) => keys.create(key) as Required<ApiKey>)
  const unused = Array.from({ length: 30 }, (_, i) => keys.create({ account: 1 + i }) as Required<ApiKey>)
  const open = async (pool: EnginePool, own: Partial<VenueServerOptions>) => {
    const modules = serverModules as ServerModules
    const server = await VenueServer.open({ pool, keys: keys.file, modules, ...own })
    await server.ready()
    return server
  }
  beforeAll(async () => {
    if (typeof serverModules === 'string') return
    const pool = await EnginePool.open({ instruments: served, dir })
    venue = { pool, server: await open(pool, options) }
  })
  afterAll(async () => {
    await venue?.server.close()
    await venue?.pool.close()
    rmSync(dir, { recursive: true })
  })
  return {
    dir,
    /** The keys of `more`. */
    made,
    get pool() {
      return venue!.pool
    },
    get server() {
      return venue!.server
    },
    /** A key of an account that nothing was done with. */
    newKey: () => unused.shift()!,
    /** Another server of the same pool, closed when the test is over. */
    async another(own: Partial<VenueServerOptions>): Promise<VenueServer> {
      const server = await open(venue!.pool, own)
      onTestFinished(() => server.close())
      return server
    },
  }
}
