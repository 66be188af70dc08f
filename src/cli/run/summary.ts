import type { AssetTotals } from '../../ledger/index.js'
import type { DamageReport, LogStats } from '../../log/index.js'
import type { Refusal } from '../inputs/command-source.js'
import type { LatencySummary } from '../latency.js'
import type { LobsterSummary } from './lobster-figures.js'

/** What a run came to: what `--json` prints, and what the table is made of. */
export interface RunSummary {
  readonly input: { readonly format: string; readonly path: string | null; readonly seed: number | null }
  readonly folder: { readonly path: string; readonly temporary: boolean }
  readonly settings: {
    readonly shards: number
    readonly batchSize: number
    readonly batchDelayMs: number
    readonly durability: string
  }
  /** What the opening cut off the log's end, if anything. */
  readonly tornTail: DamageReport | undefined
  /** Of this run alone, like everything counted and measured here. */
  readonly commands: number
  /** Under --resume: commands that an earlier run had executed, and that were not sent again. */
  readonly resumed: { readonly commands: number } | undefined
  readonly trades: number
  /** Commands that the book refused; they are in the log. */
  readonly rejected: number
  /** Input that was refused before the log. */
  readonly refused: {
    readonly total: number
    readonly byCode: Readonly<Record<string, number>>
    /** The first of them. */
    readonly lines: readonly Refusal[]
  }
  readonly elapsedMs: number
  readonly commandsPerSecond: number
  readonly tradesPerSecond: number
  readonly tradesPerCommand: number
  readonly latency: LatencySummary & { readonly of: string }
  readonly log: {
    readonly flushes: number
    readonly recordsPerFlush: number
    readonly flushLatency: LogStats['flushLatency']
    readonly bytes: number
    readonly bytesPerCommand: number
  }
  readonly book: BookSummary
  readonly lobster: LobsterSummary | undefined
  readonly benchmarkReportSha256: string | undefined
  /** Under --ledger: the sums over all accounts. */
  readonly ledger: LedgerSummary | undefined
  readonly verify: VerifySummary | undefined
  readonly interrupted: boolean
  readonly exitCode: number
}

export interface LedgerSummary {
  readonly assets: readonly AssetTotals[]
  /** Whether all accounts together have what was paid in, of every asset. */
  readonly sumsAgree: boolean
}

export interface BookSummary {
  readonly restingOrders: number
  readonly symbols: readonly TouchSummary[]
}

/** Best prices of a symbol; null for an empty side. */
interface TouchSummary {
  readonly symbol: string
  readonly bestBid: string | null
  readonly bestAsk: string | null
}

export interface VerifySummary {
  readonly identical: boolean
  readonly symbols: number
  /** Symbols whose book was another one after reopening. */
  readonly different: readonly string[]
  readonly reopenMs: number
}

export function logSummary(stats: LogStats, commands: number): RunSummary['log'] {
  return {
    flushes: stats.flushes,
    recordsPerFlush: stats.recordsPerFlush,
    flushLatency: stats.flushLatency,
    bytes: stats.bytes,
    bytesPerCommand: commands === 0 ? 0 : stats.bytes / commands,
  }
}

/** How a rate per second comes from a count and milliseconds; 0 for no time at all. */
export function perSecond(count: number, milliseconds: number): number {
  return milliseconds === 0 ? 0 : (count / milliseconds) * 1000
}

/** One JSON object; what does not apply to the run is null, so that every key is always there. */
export function jsonSummary(summary: RunSummary): string {
  return JSON.stringify(summary, (_, value: unknown) => (value === undefined ? null : value))
}
