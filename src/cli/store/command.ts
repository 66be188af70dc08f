import { type Command, Option } from 'commander'
import { lowerPriority } from '../../base/low-priority.js'
import { exitCodeHelp, exitCodes } from '../exit-codes.js'
import { integerFlag } from '../flags.js'
import { queryStore } from './query.js'
import { showStatus } from './status.js'
import { syncStore } from './sync.js'

const exitCodeTable = exitCodeHelp([
  [exitCodes.ok, 'everything that is synced is stored (query, status: it was read)'],
  [exitCodes.failed, 'the log or the database could not be read or written, or another process holds it'],
  [exitCodes.usage, 'bad usage: a flag, or a query that the database refuses'],
  [
    exitCodes.badInput,
    'there is no log, or no store: no such file, another file, no connection, wrong password, package missing',
  ],
  [exitCodes.mismatch, 'sync: the store was made of another log, or log that it needs is gone'],
  [exitCodes.interrupted, 'sync: interrupted; what was read is stored, and the next sync continues'],
])

const target = 'the path of a DuckDB file, or postgres://…'

/** Adds `tidemark store …`: the tables of a log in a database. */
export function registerStore(program: Command): void {
  const store = program
    .command('store')
    .summary('keep what a log says in a database, and query it')
    .description(
      'Keeps what a log says in tables of DuckDB or PostgreSQL, exactly once. May stand beside a running pool: it takes ' +
        'no lock of the log, and writes nothing into its folder but its cursor.',
    )
    .addHelpText('after', exitCodeTable)
  store
    .command('sync')
    .summary('store what a log holds, and what comes')
    .description(
      'Stores what the log in DIR holds and the store does not have yet; with --follow, then also what comes. It can be ' +
        'stopped and started again at any moment.',
    )
    .argument('<DIR>', 'folder of the log')
    .requiredOption('--to <store>', target)
    .option('--follow', 'wait for more at the end of the log')
    .addOption(
      new Option('--rows <n>', 'rows of one transaction, about')
        .argParser(integerFlag(1000, 1_000_000))
        .default(50_000),
    )
    .option(
      '--cursor <name>',
      'name of its cursor on the log; without this flag a name is made of that of the store',
    )
    .option(
      '--no-cursor',
      'have no cursor: nothing is written into DIR, and the log is not kept for the store',
    )
    .option('--json', 'print one JSON object, and nothing else')
    .addOption(new Option('--no-progress', 'show no progress on standard error'))
    .addHelpText('after', exitCodeTable)
    .hook('preAction', () => lowerPriority(true))
    .action(syncStore)
  store
    .command('query')
    .summary('run a query on a store')
    .description('Runs one statement of SQL on a store, and prints what it gives.')
    .argument('<STORE>', target)
    .argument('<SQL>', 'the statement; $1, $2, … stand for the parameters')
    .option('--param <values...>', 'the parameters of the statement')
    .addOption(
      new Option('--json', 'print one JSON object a row, each on a line of its own').conflicts('csv'),
    )
    .option('--csv', 'print comma-separated values, the first line with the names of the columns')
    .addHelpText('after', exitCodeTable)
    .action(queryStore)
  store
    .command('status')
    .summary('say what a store holds')
    .description('Prints how far each log is stored, and how many rows there are.')
    .argument('<STORE>', target)
    .option('--log <DIR>', 'folder of the log that is stored: says also where its cursor stands there')
    .option('--json', 'print one JSON object, and nothing else')
    .addHelpText('after', exitCodeTable)
    .action(showStatus)
}
