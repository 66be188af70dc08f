import { type Command, Option } from 'commander'
import { listLogFiles } from '../log/inspection-header.js'
import { NodeDisk } from '../log/node-disk.js'
import { exitCodes, logExitCodes } from './exit-codes.js'
import { CliFailure } from './failure.js'
import { logFigures } from './log-stats.js'
import { statsTable, verifyTable } from './log-tables.js'
import { exitCodeOfVerdict, verificationJson, verifyLog } from './log-verify.js'

interface ReportFlags {
  readonly json?: boolean
  readonly progress: boolean
}

const exitCodeHelp = `
Exit codes:
  ${exitCodes.ok}  sound (stats, dump and salvage: it was read)
  ${exitCodes.failed}  it could not be read at all
  ${exitCodes.usage}  bad usage
  ${exitCodes.badInput}  there is no log in the folder
  ${logExitCodes.torn}  a torn tail: unfinished bytes at the end, never acknowledged; the next opening cuts them
  ${logExitCodes.corrupt}  corrupt: bytes that had been on disk are not sound`

/** Adds `tidemark log …`, the tools that look after a log folder. */
export function registerLog(program: Command): void {
  const log = program
    .command('log')
    .description(
      'Looks into the log of a pool. All but repair may stand beside a running pool: they take no lock and write nothing.',
    )
    .addHelpText('after', exitCodeHelp)
  report(log, 'stats', 'Counts what is in a log: segments, records by type, snapshots.', showStats)
  report(
    log,
    'verify',
    'Checks every byte of a log and of its snapshots, and lists all that is wrong.',
    verify,
  )
}

function report(
  log: Command,
  name: string,
  description: string,
  action: (dir: string, flags: ReportFlags) => Promise<void>,
): void {
  log
    .command(name)
    .description(description)
    .argument('<dir>', 'folder of the log')
    .option('--json', 'one object for programs')
    .addOption(new Option('--no-progress', 'show nothing on standard error while it runs'))
    .addHelpText('after', exitCodeHelp)
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

/** @throws CliFailure when a folder holds no log; LogError when it can't be read. */
export function requireLog(dir: string): void {
  if (listLogFiles(new NodeDisk(), dir).length > 0) return
  throw new CliFailure('TIDEMARK_BAD_INPUT', `There is no log in ${dir}.`, exitCodes.badInput, { dir })
}
