import { spawn } from 'node:child_process'
import * as path from 'node:path'

export const root = path.resolve(import.meta.dirname, '../..')

/** Runs a module text in a process of its own, in the project's folder; resolves with what it printed and how it ended. */
export function runScript(
  script: string,
  environment: Record<string, string> = {},
): Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      env: { ...process.env, ...environment },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}
