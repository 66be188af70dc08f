import { EventEmitter, once } from 'node:events'
import { existsSync, readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import * as path from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serveControl } from '#tidemark/cli/standby/control.js'
import { readSegmentHeader } from '#tidemark/log/format/segment.js'
import { NodeDisk, ReaderCursor } from '#tidemark/log/index.js'
import type { EnginePool } from '#tidemark/pool/index.js'
import { seedHandler } from '#tidemark/standby/index.js'
import { seedFolder } from '#tidemark/standby/seed.js'
import { writeSeedStream } from '#tidemark/standby/seed-stream.js'
import { openPool } from '../support/pools.js'
import { settledWithin } from '../support/settled.js'
import {
  failureOf,
  farCluster,
  follows,
  memoryCluster,
  openStandby,
  Shipper,
  smallLog,
  trade,
} from '../support/standbys.js'
import { temporaryDirectory } from '../support/temporary.js'

/** A server whose connections end with the test. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** A primary that begins to send a copy and then hangs; resolves `asked` when one was asked for. */
async function hangingSeed() {
  let asked = () => {}
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  const url = await serve((_request, response) => {
    response.write('{"files":[{"name":"00000000000000000000.wal","bytes":1000}]}\nabc')
    asked()
  })
  return { url, wasAsked }
}

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
}

describe('a standby that was not the first to be promoted', () => {
  it('tries again by itself when the one that was faster is gone before it holds the log', async () => {
    const { cluster, log, far } = farCluster()
    const first = await log.fence(undefined, 'a primary')
    const lease = await log.hold(first, 60_000)
    const replication = { ...far.options.replication, leaseMs: 500 }
    const standby = await openStandby(cluster, { autoPromote: true, replication })
    await expect.poll(() => standby.stats().holder?.n).toBe(1)
    const gone = once(standby, 'holder')
    const fenced = once(standby, 'fenced')
    const promoted = once(standby, 'promoted')
    far.silent()
    await lease.release()
    await gone
    await expect.poll(() => standby.stats().role).toBe('promoting')
    // It takes the epoch, and dies.
    await log.fence(first, 'a faster one')
    far.up()
    expect((await fenced)[0]).toMatchObject({ code: 'TIDEMARK_FENCED' })
    const [pool] = (await promoted) as [EnginePool]
    onTestFinished(() => pool.close())
    expect(pool.stats().replication).toMatchObject({ role: 'primary', epoch: 3 })
  })

  it('gives the one that was faster the time of a lease, also when it had to be seeded again meanwhile', async () => {
    const { cluster, log, far } = farCluster()
    const primary = await openPool(smallLog)
    const shipper = await Shipper.begin(log, primary)
    const lease = await log.hold(shipper.epoch, 60_000)
    const replication = { ...far.options.replication, leaseMs: 60_000 }
    const seed = { dir: primary.dir }
    const standby = await openStandby(cluster, { autoPromote: true, replication, seed })
    await expect.poll(() => standby.stats().holder?.n, { timeout: 20_000 }).toBe(1)
    far.down()
    for (let round = 0; round < 4; round++) {
      await trade(primary, round * 1000 + 1, 50)
      await shipper.ship()
    }
    await log.trim(shipper.epoch, primary.durableLsn)
    await lease.release()
    await log.fence(shipper.epoch, 'a faster one')
    const caughtUp = once(standby, 'caughtUp')
    far.up()
    await caughtUp
    // What it does as soon as it has caught up, it has begun after the timers of now.
    await setTimeout(0)
    expect(standby.stats()).toMatchObject({ role: 'standby', epoch: 2, holder: undefined })
    expect(await log.epoch()).toMatchObject({ n: 2 })
  })

  it('begins again when the window has moved beyond it meanwhile', async () => {
    const { cluster, log, far } = farCluster()
    const primary = await openPool(smallLog)
    const shipper = await Shipper.begin(log, primary)
    const standby = await openStandby(cluster, { ...far.options, seed: { dir: primary.dir } })
    await trade(primary, 1, 50)
    await follows(standby, await shipper.ship())
    far.silent()
    far.cutWatches()
    for (let round = 1; round < 4; round++) {
      await trade(primary, round * 1000, 50)
      await shipper.ship()
    }
    await log.trim(shipper.epoch, primary.durableLsn)
    await log.fence(shipper.epoch, 'a faster one')
    const promoting = standby.promote()
    const refused = expect(promoting).rejects.toMatchObject({ code: 'TIDEMARK_FENCED' })
    far.up()
    await refused
    await follows(standby, primary.durableLsn)
    await expect.poll(() => standby.stats()).toMatchObject({ role: 'standby', epoch: 2 })
  })
})

