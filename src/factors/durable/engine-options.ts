import type { Clock } from '../../base/clock.js'
import { badSetting, checkOptions, type LogOptions, logOptionNames, optionNames } from '../../log/index.js'
import { type PersisterOptions, persisterOptions } from './persister-settings.js'

/** What a durable factor engine is opened with. */
export interface DurableFactorOptions extends PersisterOptions {
  /** Folder of the log and, below it, of the snapshots; made when it is not there. */
  readonly dir: string
  /** Settings of the log itself. */
  readonly log?: LogOptions | undefined
  /** Whether every tick is logged with its values. Without it only snapshots and `persist` reach the disk. Default true. */
  readonly autoPersist?: boolean | undefined
  /** Ticks after which a snapshot is taken; 0: never by itself. Default 100,000. */
  readonly snapshotEveryTicks?: number | undefined
  /** Snapshots that are kept. Default 2. */
  readonly keepSnapshots?: number | undefined
  /** Whether log segments that no kept snapshot needs are deleted. Default false: history stays readable. */
  readonly reclaimLog?: boolean | undefined
  /** Time, for tests. @internal */
  readonly clock?: Clock | undefined
}

const engineOptions = new Set([
  ...persisterOptions,
  ...optionNames<Omit<DurableFactorOptions, keyof PersisterOptions>>({
    dir: true,
    log: true,
    autoPersist: true,
    snapshotEveryTicks: true,
    keepSnapshots: true,
    reclaimLog: true,
    clock: true,
  }),
])

/** What an engine does beside what its persister does. */
export interface EngineSettings {
  readonly autoPersist: boolean
  readonly snapshotEveryTicks: number
  readonly keepSnapshots: number
  readonly reclaimLog: boolean
}

/** Fills in defaults. @throws LogError `TIDEMARK_BAD_SETTING` that names the option, the value and what is allowed. */
export function resolveEngineOptions(options: DurableFactorOptions): EngineSettings {
  checkOptions('DurableFactorEngine.open', options, engineOptions)
  if (options.log !== undefined) checkOptions('The option log', options.log, logOptionNames)
  const { autoPersist = true, snapshotEveryTicks = 100_000, keepSnapshots = 2, reclaimLog = false } = options
  if (!(Number.isInteger(snapshotEveryTicks) && snapshotEveryTicks >= 0)) {
    throw badSetting('snapshotEveryTicks', snapshotEveryTicks, 'a whole number from 0 on')
  }
  if (!(Number.isInteger(keepSnapshots) && keepSnapshots >= 1)) {
    throw badSetting('keepSnapshots', keepSnapshots, 'a whole number from 1 on')
  }
  if (options.whenFull === 'latest' && autoPersist) {
    throw badSetting(
      'whenFull',
      'latest',
      'wait or drop: a tick that was computed cannot be left out of the log',
    )
  }
  return { autoPersist, snapshotEveryTicks, keepSnapshots, reclaimLog }
}
