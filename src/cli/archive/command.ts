import type { Command } from 'commander'
import { Option } from 'commander'
import { Archive, type CompactReport, compactArchive, verifyArchive } from '../../archive/index.js'
import { lowerPriority } from '../../base/low-priority.js'
import { exitCodeHelp, exitCodes, logExitCodes } from '../exit-codes.js'
import { integerFlag } from '../flags.js'
import { requireLog } from '../log-folder.js'
import { bytes, count } from '../number-format.js'
import { BytesProgress, ProgressBar } from '../progress-bar.js'
import { type Fact, factsTable } from '../tables.js'
import { type PrintFlags, printRows } from './print.js'
import { type SyncFlags, syncArchive } from './sync.js'

interface ReportFlags {
  readonly json?: boolean
  readonly progress: boolean
}

interface VerifyFlags extends ReportFlags {
  readonly log?: string
}

const exitCodeTable = exitCodeHelp([
  [exitCodes.ok, 'done (verify: all of it is valid)'],
  [exitCodes.failed, 'it could not be read or written, another archiver has it, or a package is missing'],
  [exitCodes.usage, 'bad usage'],
  [exitCodes.badInput, 'there is no log or no archive, or the archive is not of this log'],
  [logExitCodes.corrupt, 'a file is damaged or missing, or differs from the log'],
  [exitCodes.interrupted, 'sync: stopped by Ctrl-C; what was archived stays'],
])

const problemsShownMax = 50

/** Adds `tidemark archive …`, which makes Parquet files of a log, and looks after them. */
export function registerArchive(program: Command): void {
  const archive = program
    .command('archive')
    .summary('keep a log as Parquet files that any program reads')
    .description(
      'Keeps the log of a pool, or of factors, as compressed Parquet files that DuckDB, pandas, polars and Spark read. ' +
        'All may run beside a pool and beside each other: they take no lock on the log, and only sync writes into its folder: its cursor.',
    )
    .addHelpText('after', exitCodeTable)
    .hook('preAction', () => lowerPriority(true))
  command(archive, 'sync', 'archive what is sealed of a log')
    .description('Archives the segments of a log that are sealed and not archived yet.')
    .argument('<DIR>', 'folder of the log')
    .requiredOption('--to <folder>', 'folder of the archive; made when it is not there')
    .option('--follow', 'go on with what is sealed later, until Ctrl-C')
    .option(
      '--cursor <name>',
      'name of its cursor on the log; without this flag a name is made of that of the archive',
    )
    .option(
      '--no-cursor',
      'have no cursor: nothing is written into DIR, and the log is not kept for the archive',
    )
    .option('--begin', 'begin a new archive with a log whose beginning was deleted')
    .action(async (dir: string, flags: SyncFlags) => {
      process.exitCode = await syncArchive(dir, flags)
    })
  command(archive, 'status', 'count what is in an archive')
    .description('Counts what is in an archive: parts, files, bytes and rows.')
    .argument('<ARCHIVE>', 'folder of the archive')
    .action(status)
  command(archive, 'verify', 'check every byte and row of an archive')
    .description(
      'Checks every file of an archive against its manifest, and with --log every row against the log as far as that is still there.',
    )
    .argument('<ARCHIVE>', 'folder of the archive')
    .option('--log <folder>', 'folder of the log')
    .action(verify)
  command(archive, 'compact', 'merge small files of an archive')
    .description('Merges small files of an archive into larger ones, so that queries open fewer of them.')
    .argument('<ARCHIVE>', 'folder of the archive')
    .action(compact)
  const query = (name: 'trades' | 'order-events', what: string) =>
    printed(archive, name, what)
      .option('--symbol <symbol>', 'of this symbol')
      .option('--order <id>', 'of this order', integerFlag(0, Number.MAX_SAFE_INTEGER))
      .option('--account <number>', 'of this account', integerFlag(0, 0xffff_ffff))
      .action((dir: string, flags: PrintFlags) => printRows(dir, name, flags))
  query('trades', 'trades')
  query('order-events', 'all events but trades')
  printed(archive, 'factor-values', 'values of factors')
    .option('--symbol <name>', 'of this instrument')
    .option('--factor <name>', 'of this factor')
    .action((dir: string, flags: PrintFlags) => printRows(dir, 'factor-values', flags))
}

