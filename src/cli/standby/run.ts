import type { EnginePool } from '../../pool/index.js'
import { type Seed, Standby } from '../../standby/index.js'
import { exitCodes } from '../exit-codes.js'
import { count, duration } from '../number-format.js'
import { BytesProgress, ProgressBar, RateMeter } from '../progress-bar.js'
import { type ControlAnswer, serveControl } from './control.js'
import { type EtcdFlags, engineOf } from './etcd-flags.js'
import { standbyFailure, withStandbyFailures } from './failures.js'

export interface StandbyFlags extends EtcdFlags {
  readonly seed?: string
  readonly name?: string
  readonly autoPromote?: boolean
  readonly lease?: number
  readonly shards?: number
  readonly json?: boolean
  readonly progress: boolean
}

const signals = ['SIGINT', 'SIGTERM'] as const

/** Runs a standby until a signal ends it; promoted, it is the primary, and ends the same way. */
export async function runStandby(dir: string, flags: StandbyFlags): Promise<void> {
  await withStandbyFailures(async () => {
    const say = sayer(flags.json === true)
    const progress = flags.progress ? new StandbyProgress() : undefined
    const standby = await Standby.open({
      dir,
      replication: { log: engineOf(flags), pool: flags.pool, leaseMs: flags.lease },
      seed: flags.seed === undefined ? undefined : seedOf(flags.seed),
      name: flags.name,
      autoPromote: flags.autoPromote === true,
      shards: flags.shards,
      onSeeding: (done, total) => progress?.seeding(done, total),
    })
    progress?.following(standby)
    const ended = new Ended()
    let promoted: EnginePool | undefined
    standby.on('rejoined', ({ forkLsn, epoch, aside }) =>
      say(
        'rejoined',
        { forkLsn, epoch, aside },
        `Epoch ${epoch} went on at LSN ${count(forkLsn)}; what came after is in ${aside}.`,
      ),
    )
    standby.on('holder', (holder) =>
      say(
        'primary',
        { holder },
        holder ? `The primary is ${holder.owner}, epoch ${holder.n}.` : 'There is no primary.',
      ),
    )
    standby.on('silent', (error) =>
      say('silent', { code: error.code, message: error.message }, error.message),
    )
    standby.on('fenced', (error) =>
      say('fenced', { code: error.code, message: error.message }, error.message),
    )
    standby.on('caughtUp', (lsn) => say('caughtUp', { lsn }, `Has all that there was: LSN ${count(lsn)}.`))
    standby.on('promoted', (pool) => {
      promoted = pool
      pool.on('error', (error) => ended.fail(error))
      const { epoch } = standby.stats()
      const { durableLsn: lsn } = pool
      say('promoted', { epoch, lsn }, `It is the primary of epoch ${epoch}, from LSN ${count(lsn)}.`)
    })
    standby.on('error', (error) => ended.fail(error))
    const stopControl = await serveControl(standby.dir, (command) => answer(standby, command))
    const end = () => ended.end()
    for (const signal of signals) process.once(signal, end)
    say(
      'follows',
      { name: standby.name, lsn: standby.lsn },
      `Follows as ${standby.name}, from LSN ${count(standby.lsn)}.`,
    )
    try {
      await ended.promise
    } catch (error) {
      throw standbyFailure(error)
    } finally {
      for (const signal of signals) process.off(signal, end)
      progress?.stop()
      // A process that asked for a promotion gets the answer that the close leads to.
      await Promise.all([stopControl(), standby.close()])
      await promoted?.close()
    }
    process.exitCode = exitCodes.ok
  })

  async function answer(standby: Standby, command: string): Promise<ControlAnswer> {
    if (command !== 'promote') return { ok: false, message: `There is no command ${command}.` }
    const startMs = performance.now()
    try {
      const pool = await standby.promote()
      const elapsedMs = performance.now() - startMs
      return { ok: true, epoch: standby.stats().epoch, lsn: pool.durableLsn, elapsedMs }
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      return { ok: false, code, message }
    }
  }
}

/** A folder, or an address of http or https. */
function seedOf(text: string): Seed {
  return /^https?:\/\//.test(text) ? { url: text } : { dir: text }
}

/** Prints what happens: a line of JSON each, or a sentence. */
function sayer(json: boolean) {
  return (event: string, fields: Record<string, unknown>, sentence: string) => {
    process.stdout.write(json ? `${JSON.stringify({ event, ...fields })}\n` : `${sentence}\n`)
  }
}

/** What ends the command: a signal, or a failure. */
class Ended {
  readonly promise: Promise<void>
  #resolve: () => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.promise.catch(() => {})
  }

  end(): void {
    this.#resolve()
  }

  fail(error: Error): void {
    this.#reject(error)
  }
}

/** Progress on standard error: of the seeding, and then how far the standby follows until it has caught up. */
class StandbyProgress {
  #seeding: BytesProgress | undefined
  #bar: ProgressBar | undefined

  seeding(done: number, total: number): void {
    this.#seeding ??= new BytesProgress(process.stderr, 'copied')
    this.#seeding.show(done, total)
  }

  following(standby: Standby): void {
    this.#seeding?.stop()
    this.#seeding = undefined
    const meter = new RateMeter()
    const bar = new ProgressBar(process.stderr)
    this.#bar = bar
    const startMs = performance.now()
    bar.watch(() => {
      const { lsn } = standby
      return [undefined, `LSN ${count(lsn)}, ${count(meter.perSecond(lsn))} bytes a second`]
    })
    standby.once('caughtUp', (lsn) => {
      this.stop()
      process.stderr.write(`Caught up at LSN ${count(lsn)} in ${duration(performance.now() - startMs)}.\n`)
    })
  }

  stop(): void {
    this.#seeding?.stop()
    this.#bar?.stop()
    this.#bar = undefined
  }
}
