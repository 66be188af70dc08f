import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { DurableLog } from '#tidemark/log/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { InlineLog } from '../support/inline-log.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { bitcoin, ether, limit, openPool } from '../support/pools.js'
import { root, runScript } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

const locked = { code: 'TIDEMARK_LOG_LOCKED', message: expect.stringMatching(/in use by another/) }

const opener = `import { EnginePool } from '#tidemark/pool/index.js'
  const pool = await EnginePool.open({ dir: process.env.DIR }).catch((error) => error)
  if (pool instanceof Error) console.log(pool.code)
  else { console.log('opened'); await pool.close() }`

const owner = `import { EnginePool } from '#tidemark/pool/index.js'
  const pool = await EnginePool.open({ dir: process.env.DIR, instruments: [${JSON.stringify(bitcoin)}] })
  const order = ${JSON.stringify(limit(1, 'buy', '10', '1'))}
  console.log((await pool.submit(order)).lsn)
  for (let orderId = 2; ; orderId++) await pool.submit({ ...order, orderId })`

/** A process that owns the folder and keeps writing; resolves when it has acknowledged something. */
async function startOwner(dir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', owner], {
    cwd: root,
    env: { ...process.env, DIR: dir },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
  return child
}

describe('a folder that has an owner', () => {
  it('is refused to a second opener in the process, by whichever path, and the owner continues', async () => {
    const dir = path.join(temporaryDirectory(), 'pool')
    const pool = await openPool({ dir })
    const link = `${dir}-link`
    symlinkSync(dir, link)
    for (const other of [dir, `${dir}/../pool`, link]) {
      await expect(EnginePool.open({ dir: other })).rejects.toMatchObject(locked)
      await expect(DurableLog.open({ dir: other, kind: 'pool' })).rejects.toMatchObject(locked)
    }
    expect((await pool.submit(limit(1, 'buy', '10', '1'))).status).toBe('resting')
    await pool.close()
    const again = await EnginePool.open({ dir: link })
    expect((await again.order('BTC-USD', 1)).order).toBeDefined()
    await again.close()
  })

  it('is refused to another process, and the owner continues', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir })
    expect(await runScript(opener, { DIR: dir })).toMatchObject({ code: 0, stdout: 'TIDEMARK_LOG_LOCKED\n' })
    expect((await pool.submit(limit(1, 'buy', '10', '1'))).status).toBe('resting')
    await pool.close()
    expect(await runScript(opener, { DIR: dir })).toMatchObject({ code: 0, stdout: 'opened\n' })
  })

  it('goes to one of many that open it at once', async () => {
    const dir = temporaryDirectory()
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => EnginePool.open({ dir })))
    const opened = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    expect(opened).toHaveLength(1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(locked)
    await opened[0]!.value.close()
  })

  it('is free at once when the owner is killed while it writes, and holds what it acknowledged', async () => {
    const dir = temporaryDirectory()
    const child = await startOwner(dir)
    await expect(EnginePool.open({ dir })).rejects.toMatchObject(locked)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const pool = await openPool({ dir, instruments: [bitcoin] })
    expect((await pool.order('BTC-USD', 1)).order).toBeDefined()
  })

  it('is free again when its opening failed, and when its owner was poisoned and closed', async () => {
    const dir = temporaryDirectory()
    await (await EnginePool.open({ dir, instruments: [bitcoin] })).close()
    const differing = { dir, instruments: [{ ...bitcoin, tickSize: '0.1' }, ether] }
    await expect(EnginePool.open(differing)).rejects.toMatchObject({ code: 'TIDEMARK_INSTRUMENT_DIFFERS' })
    await expect(DurableLog.open({ dir, kind: 'pool', contentVersion: 999 })).rejects.toMatchObject({
      code: 'TIDEMARK_LOG_FORMAT',
    })
    const pool = await EnginePool.open({ dir })
    await pool.close()
    const log = await DurableLog.open({ dir: path.join(dir, 'log') })
    log.poison(new Error('for the test'))
    await log.close()
    await (await DurableLog.open({ dir: path.join(dir, 'log') })).close()
  })
})

