import { type Command, Option } from 'commander'
import {
  dumpLog,
  JobController,
  type JobEventType,
  type JobLogDamage,
  type JobSpec,
  jobEventTypes,
  logSizeOf,
  type OnProgress,
  readStoredJobs,
  validateLog,
} from '../../jobs/index.js'
import { exitCodeHelp, exitCodes } from '../exit-codes.js'
import { inputFailure, usageFailure } from '../failure.js'
import { integerFlag } from '../flags.js'
import { InputFile } from '../inputs/input-file.js'
import { LineReader } from '../inputs/line-reader.js'
import { requireLogOf, requireNoOther } from '../log-folder.js'
import { count } from '../number-format.js'
import { BytesProgress, ProgressBar } from '../progress-bar.js'
import { type RunJobsFlags, runJobs } from './run.js'
import { statusTable, validationTable } from './tables.js'

const numberMax = Number.MAX_SAFE_INTEGER
const timeoutMsMax = 2 ** 31 - 1
/** Jobs of a file that are handed over before the first of them is awaited. */
const enqueuePiece = 10_000
const dropHistory = [
  '--drop-history',
  'remove the events that the snapshot at the end makes needless; without it, dump shows all',
] as const

const exitCodeTable = exitCodeHelp([
  [exitCodes.ok, 'done (run: the queue was empty, with --until-empty)'],
  [exitCodes.failed, 'the disk, the folder or the log failed, or it is corrupt'],
  [exitCodes.usage, 'bad usage'],
  [
    exitCodes.badInput,
    "the folder holds no log of jobs, or the payload, the file or the handler can't be used",
  ],
  [exitCodes.mismatch, 'validate: the log is corrupt'],
  [exitCodes.interrupted, 'run: stopped by Ctrl-C; what was acknowledged is on disk'],
])

interface EnqueueFlags {
  readonly id?: string
  readonly priority?: number
  readonly timeout?: number
  readonly maxAttempts?: number
  readonly file?: string
  readonly dropHistory?: boolean
  readonly json?: boolean
  readonly progress: boolean
}

interface DumpFlags {
  readonly from?: number
  readonly to?: number
  readonly type?: JobEventType[]
  readonly job?: string
  readonly tolerant?: boolean
  readonly progress: boolean
}

interface ReportFlags {
  readonly json?: boolean
  readonly progress: boolean
}

/** Adds `tidemark jobs …`, the commands of the durable job queue. */
export function registerJobs(program: Command): void {
  const jobs = program
    .command('jobs')
    .summary('add, run and look at the jobs of a queue')
    .description('A durable job queue in a folder: its whole history is a write-ahead log.')
    .addHelpText('after', exitCodeTable)
  addEnqueue(jobs)
  jobs
    .command('status')
    .summary('show how many jobs are in which state')
    .description('Shows how many jobs are in which state. May stand beside a queue that runs.')
    .argument('<DIR>', 'folder of the queue')
    .option('--json', 'print one JSON object, and nothing else')
    .option('--no-progress', 'show no progress on standard error')
    .addHelpText('after', exitCodeTable)
    .action(showStatus)
  addRun(jobs)
  addDump(jobs)
  jobs
    .command('validate')
    .summary('check every record of the log')
    .description(
      'Checks every record of the log and lists all that is corrupt. May stand beside a queue that runs.',
    )
    .argument('<DIR>', 'folder of the queue')
    .option('--json', 'print one JSON object, and nothing else')
    .option('--no-progress', 'show no progress on standard error')
    .addHelpText('after', exitCodeTable)
    .action(validate)
}

