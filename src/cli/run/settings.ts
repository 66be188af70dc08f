import type { Durability, Preset } from '../../log/index.js'
import type { FlowSettings } from '../flow/flow-settings.js'
import type { InputFormat } from '../inputs/input-format.js'

/** Everything that the flags of `tidemark run` say. */
export interface RunSettings {
  /** Undefined: a generated flow. `-`: standard input. */
  readonly input: string | undefined
  readonly format: InputFormat | undefined
  readonly orderbook: string | undefined
  readonly flow: FlowSettings
  readonly pool: PoolFlags
  readonly handover: number
  readonly window: number
  readonly ratePerSecond: number | undefined
  /** Continues where an earlier run of the same input stopped. */
  readonly resume: boolean
  readonly reports: string | undefined
  /** A file for the benchmark's report lines; true: only their hash. */
  readonly benchmarkReports: string | true | undefined
  readonly verify: boolean
  /** Whether the accounts of the flow are funded, and kept in a ledger. */
  readonly ledger: boolean
  readonly json: boolean
  readonly progress: boolean
}

/** What the pool settles itself: undefined where no flag was given. */
interface PoolFlags {
  readonly dir: string | undefined
  readonly shards: number | undefined
  readonly batchSize: number | undefined
  readonly batchDelayMs: number | undefined
  readonly preset: Preset | undefined
  readonly durability: Durability | undefined
}

export const runDefaults = { handover: 100, window: 5_000 } as const
export const runLimits = { maxHandover: 20_000, maxWindow: 1_000_000, maxRate: 1e8 } as const
