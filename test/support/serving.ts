import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import * as path from 'node:path'
import { onTestFinished } from 'vitest'
import { root } from './run-script.js'
import { peersEnvironment } from './store-targets.js'

const main = path.join(root, 'dist/src/cli/main.js')

export interface Serving {
  readonly child: ChildProcess
  readonly lines: string[]
  readonly url: string
  /** Resolves with the first line of its output that fits. */
  line(pattern: RegExp): Promise<string>
  /** What it has said on standard error. */
  readonly errors: string
}

interface ServingOptions {
  readonly environment?: Record<string, string>
  /** Default: one that is free. */
  readonly port?: number
}

/** Starts `tidemark serve`, and waits for the address that it prints. It is killed when the test is over. */
export async function serving(
  args: readonly string[],
  { environment = {}, port = 0 }: ServingOptions = {},
): Promise<Serving> {
  const child = spawn(process.execPath, [main, 'serve', '--port', String(port), ...args], {
    env: { ...process.env, ...peersEnvironment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  let errors = ''
  let look = () => {}
  child.stderr!.on('data', (bytes) => {
    errors += bytes
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout!.on('data', (bytes) => {
      text += bytes
      look()
      const [, found] = / at (http\S+)\n/.exec(text) ?? []
      if (found !== undefined) resolve(found)
    })
    child.on('close', (code) => reject(new Error(`ended with ${code} before it served: ${text}${errors}`)))
  })
  return {
    child,
    url,
    get lines() {
      return text.trim().split('\n')
    },
    line: (pattern) =>
      new Promise((resolve) => {
        look = () => {
          const found = text.split('\n').find((line) => pattern.test(line))
          if (found !== undefined) resolve(found)
        }
        look()
      }),
    get errors() {
      return errors
    },
  }
}

export async function ended(child: ChildProcess, signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL') {
  const code = new Promise<number | null>((resolve) => child.on('close', resolve))
  child.kill(signal)
  return code
}

/** A port that is free now: a server that is started again has the same. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
