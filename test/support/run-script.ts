import { spawn } from 'node:child_process'
import * as path from 'node:path'

export const root = path.resolve(import.meta.dirname, '../..')

/** What a process printed, and how it ended. */
export interface ProgramResult {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a module text in a process of its own, in the project's folder; resolves with what it printed and how it ended. */
export function runScript(script: string, environment: Record<string, string> = {}): Promise<ProgramResult> {
  return runProgram(process.execPath, ['--input-type=module', '-e', script], { environment })
}

/** Runs a program to its end, in the project's folder unless stated. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { cwd?: string; environment?: Record<string, string> } = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.environment },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}
