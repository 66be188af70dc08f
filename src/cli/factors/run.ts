import { DurableFactorEngine, type PersisterPreset } from '../../factors/index.js'
import type { LogStats } from '../../log/index.js'
import { exitCodes } from '../exit-codes.js'
import { CliFailure, usageFailure } from '../failure.js'
import { requireNoOther } from '../log-folder.js'
import { bytes, count, duration, quantiles, rate } from '../number-format.js'
import { OutputFile } from '../output-file.js'
import { ProgressBar } from '../progress-bar.js'
import { RunFolder } from '../run-folder.js'
import { factsTable } from '../tables.js'
import { TickFile } from './ticks.js'

export type ValuesFormat = 'csv' | 'jsonl'

export interface FactorsRunFlags {
  readonly factor: Readonly<Record<string, string>>
  readonly dir?: string
  readonly instrument: string
  readonly values?: string
  readonly format: ValuesFormat
  readonly preset: PersisterPreset
  readonly resume?: boolean
  readonly append?: boolean
  readonly json?: boolean
  readonly progress: boolean
}

/** Ticks whose values are made durable before they are written out. */
const pieceTicks = 10_000
const faultsShown = 5

interface Summary {
  input: string
  ticks: number
  skipped: number
  refused: { line: number; reason: string }[]
  refusedRows: number
  instruments: number
  factors: string[]
  elapsedMs: number
  ticksPerSecond: number
  durableValues: number
  durableValuesPerSecond: number
  log: { bytes: number; flushes: number; flushLatency: LogStats['flushLatency'] }
  folder: { path: string; temporary: boolean }
  values: Record<string, Record<string, number | undefined>>
}

/** Runs the ticks of a file through a durable factor engine, and prints what came of it. */
export async function runFactors(input: string, flags: FactorsRunFlags): Promise<void> {
  if (Object.keys(flags.factor).length === 0)
    throw usageFailure('Give at least one --factor name=expression.')
  if (flags.resume && flags.append) throw usageFailure('Give either --resume or --append.')
  const ticks = await TickFile.open(input, flags.instrument)
  const folder = RunFolder.choose(flags.dir)
  try {
    requireNoOther(folder.path, 'factors')
    const engine = await DurableFactorEngine.open({ dir: folder.path, preset: flags.preset })
    try {
      checkTicksThere(engine.recovery.ticks, folder.path, flags)
      const run = new FactorsRun(engine, ticks, flags, folder)
      const summary = await run.run(input)
      process.stdout.write(`${flags.json ? JSON.stringify(summary) : summaryText(summary)}\n`)
    } finally {
      await engine.close()
    }
  } finally {
    ticks.close()
    folder.release()
  }
}

/** Ticks that are fed twice give other factors, so a folder that holds some is not fed again unless that is asked for. */
function checkTicksThere(ticks: number, folder: string, { resume, append }: FactorsRunFlags): void {
  if (ticks === 0 || resume || append) return
  throw usageFailure(
    `${folder} holds ${count(ticks)} ${ticks === 1 ? 'tick' : 'ticks'} of an earlier run. Add --resume to continue where that run of the same file ` +
      'stopped, --append to take all rows after those ticks, or give another --dir.',
  )
}

class FactorsRun {
  readonly #engine: DurableFactorEngine
  readonly #ticks: TickFile
  readonly #flags: FactorsRunFlags
  readonly #folder: RunFolder
  readonly #output: ValuesOutput | undefined
  #taken = 0
  #values = 0
  readonly #refused: { line: number; reason: string }[] = []
  #refusedRows = 0

  constructor(engine: DurableFactorEngine, ticks: TickFile, flags: FactorsRunFlags, folder: RunFolder) {
    this.#engine = engine
    this.#ticks = ticks
    this.#flags = flags
    this.#folder = folder
    if (flags.values !== undefined) this.#output = new ValuesOutput(flags.values, flags.format)
  }

