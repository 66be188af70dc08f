import { badReplicationSetting } from './errors.js'

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
  throw badReplicationSetting(setting, name, '1 to 64 characters of a-z, 0-9, "-", "_" and "."')
}