/** A standby in the folder of a primary whose end was not shipped, promoted while the replicated log has no room for that. */
async function waitingPromotion() {
  const { cluster, log, far } = farCluster()
  const primary = await openPool(smallLog)
  const shipper = await Shipper.begin(log, primary)
  const [segment] = readdirSync(primary.dir).filter((name) => name.endsWith('.wal'))
  const { epoch: segmentEpoch } = readSegmentHeader(new NodeDisk(), path.join(primary.dir, segment!))!
  await log.putLineage(shipper.epoch, { n: shipper.epoch.n, segmentEpoch, firstLsn: 0 })
  await trade(primary, 1, 50)
  await shipper.ship()
  await trade(primary, 1001, 50)
  await primary.close()
  const room = new Int32Array(new SharedArrayBuffer(8))
  const module = new URL('../support/full-engine.mjs', import.meta.url).href
  const options = { engine: cluster.engine('far'), isFull: room.buffer }
  const replication = { log: { name: 'full', module, options }, pool: 'btc', leaseMs: 500 }
  const standby = await openStandby(cluster, { dir: primary.dir, name: 'twin', replication })
  room[0] = 1
  const promoting = standby.promote()
  promoting.catch(() => {})
  await expect.poll(() => Atomics.load(room, 1), { timeout: 20_000 }).toBeGreaterThan(0)
  expect(standby.stats().role).toBe('promoting')
  return { cluster, far, standby, promoting }
}

describe('a standby that is promoted', () => {
  it('is closed while it waits for the replicated log to take what that must have first', async () => {
    const { standby, promoting } = await waitingPromotion()
    const [closed, promoted] = await settledWithin<unknown>([standby.close(), promoting], 10_000)
    expect(closed).toMatchObject({ status: 'fulfilled' })
    expect(promoted).toMatchObject({ status: 'rejected', reason: { code: 'TIDEMARK_LOG_CLOSED' } })
    expect(standby.stats().role).toBe('closed')
    // Its folder is free.
    await openPool({ dir: standby.dir, ...smallLog })
  })

  it('ends with the cause when it loses its name meanwhile, and leaves its folder free', async () => {
    const { cluster, far, standby, promoting } = await waitingPromotion()
    const failed = failureOf(standby)
    const lost = { code: 'TIDEMARK_REPLICATION_NAME_IN_USE' }
    const refused = expect(promoting).rejects.toMatchObject(lost)
    far.down()
    await openStandby(cluster, { name: 'twin' })
    far.up()
    await refused
    expect(await failed).toMatchObject(lost)
    expect(standby.stats().role).toBe('closed')
    await openPool({ dir: standby.dir, ...smallLog })
  })

  it('is the primary also when it is closed, and keeps of the log what its option says for readers outside', async () => {
    const { cluster, log } = memoryCluster()
    const primary = await openPool(smallLog)
    const shipper = await Shipper.begin(log, primary)
    await trade(primary, 1, 300)
    const options = { cursorKeepBytes: 4096, keepLogBytes: 0, keepSnapshots: 1, checkpointBytes: 0 }
    const standby = await openStandby(cluster, options)
    await follows(standby, await shipper.ship())
    const reader = await ReaderCursor.open(new NodeDisk(), standby.dir, 'store', 0)
    const pool = await standby.promote()
    onTestFinished(async () => {
      await pool.close()
      await reader.close(0)
    })
    await standby.close()
    expect(standby.stats().role).toBe('primary')
    const overtaken = once(pool, 'readerOvertaken')
    await pool.checkpoint()
    expect((await overtaken)[0]).toMatchObject({ name: 'store', lsn: 0, keepBytes: 4096 })
    expect(readdirSync(pool.dir)).not.toContain('00000000000000000000.wal')
  })
})

describe('the name of a standby', () => {
  it('ends the one that had it when another one has it, as its opening would have been refused', async () => {
    const { cluster, log, far } = farCluster()
    await log.fence(undefined, 'a primary')
    const first = await openStandby(cluster, {
      replication: { ...far.options.replication, leaseMs: 500 },
      name: 'twin',
    })
    const failed = failureOf(first)
    far.down()
    // It waits for the lease of the other one, which is cut off.
    const second = await openStandby(cluster, { name: 'twin' })
    far.up()
    expect((await failed).code).toBe('TIDEMARK_REPLICATION_NAME_IN_USE')
    expect(second.stats().role).toBe('standby')
  })
})

