import { type Command, InvalidArgumentError, Option } from 'commander'
import { exitCodeHelp, exitCodes } from '../exit-codes.js'
import { integerFlag } from '../flags.js'
import { addEtcdFlags } from './etcd-flags.js'
import { promoteStandby } from './promote.js'
import { runStandby } from './run.js'
import { showReplication } from './status.js'

const standbyCodes = exitCodeHelp([
  [exitCodes.ok, 'a signal ended it, as a standby or, promoted, as the primary'],
  [
    exitCodes.failed,
    'the folder could not be used, etcd was not reached, or another primary took over from this one',
  ],
  [exitCodes.usage, 'bad usage'],
  [
    exitCodes.badInput,
    'the folder is of something else, a package is missing, or etcd refused user or certificate',
  ],
  [
    exitCodes.mismatch,
    'it must be seeded (--seed), its log is not the replicated one, or other matching rules wrote that',
  ],
])

const promoteCodes = exitCodeHelp([
  [exitCodes.ok, 'it is the primary'],
  [exitCodes.failed, 'it could not be promoted'],
  [exitCodes.usage, 'bad usage'],
  [exitCodes.badInput, 'no standby runs in the folder'],
  [exitCodes.mismatch, 'another one was faster; it continues to follow the log'],
])

const statusCodes = exitCodeHelp([
  [exitCodes.ok, 'it was read'],
  [exitCodes.failed, 'etcd was not reached'],
  [exitCodes.usage, 'bad usage'],
  [exitCodes.badInput, 'a package is missing, or etcd refused user or certificate'],
])

/** Adds `tidemark standby`, `tidemark promote` and `tidemark replication …`. */
export function registerReplication(program: Command): void {
  const standby = program
    .command('standby')
    .summary('follow the log of a pool on another machine')
    .description(
      'Keeps a copy of the log of a pool in DIR, byte for byte, and its books warm, until a signal ends it. Promoted, by ' +
        '"tidemark promote" or by itself, it is the primary, in the same process.',
    )
    .argument('<DIR>', 'folder of the copy; made when it is not there')
  addEtcdFlags(standby)
    .option(
      '--seed <from>',
      'where it is seeded from when it must be: a folder, or the address of a seed handler',
    )
    .option('--name <name>', 'its name among the standbys; default: of the host and the folder')
    .option('--auto-promote', "take over when the primary's lease is gone")
    .addOption(
      new Option(
        '--lease <time>',
        'how long it counts as alive when it no longer says so, such as 2s or 500ms',
      )
        .argParser(timeFlag(500, 600_000))
        .default(2000, '2s'),
    )
    .addOption(new Option('--shards <n>', 'threads that match').argParser(integerFlag(1, 64)))
    .option('--json', 'print one JSON object for each event')
    .addOption(new Option('--no-progress', 'show no progress on standard error'))
    .addHelpText('after', standbyCodes)
    .action(runStandby)
  program
    .command('promote')
    .summary('have a standby take over')
    .description(
      'Makes the standby that runs in DIR the primary. Whether the primary before it lives makes no difference: it can append ' +
        'nothing more, and ends.',
    )
    .argument('<DIR>', 'folder of the standby')
    .option('--json', 'print one JSON object, and nothing else')
    .addHelpText('after', promoteCodes)
    .action(promoteStandby)
  const replication = program
    .command('replication')
    .summary('say how a pool is replicated')
    .description('Reads what the replicated log of a pool says of itself.')
    .addHelpText('after', statusCodes)
  addEtcdFlags(
    replication
      .command('status')
      .summary('who writes the log, who follows, what it holds')
      .description(
        'Prints the primary, the standbys and how far each is, the window of the log, and its lineage.',
      ),
  )
    .option('--json', 'print one JSON object, and nothing else')
    .addHelpText('after', statusCodes)
    .action(showReplication)
}

/** Makes a flag's parser for a time with its unit, in milliseconds. */
function timeFlag(minMs: number, maxMs: number): (text: string) => number {
  return (text) => {
    const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text.trim()) ?? []
    const ms = unit === 's' ? Number(number) * 1000 : Number(number)
    if (Number.isInteger(ms) && ms >= minMs && ms <= maxMs) return ms
    throw new InvalidArgumentError(`Use a time from ${minMs}ms to ${maxMs / 1000}s, such as 2s or 500ms.`)
  }
}