function addEnqueue(jobs: Command): void {
  jobs
    .command('enqueue')
    .summary('add one job, or the jobs of a file')
    .description('Adds one job, or the jobs of a file, and returns when they are on disk.')
    .argument('<DIR>', 'folder of the queue; created when it is not there')
    .argument('[PAYLOAD]', 'the payload of one job, as JSON')
    .option('--id <id>', 'id by which a repeated enqueue is recognised (default: a random one)')
    .option(
      '--priority <n>',
      'jobs of a higher number go first (default: 0)',
      integerFlag(-numberMax, numberMax),
    )
    .option('--timeout <ms>', 'how long one attempt may take (default: 30000)', integerFlag(1, timeoutMsMax))
    .option('--max-attempts <n>', 'how often the job is tried (default: 3)', integerFlag(1, 1_000_000))
    .option(
      '--file <file>',
      'a file of jobs, one JSON object {id, payload, priority, timeoutMs, maxAttempts} a line',
    )
    .option(...dropHistory)
    .option('--json', 'print one JSON object, and nothing else')
    .option('--no-progress', 'show no progress on standard error')
    .addHelpText('after', exitCodeTable)
    .action(enqueue)
}

function addRun(jobs: Command): void {
  jobs
    .command('run')
    .summary('run the jobs of a queue')
    .description('Runs the jobs of a queue until Ctrl-C, which lets running handlers end.')
    .argument('<DIR>', 'folder of the queue')
    .requiredOption('--handler <file>', 'a module whose export takes {id, payload, attempt, attemptId}')
    .option('--export <name>', 'which export of the module', 'default')
    .option('--concurrency <n>', 'attempts at a time', integerFlag(1, 100_000), 16)
    .option('--threads <n>', 'run handlers in this many worker threads', integerFlag(1, 1024))
    .option('--until-empty', 'end when no job is pending or in flight')
    .option('--grace <ms>', 'how long handlers may run on after Ctrl-C', integerFlag(0, timeoutMsMax), 10_000)
    .option(...dropHistory)
    .option('--json', 'print one JSON object, and nothing else')
    .option('--no-progress', 'show no progress on standard error')
    .addHelpText('after', exitCodeTable)
    .action(async (dir: string, flags: RunJobsFlags) => {
      process.exitCode = await runJobs(dir, flags)
    })
}

function addDump(jobs: Command): void {
  jobs
    .command('dump')
    .summary('print the events of the log')
    .description('Prints the events of the log, one JSON object a line. May stand beside a queue that runs.')
    .argument('<DIR>', 'folder of the queue')
    .option('--from <seq>', 'the first sequence number', integerFlag(0, numberMax))
    .option('--to <seq>', 'the last sequence number', integerFlag(0, numberMax))
    .addOption(new Option('--type <types...>', 'only events of these types').choices(jobEventTypes))
    .option('--job <id>', 'only events of this job')
    .option('--tolerant', 'skip what is corrupt, and report it on standard error')
    .option('--no-progress', 'show no progress on standard error')
    .addHelpText('after', exitCodeTable)
    .action(dump)
}

async function enqueue(dir: string, payload: string | undefined, flags: EnqueueFlags): Promise<void> {
  if ((payload === undefined) === (flags.file === undefined)) {
    throw usageFailure('Give either the payload of one job or --file with many.')
  }
  const { id, priority, timeout, maxAttempts } = flags
  if (flags.file !== undefined && [id, priority, timeout, maxAttempts].some((flag) => flag !== undefined)) {
    throw usageFailure(
      '--id, --priority, --timeout and --max-attempts go with one payload; with --file each line has its own.',
    )
  }
  requireNoOther(dir, 'jobs')
  const queue = await JobController.open({ dir, keepHistory: !flags.dropHistory })
  try {
    const text =
      flags.file === undefined
        ? await enqueueOne(queue, toSpec(payload!, flags), flags.json)
        : await enqueueFile(queue, flags.file, flags)
    process.stdout.write(`${text}\n`)
  } finally {
    await queue.close()
  }
}

async function enqueueOne(queue: JobController, spec: JobSpec, json: boolean | undefined): Promise<string> {
  const { id, added, state } = await queue.enqueue(spec)
  if (json) return JSON.stringify({ id, added, state })
  return added ? id : `${id} is known already: ${state}`
}

