import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as path from 'node:path'

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

export interface CliOptions {
  readonly environment?: Record<string, string>
  /** What standard input holds; nothing by default. */
  readonly stdin?: string
  /** Called with the child and everything it has said on standard error so far. */
  readonly onStderr?: (child: ChildProcess, text: string) => void
  /** Runs it as the user without rights that every Unix has; only root can. */
  readonly unprivileged?: boolean
}

const unprivileged = { uid: 65_534, gid: 65_534 }

/** Runs the built `tidemark` in a process of its own, without settings from outside. */
export function tidemark(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('TIDEMARK_'))
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: root,
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

/** Runs `tidemark run … --json` and reads its summary. */
export async function summaryOf(args: readonly string[], options: CliOptions = {}) {
  const result = await tidemark(['run', ...args, '--json', '--no-progress'], options)
  if (result.stdout === '') throw new Error(`no summary, code ${result.code}: ${result.stderr}`)
  return { ...result, summary: JSON.parse(result.stdout) }
}