  async run(input: string): Promise<Summary> {
    const startMs = performance.now()
    const skipped = this.#flags.resume ? await this.#skip(this.#engine.recovery.ticks) : 0
    const progress = this.#flags.progress
      ? tickProgress(() => [this.#taken, this.#ticks.fraction])
      : undefined
    try {
      while (await this.#piece());
    } finally {
      progress?.stop()
      this.#output?.close()
    }
    const elapsedMs = performance.now() - startMs
    const { log } = this.#engine.stats()
    const seconds = elapsedMs / 1000
    return {
      input,
      ticks: this.#taken,
      skipped,
      refused: this.#refused,
      refusedRows: this.#refusedRows,
      instruments: this.#engine.instruments.length,
      factors: Object.keys(this.#flags.factor),
      elapsedMs,
      ticksPerSecond: this.#taken / seconds,
      durableValues: this.#values,
      durableValuesPerSecond: this.#values / seconds,
      log: { bytes: log.bytes, flushes: log.flushes, flushLatency: log.flushLatency },
      folder: { path: this.#folder.path, temporary: this.#folder.temporary },
      values: Object.fromEntries(
        this.#engine.instruments.map(({ name }) => [name, this.#engine.getAll(name)]),
      ),
    }
  }

  /**
   * Passes over rows that an earlier run has made durable; what it refused counts for nothing. The last state of each
   * instrument shows whether they are the same ticks.
   */
  async #skip(ticks: number): Promise<number> {
    const folder = this.#folder.path
    let skipped = 0
    while (skipped < ticks) {
      const row = await this.#ticks.next()
      if (!row) {
        throw resumeDiffers(`${folder} holds ${count(ticks)} ticks, the input only ${count(skipped)}`, {
          ticks,
          rows: skipped,
        })
      }
      if ('tick' in row) skipped++
    }
    const passed = new Map(this.#ticks.passed.instruments.map((instrument) => [instrument.name, instrument]))
    for (const instrument of this.#engine.instruments) {
      const { name } = instrument
      const rows = passed.get(name)
      if (instrument.ticks === 0 ? !rows?.ticks : rows && instrument.sameTicks(rows)) continue
      throw resumeDiffers(
        `${folder} holds other ticks of ${name} than the first ${count(ticks)} of the input`,
        { ticks, instrument: name },
      )
    }
    return skipped
  }

  /** Takes some ticks, and writes their values out when they are on disk; false at the end of the input. */
  async #piece(): Promise<boolean> {
    const lines: string[] = []
    let more = true
    for (let i = 0; i < pieceTicks; i++) {
      const row = await this.#ticks.next()
      if (!row) {
        more = false
        break
      }
      if ('fault' in row) {
        this.#refuse(row.fault)
        continue
      }
      const { tick } = row
      this.#register(tick.instrument)
      if (this.#engine.full) await this.#engine.ready()
      this.#engine.processTick(tick)
      this.#taken++
      const values = this.#engine.getAll(tick.instrument)
      this.#values += Object.keys(values).length
      if (this.#output) lines.push(this.#output.line(tick.instrument, tick.timestamp, values))
    }
    await this.#engine.flush()
    for (const line of lines) this.#output!.write(line)
    return more
  }

  /** Gives an instrument the factors of the command line that it doesn't have yet. */
  #register(name: string): void {
    const known = this.#engine.instruments.find((instrument) => instrument.name === name)
    const have = new Map(known?.program.history.flat())
    const missing = Object.entries(this.#flags.factor).filter(([factor, text]) => have.get(factor) !== text)
    if (missing.length > 0) this.#engine.registerAll(name, Object.fromEntries(missing))
  }

  #refuse(reason: string): void {
    this.#refusedRows++
    if (this.#refused.length < faultsShown) this.#refused.push({ line: this.#ticks.line, reason })
  }
}

/** Values as CSV, one line a tick, or as JSON lines. `-` is standard output. */
export class ValuesOutput {
  readonly #file: OutputFile | undefined
  readonly #format: ValuesFormat
  #columns: string[] | undefined

  constructor(path: string, format: ValuesFormat) {
    this.#file = path === '-' ? undefined : new OutputFile(path)
    this.#format = format
  }

  line(
    instrument: string,
    timestamp: number | undefined,
    values: Readonly<Record<string, number | undefined>>,
  ): string {
    if (this.#format === 'jsonl') return `${JSON.stringify({ instrument, timestamp, ...values })}\n`
    let head = ''
    if (!this.#columns) {
      this.#columns = Object.keys(values)
      head = `${['instrument', 'timestamp', ...this.#columns].map(csvCell).join(',')}\n`
    }
    const cells = this.#columns.map((column) => values[column] ?? '')
    return `${head}${[csvCell(instrument), timestamp ?? '', ...cells].join(',')}\n`
  }

  write(line: string): void {
    if (this.#file) this.#file.write(line)
    else process.stdout.write(line)
  }

  close(): void {
    this.#file?.close()
  }
}

function resumeDiffers(difference: string, details: Record<string, unknown>): CliFailure {
  const message = `${difference}: --resume needs the file that the folder was begun with.`
  return new CliFailure('TIDEMARK_RESUME_DIFFERS', message, exitCodes.mismatch, details)
}

function csvCell(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Shows on standard error how far the ticks are, until it is stopped. */
function tickProgress(state: () => [ticks: number, fraction: number | undefined]): ProgressBar {
  const bar = new ProgressBar(process.stderr)
  const startMs = performance.now()
  bar.watch(() => {
    const [ticks, fraction] = state()
    return [fraction, `${count(ticks)} ticks  ${rate((ticks / (performance.now() - startMs)) * 1000)}/s`]
  })
  return bar
}

function summaryText(summary: Summary): string {
  const { log, folder } = summary
  const rows: [string, string][] = [
    ['input', summary.input],
    ['ticks', count(summary.ticks)],
    ...(summary.skipped > 0 ? [['on disk before', count(summary.skipped)] as [string, string]] : []),
    ['refused rows', count(summary.refusedRows)],
    ...summary.refused.map(({ line, reason }): [string, string] => ['', `line ${line}: ${reason}`]),
    ['instruments', count(summary.instruments)],
    ['factors', summary.factors.join(', ')],
    ['time', duration(summary.elapsedMs)],
    [
      'throughput',
      summary.ticks === 0 && summary.skipped > 0
        ? 'nothing was left to do: all of the input was on disk before'
        : `${rate(summary.ticksPerSecond)} ticks/s, ${rate(summary.durableValuesPerSecond)} values/s, all on disk`,
    ],
    ['log', `${bytes(log.bytes)} in ${count(log.flushes)} flushes (${quantiles(log.flushLatency)})`],
    ['folder', folder.temporary ? `${folder.path} (temporary, removed)` : folder.path],
    ...valueRows(summary.values),
  ]
  return factsTable(rows)
}

const instrumentsShown = 10

/** The last values of the first instruments, for people. */
export function valueRows(
  values: Readonly<Record<string, Readonly<Record<string, number | undefined>>>>,
): [string, string][] {
  const all = Object.entries(values)
  const rows = all.slice(0, instrumentsShown).map(([name, factors]): [string, string] => [
    name,
    Object.entries(factors)
      .map(([factor, value]) => `${factor} ${value === undefined ? '-' : Number(value.toPrecision(8))}`)
      .join('  '),
  ])
  if (all.length > instrumentsShown)
    rows.push(['', `and ${count(all.length - instrumentsShown)} more instruments`])
  return rows
}
