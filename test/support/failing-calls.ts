import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { root } from './run-script.js'

/** The kinds of calls, in the order of the counts in the report of `failing-calls.c`. */
export const callKinds = [
  'open',
  'read',
  'write',
  'fsync',
  'fdatasync',
  'rename',
  'unlink',
  'truncate',
  'mkdir',
  'stat',
  'list',
  'lock',
] as const
export type CallKind = (typeof callKinds)[number]
export type CallFault = 'EIO' | 'ENOSPC' | 'EINTR' | 'short'

export interface FailingCall {
  readonly kind: CallKind
  /** Which call of that kind, from 1. */
  readonly number: number
  readonly fault: CallFault
}

/** What was counted and done in the process; `struct report` of `failing-calls.c`. */
interface CallReport {
  readonly counts: Readonly<Record<CallKind, number>>
  readonly fired: boolean
  /** Of the call that failed: its path, and the LSN up to which the log was synced then. */
  readonly path: string
  readonly syncedLsn: number
}

const reportBytes = 640
const pathAt = 128

/** Why the calls of a process can't be made to fail here, or `undefined`. */
export function whyCallsCannotFail(): string | undefined {
  if (process.platform !== 'linux') return 'LD_PRELOAD is a way of Linux'
  const { header } = process.report.getReport() as unknown as { header: Record<string, unknown> }
  if (header['glibcVersionRuntime'] === undefined) return 'the calls are those of glibc'
  if (spawnSync('cc', ['--version']).status !== 0) return 'there is no C compiler (cc)'
  return undefined
}

/** Builds the library in a folder; returns its path. */
export function buildFailingCalls(folder: string): string {
  const library = path.join(folder, 'failing-calls.so')
  const source = path.join(root, 'test/faults/failing-calls.c')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library, source, '-ldl'])
  return library
}

export interface ChildRun {
  readonly code: number | null
  readonly signal: string | null
  /** The JSON lines that it said. */
  readonly said: Record<string, unknown>[]
  readonly stderr: string
  readonly hung: boolean
  readonly calls: CallReport
}

/** Runs a script whose calls on the files of `folder` are counted, and of which one fails. One that hangs is ended. */
export async function runWithFailingCall(options: {
  library: string
  script: string
  folder: string
  environment: Record<string, string>
  failing: FailingCall | undefined
  hangMs: number
}): Promise<ChildRun> {
  const { folder, failing } = options
  const reportPath = `${folder}.report`
  writeFileSync(reportPath, Buffer.alloc(reportBytes))
  const child = spawn(process.execPath, [options.script], {
    cwd: root,
    env: {
      ...process.env,
      ...options.environment,
      LD_PRELOAD: options.library,
      FAILING_FOLDER: folder,
      FAILING_REPORT: reportPath,
      ...(failing && {
        FAILING_CALL: failing.kind,
        FAILING_NUMBER: String(failing.number),
        FAILING_FAULT: failing.fault,
      }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  let hung = false
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  const watchdog = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, options.hangMs)
  const [code, signal] = await once(child, 'close')
  clearTimeout(watchdog)
  const said = stdout
    .slice(0, stdout.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  return { code, signal, said, stderr, hung, calls: readReport(reportPath) }
}

function readReport(file: string): CallReport {
  const report = readFileSync(file)
  const number = (index: number) => Number(report.readBigInt64LE(index * 8))
  const text = report.toString('utf8', pathAt, reportBytes)
  return {
    counts: Object.fromEntries(callKinds.map((kind, i) => [kind, number(i)])) as Record<CallKind, number>,
    fired: number(callKinds.length + 2) === 1,
    syncedLsn: number(callKinds.length + 3),
    path: text.slice(0, text.indexOf('\0')),
  }
}
