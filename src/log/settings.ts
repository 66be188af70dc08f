import { availableParallelism } from 'node:os'
import { badSetting } from './errors.js'
import type { Durability } from './flush/flusher.js'
import { optionNames } from './options.js'
import { ringBytesMax, ringBytesMin } from './ring/memory.js'

/** The names of `presets`. */
export type Preset = 'lowLatency' | 'balanced' | 'highThroughput'

/** How a log writes. Every setting can be given as an option or in the environment; see `resolveLogSettings`. */
export interface LogSettings {
  /** What is pending is flushed when it is this many records … */
  readonly batchSize: number
  /** … or the oldest is this many milliseconds old. 0: whenever the disk is free. */
  readonly batchDelayMs: number
  /** `group`: one sync for all that is pending; `each`: one sync a record; `unsafeNone`: acknowledged before any sync. */
  readonly durability: Durability
  /** Shared memory between producers and the flusher; a power of two. */
  readonly ringBytes: number
  /** Bytes of batches in a segment file. */
  readonly segmentBytes: number
  /** The largest batch; a larger record goes into several, in pieces. */
  readonly maxBatchBytes: number
  /**
   * Microseconds for which a thread that has nothing to do looks for work before it sleeps. 0 unless there are more processors
   * than threads that are busy at once.
   */
  readonly spinUs: number
}

/** Settings of a log; what is left out is taken from the environment, the preset or the default. */
export type LogSettingOptions = { readonly [K in keyof LogSettings]?: LogSettings[K] | undefined } & {
  /** Sets `batchSize` and `batchDelayMs` together; `lowLatency` by default. */
  readonly preset?: Preset | undefined
}

export const logSettingNames = optionNames<LogSettingOptions>({
  batchSize: true,
  batchDelayMs: true,
  durability: true,
  ringBytes: true,
  segmentBytes: true,
  maxBatchBytes: true,
  spinUs: true,
  preset: true,
})

/** Three trade-offs between latency and throughput, by name. */
export const presets: Record<Preset, Pick<LogSettings, 'batchSize' | 'batchDelayMs'>> = {
  lowLatency: { batchSize: 1, batchDelayMs: 0 },
  balanced: { batchSize: 100, batchDelayMs: 10 },
  highThroughput: { batchSize: 1000, batchDelayMs: 50 },
}

const durabilities: readonly Durability[] = ['group', 'each', 'unsafeNone']

const defaults: Omit<LogSettings, 'spinUs'> = {
  ...presets.lowLatency,
  durability: 'group',
  ringBytes: 16 * 1024 * 1024,
  segmentBytes: 64 * 1024 * 1024,
  maxBatchBytes: 256 * 1024,
}

const segmentBytesMin = 16 * 1024
const segmentBytesMax = 4 * 1024 * 1024 * 1024
const batchSizeMax = 1_000_000
const batchDelayMsMax = 10_000
const spinUsMax = 1000
const spinUsWhereFree = 50
/** The thread that appends, and the flusher. */
const busyThreads = 2

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Settles the settings: options first, then the environment (`TIDEMARK_BATCH_SIZE`, `TIDEMARK_BATCH_DELAY_MS`,
 * `TIDEMARK_DURABILITY`, `TIDEMARK_PRESET`, `TIDEMARK_RING_BYTES`, `TIDEMARK_SEGMENT_BYTES`, `TIDEMARK_SPIN_US`), then the
 * preset, then the default.
 *
 * @throws LogError `TIDEMARK_BAD_SETTING` that names the setting or variable, the value and what is allowed.
 */
export function resolveLogSettings(
  options: LogSettingOptions,
  environment: Environment = process.env,
): LogSettings {
  const presetNames = Object.keys(presets) as Preset[]
  const preset =
    presets[
      choiceSetting('preset', options.preset, 'TIDEMARK_PRESET', environment, presetNames) ?? 'lowLatency'
    ]
  const ringBytes =
    integerSetting(
      'ringBytes',
      options.ringBytes,
      'TIDEMARK_RING_BYTES',
      environment,
      ringBytesMin,
      ringBytesMax,
    ) ?? defaults.ringBytes
  const maxBatchBytes = options.maxBatchBytes ?? Math.min(defaults.maxBatchBytes, ringBytes / 4)
  return {
    batchSize:
      integerSetting('batchSize', options.batchSize, 'TIDEMARK_BATCH_SIZE', environment, 1, batchSizeMax) ??
      preset.batchSize,
    batchDelayMs:
      numberSetting(
        'batchDelayMs',
        options.batchDelayMs,
        'TIDEMARK_BATCH_DELAY_MS',
        environment,
        0,
        batchDelayMsMax,
      ) ?? preset.batchDelayMs,
    durability:
      choiceSetting('durability', options.durability, 'TIDEMARK_DURABILITY', environment, durabilities) ??
      defaults.durability,
    ringBytes,
    segmentBytes:
      integerSetting(
        'segmentBytes',
        options.segmentBytes,
        'TIDEMARK_SEGMENT_BYTES',
        environment,
        Math.max(segmentBytesMin, maxBatchBytes),
        segmentBytesMax,
      ) ?? Math.max(defaults.segmentBytes, maxBatchBytes),
    maxBatchBytes,
    spinUs: spinSetting(options.spinUs, environment, busyThreads),
  }
}

/**
 * How long threads spin. Unless stated, not at all where there are no more processors than threads that are busy at once: a
 * thread that spins there keeps the one that it waits for from running.
 */
export function spinSetting(
  option: number | undefined,
  environment: Environment,
  busyThreads: number,
  processors = availableParallelism(),
): number {
  return (
    integerSetting('spinUs', option, 'TIDEMARK_SPIN_US', environment, 0, spinUsMax) ??
    (processors > busyThreads ? spinUsWhereFree : 0)
  )
}

/** An option, or else a variable of the environment, as a number in a range; `undefined` when neither is given. */
export function numberSetting(
  setting: string,
  option: number | undefined,
  variable: string,
  environment: Environment,
  min: number,
  max: number,
): number | undefined {
  const text = environment[variable]
  const [name, given, value] =
    option !== undefined
      ? [setting, option, option]
      : [variable, text, text === undefined || text.trim() === '' ? undefined : Number(text)]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw badSetting(name, given, `a number from ${min} to ${max}`)
  }
  return value
}

/** Like `numberSetting`, for whole numbers. */
export function integerSetting(...args: Parameters<typeof numberSetting>): number | undefined {
  const [setting, option, variable, , min, max] = args
  const value = numberSetting(...args)
  if (value !== undefined && !Number.isInteger(value)) {
    throw badSetting(option !== undefined ? setting : variable, value, `a whole number from ${min} to ${max}`)
  }
  return value
}

/** An option, or else a variable of the environment, as one of some words; `undefined` when neither is given. */
function choiceSetting<T extends string>(
  setting: string,
  option: T | undefined,
  variable: string,
  environment: Environment,
  choices: readonly T[],
): T | undefined {
  const value = option ?? (environment[variable] || undefined)
  if (value === undefined) return undefined
  if (!(choices as readonly string[]).includes(value)) {
    throw badSetting(option !== undefined ? setting : variable, value, `one of ${choices.join(', ')}`)
  }
  return value as T
}
