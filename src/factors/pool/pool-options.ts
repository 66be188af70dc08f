import {
  badSetting,
  checkOptions,
  type LogOptions,
  type LogStats,
  logOptionNames,
  optionNames,
} from '../../log/index.js'

/** What a pool of factors is opened with. */
export interface FactorPoolOptions {
  /** Folder of the log and the snapshots: of the same format as a `DurableFactorEngine`'s. */
  readonly dir: string
  /** Settings of its log. */
  readonly log?: LogOptions | undefined
  /** Worker threads. Default 2. May differ from one opening to the next. */
  readonly workers?: number | undefined
  /** Ticks that may wait for each worker, rounded up to a power of two, at least 4. Default 65,536. */
  readonly queueTicks?: number | undefined
  /** Ticks in one record of the log, at most. Default 100. */
  readonly batchSize?: number | undefined
  /** Whether a tick that finds no room is an error (`wait`: await `ready`) or dropped and counted. Default `wait`. */
  readonly whenFull?: 'wait' | 'drop' | undefined
}

const poolOptions = optionNames<FactorPoolOptions>({
  dir: true,
  log: true,
  workers: true,
  queueTicks: true,
  batchSize: true,
  whenFull: true,
})

/** Figures of a pool of factors. */
export interface FactorPoolStats {
  /** How many ticks were computed and are on disk. */
  readonly ticks: number
  /** How many ticks were dropped because a queue was full. */
  readonly dropped: number
  /** How many ticks were refused because a queue was full. */
  readonly refused: number
  /** Ticks that each worker has not taken yet. */
  readonly queued: readonly number[]
  /** How many instruments have factors. */
  readonly instruments: number
  /** Figures of the log. */
  readonly log: LogStats
}

const workersMax = 64
const queueTicksMax = 1 << 24
const batchSizeMax = 100_000

interface PoolSettings {
  readonly workers: number
  readonly queueTicks: number
  readonly batchSize: number
  readonly whenFull: 'wait' | 'drop'
}

/** Fills in defaults. @throws LogError `TIDEMARK_BAD_SETTING` that names the option, the value and what is allowed. */
export function resolvePoolOptions(options: FactorPoolOptions): PoolSettings {
  checkOptions('FactorPool.open', options, poolOptions)
  if (options.log !== undefined) checkOptions('The option log', options.log, logOptionNames)
  const { workers = 2, queueTicks = 65_536, batchSize = 100, whenFull = 'wait' } = options
  checkWhole('workers', workers, workersMax)
  checkWhole('queueTicks', queueTicks, queueTicksMax)
  checkWhole('batchSize', batchSize, batchSizeMax)
  if (whenFull !== 'wait' && whenFull !== 'drop') throw badSetting('whenFull', whenFull, 'wait or drop')
  return { workers, queueTicks, batchSize, whenFull }
}

function checkWhole(setting: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return
  throw badSetting(setting, value, `a whole number from 1 to ${max}`)
}
