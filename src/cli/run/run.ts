import { Ledger } from '../../ledger/index.js'
import { damageOf, resolveLogSettings } from '../../log/index.js'
import { EnginePool } from '../../pool/index.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { BenchmarkSource } from '../inputs/benchmark-source.js'
import type { CommandSource } from '../inputs/command-source.js'
import { LobsterSource } from '../lobster/lobster-source.js'
import { requireNoOther } from '../log-folder.js'
import { OutputFile } from '../output-file.js'
import { RunFolder } from '../run-folder.js'
import { BenchmarkMessages, BenchmarkReports } from './benchmark-reports.js'
import { EventFeed, type EventSink, type LineWriter, lineSink } from './event-feed.js'
import { Feeder } from './feeder.js'
import { LobsterFigures } from './lobster-figures.js'
import { checkAnythingTaken, generatedSource, openInput } from './open-source.js'
import { runProgress } from './progress.js'
import { reportLine } from './report-lines.js'
import { ResumePoint } from './resume/resume-point.js'
import { ResumedFile } from './resume/resumed-file.js'
import { fund, ledgerSummary, openRunLedger, withAssets } from './run-ledger.js'
import type { RunSettings } from './settings.js'
import {
  type BookSummary,
  type LedgerSummary,
  logSummary,
  perSecond,
  type RunSummary,
  type VerifySummary,
} from './summary.js'

/** What stops a run from outside; `interrupted` may turn true at any time. */
export interface Interruption {
  readonly interrupted: boolean
  onInterrupt: () => void
}

/** What takes the pool's events in a run. */
interface Sinks {
  readonly all: readonly EventSink[]
  readonly benchmark: BenchmarkReports | undefined
  readonly lobster: LobsterFigures | undefined
}

/** Runs an order flow through a pool in its folder, from opening to the summary. */
export async function runFlow(settings: RunSettings, interruption: Interruption): Promise<RunSummary> {
  const input = await openInput(settings)
  let folder: RunFolder | undefined
  try {
    const reports = settings.reports === undefined ? undefined : openOutput(settings, settings.reports)
    folder = RunFolder.choose(settings.pool.dir)
    requireNoOther(folder.path, 'pool')
    return await runInFolder(settings, interruption, input, reports, folder)
  } finally {
    input?.close()
    folder?.release()
  }
}

async function runInFolder(
  settings: RunSettings,
  interruption: Interruption,
  input: CommandSource | undefined,
  reports: LineWriter | undefined,
  folder: RunFolder,
): Promise<RunSummary> {
  const options = {
    ...settings.pool,
    dir: folder.path,
    maxInFlight: settings.window + settings.handover,
    // What a resumption needs of the log is all of it.
    ...(settings.resume && { keepLogBytes: Number.POSITIVE_INFINITY }),
  }
  let pool = await EnginePool.open(options)
  pool.on('checkpointFailed', ({ error }) => process.stderr.write(`A checkpoint failed. ${error.message}\n`))
  let verify: VerifySummary | undefined
  let parts: Awaited<ReturnType<typeof runInPool>>
  try {
    // Above every order id that the folder may hold of other flows; a flow that is resumed has the ids it began with.
    const firstOrderId = settings.resume ? 1 : pool.recovery.endLsn + 1
    const source = input ?? generatedSource(settings, firstOrderId)
    parts = await runInPool(settings, interruption, source, reports, pool)
  } finally {
    await pool.close()
  }
  if (settings.verify) {
    const startedMs = performance.now()
    pool = await EnginePool.open(options)
    try {
      const { symbols } = await pool.digest()
      verify = compareDigests(parts.digests, symbols, performance.now() - startedMs)
      if (parts.summary.ledger) verify = await compareLedger(verify, parts.summary.ledger, pool)
    } finally {
      await pool.close()
    }
  }
  const { interrupted } = interruption
  const summary = { ...parts.summary, folder: { path: folder.path, temporary: folder.temporary } }
  return { ...summary, verify, interrupted, exitCode: exitCodeOfRun(summary, verify, interrupted) }
}

async function runInPool(
  settings: RunSettings,
  interruption: Interruption,
  source: CommandSource,
  reports: LineWriter | undefined,
  pool: EnginePool,
) {
  const resume = settings.resume ? await ResumePoint.find(pool) : undefined
  for (const instrument of source.instruments) {
    resume?.requireSame(instrument)
    if (!pool.instrument(instrument.symbol))
      await pool.addInstrument(settings.ledger ? withAssets(instrument) : instrument)
  }
  const ledger = settings.ledger ? await openRunLedger(pool, source.instruments) : undefined
  if (ledger) await fund(ledger, settings.flow)
  const sinks = openSinks(settings, source, reports)
  const feeder = new Feeder(pool, source, settings, resume)
  interruption.onInterrupt = () => {
    feeder.stop()
    source.close()
  }
  if (interruption.interrupted) feeder.stop()
  const events = new EventFeed(pool, sinks.all, resume ? 0 : pool.durableLsn)
  await feed(settings, feeder, events, source, pool, resume)

  const { submitted, trades, rejected } = feeder.counts
  if (settings.input !== undefined) {
    checkAnythingTaken(source, submitted + (resume?.skipped ?? 0), settings.input)
  }
  const { elapsedMs } = feeder
  const { refusals } = source
  const digest = await pool.digest()
  const stats = pool.stats()
  const { batchSize, batchDelayMs, durability } = resolveLogSettings(settings.pool)
  const generated = settings.input === undefined
  const { tornTail } = pool.recovery
  return {
    digests: digest.symbols,
    summary: {
      input: {
        format: source.format,
        path: settings.input ?? null,
        seed: generated ? settings.flow.seed : null,
      },
      settings: { shards: stats.shards.length, batchSize, batchDelayMs, durability },
      tornTail: tornTail && damageOf(tornTail),
      commands: submitted,
      resumed: resume && { commands: resume.skipped },
      trades,
      rejected,
      refused: {
        total: refusals.total,
        byCode: Object.fromEntries(refusals.byCode),
        lines: refusals.kept,
      },
      elapsedMs,
      commandsPerSecond: perSecond(submitted, elapsedMs),
      tradesPerSecond: perSecond(trades, elapsedMs),
      tradesPerCommand: submitted === 0 ? 0 : trades / submitted,
      latency: { of: latencyOf(settings), ...feeder.latency.summary() },
      log: logSummary(stats.log, submitted),
      book: await bookSummary(pool, digest.restingOrders),
      lobster: sinks.lobster?.summary(),
      ledger: ledger && ledgerSummary(ledger),
      benchmarkReportSha256: sinks.benchmark?.sha256,
    },
  }
}

