import { type Command, InvalidArgumentError, Option } from 'commander'
import { FactorConsumer, persisterPresets } from '../../factors/index.js'
import { exitCodeHelp, exitCodes } from '../exit-codes.js'
import { requireLogOf } from '../log-folder.js'
import { count, duration } from '../number-format.js'
import { factsTable } from '../tables.js'
import { type FactorsRunFlags, runFactors, type ValuesFormat, ValuesOutput, valueRows } from './run.js'

interface RecoverFlags {
  readonly instrument?: string[]
  readonly format: 'table' | 'json' | ValuesFormat
  readonly json?: boolean
}

const exitCodeTable = exitCodeHelp([
  [exitCodes.ok, 'all values are on disk, or were recovered'],
  [exitCodes.failed, 'the disk, the folder or the log failed'],
  [
    exitCodes.usage,
    'bad usage: a flag or a factor, or the folder holds ticks and neither --resume nor --append is given',
  ],
  [exitCodes.badInput, "the input can't be read or names no field, or the folder holds no log of factors"],
  [exitCodes.mismatch, 'run --resume: the folder holds other ticks than the input, or more'],
])

/** Adds `tidemark factors …`: streaming factors over a file of ticks, and what a folder of them holds. */
export function registerFactors(program: Command): void {
  const factors = program
    .command('factors')
    .summary('compute factors from ticks, and recover them')
    .description('Streaming market factors whose state is in a write-ahead log.')
    .addHelpText('after', exitCodeTable)
  factors
    .command('run')
    .summary('run a file of ticks through a factor engine')
    .description(
      'Runs ticks through a durable factor engine. TICKS is a CSV file, plain or gzip, or - for standard input; its ' +
        'first line names the columns: instrument, timestamp, last, bid, ask, high, low, open, volume.',
    )
    .argument('<TICKS>', 'the ticks')
    .addOption(
      new Option('--factor <name=expression...>', 'a factor of every instrument, such as ma5=mean(last,5)')
        .argParser(addFactor)
        .default({}, 'none'),
    )
    .option('--dir <folder>', 'where the log is (TIDEMARK_DIR); else a temporary folder, removed at the end')
    .option(
      '--resume',
      'skip as many rows as the folder holds ticks: continue where an earlier run of TICKS stopped',
    )
    .option('--append', 'take all rows after the ticks that the folder holds')
    .option('--instrument <name>', 'whose ticks they are, where no column says', 'TICKS')
    .option(
      '--values <file>',
      'write the values after each tick, once they are on disk; - for standard output',
    )
    .addOption(new Option('--format <name>', 'format of the values').choices(['csv', 'jsonl']).default('csv'))
    .addOption(
      new Option('--preset <name>', 'batch size and delay together')
        .choices(Object.keys(persisterPresets))
        .default('balanced'),
    )
    .option('--json', 'print one JSON object, and nothing else')
    .option('--no-progress', 'show no progress on standard error')
    .addHelpText('after', exitCodeTable)
    .action((input: string, flags: FactorsRunFlags) => runFactors(input, flags))
  factors
    .command('recover')
    .summary('print the last values that a folder holds')
    .description('Recovers the factors of a folder from snapshot and log, and prints their last values.')
    .argument('<DIR>', 'folder of the factors')
    .option('--instrument <names...>', 'only these instruments')
    .addOption(
      new Option('--format <name>', 'format of the output')
        .choices(['table', 'json', 'csv', 'jsonl'])
        .default('table'),
    )
    .addOption(
      new Option('--json', 'print one JSON object, as --format json does').implies({ format: 'json' }),
    )
    .addHelpText('after', exitCodeTable)
    .action(recover)
}

function addFactor(text: string, before: Record<string, string>): Record<string, string> {
  const [, name, expression] = /^([^=]*)=(.*)$/s.exec(text) ?? []
  if (!name || !expression) throw new InvalidArgumentError('Use name=expression, such as ma5=mean(last,5).')
  if (name in before) throw new InvalidArgumentError(`The factor ${name} is given twice.`)
  return { ...before, [name]: expression }
}

async function recover(dir: string, flags: RecoverFlags): Promise<void> {
  requireLogOf(dir, 'factors')
  const startMs = performance.now()
  const consumer = await FactorConsumer.open({ dir })
  try {
    const elapsedMs = performance.now() - startMs
    const names = flags.instrument
    const values = Object.fromEntries(
      [...consumer.getRecoveredFactors()].filter(([name]) => names?.includes(name) ?? true),
    )
    if (flags.format === 'csv' || flags.format === 'jsonl') {
      const output = new ValuesOutput('-', flags.format)
      for (const [name, factors] of Object.entries(values))
        output.write(output.line(name, timeOf(consumer, name), factors))
      return
    }
    const { snapshot } = consumer
    const found = {
      lastLsn: consumer.lastLsn(),
      lastTimestamp: consumer.lastTimestamp(),
      snapshot,
      replayedEntries: consumer.replayedEntries,
      ticks: consumer.engine.ticks,
      elapsedMs,
    }
    if (flags.format === 'json') {
      process.stdout.write(`${JSON.stringify({ ...found, values })}\n`)
      return
    }
    process.stdout.write(
      `${factsTable([
        ['ticks', count(found.ticks)],
        ['last timestamp', String(found.lastTimestamp ?? 'none')],
        ['last LSN', String(found.lastLsn)],
        ['snapshot', snapshot ? `${snapshot.checkpointId} at LSN ${snapshot.lsn}` : 'none'],
        ['replayed entries', count(found.replayedEntries)],
        ['time', duration(elapsedMs)],
        ...valueRows(values),
      ])}\n`,
    )
  } finally {
    await consumer.close()
  }
}

function timeOf(consumer: FactorConsumer, instrument: string): number | undefined {
  return consumer.engine.instruments.find(({ name }) => name === instrument)?.lastTimestamp
}