describe('a seeding', () => {
  it('ends when its standby is closed, also when the primary hangs', async () => {
    const { cluster, log, far } = farCluster()
    const primary = await openPool(smallLog)
    const shipper = await Shipper.begin(log, primary)
    const { url, wasAsked } = await hangingSeed()
    const standby = await openStandby(cluster, { ...far.options, seed: { url } })
    await trade(primary, 1, 50)
    await follows(standby, await shipper.ship())
    far.down()
    for (let round = 1; round < 4; round++) {
      await trade(primary, round * 1000, 50)
      await shipper.ship()
    }
    await log.trim(shipper.epoch, primary.durableLsn)
    far.up()
    await wasAsked
    expect(standby.stats().role).toBe('seeding')
    await standby.close()
    expect(standby.stats().role).toBe('closed')
    expect(existsSync(path.join(standby.dir, 'SEEDING'))).toBe(true)
  })

  it('fails with a code when the primary sends nothing for long', async () => {
    const { url } = await hangingSeed()
    const dir = temporaryDirectory()
    await expect(seedFolder(dir, { url }, { onProgress() {}, silentMs: 100 })).rejects.toMatchObject({
      code: 'TIDEMARK_SEED_FAILED',
      message: expect.stringContaining('nothing for 100 ms'),
    })
  })

  it('leaves no copy at the primary, whether it was sent or the standby went away', async () => {
    const primary = await openPool(smallLog)
    let send = () => {}
    const asked = new Promise<void>((resolve) => {
      send = resolve
    })
    const { dir } = primary
    const backup = async (copy: string) => {
      await primary.backup(copy)
      await asked
    }
    const url = await serve(seedHandler({ dir, backup } as unknown as EnginePool))
    const copies = () => readdirSync(dir).filter((name) => name.startsWith('seed-copy-'))
    const leaving = new AbortController()
    const left = fetch(url, { signal: leaving.signal }).catch((error: Error) => error.name)
    await expect.poll(copies, { timeout: 20_000 }).toHaveLength(1)
    leaving.abort()
    expect(await left).toBe('AbortError')
    send()
    await expect.poll(copies, { timeout: 20_000 }).toEqual([])
    const whole = async () => (await fetch(url)).arrayBuffer()
    await expect.poll(async () => (await whole()).byteLength, { timeout: 20_000 }).toBeGreaterThan(4096)
    await expect.poll(copies, { timeout: 20_000 }).toEqual([])
  })

  it('leaves no file open at the primary when the standby goes away in the middle', async () => {
    const folder = temporaryDirectory()
    const file = path.join(folder, 'large.wal')
    writeFileSync(file, '')
    truncateSync(file, 16 * 1024 * 1024)
    const target = new PassThrough()
    const writing = expect(writeSeedStream(folder, target)).rejects.toThrowError()
    await once(target, 'readable')
    target.destroy()
    await writing
    await expect.poll(() => openFiles().filter((open) => open === file)).toEqual([])
  })
})

describe('the socket of a standby', () => {
  it('is closed while a process is connected that says nothing, or that was answered', async () => {
    const dir = temporaryDirectory()
    const stop = await serveControl(dir, async () => ({ ok: true }))
    const socket = readdirSync(dir).includes('standby.sock')
    expect(socket).toBe(true)
    const silent = connect(path.join(dir, 'standby.sock'))
    const answered = connect({ path: path.join(dir, 'standby.sock'), allowHalfOpen: true })
    onTestFinished(() => {
      silent.destroy()
      answered.destroy()
    })
    await Promise.all([once(silent, 'connect'), once(answered, 'connect')])
    answered.write('promote\n')
    await once(answered.resume(), 'end')
    await stop()
  })

  it('is closed once a process has its answer that leaves its own end open', async () => {
    const dir = temporaryDirectory()
    const questions = new EventEmitter()
    const stop = await serveControl(dir, () => new Promise((resolve) => questions.emit('asked', resolve)))
    const waiting = connect({ path: path.join(dir, 'standby.sock'), allowHalfOpen: true })
    onTestFinished(() => void waiting.destroy())
    waiting.write('promote\n')
    const [answer] = await once(questions, 'asked')
    const stopped = stop()
    answer({ ok: true })
    expect(String((await once(waiting, 'data'))[0])).toBe('{"ok":true}\n')
    await stopped
  })
})