/** Feeds the pool and delivers its events until both have come to their end; shows progress meanwhile. */
async function feed(
  settings: RunSettings,
  feeder: Feeder,
  events: EventFeed,
  source: CommandSource,
  pool: EnginePool,
  resume: ResumePoint | undefined,
): Promise<void> {
  const display = settings.progress
    ? runProgress(process.stderr, () => {
        const { acknowledged, trades } = feeder.counts
        const lagBytes = pool.stats().log.durableLagBytes
        return { fraction: source.progress, commands: acknowledged, trades, lagBytes }
      })
    : undefined
  feeder.onAcknowledged = () => events.wake()
  const feeding = feeder.run().finally(() => events.finish(feeder.lastLsn))
  // Sinks may ask the source about a command of the log, so it must have read that far; a run that is stopped before
  // leaves the files as they are.
  const ready = resume && Promise.race([resume.caughtUp, feeding.catch(() => {})])
  const deliver = async () => {
    await ready
    if (!resume || resume.isCaughtUp) await events.run()
  }
  const delivering = deliver().catch((error) => {
    feeder.stop()
    throw error
  })
  const outcomes = await Promise.allSettled([feeding, delivering])
  display?.stop()
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

function openSinks(settings: RunSettings, source: CommandSource, reports: LineWriter | undefined): Sinks {
  let benchmark: BenchmarkReports | undefined
  if (source instanceof BenchmarkSource && settings.benchmarkReports !== undefined) {
    const messages = new BenchmarkMessages()
    source.onMessage = (sequence, type) => messages.add(sequence, type)
    const { benchmarkReports } = settings
    const file = benchmarkReports === true ? undefined : openOutput(settings, benchmarkReports)
    benchmark = new BenchmarkReports(messages, file)
  }
  const lobster = source instanceof LobsterSource ? new LobsterFigures(source) : undefined
  const all = [reports && lineSink(reports, reportLine), benchmark, lobster]
  return { all: all.filter((sink) => sink !== undefined), benchmark, lobster }
}

function openOutput({ resume }: RunSettings, path: string): LineWriter {
  return resume ? new ResumedFile(path) : new OutputFile(path)
}

async function bookSummary(pool: EnginePool, restingOrders: number): Promise<BookSummary> {
  const symbols = await Promise.all(
    pool.instruments().map(async ({ symbol }) => {
      const { bids, asks } = await pool.depth(symbol, 1)
      return { symbol, bestBid: bids[0]?.price ?? null, bestAsk: asks[0]?.price ?? null }
    }),
  )
  return { restingOrders, symbols }
}

/** Whether the ledger that is opened again has what the one before had. */
async function compareLedger(
  verify: VerifySummary,
  before: LedgerSummary,
  pool: EnginePool,
): Promise<VerifySummary> {
  const after = ledgerSummary(await Ledger.open({ pool, assets: [] }))
  if (JSON.stringify(after) === JSON.stringify(before)) return verify
  return { ...verify, identical: false, different: [...verify.different, 'the ledger'] }
}

type Digests = Readonly<Record<string, string>>

export function compareDigests(before: Digests, after: Digests, reopenMs: number): VerifySummary {
  const symbols = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  const different = symbols.filter((symbol) => before[symbol] !== after[symbol])
  return { identical: different.length === 0, symbols: symbols.length, different, reopenMs }
}

function latencyOf({ ratePerSecond, handover }: RunSettings): string {
  return ratePerSecond === undefined
    ? `hand-overs of up to ${handover} commands, from the hand-over until all of them are on disk`
    : 'commands, from the intended arrival of each until it is on disk'
}

/** A failed check outweighs an interruption. */
export function exitCodeOfRun(
  { lobster, ledger }: Pick<RunSummary, 'lobster'> & Partial<Pick<RunSummary, 'ledger'>>,
  verify: VerifySummary | undefined,
  interrupted: boolean,
): ExitCode {
  if (verify && !verify.identical) return exitCodes.mismatch
  if (ledger && !ledger.sumsAgree) return exitCodes.mismatch
  if (lobster?.quotes && lobster.quotes.localDifferences > 0) return exitCodes.mismatch
  return interrupted ? exitCodes.interrupted : exitCodes.ok
}
