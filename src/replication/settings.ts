import { didYouMean, unknownFieldOf } from '../base/known-fields.js'
import { shown } from '../base/shown.js'
import { ReplicationError } from './errors.js'

/** Checks the name of a pool, which becomes a part of keys. @throws ReplicationError `TIDEMARK_BAD_SETTING`. */
export function checkPoolName(pool: unknown): string {
  return checkName('pool', pool)
}

/** Checks the name of a standby. @throws ReplicationError `TIDEMARK_BAD_SETTING`. */
export function checkStandbyName(name: unknown): string {
  return checkName('standby', name)
}

function checkName(setting: string, name: unknown): string {
  if (typeof name === 'string' && /^[a-z0-9._-]{1,64}$/.test(name)) return name
  throw badSetting(setting, name, '1 to 64 characters of a-z, 0-9, "-", "_" and "."')
}

/** Shorter leases would end whenever a node or this process is slow for a moment; longer ones say nothing. */
const leaseTtlMsRange = { min: 500, max: 3_600_000 } as const

/** @throws ReplicationError `TIDEMARK_BAD_SETTING`. */
export function checkLeaseTtl(ttlMs: number): number {
  return requireNumber('ttlMs', ttlMs, leaseTtlMsRange.min, leaseTtlMsRange.max)
}

/** @throws ReplicationError `TIDEMARK_BAD_SETTING`. */
export function requireNumber(setting: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw badSetting(setting, value, `a number from ${min} to ${max}`)
}

/** Refuses options that are no object, or have a name that `call` does not know. @throws ReplicationError `TIDEMARK_BAD_SETTING`. */
export function checkOptions<Options extends object>(
  call: string,
  options: Options,
  names: Record<keyof Options, true>,
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const given = options === null ? 'null' : Array.isArray(options) ? 'an array' : typeof options
    throw new ReplicationError('TIDEMARK_BAD_SETTING', `${call} takes an object of options, not ${given}.`, {
      setting: 'options',
      value: options,
    })
  }
  const known = new Set(Object.keys(names))
  const setting = unknownFieldOf(options, known)
  if (setting === undefined) return
  throw new ReplicationError(
    'TIDEMARK_BAD_SETTING',
    `${call} has no option ${JSON.stringify(setting)}.${didYouMean(setting, known)}`,
    { setting, value: (options as Record<string, unknown>)[setting] },
  )
}

/** A setting that cannot be used; `allowed` completes the sentence "use …". */
export function badSetting(setting: string, value: unknown, allowed: string): ReplicationError {
  return new ReplicationError('TIDEMARK_BAD_SETTING', `${setting} is ${shown(value)}; use ${allowed}.`, {
    setting,
    value,
  })
}