function command(archive: Command, name: string, summary: string): Command {
  return archive
    .command(name)
    .summary(summary)
    .option('--json', 'print one JSON object, and nothing else')
    .addOption(new Option('--no-progress', 'show no progress on standard error'))
    .addHelpText('after', exitCodeTable)
}

function printed(archive: Command, name: string, what: string): Command {
  return archive
    .command(name)
    .summary(`print ${what} of an archive`)
    .description(
      `Prints ${what} of an archive, one JSON object a line, reading only the row groups that it needs.`,
    )
    .argument('<ARCHIVE>', 'folder of the archive')
    .option(
      '--log <folder>',
      'folder of the log: what is not archived yet is read there, also beside a running pool',
    )
    .option('--from <time>', 'from this time on (2026-01-31 or 2026-01-31T12:00:00Z)')
    .option('--to <time>', 'before this time')
    .addHelpText('after', exitCodeTable)
}

async function status(dir: string, { json }: ReportFlags): Promise<void> {
  const { filesRead, groups, groupsRead, ...stats } = (await Archive.open({ dir })).stats()
  if (json) {
    process.stdout.write(`${JSON.stringify(stats)}\n`)
    return
  }
  const tables = factsTable(
    Object.entries(stats.rows).map(([table, rows]): Fact => [`  ${table}`, `${count(rows)} rows`]),
  )
  const parts = `${count(stats.parts)} ${stats.parts === 1 ? 'part' : 'parts'}`
  const size = `${count(stats.files)} files in ${parts}, ${bytes(stats.bytes)}`
  const lines = [`Archive of a log of kind ${stats.kind}, LSN ${stats.firstLsn} to ${stats.endLsn}: ${size}.`]
  process.stdout.write(`${[...lines, tables].join('\n')}\n`)
}

async function verify(archive: string, { json, log, progress }: VerifyFlags): Promise<void> {
  if (log !== undefined) requireLog(log)
  const bar = progress ? new BytesProgress(process.stderr, 'checked') : undefined
  try {
    const report = await verifyArchive({
      archive,
      log,
      onProgress: ({ bytesDone, bytes: total }) => bar?.show(bytesDone, total),
    })
    bar?.stop()
    const { problems, files, rows, comparedRows } = report
    if (json) process.stdout.write(`${JSON.stringify(report)}\n`)
    else {
      for (const { path, reason } of problems.slice(0, problemsShownMax))
        process.stdout.write(`${path}: ${reason}.\n`)
      const verdict =
        problems.length === 0
          ? 'valid'
          : `NOT VALID: ${count(problems.length)} ${problems.length === 1 ? 'problem' : 'problems'}`
      const compared = log === undefined ? '' : `, ${count(comparedRows)} of them compared with the log`
      process.stdout.write(`Archive ${verdict}; ${count(files)} files, ${count(rows)} rows${compared}.\n`)
    }
    process.exitCode = problems.length === 0 ? exitCodes.ok : logExitCodes.corrupt
  } finally {
    bar?.stop()
  }
}

function compactText(report: CompactReport): string {
  const { partsBefore, partsAfter, filesBefore, filesAfter, bytesBefore, bytesAfter } = report
  if (partsBefore === partsAfter)
    return `Nothing to merge: ${count(filesBefore)} files of ${bytes(bytesBefore)}.`
  return `${count(filesBefore)} files of ${bytes(bytesBefore)} are ${count(filesAfter)} of ${bytes(bytesAfter)} now.`
}

async function compact(archive: string, { json, progress }: ReportFlags): Promise<void> {
  // Says that there is none, instead of making the folder of one.
  await Archive.open({ dir: archive })
  const bar = progress ? new ProgressBar(process.stderr) : undefined
  const onProgress = ({ partsDone, parts }: { partsDone: number; parts: number }) =>
    bar?.showWhenDue(() => [undefined, `${count(parts)} parts are ${count(partsDone)} now`])
  const report = await compactArchive({ archive, onProgress }).finally(() => bar?.stop())
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`)
  else if (report) process.stdout.write(`${compactText(report)}\n`)
}
