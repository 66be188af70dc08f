import { badSetting, optionNames } from '../../log/index.js'

/**
 * What becomes of a message when the channel is full. `wait`: it is not taken, `send…` throws and `persist…` waits.
 * `latest`: it takes the place of the one of its series that waits. `drop`: it is dropped and counted.
 */
export type WhenFull = 'wait' | 'latest' | 'drop'

/** The names of `persisterPresets`. */
export type PersisterPreset = 'highThroughput' | 'balanced' | 'lowLatency'

/** The settings of a persister, all of them settled. */
export interface PersisterSettings {
  /** Messages in one record of the log, at most. */
  readonly batchSize: number
  /** How long the first message of a batch waits for the others, in milliseconds. */
  readonly maxDelayMs: number
  /** True: batches go to the log as they fill, and one sync covers many. False: the next waits for the sync of the last. */
  readonly groupCommit: boolean
  /** What becomes of a message when the channel is full. */
  readonly whenFull: WhenFull
  /** Messages that may wait for their batch. */
  readonly capacity: number
}

/** Settings of a persister; what is left out is taken from the preset. */
export type PersisterOptions = {
  readonly [K in keyof PersisterSettings]?: PersisterSettings[K] | undefined
} & {
  /** A batch size and delay; default `balanced`. */
  readonly preset?: PersisterPreset | undefined
}

export const persisterOptions = optionNames<PersisterOptions>({
  batchSize: true,
  maxDelayMs: true,
  groupCommit: true,
  whenFull: true,
  capacity: true,
  preset: true,
})

/** Of options that are also for something else, those of a persister. */
export function onlyPersister(options: PersisterOptions): PersisterOptions {
  const { batchSize, maxDelayMs, groupCommit, whenFull, capacity, preset } = options
  return { batchSize, maxDelayMs, groupCommit, whenFull, capacity, preset }
}

/** Three trade-offs between latency and throughput, by name. */
export const persisterPresets: Record<
  PersisterPreset,
  Pick<PersisterSettings, 'batchSize' | 'maxDelayMs'>
> = {
  highThroughput: { batchSize: 1000, maxDelayMs: 50 },
  balanced: { batchSize: 100, maxDelayMs: 10 },
  lowLatency: { batchSize: 10, maxDelayMs: 1 },
}

const numberMax = { batchSize: 100_000, capacity: 10_000_000, maxDelayMs: 10_000 }

/** Settles the settings: options, then the preset, then the default. @throws LogError `TIDEMARK_BAD_SETTING`. */
export function resolvePersisterSettings(options: PersisterOptions): PersisterSettings {
  const presets = Object.keys(persisterPresets)
  const name = options.preset ?? 'balanced'
  if (!presets.includes(name)) throw badSetting('preset', name, `one of ${presets.join(', ')}`)
  const settings: PersisterSettings = {
    batchSize: options.batchSize ?? persisterPresets[name].batchSize,
    maxDelayMs: options.maxDelayMs ?? persisterPresets[name].maxDelayMs,
    groupCommit: options.groupCommit ?? true,
    whenFull: options.whenFull ?? 'wait',
    capacity: options.capacity ?? 65_536,
  }
  for (const setting of ['batchSize', 'capacity'] as const) {
    const value = settings[setting]
    if (!(Number.isInteger(value) && value >= 1 && value <= numberMax[setting])) {
      throw badSetting(setting, value, `a whole number from 1 to ${numberMax[setting]}`)
    }
  }
  if (!(settings.maxDelayMs >= 0 && settings.maxDelayMs <= numberMax.maxDelayMs)) {
    throw badSetting('maxDelayMs', settings.maxDelayMs, `a number from 0 to ${numberMax.maxDelayMs}`)
  }
  if (typeof settings.groupCommit !== 'boolean') {
    throw badSetting('groupCommit', settings.groupCommit, 'true or false')
  }
  if (!['wait', 'latest', 'drop'].includes(settings.whenFull)) {
    throw badSetting('whenFull', settings.whenFull, 'one of wait, latest, drop')
  }
  if (settings.batchSize > settings.capacity) {
    throw badSetting(
      'batchSize',
      settings.batchSize,
      `a number not above capacity, which is ${settings.capacity}`,
    )
  }
  return settings
}
