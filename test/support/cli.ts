import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import * as path from 'node:path'
import { execute } from '#tidemark/cli/execute.js'

export const root = path.resolve(import.meta.dirname, '../..')
const main = path.join(root, 'dist/src/cli/main.js')

/** The folder of the real data: `TIDEMARK_DATA`, or beside the checkout. */
export const dataFolder = process.env['TIDEMARK_DATA'] ?? path.resolve(root, '../shared/data')

export function hasData(...parts: string[]): boolean {
  return existsSync(path.join(dataFolder, ...parts))
}

export interface CliResult {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** What a call in this process leaves besides. */
export interface CliResultHere extends CliResult {
  /** That of the process at its end, before it is restored. */
  readonly priority: number
}

export interface CliOptions {
  readonly environment?: Record<string, string>
  /** Where it is called from; the project's folder unless stated. */
  readonly cwd?: string
}

export interface CliProcessOptions extends CliOptions {
  /** What standard input holds; nothing by default. */
  readonly stdin?: string
  /** Called with the child and everything it has said on standard error so far. */
  readonly onStderr?: (child: ChildProcess, text: string) => void
  /** Runs it as the user without rights that every Unix has; only root can. */
  readonly unprivileged?: boolean
}

const unprivileged = { uid: 65_534, gid: 65_534 }
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const isSetting = (name: string) => name.startsWith('TIDEMARK_')

/** Runs the built `tidemark` in a process of its own, without settings from outside: for signals, pipes, users, streams. */
export function tidemarkProcess(
  args: readonly string[],
  options: CliProcessOptions = {},
): Promise<CliResult> {
  const outside = Object.entries(process.env).filter(([name]) => !isSetting(name))
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: options.cwd ?? root,
      env: { ...Object.fromEntries(outside), ...options.environment },
      ...(options.unprivileged && unprivileged),
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => {
      stderr += chunk
      options.onStderr?.(child, stderr)
    })
    child.stdin.on('error', () => {})
    child.stdin.end(options.stdin ?? '')
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

let last: Promise<unknown> = Promise.resolve()

/**
 * Runs `tidemark` in this process, without settings from outside, and returns what it wrote and the exit code that it
 * set: a process for each call takes longer than most commands. One after the other, because they share the streams.
 */
export function tidemark(args: readonly string[], options: CliOptions = {}): Promise<CliResultHere> {
  const result = last.then(() => executeHere(args, options))
  last = result.catch(() => {})
  return result
}

async function executeHere(args: readonly string[], options: CliOptions): Promise<CliResultHere> {
  const { exitCode } = process
  const [cwd, priority, listeners] = [process.cwd(), getPriority(), signalListeners()]
  const restoreEnvironment = setEnvironment(options.environment ?? {})
  const streams = [capture(process.stdout), capture(process.stderr)] as const
  process.exitCode = undefined
  process.chdir(options.cwd ?? root)
  try {
    await execute(args)
    if (signalListeners() !== listeners)
      throw new Error(`tidemark ${args.join(' ')} still listens to signals`)
    const [stdout, stderr] = streams.map(({ text }) => text()) as [string, string]
    return { code: Number(process.exitCode ?? 0), signal: null, stdout, stderr, priority: getPriority() }
  } finally {
    for (const { release } of streams) release()
    restoreEnvironment()
    process.exitCode = exitCode
    process.chdir(cwd)
    restorePriority(priority)
  }
}

/** Without the settings of outside, and with these variables, until restored. Threads are given a copy of what holds then. */
function setEnvironment(variables: Record<string, string>): () => void {
  const { env } = process
  const before = { ...env }
  for (const name of Object.keys(env).filter(isSetting)) delete env[name]
  Object.assign(env, variables)
  return () => {
    for (const name of Object.keys(env)) if (!(name in before)) delete env[name]
    Object.assign(env, before)
  }
}

function signalListeners(): number {
  return signals.reduce((sum, signal) => sum + process.listenerCount(signal), 0)
}

/** Some commands lower it; only root may raise it again, and for others nothing is lost. */
function restorePriority(priority: number): void {
  try {
    setPriority(priority)
  } catch {
    return
  }
}

/** Takes what is written to a stream, until released. */
function capture(stream: NodeJS.WriteStream): { text(): string; release(): void } {
  const { write } = stream
  let text = ''
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    const done = rest.at(-1)
    if (typeof done === 'function') process.nextTick(done)
    return true
  }
  return {
    text: () => text,
    release: () => {
      stream.write = write
    },
  }
}

/** Runs `tidemark run … --json` in this process and reads its summary. */
export async function summaryOf(args: readonly string[], options: CliOptions = {}) {
  return readSummary(await tidemark(['run', ...args, '--json', '--no-progress'], options))
}

/** The summary that a `tidemark run … --json` has printed. */
export function readSummary(result: CliResult) {
  if (result.stdout === '') throw new Error(`no summary, code ${result.code}: ${result.stderr}`)
  return { ...result, summary: JSON.parse(result.stdout) }
}
