import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Acknowledgement } from './acknowledged.js'
import { root } from './run-script.js'

/** What a primary said that is no acknowledgement. */
export interface PrimaryNews {
  readonly stalled?: string
  readonly resumed?: number
  readonly ended?: string
  readonly closed?: boolean
  readonly atMs?: number
}

/** A process that is the primary of a replicated pool, under load: `replication-child.mjs`. */
export class PrimaryProcess {
  readonly acknowledged: Acknowledgement[] = []
  readonly news: PrimaryNews[] = []
  readonly ended: Promise<unknown>
  readonly #child: ChildProcess
  #output = ''
  #ready = false
  #onLine: () => void = () => {}

  constructor(options: {
    dir: string
    pool: string
    endpoints: readonly string[]
    seed: number
    inFlight: number
    firstOrder: number
    leaseMs?: number
    /** Words before the command: to run it in another network namespace. */
    prefix?: readonly string[]
  }) {
    const [command, ...args] = [
      ...(options.prefix ?? []),
      process.execPath,
      `${root}/test/support/replication-child.mjs`,
    ]
    this.#child = spawn(command!, args, {
      cwd: root,
      env: {
        ...process.env,
        DIR: options.dir,
        POOL: options.pool,
        ENDPOINTS: options.endpoints.join(','),
        SEED: String(options.seed),
        IN_FLIGHT: String(options.inFlight),
        FIRST_ORDER: String(options.firstOrder),
        LEASE_MS: String(options.leaseMs ?? 2000),
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.ended = once(this.#child, 'close')
    this.#child.stdout!.setEncoding('utf8').on('data', (chunk: string) => this.#take(chunk))
  }

  /** What ended it, but for a signal: the codes of its causes. */
  get causes(): string[] {
    return this.news.flatMap(({ ended }) => (ended === undefined ? [] : [ended]))
  }

  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  async close(): Promise<void> {
    this.#child.stdin!.write('close\n')
    await this.ended
  }

  /** Resolves when so many commands are acknowledged; rejects when the process ends before. */
  async acknowledges(count: number): Promise<void> {
    await this.until(() => this.acknowledged.length >= count)
  }

  async until(condition: () => boolean): Promise<void> {
    const gone = this.ended.then(() => {
      if (!condition()) throw new Error(`the primary ended: ${JSON.stringify(this.news)}`)
    })
    const met = new Promise<void>((resolve) => {
      const look = () => {
        if (condition()) resolve()
      }
      this.#onLine = look
      look()
    })
    await Promise.race([met, gone])
  }

  #take(chunk: string): void {
    this.#output += chunk
    const lines = this.#output.split('\n')
    this.#output = lines.pop()!
    for (const line of lines) {
      if (!this.#ready) {
        this.#ready = true
        continue
      }
      const said = JSON.parse(line)
      if ('lsn' in said) this.acknowledged.push(said)
      else this.news.push(said)
    }
    this.#onLine()
  }
}
