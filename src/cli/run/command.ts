import { type Command, Option } from 'commander'
import { type Durability, type Preset, presets } from '../../log/index.js'
import { shardsMax } from '../../pool/index.js'
import { exitCodeHelp, exitCodes } from '../exit-codes.js'
import { usageFailure } from '../failure.js'
import { integerFlag, numberFlag } from '../flags.js'
import { flowDefaults, flowLimits, formatMix, parseMix } from '../flow/flow-settings.js'
import { type InputFormat, inputFormats } from '../inputs/input-format.js'
import { type Interruption, runFlow } from './run.js'
import { type RunSettings, runDefaults, runLimits } from './settings.js'
import { jsonSummary } from './summary.js'
import { summaryTable } from './summary-table.js'

interface RunFlags {
  format?: InputFormat
  orderbook?: string
  dir?: string
  shards?: number
  batchSize?: number
  batchDelayMs?: number
  preset?: Preset
  durability?: Durability
  rate?: number
  handover: number
  window: number
  resume?: boolean
  reports?: string
  benchmarkReports?: string | true
  verify?: boolean
  ledger?: boolean
  json?: boolean
  progress: boolean
  seed: number
  commands: number
  symbols: number
  accounts: number
  mix: string
  depthTicks: number
  resting: number
  drift: number
}

const exitCodeTable = exitCodeHelp([
  [exitCodes.ok, 'the flow ran to its end, and what was to be verified agrees'],
  [exitCodes.failed, 'the run failed: the disk, the folder, or the log'],
  [exitCodes.usage, 'bad usage: an unknown flag, a bad value of a flag or of a TIDEMARK_ variable'],
  [exitCodes.badInput, "the input is missing, in no known format or unusable, or the folder is no pool's"],
  [
    exitCodes.mismatch,
    'a check failed: reopening gave another book, accounts do not add up, or --resume found the log of another input',
  ],
  [exitCodes.interrupted, 'stopped by Ctrl-C; everything acknowledged is on disk'],
])

const flowGroup = 'Generated flow (without INPUT):'
const poolGroup = 'Pool and log:'
const outputGroup = 'Output:'

/** Adds `tidemark run`. */
export function addRunCommand(program: Command): void {
  program
    .command('run')
    .summary('run an order flow through a pool')
    .description(
      'Runs an order flow through a durable matching-engine pool and prints what came of it. INPUT is a file ' +
        'of commands (JSON lines), a LOBSTER message file or a matching-engine-benchmark file, plain or ' +
        'gzip, or - for standard input; without it a realistic flow is generated.',
    )
    .argument('[INPUT]', 'the order flow; generated when left out')
    .addOption(new Option('--format <name>', 'what INPUT is, when it does not show').choices(inputFormats))
    .addOption(new Option('--orderbook <file>', 'for a LOBSTER input: the order book file to check against'))
    .addOption(
      integerOption(
        '--rate <n>',
        'commands a second that arrive whatever the pool does',
        1,
        runLimits.maxRate,
      ),
    )
    .addOption(
      integerOption('--handover <n>', 'commands handed over at once', 1, runLimits.maxHandover).default(
        runDefaults.handover,
      ),
    )
    .addOption(
      integerOption('--window <n>', 'commands under way, at most', 1, runLimits.maxWindow).default(
        runDefaults.window,
      ),
    )
    .optionsGroup(poolGroup)
    .addOption(
      new Option(
        '--dir <folder>',
        'where the log is (TIDEMARK_DIR); else a temporary folder, removed at the end',
      ),
    )
    .addOption(integerOption('--shards <n>', 'matching threads (TIDEMARK_SHARDS)', 1, shardsMax))
    .addOption(
      integerOption('--batch-size <n>', 'flush at this many commands (TIDEMARK_BATCH_SIZE)', 1, 1_000_000),
    )
    .addOption(
      new Option(
        '--batch-delay-ms <ms>',
        'or when the oldest is this old; 0: whenever the disk is free (TIDEMARK_BATCH_DELAY_MS)',
      ).argParser(numberFlag(0, 10_000)),
    )
    .addOption(
      new Option('--preset <name>', 'batch size and delay together (TIDEMARK_PRESET)').choices(
        Object.keys(presets),
      ),
    )
    .addOption(
      new Option(
        '--durability <kind>',
        'one sync a batch, one a command, or none (TIDEMARK_DURABILITY)',
      ).choices(['group', 'each', 'unsafeNone']),
    )
    .addOption(
      new Option(
        '--resume',
        'continue in --dir where a run of the same input stopped, wherever that was; nothing is executed twice',
      ),
    )
    .addOption(
      new Option(
        '--ledger',
        'of a generated flow: keep funded accounts in a ledger, which refuses what they cannot pay',
      ),
    )
    .optionsGroup(outputGroup)
    .addOption(new Option('--verify', 'close, open again, and compare every book'))
    .addOption(
      new Option('--reports <file>', 'write every durable event of an order as a JSON line, in LSN order'),
    )
    .addOption(
      new Option(
        '--benchmark-reports [file]',
        "the benchmark's report lines: their SHA-256, and with FILE the lines",
      ),
    )
    .addOption(new Option('--json', 'print one JSON object, and nothing else'))
    .addOption(new Option('--no-progress', 'show no progress on standard error'))
    .optionsGroup(flowGroup)
    .addOption(
      integerOption('--seed <n>', 'the same seed gives the same flow', 0, flowLimits.maxSeed).default(
        flowDefaults.seed,
      ),
    )
    .addOption(
      integerOption('--commands <n>', 'how many commands', 1, flowLimits.maxCommands).default(
        flowDefaults.commands,
      ),
    )
    .addOption(
      integerOption(
        '--symbols <n>',
        'how many symbols; the first ones are the busiest',
        1,
        flowLimits.maxSymbols,
      ).default(flowDefaults.symbols),
    )
    .addOption(
      integerOption('--accounts <n>', 'how many accounts trade', 1, flowLimits.maxAccounts).default(
        flowDefaults.accounts,
      ),
    )
    .addOption(
      new Option('--mix <parts>', 'weights of the parts of the flow').default(formatMix(flowDefaults.mix)),
    )
    .addOption(
      integerOption(
        '--depth-ticks <n>',
        'how far from the middle orders go',
        1,
        flowLimits.maxDepthTicks,
      ).default(flowDefaults.depthTicks),
    )
    .addOption(
      integerOption(
        '--resting <n>',
        'about how many orders a book is kept at',
        1,
        flowLimits.maxRestingOrders,
      ).default(flowDefaults.restingOrders),
    )
    .addOption(
      new Option('--drift <chance>', 'chance that a command moves its middle by a tick')
        .argParser(numberFlag(0, 1))
        .default(flowDefaults.drift),
    )
    .addHelpText('after', exitCodeTable)
    .action(run)
}

