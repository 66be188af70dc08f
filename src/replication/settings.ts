import { wrongOptions } from '../base/known-fields.js'
import { badReplicationSetting, ReplicationError } from '../log/thread.js'

/** Shorter leases would end whenever a node or this process is slow for a moment; longer ones say nothing. */
const leaseTtlMsRange = { min: 500, max: 3_600_000 } as const

/** @throws ReplicationError `TIDEMARK_BAD_SETTING`. */
export function checkLeaseTtl(ttlMs: number): number {
  return requireNumber('ttlMs', ttlMs, leaseTtlMsRange.min, leaseTtlMsRange.max)
}

/** @throws ReplicationError `TIDEMARK_BAD_SETTING`. */
export function requireNumber(setting: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw badReplicationSetting(setting, value, `a number from ${min} to ${max}`)
}

/** Refuses options that are no object, or have a name that `call` does not know. @throws ReplicationError `TIDEMARK_BAD_SETTING`. */
export function checkOptions<Options extends object>(
  call: string,
  options: Options,
  names: Record<keyof Options, true>,
): void {
  const wrong = wrongOptions(call, options, new Set(Object.keys(names)))
  if (wrong !== undefined)
    throw new ReplicationError('TIDEMARK_BAD_SETTING', wrong.message, { ...wrong.details })
}
