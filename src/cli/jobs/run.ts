import { existsSync } from 'node:fs'
import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import { reasonOf } from '../../base/errno.js'
import { JobController, type JobFunction, type JobHandler, type JobTotals } from '../../jobs/index.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { inputFailure } from '../failure.js'
import { requireLogOf } from '../log-folder.js'
import { count, rate } from '../number-format.js'
import { ProgressBar, RateMeter } from '../progress-bar.js'
import { runTable } from './tables.js'

export interface RunJobsFlags {
  readonly handler: string
  readonly export: string
  readonly concurrency: number
  readonly threads?: number
  readonly untilEmpty?: boolean
  readonly grace: number
  readonly dropHistory?: boolean
  readonly json?: boolean
  readonly progress: boolean
}

interface RunState extends Pick<JobTotals, 'completed' | 'dead' | 'retried' | 'timedOut'> {
  pending: number
}

const signals = ['SIGINT', 'SIGTERM'] as const

/** Runs the jobs of a queue until it is empty, if that was asked for, or a signal comes; then closes it. */
export async function runJobs(dir: string, flags: RunJobsFlags): Promise<ExitCode> {
  const handler = await loadHandler(flags)
  requireLogOf(dir, 'jobs')
  const queue = await JobController.open({
    dir,
    concurrency: flags.concurrency,
    keepHistory: !flags.dropHistory,
  })
  const interrupt = new Interrupt()
  const failed = new Promise<never>((_, reject) => queue.once('error', reject))
  failed.catch(() => {})
  queue.on('checkpointFailed', ({ error }) => process.stderr.write(`A checkpoint failed. ${error.message}\n`))
  const startMs = performance.now()
  const state = await countRun(queue)
  const display = flags.progress ? runProgress(process.stderr, state) : undefined
  try {
    queue.start(handler)
    const ends: Promise<unknown>[] = [interrupt.came, failed]
    if (flags.untilEmpty) ends.push(queue.drained())
    await Promise.race(ends)
  } finally {
    display?.stop()
    interrupt.stop()
    await queue.close({ graceMs: flags.grace })
  }
  const { dispatchLatency } = queue.metrics()
  const figures = {
    ...state,
    pending: (await queue.status()).pending,
    elapsedMs: performance.now() - startMs,
    dispatchLatency: dispatchLatency.count > 0 ? dispatchLatency : undefined,
  }
  process.stdout.write(`${flags.json ? JSON.stringify(figures) : runTable(figures)}\n`)
  return interrupt.interrupted ? exitCodes.interrupted : exitCodes.ok
}

async function loadHandler(flags: RunJobsFlags): Promise<JobHandler> {
  const filename = path.resolve(flags.handler)
  if (!existsSync(filename)) throw inputFailure(`There is no handler ${filename}.`)
  let handler: unknown
  try {
    handler = (await import(pathToFileURL(filename).href))[flags.export]
  } catch (error) {
    throw inputFailure(`Could not load the handler ${filename}: ${reasonOf(error)}.`, error)
  }
  if (typeof handler !== 'function') {
    throw inputFailure(`${filename} has no function under the export ${JSON.stringify(flags.export)}.`)
  }
  if (flags.threads === undefined) return handler as JobFunction
  return { filename, name: flags.export, threads: flags.threads }
}

/** Keeps count of what a run does, from the events that the queue emits. */
async function countRun(queue: JobController): Promise<RunState> {
  const state = { completed: 0, dead: 0, retried: 0, timedOut: 0, pending: (await queue.status()).pending }
  queue.on('enqueued', () => state.pending++)
  queue.on('dispatched', () => state.pending--)
  queue.on('completed', () => state.completed++)
  queue.on('dead', () => state.dead++)
  queue.on('retried', () => {
    state.retried++
    state.pending++
  })
  queue.on('timedOut', () => {
    state.timedOut++
    state.pending++
  })
  return state
}

/** The first Ctrl-C, or request to end, after which handlers may finish; a second one ends the process. */
class Interrupt {
  interrupted = false
  readonly came: Promise<void>
  #listener = () => {}

  constructor() {
    this.came = new Promise((resolve) => {
      this.#listener = () => {
        this.interrupted = true
        this.stop()
        resolve()
      }
    })
    for (const signal of signals) process.on(signal, this.#listener)
  }

  stop(): void {
    for (const signal of signals) process.off(signal, this.#listener)
  }
}

/** Shows a run's progress, until it is stopped; meanwhile it keeps the process alive. */
function runProgress(stream: NodeJS.WriteStream, state: RunState): ProgressBar {
  const bar = new ProgressBar(stream)
  const rateOf = new RateMeter()
  bar.watch(
    () => {
      const { completed, dead, retried, timedOut, pending } = state
      const done = completed + dead
      const line =
        `${count(completed)} completed  ${count(pending)} pending  ${count(retried + timedOut)} retried  ` +
        `${count(dead)} dead  ${rate(rateOf.perSecond(completed))} jobs/s`
      return [done / Math.max(1, done + pending), line]
    },
    { keepsAlive: true },
  )
  return bar
}
