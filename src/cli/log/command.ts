import { type Command, InvalidArgumentError, Option } from 'commander'
import { lowerPriority } from '../../base/low-priority.js'
import { exitCodeHelp, exitCodes, logExitCodes } from '../exit-codes.js'
import { backupLog, backupText } from '../folder-backup.js'
import { requireLog, requireLogOf } from '../log-folder.js'
import { count } from '../number-format.js'
import { dropReader, showReaders } from '../outside-readers.js'
import { type DumpBound, dumpLog, dumpTypes, firstLoss, salvageTo } from './dump.js'
import { type RepairFlags, repairLog } from './repair.js'
import { logFigures } from './stats.js'
import { damageLine, statsTable, verifyTable } from './tables.js'
import { exitCodeOfVerdict, verificationJson, verifyLog } from './verify.js'

interface ReportFlags {
  readonly json?: boolean
  readonly progress: boolean
}

interface DumpFlags extends ReportFlags {
  readonly from?: DumpBound
  readonly to?: DumpBound
  readonly type?: string[]
  readonly symbol?: string[]
}

const exitCodeTable = exitCodeHelp([
  [exitCodes.ok, 'valid (stats, dump and salvage: it was read; backup: it was copied)'],
  [
    exitCodes.failed,
    'it could not be read (backup: or the copy not be written; repair: or a pool has it open; drop-reader: or it is reading)',
  ],
  [exitCodes.usage, 'bad usage (backup: or the target is not empty)'],
  [
    exitCodes.badInput,
    "there is no folder, or no log in it (backup: or it is no pool's; drop-reader: or no such cursor)",
  ],
  [
    logExitCodes.torn,
    'a torn tail: unfinished bytes at the end, never acknowledged; the next opening cuts them',
  ],
  [logExitCodes.corrupt, 'corrupt: bytes that had been on disk are not valid'],
])

/** Adds `tidemark log …`, the tools that look after a log folder. */
export function registerLog(program: Command): void {
  const log = program
    .command('log')
    .summary('look into a log, check, copy and repair it')
    .description(
      'Looks into the log of a pool. All but repair may run beside a pool: they take no lock of the log, and change nothing in its folder; drop-reader removes the cursor of a reader that has ended.',
    )
    .addHelpText('after', exitCodeTable)
    .hook('preAction', (_log, command) => {
      // Repair has the log for itself; the others may stand beside a pool, whose threads go first.
      if (command.name() !== 'repair') lowerPriority(true)
    })
  report(
    log,
    'stats',
    'count what is in a log',
    'Counts what is in a log: segments, records by type, snapshots, cursors, readers outside.',
    showStats,
  )
  report(
    log,
    'verify',
    'check every byte of a log and of its snapshots',
    'Checks every byte of a log and of its snapshots, and lists all that is wrong.',
    verify,
  )
  addDump(log)
  addReaders(log)
  report(
    log,
    'salvage',
    'print all that can still be read of a damaged log',
    'Prints every record that can still be read, also after damage, and what is skipped. Changes nothing.',
    salvage,
  )
  log
    .command('backup')
    .summary('copy a log and its newest snapshot')
    .description(
      'Copies a log and its newest snapshot into an empty folder, which opens like the original. ' +
        'May stand beside a running pool: the copy holds everything that had been acknowledged when it began.',
    )
    .argument('<DIR>', 'folder of the log')
    .argument('<TO>', 'folder of the copy: not there yet, or empty')
    .option('--json', 'print one JSON object, and nothing else')
    .addOption(new Option('--no-progress', 'show no progress on standard error'))
    .addHelpText('after', exitCodeTable)
    .action(backup)
  log
    .command('repair')
    .summary('make a damaged log open again')
    .description(
      'Makes a damaged log open again: says what it would do and lose, and does it with --yes, after a backup. ' +
        'The pool must be closed.',
    )
    .argument('<DIR>', 'folder of the log')
    .option('--kind <kind>', 'what the log is of: pool, jobs, factors, or what its program says', 'pool')
    .option('--yes', 'do what it says')
    .option('--json', 'print one JSON object, and nothing else')
    .addOption(new Option('--no-progress', 'show no progress on standard error'))
    .addHelpText('after', exitCodeTable)
    .action(repair)
}

function addDump(log: Command): void {
  log
    .command('dump')
    .summary('print the commands of a log with their events')
    .description('Prints the records of a log: each command with the events that it caused.')
    .argument('<DIR>', 'folder of the log')
    .option('--from <place>', 'after this LSN, or from this time on (2026-01-31T12:00:00Z)', boundFlag)
    .option('--to <place>', 'up to this LSN or time', boundFlag)
    .addOption(
      new Option('--type <types...>', 'only records with a command or an event of these types').choices(
        dumpTypes,
      ),
    )
    .option('--symbol <symbols...>', 'only records of these symbols')
    .option('--json', 'print one JSON object a line')
    .addOption(new Option('--no-progress', 'show no progress on standard error'))
    .addHelpText('after', exitCodeTable)
    .action(dump)
}

