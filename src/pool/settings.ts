import { badSetting } from '../log/errors.js'
import { type Environment, integerSetting } from '../log/settings.js'

export const shardsMax = 64
export const maxInFlightMax = 4_194_304

const defaultShards = 1
const defaultMaxInFlight = 65_536

export interface PoolSettings {
  readonly dir: string
  readonly shards: number
  readonly maxInFlight: number
}

/**
 * Settles what is the pool's own: options, then `TIDEMARK_DIR`, `TIDEMARK_SHARDS` and `TIDEMARK_MAX_IN_FLIGHT`, then
 * the defaults. The log's settings are settled by `resolveLogSettings`.
 *
 * @throws LogError `TIDEMARK_BAD_SETTING`.
 */
export function resolvePoolSettings(
  options: { dir?: string | undefined; shards?: number | undefined; maxInFlight?: number | undefined },
  environment: Environment = process.env,
): PoolSettings {
  const dir = options.dir ?? environment['TIDEMARK_DIR']
  if (typeof dir !== 'string' || dir === '') {
    throw badSetting('dir', options.dir, 'the path of a folder, as an option or in TIDEMARK_DIR')
  }
  return {
    dir,
    shards:
      integerSetting('shards', options.shards, 'TIDEMARK_SHARDS', environment, 1, shardsMax) ?? defaultShards,
    maxInFlight:
      integerSetting(
        'maxInFlight',
        options.maxInFlight,
        'TIDEMARK_MAX_IN_FLIGHT',
        environment,
        1,
        maxInFlightMax,
      ) ?? defaultMaxInFlight,
  }
}