async function run(input: string | undefined, flags: RunFlags): Promise<void> {
  const interruption = catchInterrupts()
  try {
    const summary = await runFlow(settingsOf(input, flags), interruption)
    const text = flags.json ? jsonSummary(summary) : summaryTable(summary)
    process.stdout.write(`${text}\n`)
    process.exitCode = summary.exitCode
  } finally {
    interruption.release()
  }
}

function settingsOf(input: string | undefined, flags: RunFlags): RunSettings {
  const mix = parseMix(flags.mix)
  if (!mix) {
    throw usageFailure(
      `--mix is ${JSON.stringify(flags.mix)}; use weights from 0 up, such as ${formatMix(flowDefaults.mix)}.`,
    )
  }
  const { dir, shards, batchSize, batchDelayMs, preset, durability } = flags
  return {
    input,
    format: flags.format,
    orderbook: flags.orderbook,
    flow: {
      seed: flags.seed,
      commands: flags.commands,
      symbols: flags.symbols,
      accounts: flags.accounts,
      mix,
      depthTicks: flags.depthTicks,
      restingOrders: flags.resting,
      drift: flags.drift,
    },
    pool: { dir, shards, batchSize, batchDelayMs, preset, durability },
    handover: Math.min(flags.handover, flags.window),
    window: flags.window,
    ratePerSecond: flags.rate,
    resume: flags.resume ?? false,
    reports: flags.reports,
    benchmarkReports: flags.benchmarkReports,
    verify: flags.verify ?? false,
    ledger: flags.ledger ?? false,
    json: flags.json ?? false,
    progress: flags.progress,
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The first Ctrl-C stops the intake; a second one ends the process where it stands, which loses nothing acknowledged. */
function catchInterrupts(): Interruption & { release(): void } {
  const state = {
    interrupted: false,
    onInterrupt: () => {},
    release: () => {
      for (const signal of signals) process.off(signal, interrupt)
    },
  }
  const interrupt = () => {
    if (state.interrupted) process.exit(130)
    state.interrupted = true
    process.stderr.write('\nStopping; what is under way is being finished.\n')
    state.onInterrupt()
  }
  for (const signal of signals) process.on(signal, interrupt)
  return state
}

function integerOption(flags: string, description: string, min: number, max: number): Option {
  return new Option(flags, description).argParser(integerFlag(min, max))
}