function addReaders(log: Command): void {
  log
    .command('readers')
    .summary('list who reads a log from outside and has a cursor on it')
    .description(
      'Lists the stores and archivers that have a cursor on a log: how far they have come, whether they are reading now, ended or died.',
    )
    .argument('<DIR>', 'folder of the log')
    .option('--json', 'print one JSON object, and nothing else')
    .addHelpText('after', exitCodeTable)
    .action(async (dir: string, flags: { readonly json?: boolean }) => {
      requireLog(dir)
      await showReaders(dir, flags.json ?? false)
    })
  log
    .command('drop-reader')
    .summary('remove the cursor of a reader that has ended')
    .description(
      'Removes the cursor of a store or archiver that is not running: no log is kept for it any more. It may run beside a pool.',
    )
    .argument('<DIR>', 'folder of the log')
    .argument('<NAME>', 'name of the cursor, as "tidemark log readers" lists it')
    .option('--json', 'print one JSON object, and nothing else')
    .addHelpText('after', exitCodeTable)
    .action(async (dir: string, name: string, flags: { readonly json?: boolean }) => {
      requireLog(dir)
      await dropReader(dir, name, flags.json ?? false)
    })
}

function report(
  log: Command,
  name: string,
  summary: string,
  description: string,
  action: (dir: string, flags: ReportFlags) => Promise<void>,
): void {
  log
    .command(name)
    .summary(summary)
    .description(description)
    .argument('<DIR>', 'folder of the log')
    .option('--json', 'print one JSON object, and nothing else')
    .addOption(new Option('--no-progress', 'show no progress on standard error'))
    .addHelpText('after', exitCodeTable)
    .action(action)
}

async function showStats(dir: string, flags: ReportFlags): Promise<void> {
  requireLog(dir)
  const figures = await logFigures(dir, flags.progress)
  process.stdout.write(`${flags.json ? JSON.stringify(figures) : statsTable(figures)}\n`)
}

async function verify(dir: string, flags: ReportFlags): Promise<void> {
  requireLog(dir)
  const verification = await verifyLog(dir, flags.progress)
  const { verdict, log, snapshots } = verification
  process.stdout.write(`${flags.json ? verificationJson(verification) : verifyTable(log, snapshots)}\n`)
  process.exitCode = exitCodeOfVerdict(verdict)
}

async function dump(dir: string, flags: DumpFlags): Promise<void> {
  requireLog(dir)
  const { from, to, type, symbol } = flags
  const filter = { from, to, types: type && new Set(type), symbols: symbol && new Set(symbol) }
  const found = await dumpLog(dir, filter, { json: flags.json ?? false, progress: showsProgress(flags) })
  if (!found || found.verdict === 'valid') return
  const loss = firstLoss(found)
  const what = loss ?? found.damage[0]!
  const advice =
    loss?.severity === 'corrupt' ? ' Nothing after it is printed; "tidemark log salvage" reads on.' : ''
  const name = found.verdict === 'torn' ? 'The log ends with a torn tail' : 'The log is corrupt'
  process.stderr.write(`${name}: ${damageLine(what)}.${advice}\n`)
  process.exitCode = exitCodeOfVerdict(found.verdict)
}

async function salvage(dir: string, flags: ReportFlags): Promise<void> {
  requireLog(dir)
  const report = await salvageTo(dir, { json: flags.json ?? false, progress: showsProgress(flags) })
  if (!report) return
  const { records, skipped, inspection } = report
  const lost = skipped.reduce((sum, { bytes: size }) => sum + size, 0)
  for (const damage of inspection.damage) process.stderr.write(`${damageLine(damage)}\n`)
  process.stderr.write(
    `${count(records)} records found; ${count(lost)} bytes skipped in ${count(skipped.length)} places.\n`,
  )
}

async function backup(dir: string, to: string, flags: ReportFlags): Promise<void> {
  requireLogOf(dir, 'pool')
  const result = await backupLog(dir, to, flags.progress)
  process.stdout.write(`${flags.json ? JSON.stringify(result) : backupText(result)}\n`)
}

async function repair(dir: string, flags: RepairFlags): Promise<void> {
  requireLogOf(dir, flags.kind)
  process.exitCode = await repairLog(dir, flags)
}

/** A bar on the terminal that the lines go to would be torn apart by them. */
function showsProgress({ progress }: { progress: boolean }): boolean {
  return progress && !process.stdout.isTTY
}

/** Reads "4096" as an LSN and "2026-01-31T12:00:00Z" as a time. */
function boundFlag(text: string): DumpBound {
  if (/^\d{1,16}$/.test(text)) return { lsn: Number(text) }
  const ms = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) throw new InvalidArgumentError('Use an LSN or a time such as 2026-01-31T12:00:00Z.')
  return { timeUs: ms * 1000 }
}
