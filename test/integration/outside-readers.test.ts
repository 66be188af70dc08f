import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { EnginePool, EnginePoolOptions, LostReader, OvertakenReader } from '#tidemark/index.js'
import { Store, storeCursorName } from '#tidemark/store/index.js'
import { tidemark } from '../support/cli.js'
import { firstDifference, naiveTables, storedTables } from '../support/naive-store.js'
import { eventsOf, openPool } from '../support/pools.js'
import { root } from '../support/run-script.js'
import { instruments, StoreFlow } from '../support/store-flow.mjs'
import { duckdb } from '../support/store-targets.js'
import { temporaryDirectory } from '../support/temporary.js'

/** Segments of some hundred commands, deleted as soon as nothing needs them. */
const small: EnginePoolOptions = {
  instruments,
  ringBytes: 65_536,
  segmentBytes: 65_536,
  maxBatchBytes: 8192,
  checkpointBytes: 0,
  keepSnapshots: 1,
  keepLogBytes: 0,
}

interface StoreProcess {
  readonly child: ChildProcess
  /** Resolves when it has stored up to an LSN. */
  reached(lsn: number): Promise<void>
  readonly stderr: () => string
}

/** A store that follows a log in a process of its own. */
async function startStore(dir: string, to: string): Promise<StoreProcess> {
  const child = spawn(process.execPath, [`${root}/test/support/store-child.mjs`], {
    cwd: root,
    env: { ...process.env, DIR: dir, TO: to, TARGET: 'duckdb' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = -1
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said = Number(chunk.trimEnd().split('\n').at(-1))
  })
  const reached = async (lsn: number) => {
    while (said < lsn) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The store ended: ${stderr}`)
      await setTimeout(5)
    }
  }
  await reached(0)
  return { child, reached, stderr: () => stderr }
}

/** Trades until the log has grown by so many bytes; resolves with the LSN of the last command. */
async function grow(pool: EnginePool, flow: StoreFlow, bytes: number): Promise<number> {
  const end = pool.durableLsn + bytes
  while (pool.durableLsn < end) {
    const batch = Array.from({ length: 100 }, () => flow.next())
    await Promise.all(batch.map((command) => pool.submit(command).catch(() => undefined)))
  }
  return (await pool.submit({ type: 'cancel', symbol: 'AAA', orderId: 1_000_000 })).lsn
}

async function stored(to: string) {
  const store = await Store.open({ to, driver: duckdb })
  const tables = await storedTables(store)
  await store.close()
  return tables
}

describe.skipIf(!duckdb)('retention, beside a store in a process of its own', () => {
  it('keeps what a store that is stopped, and one that was killed, have yet to read; then lets it go', async () => {
    const base = temporaryDirectory()
    const [dir, to] = [path.join(base, 'log'), path.join(base, 'venue.duckdb')]
    const pool = await openPool({ ...small, dir })
    const lost: LostReader[] = []
    pool.on('readerLost', (reader) => lost.push(reader))
    const flow = new StoreFlow(5)
    await grow(pool, flow, 10_000)
    const first = await startStore(dir, to)
    const name = storeCursorName(to)
    expect(await pool.readers()).toMatchObject([{ name, state: 'valid', live: true, lost: false }])

    first.child.kill('SIGSTOP')
    await grow(pool, flow, 300_000)
    const [stopped] = await pool.readers()
    expect(stopped).toMatchObject({ state: 'valid', live: true, lost: false })
    expect((await pool.checkpoint()).firstLsn).toBeLessThanOrEqual(stopped!.lsn!)
    expect(stopped!.lagBytes).toBeGreaterThan(3 * 65_536)
    await expect(pool.dropReader(name)).rejects.toMatchObject({ code: 'TIDEMARK_CURSOR_IN_USE' })

    first.child.kill('SIGKILL')
    await once(first.child, 'close')
    const lastLsn = await grow(pool, flow, 100_000)
    const events = await eventsOf(pool)
    const killed = await pool.checkpoint()
    expect(killed.firstLsn).toBeLessThanOrEqual(stopped!.lsn!)
    expect(lost).toMatchObject([{ name, lsn: stopped!.lsn }])
    expect(await pool.readers()).toMatchObject([{ name, live: false, lost: true, lsn: stopped!.lsn }])
    expect(lost).toHaveLength(1)
    const text = await tidemark(['log', 'readers', dir])
    expect(text).toMatchObject({ code: 0, stderr: '' })
    expect(text.stdout).toMatch(
      new RegExp(`^${name} +LSN [\\d,]+, .* before the end; DIED, last seen 20\\S+Z\n$`),
    )

    const second = await startStore(dir, to)
    expect(await pool.readers()).toMatchObject([{ name, live: true, lost: false }])
    await second.reached(lastLsn)
    while ((await pool.readers())[0]!.lsn! < lastLsn) await setTimeout(20)
    expect((await pool.checkpoint()).firstLsn).toBeGreaterThan(stopped!.lsn!)
    second.child.kill('SIGKILL')
    await once(second.child, 'close')
    expect(firstDifference(await stored(to), naiveTables(events))).toBeUndefined()

    await pool.dropReader(name)
    expect(await pool.readers()).toEqual([])
    await expect(pool.dropReader(name)).rejects.toMatchObject({ code: 'TIDEMARK_UNKNOWN_CURSOR' })
  })

  it('deletes what a store needs that is over the limit, says so, and the store says what it lost', async () => {
    const base = temporaryDirectory()
    const [dir, to] = [path.join(base, 'log'), path.join(base, 'venue.duckdb')]
    const pool = await openPool({ ...small, dir, cursorKeepBytes: 100_000 })
    const overtaken: OvertakenReader[] = []
    pool.on('readerOvertaken', (reader) => overtaken.push(reader))
    const flow = new StoreFlow(6)
    await grow(pool, flow, 10_000)
    const { child, stderr } = await startStore(dir, to)
    child.kill('SIGSTOP')
    const [reader] = await pool.readers()
    const { name } = reader!
    const lsn = reader!.lsn!
    await grow(pool, flow, 400_000)
    const { firstLsn } = await pool.checkpoint()
    expect(firstLsn).toBeGreaterThan(lsn)
    const lagBytes = overtaken[0]!.lagBytes
    expect(overtaken).toEqual([{ name, lsn, lagBytes, keepBytes: 100_000 }])
    expect(lagBytes).toBeGreaterThan(100_000)
    expect(await pool.readers()).toMatchObject([{ name, state: 'invalidated', live: true }])

    child.kill('SIGCONT')
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    expect(stderr()).toMatch(/TIDEMARK_STORE_LOG_GONE/)
    const again = Store.open({ dir, to, driver: duckdb })
    await expect(again).rejects.toMatchObject({ code: 'TIDEMARK_STORE_LOG_GONE', details: { firstLsn } })
    // It said that it ended, and holds nothing any more.
    expect(await pool.readers()).toMatchObject([{ name, state: 'invalidated', live: false, lost: false }])
    expect((await tidemark(['log', 'drop-reader', dir, name])).stdout).toMatch(/^Dropped /)
    const unknown = await tidemark(['log', 'drop-reader', dir, name])
    expect(unknown).toMatchObject({ code: 3, stdout: '' })
    expect(await pool.readers()).toEqual([])
  })

  it('does not wait for a store without a cursor, which writes nothing beside the log', async () => {
    const base = temporaryDirectory()
    const [dir, to] = [path.join(base, 'log'), path.join(base, 'venue.duckdb')]
    const pool = await openPool({ ...small, dir })
    await grow(pool, new StoreFlow(7), 200_000)
    const store = await Store.open({ dir, to, driver: duckdb, cursor: false })
    expect(readdirSync(dir).filter((file) => file.startsWith('reader-'))).toEqual([])
    expect((await pool.checkpoint()).firstLsn).toBeGreaterThan(0)
    await store.close()
    const named = await Store.open({
      dir: pool.dir,
      to: path.join(base, 'b.duckdb'),
      driver: duckdb,
      cursor: 'x',
    }).catch((error) => error)
    // One that begins where the log has gone already takes no cursor.
    expect(named).toMatchObject({ code: 'TIDEMARK_STORE_LOG_GONE' })
    expect(existsSync(path.join(dir, 'reader-x.cur'))).toBe(false)
    await expect(Store.open({ dir, to, driver: duckdb, cursor: '../x' })).rejects.toMatchObject({
      code: 'TIDEMARK_BAD_SETTING',
    })
  })
})
