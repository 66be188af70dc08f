import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import * as path from 'node:path'
import { type Command, Option } from 'commander'
import { shardsMax } from '../../pool/index.js'
import { exitCodeHelp, exitCodes } from '../exit-codes.js'
import { outputFailure } from '../failure.js'
import { integerFlag, numberFlag } from '../flags.js'
import { ProgressBar } from '../progress-bar.js'
import { RunFolder } from '../run-folder.js'
import { adviceOf } from './advice.js'
import { BenchRun } from './bench-run.js'
import { benchTables } from './tables.js'

interface BenchFlags {
  readonly dir?: string
  readonly shards?: number
  readonly seconds: number
  readonly quick?: boolean
  readonly json?: boolean
  readonly progress: boolean
}

const exitCodeTable = exitCodeHelp([
  [exitCodes.ok, 'it was measured'],
  [exitCodes.failed, 'the folder or the disk failed'],
  [exitCodes.usage, 'bad usage'],
  [exitCodes.interrupted, 'stopped by Ctrl-C; what was written is removed'],
])

const quickSeconds = 0.05
const quickCommands = 30_000
const fullCommands = 2_000_000

/** Adds `tidemark bench`. */
export function registerBench(program: Command): void {
  program
    .command('bench')
    .summary('measure the disk and the pool on this machine')
    .description(
      'Measures this machine: how fast its disk syncs, how many commands a second a pool makes durable, and how long ' +
        'one waits. Says in plain words what that means, and recommends a batch size and a preset. Nothing else should be running.',
    )
    .option(
      '--dir <folder>',
      "a folder on the disk to measure (TIDEMARK_DIR); else the system's temporary folder; emptied at the end",
    )
    .addOption(
      new Option('--shards <n>', 'up to so many matching threads (default: the cores)').argParser(
        integerFlag(1, shardsMax),
      ),
    )
    .addOption(
      new Option('--seconds <n>', 'time for each measurement').argParser(numberFlag(0.01, 600)).default(0.5),
    )
    .option('--quick', 'only show that everything works; the numbers are worth nothing')
    .option('--json', 'print one JSON object, and nothing else')
    .option('--no-progress', 'show no progress on standard error')
    .addHelpText('after', exitCodeTable)
    .action(bench)
}

async function bench(flags: BenchFlags): Promise<void> {
  const folder = makeFolder(flags.dir ?? (process.env['TIDEMARK_DIR'] || tmpdir()))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const interrupted = () => {
    remove()
    process.exit(exitCodes.interrupted)
  }
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  const bar = flags.progress ? new ProgressBar(process.stderr) : undefined
  try {
    const run = new BenchRun({
      folder,
      shards: flags.shards ?? availableParallelism(),
      seconds: flags.quick ? quickSeconds : flags.seconds,
      commands: flags.quick ? quickCommands : fullCommands,
      onProgress: (done, text) => bar?.showWhenDue(() => [done, text]),
    })
    const result = await run.run()
    bar?.stop()
    const advice = adviceOf(result)
    const text = flags.json ? JSON.stringify({ ...result, advice }) : benchTables(result, advice)
    process.stdout.write(`${text}\n`)
  } finally {
    bar?.stop()
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
    remove()
  }
}

function makeFolder(parent: string): string {
  const { path: made } = RunFolder.choose(parent)
  try {
    return mkdtempSync(path.join(made, 'tidemark-bench-'))
  } catch (error) {
    throw outputFailure('create a folder in', made, error)
  }
}
