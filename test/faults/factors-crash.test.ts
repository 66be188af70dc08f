import { spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import * as path from 'node:path'
import { expect, it } from 'vitest'
import { DurableFactorEngine } from '#tidemark/factors/index.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { temporaryDirectory } from '../support/temporary.js'
import { everyFactor, instruments, tickAt, uninterrupted } from '../unit/factors/support/feed.js'
import { Random } from '../unit/factors/support/series.js'

const crashes = faultCount('factors-crash', { short: 7, full: 200 })
const kills = faultCount('factors-kill', { short: 2, full: 200 })
const log = { ringBytes: 1 << 18, segmentBytes: 1 << 18 }
const segmentHeaderBytes = 4096

/** Every bit of every factor's state. */
function bits(engine: Pick<DurableFactorEngine, 'instruments'>): string[] {
  return engine.instruments.map(({ name, program }) => {
    const { buffer } = program.cells.slice(0, program.used)
    return `${name} ${Buffer.from(buffer).toString('base64')}`
  })
}

/** The uninterrupted run, which only ever goes forward. */
class Reference {
  readonly engine = uninterrupted(0)
  #at = 0

  expectSame(engine: DurableFactorEngine): number {
    const { ticks } = engine.recovery
    expect(ticks).toBeGreaterThanOrEqual(this.#at)
    for (; this.#at < ticks; this.#at++) this.engine.processTick(tickAt(this.#at))
    if (ticks > 0) {
      expect(bits(engine)).toEqual(bits(this.engine))
      expect(engine.recovery.lastTimestamp).toBe(tickAt(ticks - 1).timestamp)
    }
    return ticks
  }
}

/** Damages a few bytes of what was written and never synced. */
function tear(dir: string, durableLsn: number, random: Random): void {
  const name = readdirSync(dir)
    .filter((entry) => /^\d{20}\.wal$/.test(entry))
    .sort()
    .at(-1)!
  const file = openSync(path.join(dir, name), 'r+')
  const firstLsn = Number.parseInt(name, 10)
  const from = segmentHeaderBytes + Math.max(0, durableLsn - firstLsn)
  const tail = Buffer.alloc(Math.max(0, Math.min(fstatSync(file).size - from, 1 << 16)))
  readSync(file, tail, 0, tail.length, from)
  let end = tail.length
  while (end > 0 && tail[end - 1] === 0) end--
  if (end > 0) {
    const at = random.below(end)
    const junk = Uint8Array.from({ length: Math.min(1 + random.below(64), end - at) }, () =>
      random.below(256),
    )
    writeSync(file, junk, 0, junk.length, from + at)
  }
  closeSync(file)
}

it(`continues bit by bit the same after ${crashes} crashes that lose and tear what was not synced`, {
  timeout: 300_000 + crashes * 5000,
}, async () => {
  const dir = temporaryDirectory()
  const reference = new Reference()
  let acknowledged = 0
  let to = 0
  for (const crash of faultCases(crashes)) {
    const random = new Random(crash)
    const engine = await DurableFactorEngine.open({
      dir,
      log,
      batchSize: 1 + random.below(60),
      maxDelayMs: random.below(3),
      groupCommit: random.below(2) === 0,
      snapshotEveryTicks: 50 + random.below(500),
    })
    const at = reference.expectSame(engine)
    expect(at).toBeGreaterThanOrEqual(acknowledged)
    expect(at).toBeLessThanOrEqual(to)
    if (engine.instruments.length === 0) {
      for (const instrument of instruments) engine.registerAll(instrument, everyFactor)
      await engine.flush()
    }
    to = at + 1 + random.below(600)
    const promises: Promise<unknown>[] = []
    for (let i = at; i < to; i++) {
      if (engine.full) await engine.ready()
      if (random.below(50) === 0) {
        const done = i + 1
        promises.push(
          engine.persistTick(tickAt(i)).then(
            () => {
              acknowledged = Math.max(acknowledged, done)
            },
            () => {},
          ),
        )
        await new Promise((resolve) => setImmediate(resolve))
      } else {
        engine.processTick(tickAt(i))
      }
    }
    engine.log.poison(new Error('the power went out'))
    await Promise.all(promises)
    await engine.close().catch(() => {})
    tear(dir, engine.log.durableLsn, random)
  }
})

it(`continues bit by bit the same after ${kills} times SIGKILL`, {
  timeout: 300_000 + kills * 5000,
}, async () => {
  const dir = temporaryDirectory()
  const reference = new Reference()
  for (const kill of faultCases(kills)) {
    const random = new Random(kill)
    const child = spawn(process.execPath, [path.resolve('test/faults/factors-child.mjs'), dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (data) => {
      said += data
      if (said.length === data.length) setTimeout(() => child.kill('SIGKILL'), random.below(120))
    })
    const signal = await new Promise((resolve) => child.on('close', (_code, by) => resolve(by)))
    expect(signal).toBe('SIGKILL')
    const acknowledged = Number(said.trimEnd().split('\n').at(-1))
    const engine = await DurableFactorEngine.open({ dir, log, snapshotEveryTicks: 0 })
    expect(engine.recovery.ticks).toBeGreaterThanOrEqual(acknowledged)
    reference.expectSame(engine)
    engine.log.poison(new Error('a crash, so that no clean close leaves a snapshot'))
    await engine.close().catch(() => {})
  }
})
