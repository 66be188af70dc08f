import * as os from 'node:os'
import * as path from 'node:path'
import {
  badSetting,
  checkOptions,
  checkStandbyName,
  type ReplicationEngine,
  resolveLogSettings,
  resolveReplication,
} from '../log/index.js'
import type { EnginePoolOptions } from '../pool/index.js'
import type { Seed } from './seed.js'

/**
 * How a standby is opened: as the pool that it becomes when it is promoted, with what is its own beside that.
 */
export interface StandbyOptions extends EnginePoolOptions {
  /**
   * Where the log is, and under which name: what the primary's `replication` says. The rest of it counts when the standby is
   * promoted; `leaseMs` is also how long it counts as alive itself when it no longer says so.
   */
  readonly replication: NonNullable<EnginePoolOptions['replication']>
  /** Folder of the copy; made when it is not there. Environment: `TIDEMARK_DIR`. */
  readonly dir?: string | undefined
  /**
   * From where the standby is seeded when the replicated log no longer reaches back to what it has: a folder that it can
   * read, the primary's own or a backup, or the address of a `seedHandler`. Without one it fails then.
   */
  readonly seed?: Seed | undefined
  /** Its name among the standbys: 1 to 64 characters of a-z, 0-9, "-", "_" and ".". Default: of the host and the folder. */
  readonly name?: string | undefined
  /**
   * Whether it promotes itself when the primary's lease is gone, or when there was no primary for as long as a lease lasts
   * (`leaseMs` of `replication`). Default false.
   */
  readonly autoPromote?: boolean | undefined
  /** Called while it is seeded, with how much is copied, and of how much; no event can be listened to before it is open. */
  readonly onSeeding?: ((bytesDone: number, bytesTotal: number) => void) | undefined
}

export interface StandbySettings {
  readonly engine: ReplicationEngine
  readonly pool: string
  readonly dir: string
  readonly seed: Seed | undefined
  readonly name: string
  readonly autoPromote: boolean
  readonly leaseMs: number
  readonly onSeeding: (bytesDone: number, bytesTotal: number) => void
  /** What the pool gets. */
  readonly poolOptions: EnginePoolOptions
}

/** @throws LogError, ReplicationError `TIDEMARK_BAD_SETTING`. */
export function resolveStandby(
  options: StandbyOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): StandbySettings {
  if (typeof options !== 'object' || options === null) throw badSetting('options', options, 'an object')
  const { seed, name, autoPromote = false, onSeeding, ...poolOptions } = options
  const { replication } = options
  if (typeof replication !== 'object' || replication === null) {
    throw badSetting('replication', replication, 'an object with log and pool, as the primary has it')
  }
  const dir = options.dir ?? environment['TIDEMARK_DIR']
  if (typeof dir !== 'string' || dir === '') {
    throw badSetting('dir', dir, 'the path of a folder, as an option or in TIDEMARK_DIR')
  }
  if (typeof autoPromote !== 'boolean') throw badSetting('autoPromote', autoPromote, 'true or false')
  const resolved = path.resolve(dir)
  if (onSeeding !== undefined && typeof onSeeding !== 'function') {
    throw badSetting('onSeeding', onSeeding, 'a function')
  }
  const { engine, pool, leaseMs } = resolveReplication(replication, resolveLogSettings(options, environment))
  return {
    engine,
    pool,
    dir: resolved,
    seed: seed === undefined ? undefined : checkSeed(seed),
    name: name === undefined ? defaultName(resolved) : checkStandbyName(name),
    autoPromote,
    leaseMs,
    onSeeding: onSeeding ?? (() => {}),
    poolOptions: { ...poolOptions, dir: resolved },
  }
}

function checkSeed(seed: Seed): Seed {
  checkOptions('seed', seed, new Set(['dir', 'url']))
  const { dir, url } = seed as { dir?: unknown; url?: unknown }
  if (typeof dir === 'string' && dir !== '' && url === undefined) return { dir: path.resolve(dir) }
  if (typeof url === 'string' && /^https?:\/\//.test(url) && dir === undefined) return { url }
  throw badSetting(
    'seed',
    seed,
    '{ dir } with the path of a folder, or { url } with an address of http or https',
  )
}

/** What is not allowed in a name becomes a dash; the end of the path says more than its beginning. */
function defaultName(dir: string): string {
  const name = `${os.hostname()}.${dir.slice(1)}`.toLowerCase().replace(/[^a-z0-9._-]+/g, '-')
  return name.length <= 64 ? name : name.slice(name.length - 64)
}
