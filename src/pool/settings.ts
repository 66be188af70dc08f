import { type Clock, delayMsMax, systemClock } from '../base/clock.js'
import {
  badSetting,
  checkOptions,
  defaultCursorKeepBytes,
  type Environment,
  integerSetting,
  type LogSettingOptions,
  logSettingNames,
  numberSetting,
  optionNames,
  spinSetting,
} from '../log/index.js'
import type { CheckpointSettings } from './checkpoint/checkpointer.js'
import type { EnginePoolOptions } from './types.js'

/** The most matching threads. */
export const shardsMax = 64
/** The highest value of `maxInFlight`. */
export const maxInFlightMax = 4_194_304
/** The highest value of `maxQuestions`. */
export const maxQuestionsMax = 65_536

const keepSnapshotsMax = 1000
const defaultCheckpointBytes = 256 * 1024 * 1024
const defaultKeepSnapshots = 2
const defaultShards = 1
/** The caller's, and the flusher. */
const threadsBesideShards = 2
const defaultMaxInFlight = 65_536
const defaultMaxQuestions = 256

const poolOptions = new Set([
  ...logSettingNames,
  ...optionNames<Omit<EnginePoolOptions, keyof LogSettingOptions>>({
    dir: true,
    shards: true,
    instruments: true,
    maxInFlight: true,
    maxQuestions: true,
    checkpointBytes: true,
    checkpointIntervalMs: true,
    keepSnapshots: true,
    keepLogBytes: true,
    keepLogHours: true,
    cursorKeepBytes: true,
    archive: true,
    replication: true,
    refuseExpired: true,
    clock: true,
  }),
])

export interface PoolSettings {
  readonly dir: string
  readonly shards: number
  readonly maxInFlight: number
  readonly maxQuestions: number
  readonly checkpoints: CheckpointSettings
  /** How many bytes below the durable LSN a cursor may stand and still keep the log that it needs. */
  readonly cursorKeepBytes: number
  /** Folder of the archive, where there is one. */
  readonly archive: string | undefined
  /** Whether GTD orders are refused whose time is over. */
  readonly refuseExpired: boolean
  readonly clock: Clock
  /** How long the shards and the flusher spin before they sleep. */
  readonly spinUs: number
}

/**
 * Settles what is the pool's own: options, then `TIDEMARK_DIR`, `TIDEMARK_SHARDS`, `TIDEMARK_MAX_IN_FLIGHT`,
 * `TIDEMARK_MAX_QUESTIONS`, `TIDEMARK_CHECKPOINT_BYTES`, `TIDEMARK_CHECKPOINT_INTERVAL_MS`, `TIDEMARK_KEEP_SNAPSHOTS`,
 * `TIDEMARK_KEEP_LOG_BYTES`, `TIDEMARK_KEEP_LOG_HOURS`, `TIDEMARK_CURSOR_KEEP_BYTES` and `TIDEMARK_ARCHIVE`, then the defaults.
 * The log's settings are settled by `resolveLogSettings`, but for `spinUs` (`TIDEMARK_SPIN_US`), whose default depends on the
 * shards.
 *
 * @throws LogError `TIDEMARK_BAD_SETTING`.
 */
export function resolvePoolSettings(
  options: EnginePoolOptions,
  environment: Environment = process.env,
): PoolSettings {
  checkOptions('EnginePool.open', options, poolOptions)
  if (options.instruments !== undefined && !Array.isArray(options.instruments)) {
    throw badSetting('instruments', options.instruments, 'an array of instruments')
  }
  if (options.clock !== undefined && typeof options.clock?.nowMs !== 'function') {
    throw badSetting('clock', options.clock, 'an object with nowMs, wallMs and after')
  }
  if (options.refuseExpired !== undefined && typeof options.refuseExpired !== 'boolean') {
    throw badSetting('refuseExpired', options.refuseExpired, 'true or false')
  }
  const dir = options.dir ?? environment['TIDEMARK_DIR']
  if (typeof dir !== 'string' || dir === '') {
    throw badSetting('dir', options.dir, 'the path of a folder, as an option or in TIDEMARK_DIR')
  }
  const archive = options.archive ?? environment['TIDEMARK_ARCHIVE']
  if (archive !== undefined && (typeof archive !== 'string' || archive === '')) {
    throw badSetting('archive', archive, 'the path of a folder')
  }
  const shards =
    integerSetting('shards', options.shards, 'TIDEMARK_SHARDS', environment, 1, shardsMax) ?? defaultShards
  return {
    dir,
    shards,
    archive,
    refuseExpired: options.refuseExpired ?? false,
    clock: options.clock ?? systemClock,
    maxInFlight:
      integerSetting(
        'maxInFlight',
        options.maxInFlight,
        'TIDEMARK_MAX_IN_FLIGHT',
        environment,
        1,
        maxInFlightMax,
      ) ?? defaultMaxInFlight,
    maxQuestions:
      integerSetting(
        'maxQuestions',
        options.maxQuestions,
        'TIDEMARK_MAX_QUESTIONS',
        environment,
        1,
        maxQuestionsMax,
      ) ?? defaultMaxQuestions,
    checkpoints: {
      checkpointBytes:
        integerSetting(
          'checkpointBytes',
          options.checkpointBytes,
          'TIDEMARK_CHECKPOINT_BYTES',
          environment,
          0,
          Number.MAX_SAFE_INTEGER,
        ) ?? defaultCheckpointBytes,
      checkpointIntervalMs:
        integerSetting(
          'checkpointIntervalMs',
          options.checkpointIntervalMs,
          'TIDEMARK_CHECKPOINT_INTERVAL_MS',
          environment,
          0,
          delayMsMax,
        ) ?? 0,
      keepSnapshots:
        integerSetting(
          'keepSnapshots',
          options.keepSnapshots,
          'TIDEMARK_KEEP_SNAPSHOTS',
          environment,
          1,
          keepSnapshotsMax,
        ) ?? defaultKeepSnapshots,
      keepLogBytes:
        numberSetting(
          'keepLogBytes',
          options.keepLogBytes,
          'TIDEMARK_KEEP_LOG_BYTES',
          environment,
          0,
          Number.POSITIVE_INFINITY,
        ) ?? Number.POSITIVE_INFINITY,
      keepLogHours:
        numberSetting(
          'keepLogHours',
          options.keepLogHours,
          'TIDEMARK_KEEP_LOG_HOURS',
          environment,
          0,
          Number.POSITIVE_INFINITY,
        ) ?? Number.POSITIVE_INFINITY,
    },
    cursorKeepBytes:
      numberSetting(
        'cursorKeepBytes',
        options.cursorKeepBytes,
        'TIDEMARK_CURSOR_KEEP_BYTES',
        environment,
        0,
        Number.POSITIVE_INFINITY,
      ) ?? defaultCursorKeepBytes,
    spinUs: spinSetting(options.spinUs, environment, shards + threadsBesideShards),
  }
}