async function enqueueFile(
  queue: JobController,
  file: string,
  { json, progress }: EnqueueFlags,
): Promise<string> {
  let added = 0
  let known = 0
  const bar = progress ? new ProgressBar(process.stderr) : undefined
  try {
    for await (const specs of readSpecs(file)) {
      for (const result of await queue.enqueueMany(specs)) {
        if (result.added) added++
        else known++
      }
      bar?.showWhenDue(() => [undefined, `${count(added + known)} jobs are on disk`])
    }
  } finally {
    bar?.stop()
  }
  if (json) return JSON.stringify({ added, known })
  return `${count(added)} jobs are on disk, ${count(known)} were known already`
}

/** The jobs of a file, a line each, in pieces. */
async function* readSpecs(path: string): AsyncGenerator<JobSpec[]> {
  const file = await InputFile.open(path)
  try {
    const lines = new LineReader(file)
    const specs: JobSpec[] = []
    for (;;) {
      if (lines.needsMore) await lines.more()
      const text = lines.take()
      if (text === null) break
      if (text?.trim() === '') continue
      specs.push(parseSpec(path, lines.line, text))
      if (specs.length === enqueuePiece) yield specs.splice(0)
    }
    yield specs
  } finally {
    file.close()
  }
}

function parseSpec(path: string, line: number, text: string | undefined): JobSpec {
  try {
    const spec: unknown = JSON.parse(text ?? '')
    if (typeof spec === 'object' && spec !== null && !Array.isArray(spec)) return spec
  } catch {}
  throw inputFailure(
    `Line ${line} of ${path} is not a JSON object; the jobs before it may be on disk already.`,
  )
}

function toSpec(payload: string, flags: EnqueueFlags): JobSpec {
  try {
    const { id, priority, timeout: timeoutMs, maxAttempts } = flags
    return { id, priority, timeoutMs, maxAttempts, payload: JSON.parse(payload) }
  } catch (error) {
    throw inputFailure(`The payload is not JSON: ${(error as Error).message}`, error)
  }
}

async function showStatus(dir: string, flags: ReportFlags): Promise<void> {
  requireLogOf(dir, 'jobs')
  const all = { count: numberMax, ageMs: Number.POSITIVE_INFINITY }
  const stored = await withProgress(flags.progress, (onProgress) => readStoredJobs(dir, all, onProgress))
  const { table, lastSeq, snapshotSeq, tornEnd } = stored
  const logBytes = logSizeOf(dir)
  const status = { ...table.counts, totals: table.totals, lastSeq, snapshotSeq, tornEnd, logBytes }
  process.stdout.write(`${flags.json ? JSON.stringify(status) : statusTable(status)}\n`)
}

async function dump(dir: string, flags: DumpFlags): Promise<void> {
  requireLogOf(dir, 'jobs')
  const onDamage = flags.tolerant ? reportDamage : undefined
  const filter = { fromSeq: flags.from, toSeq: flags.to, types: flags.type, jobId: flags.job, onDamage }
  // On a terminal the events themselves show how far it is.
  await withProgress(flags.progress && !process.stdout.isTTY, (onProgress) => {
    for (const event of dumpLog(dir, { ...filter, onProgress })) {
      process.stdout.write(`${JSON.stringify(event)}\n`)
    }
  })
}

/** Runs what reads a log, and shows meanwhile how far it is, where that is wanted. */
async function withProgress<T>(
  isShown: boolean,
  read: (onProgress: OnProgress | undefined) => T | Promise<T>,
): Promise<T> {
  if (!isShown) return read(undefined)
  const bar = new BytesProgress(process.stderr, 'read')
  try {
    return await read((done, total) => bar.show(done, total))
  } finally {
    bar.stop()
  }
}

function reportDamage({ file, offset, seq, count: missing, reason }: JobLogDamage): void {
  process.stderr.write(
    `Skipped ${missing ?? 'an unknown number of'} events from ${seq} on, byte ${offset} of ${file}: ${reason}\n`,
  )
}

async function validate(dir: string, flags: ReportFlags): Promise<void> {
  requireLogOf(dir, 'jobs')
  const validation = await withProgress(flags.progress, (onProgress) => validateLog(dir, { onProgress }))
  process.stdout.write(`${flags.json ? JSON.stringify(validation) : validationTable(validation)}\n`)
  if (!validation.valid) process.exitCode = exitCodes.mismatch
}