/** Far longer than an owner takes to notice: one that never does must not hang the tests. */
const neverMs = 15_000

/** Appends without a pause until the log ends; the LSNs that were acknowledged, and what ended it. */
async function acknowledgeUntilLost(log: DurableLog): Promise<{ acknowledged: number[]; error: unknown }> {
  const acknowledged: number[] = []
  const endMs = performance.now() + neverMs
  try {
    for (;;) {
      if (performance.now() > endMs) throw new Error('it was never noticed')
      const lsn = log.append(Buffer.alloc(40, 7))
      await log.waitDurable(lsn)
      acknowledged.push(lsn)
    }
  } catch (error) {
    expect(error).toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    // An append sees the end in shared memory, a moment before the message with its cause arrives.
    while (!log.poisoned && performance.now() < endMs) await setTimeout(5)
    return { acknowledged, error: log.poisoned }
  }
}

const lost = {
  code: 'TIDEMARK_LOG_POISONED',
  cause: expect.objectContaining({ code: 'TIDEMARK_LOCK_LOST' }),
}

async function lsnsOf(log: DurableLog): Promise<Set<number>> {
  const lsns = new Set<number>()
  for await (const { lsn } of log.reader({ from: log.firstLsn, to: log.durableLsn })) lsns.add(lsn)
  return lsns
}

