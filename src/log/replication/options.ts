import { delayMsMax } from '../../base/clock.js'
import { badSetting } from '../errors.js'
import { checkOptions, optionNames } from '../options.js'
import { checkPoolName, type ReplicationEngine } from '../replicated/index.js'

/** What an acknowledgement says: `replicated`, on this disk and in the replicated log; `local`, on this disk. */
export type ReplicationAck = 'replicated' | 'local'

/** The log goes to a replicated log as well; docs/replication.md says what is promised. */
export interface ReplicationOptions {
  /** The engine that holds the replicated log, such as `etcd({ … })`. */
  readonly log: ReplicationEngine
  /** The log's name there: 1 to 64 characters of a-z, 0-9, "-", "_" and ".". One folder at a time is its primary. */
  readonly pool: string
  /** What an acknowledgement waits for. Default `replicated`. */
  readonly ack?: ReplicationAck | undefined
  /** The largest entry, in bytes: at least `maxBatchBytes` of the log, at most 1 MiB. Default 256 KiB. */
  readonly entryBytes?: number | undefined
  /** Entries that may be on their way at once, 1 to 64. Default 8. */
  readonly inFlight?: number | undefined
  /**
   * Bytes of the log that the engine keeps, 1 MiB to 64 GiB. A standby that needs what came before must be seeded anew. Default
   * 128 MiB.
   */
  readonly windowBytes?: number | undefined
  /** How long the primary counts as alive when it no longer says so, in milliseconds. Default 2000. */
  readonly leaseMs?: number | undefined
  /**
   * How long a close waits for the replicated log to take what is left, and how long an opening does that it takes nothing from, in
   * milliseconds. Default 5000.
   */
  readonly closeMs?: number | undefined
}

export interface ReplicationSettings {
  readonly engine: ReplicationEngine
  readonly pool: string
  readonly ack: ReplicationAck
  readonly entryBytes: number
  readonly inFlight: number
  readonly windowBytes: number
  readonly leaseMs: number
  readonly closeMs: number
}

const replicationOptions = optionNames<ReplicationOptions>({
  log: true,
  pool: true,
  ack: true,
  entryBytes: true,
  inFlight: true,
  windowBytes: true,
  leaseMs: true,
  closeMs: true,
})

const acks: readonly ReplicationAck[] = ['replicated', 'local']
const entryBytesDefault = 256 * 1024
const entryBytesMax = 1024 * 1024
const inFlightDefault = 8
const inFlightMax = 64
const windowBytesDefault = 128 * 1024 * 1024
const windowBytesMin = 1024 * 1024
const windowBytesMax = 64 * 1024 * 1024 * 1024
const leaseMsDefault = 2000
const leaseMsMin = 500
const leaseMsMax = 600_000
const closeMsDefault = 5000

/**
 * Settles how a log is replicated.
 *
 * @throws LogError `TIDEMARK_BAD_SETTING` that names the option, the value and what is allowed.
 */
export function resolveReplication(
  options: ReplicationOptions,
  log: { readonly maxBatchBytes: number; readonly durability: string },
): ReplicationSettings {
  checkOptions('The option replication', options, replicationOptions)
  const { ack = 'replicated' } = options
  if (!acks.includes(ack)) throw badSetting('replication.ack', ack, `one of ${acks.join(', ')}`)
  if (log.durability === 'unsafeNone') {
    throw badSetting('durability', log.durability, 'group or each with replication: it ships what is synced')
  }
  const entryBytesMin = log.maxBatchBytes
  if (entryBytesMin > entryBytesMax) {
    throw badSetting(
      'maxBatchBytes',
      entryBytesMin,
      `at most ${entryBytesMax} bytes with replication, which is the most that an entry has`,
    )
  }
  return {
    engine: checkEngine(options.log),
    pool: checkPoolName(options.pool),
    ack,
    entryBytes: whole(
      'entryBytes',
      options,
      entryBytesMin,
      entryBytesMax,
      Math.max(entryBytesDefault, entryBytesMin),
    ),
    inFlight: whole('inFlight', options, 1, inFlightMax, inFlightDefault),
    windowBytes: whole('windowBytes', options, windowBytesMin, windowBytesMax, windowBytesDefault),
    leaseMs: whole('leaseMs', options, leaseMsMin, leaseMsMax, leaseMsDefault),
    closeMs: whole('closeMs', options, 0, delayMsMax, closeMsDefault),
  }
}

function checkEngine(engine: unknown): ReplicationEngine {
  const { name, module, options } = (engine ?? {}) as ReplicationEngine
  if (typeof name !== 'string' || typeof module !== 'string') {
    throw badSetting('replication.log', engine, 'what etcd({ … }) of tidemark/replication/etcd returns')
  }
  try {
    structuredClone(options)
  } catch {
    throw badSetting('replication.log', engine, 'an engine whose options can be sent to another thread')
  }
  return { name, module, options }
}

function whole(
  name: 'entryBytes' | 'inFlight' | 'windowBytes' | 'leaseMs' | 'closeMs',
  options: ReplicationOptions,
  min: number,
  max: number,
  byDefault: number,
): number {
  const value = options[name]
  if (value === undefined) return byDefault
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw badSetting(`replication.${name}`, value, `a whole number from ${min} to ${max}`)
}
