import { existsSync } from 'node:fs'
import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import { SingleBar } from 'cli-progress'
import { reasonOf } from '../../base/errno.js'
import { JobController, type JobFunction, type JobHandler, type JobTotals } from '../../jobs/index.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { inputFailure } from '../failure.js'
import { count, rate } from '../number-format.js'
import { runTable } from './tables.js'

export interface RunJobsFlags {
  readonly handler: string
  readonly export: string
  readonly concurrency: number
  readonly threads?: number
  readonly untilEmpty?: boolean
  readonly grace: number
  readonly dropHistory?: boolean
}

interface RunState extends Pick<JobTotals, 'completed' | 'dead' | 'retried' | 'timedOut'> {
  pending: number
}

const barMs = 100
const lineMs = 2000
const signals = ['SIGINT', 'SIGTERM'] as const

/** Runs the jobs of a queue until it is empty, if that was asked for, or a signal comes; then closes it. */
export async function runJobs(dir: string, flags: RunJobsFlags): Promise<ExitCode> {
  const handler = await loadHandler(flags)
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
  const display = new RunDisplay(process.stderr, state)
  try {
    queue.start(handler)
    const ends: Promise<unknown>[] = [interrupt.came, failed]
    if (flags.untilEmpty) ends.push(queue.drained())
    await Promise.race(ends)
  } finally {
    display.stop()
    interrupt.stop()
    await queue.close({ graceMs: flags.grace })
  }
  const { dispatchLatency } = queue.metrics()
  const figures = {
    ...state,
    pending: (await queue.status()).pending,
    elapsedMs: performance.now() - startMs,
    dispatchP50Ms: dispatchLatency.p50Ms,
    dispatchP99Ms: dispatchLatency.p99Ms,
  }
  process.stdout.write(`${runTable(figures)}\n`)
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

/** A run's live progress: a bar on a terminal, a line now and then elsewhere. Keeps the process alive. */
class RunDisplay {
  readonly #stream: NodeJS.WriteStream
  readonly #state: RunState
  readonly #bar: SingleBar | undefined
  readonly #timer: NodeJS.Timeout
  #lastMs = performance.now()
  #lastCompleted = 0

  constructor(stream: NodeJS.WriteStream, state: RunState) {
    this.#stream = stream
    this.#state = state
    if (stream.isTTY) {
      this.#bar = new SingleBar({
        stream,
        format: '{bar} {line}',
        barsize: 24,
        barCompleteChar: '#',
        barIncompleteChar: '-',
        hideCursor: true,
        clearOnComplete: true,
      })
      this.#bar.start(1, 0, { line: '' })
    }
    this.#timer = setInterval(() => this.#show(), this.#bar ? barMs : lineMs)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#bar?.stop()
  }

  #show(): void {
    const { completed, dead, retried, timedOut, pending } = this.#state
    const nowMs = performance.now()
    const perSecond = ((completed - this.#lastCompleted) / (nowMs - this.#lastMs)) * 1000
    this.#lastMs = nowMs
    this.#lastCompleted = completed
    const line =
      `${count(completed)} completed  ${count(pending)} pending  ${count(retried + timedOut)} retried  ` +
      `${count(dead)} dead  ${rate(perSecond)} jobs/s`
    if (!this.#bar) {
      this.#stream.write(`${line}\n`)
      return
    }
    this.#bar.setTotal(Math.max(1, completed + dead + pending))
    this.#bar.update(completed + dead, { line })
  }
}