describe('an owner whose folder is taken away', () => {
  const ways: Record<string, (dir: string) => void> = {
    'the lock file was removed': (dir) => rmSync(path.join(dir, 'LOCK')),
    'the lock file was replaced': (dir) => {
      writeFileSync(path.join(dir, 'LOCK.new'), '')
      renameSync(path.join(dir, 'LOCK.new'), path.join(dir, 'LOCK'))
    },
    'the lock file was replaced by a copy': (dir) => {
      copyFileSync(path.join(dir, 'LOCK'), path.join(dir, 'LOCK.new'))
      renameSync(path.join(dir, 'LOCK.new'), path.join(dir, 'LOCK'))
    },
  }
  for (const [name, take] of Object.entries(ways)) {
    it(`stops, and what it acknowledged is in the log of the next one: ${name}`, async () => {
      const dir = temporaryDirectory()
      const first = await DurableLog.open({ dir })
      const running = acknowledgeUntilLost(first)
      await setTimeout(50)
      take(dir)
      const second = await DurableLog.open({ dir })
      // The next owner is at work while the first may still think that it is one.
      const appended = second.append(Buffer.from('of the second'))
      await second.waitDurable(appended)
      const { acknowledged, error } = await running
      expect(error).toMatchObject(lost)
      await first.close()
      await second.close()
      const after = await DurableLog.open({ dir })
      const found = await lsnsOf(after)
      expect(acknowledged.length).toBeGreaterThan(10)
      expect(acknowledged.filter((lsn) => !found.has(lsn))).toEqual([])
      expect(found.has(appended)).toBe(true)
      await after.close()
    })
  }

  const losses: Record<string, (dir: string) => void> = {
    'was removed': (dir) => rmSync(dir, { recursive: true }),
    'was renamed': (dir) => renameSync(dir, `${dir}-elsewhere`),
    'was put away for a copy': (dir) => {
      renameSync(dir, `${dir}-elsewhere`)
      cpSync(`${dir}-elsewhere`, dir, { recursive: true })
    },
    'was put away for a folder of links to its files': (dir) => {
      renameSync(dir, `${dir}-elsewhere`)
      mkdirSync(dir)
      for (const name of readdirSync(`${dir}-elsewhere`))
        linkSync(path.join(`${dir}-elsewhere`, name), path.join(dir, name))
    },
    'lost its segment': (dir) => {
      for (const name of readdirSync(dir)) if (/^\d+\.wal$/.test(name)) rmSync(path.join(dir, name))
    },
  }
  for (const [name, take] of Object.entries(losses)) {
    it(`stops, busy or idle, when the folder ${name}`, async () => {
      const stops = async (busy: boolean) => {
        const dir = path.join(temporaryDirectory(), 'log')
        const log = await DurableLog.open({ dir })
        const failed = once(log, 'error', { signal: AbortSignal.timeout(neverMs) })
        const running = busy ? acknowledgeUntilLost(log) : undefined
        await setTimeout(20)
        take(dir)
        expect((await failed)[0]).toMatchObject(lost)
        expect(() => log.append(Buffer.alloc(1))).toThrowError(expect.objectContaining(lost))
        if (running) expect((await running).error).toMatchObject(lost)
        await log.close()
      }
      await Promise.all([stops(true), stops(false)])
    })
  }

  it('acknowledges nothing that was synced while the folder was taken away', () => {
    let owned = true
    const confirm = () => {
      if (!owned) throw new Error('taken away')
    }
    const disk = new MemoryDisk()
    const log = new InlineLog(disk, { ownership: { confirm, check() {}, watch() {}, nextCheckMs: 1 } })
    const lsn = log.append(Buffer.alloc(10))
    log.flushAll()
    log.append(Buffer.alloc(10))
    disk.beforeCall = (call) => {
      if (call === 'syncData') owned = false
    }
    expect(() => log.flusher.flush()).toThrowError(/taken away/)
    expect(log.released).toBe(lsn)
  })

  it('is noticed by a close that comes before the next look', async () => {
    const dir = path.join(temporaryDirectory(), 'log')
    const log = await DurableLog.open({ dir })
    const lsn = log.append(Buffer.alloc(10))
    await log.waitDurable(lsn)
    rmSync(dir, { recursive: true })
    await log.close()
    expect(log.poisoned).toMatchObject(lost)
  })

  it('removes nothing from it', async () => {
    const dir = temporaryDirectory()
    const log = await DurableLog.open({ dir, segmentBytes: 16 * 1024, ringBytes: 64 * 1024 })
    for (let i = 0; i < 100; i++) log.append(Buffer.alloc(400))
    await log.waitDurable(log.tailLsn)
    const segments = () => readdirSync(dir).filter((name) => /^\d+\.wal$/.test(name))
    const before = segments()
    expect(before.length).toBeGreaterThan(1)
    rmSync(path.join(dir, 'LOCK'))
    await expect(log.removeBefore(log.durableLsn)).rejects.toMatchObject(lost)
    expect(segments()).toEqual(before)
    await log.close()
    expect(segments()).toEqual(before)
  })

  it('rejects what a pool has in flight, and says why', async () => {
    const dir = path.join(temporaryDirectory(), 'pool')
    const pool = await openPool({ dir })
    await pool.submit(limit(1, 'buy', '10', '1'))
    rmSync(dir, { recursive: true })
    let acknowledged = 1
    const error = await (async () => {
      for (const endMs = performance.now() + neverMs; performance.now() < endMs; ) {
        await pool.submit(limit(++acknowledged, 'buy', '10', '1'))
      }
    })().catch((cause) => cause)
    expect(error).toMatchObject({ code: 'TIDEMARK_LOG_POISONED', message: expect.stringMatching(/removed/) })
    await pool.close()
  })
})

describe('a lock file', () => {
  it('that is replaced between its opening and its locking is locked under its name', () => {
    const dir = temporaryDirectory()
    const file = path.join(dir, 'LOCK')
    const disk = new NodeDisk()
    const { identify } = disk
    let replaced = 0
    disk.identify = (name) => {
      if (replaced++ === 0) {
        rmSync(file)
        writeFileSync(file, '')
      }
      return identify.call(disk, name)
    }
    const lock = disk.lock(file)!
    expect(replaced).toBe(2)
    expect(lock.identity).toEqual(disk.identify(file))
    expect(new NodeDisk().lock(file)).toBeUndefined()
    lock.release()
  })

  it('is known to its owners, and a copy of it is not', () => {
    const dir = temporaryDirectory()
    const disk = new NodeDisk()
    const file = path.join(dir, 'LOCK')
    const lock = disk.lock(file)!
    expect(lock.known).toBe(false)
    lock.claim()
    lock.release()
    copyFileSync(file, path.join(dir, 'COPY'))
    for (const [name, known] of [
      ['LOCK', true],
      ['COPY', false],
    ] as const) {
      const again = disk.lock(path.join(dir, name))!
      expect(again.known, name).toBe(known)
      again.release()
    }
  })
})
