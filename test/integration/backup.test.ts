import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import * as path from 'node:path'
import timers from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isTemporaryName } from '#tidemark/log/disk/atomic-file.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { encodeSegmentHeader, readSegmentHeader } from '#tidemark/log/format/segment.js'
import { backupFolder, EnginePool } from '#tidemark/pool/index.js'
import { limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

/** Calls before the next pause of a backup: after it found that a copy was overtaken, and before it looks again. */
function beforeNextPause(call: () => void): void {
  const { setTimeout } = timers
  const restore = () => {
    timers.setTimeout = setTimeout
    syncBuiltinESMExports()
  }
  timers.setTimeout = ((...pause: Parameters<typeof setTimeout>) => {
    restore()
    call()
    return setTimeout(...pause)
  }) as typeof setTimeout
  syncBuiltinESMExports()
  onTestFinished(restore)
}

/** A log without snapshots that is not open, the LSN of its last command, and the file that holds its beginning. */
async function closedLog(settings = {}, commands = 2) {
  const pool = await openPool({ ...settings, checkpointBytes: 0 })
  const { dir } = pool
  for (let id = 1; id < commands; id++) pool.submit(limit(id, 'buy', '90', '1'))
  const { lsn: lastLsn } = await pool.submit(limit(commands, 'buy', '91', '1'))
  await pool.close()
  return { dir, lastLsn, file: path.join(dir, '00000000000000000000.wal') }
}

/** Writes into a file itself, whatever its name is by now: a reader that has it open reads that. */
function scribble(file: string): void {
  const handle = openSync(file, 'r+')
  writeSync(handle, Buffer.alloc(1000, 7), 0, 1000, 4096 + 500)
  closeSync(handle)
}

/** Gives a segment another epoch. */
function replaceEpoch(file: string): void {
  const header = readSegmentHeader(new NodeDisk(), file)!
  const handle = openSync(file, 'r+')
  writeSync(handle, encodeSegmentHeader({ ...header, epoch: header.epoch ^ 1n }), 0, 4096, 0)
  closeSync(handle)
}

describe('a backup of a running pool', () => {
  it('opens, and holds everything that was acknowledged before it began', async () => {
    const pool = await openPool({ shards: 2, segmentBytes: 65_536, ringBytes: 262_144 })
    let orderId = 1
    let running = true
    const traffic = (async () => {
      while (running) {
        const batch = Array.from({ length: 100 }, () =>
          limit(orderId++, orderId % 2 ? 'buy' : 'sell', String(90 + (orderId % 20)), '1'),
        )
        await pool.submitBatch(batch)
      }
    })()
    for (let round = 0; round < 4; round++) {
      const order = await pool.submit({ ...limit(10_000_000 + round, 'buy', '1', '1'), symbol: 'ETH-USD' })
      const target = path.join(temporaryDirectory(), 'copy')
      // With a fresh snapshot, and by itself from whatever snapshot is there.
      const report = round % 2 ? await backupFolder(pool.dir, target) : await pool.backup(target)
      expect(report.endLsn).toBeGreaterThanOrEqual(order.lsn)
      const copy = await EnginePool.open({ dir: target })
      expect((await copy.order('ETH-USD', 10_000_000 + round)).order).toBeDefined()
      expect(copy.recovery.tornTail).toBeUndefined()
      expect((await copy.submit({ ...limit(20_000_000, 'buy', '2', '1'), symbol: 'ETH-USD' })).status).toBe(
        'resting',
      )
      await copy.close()
    }
    running = false
    await traffic
  })

  it('holds every whole record, and waits a second for it to be known to be synced', async () => {
    const { dir, lastLsn, file } = await closedLog()
    // The sync marker of the clean close is the only batch that says the last record is synced.
    const whole = readFileSync(file)
    truncateSync(file, 4096 + lastLsn)
    const copy = (options = {}) => backupFolder(dir, path.join(temporaryDirectory(), 'copy'), options)
    expect((await copy()).endLsn).toBe(lastLsn)
    expect((await copy({ closed: true })).endLsn).toBe(lastLsn)
    expect((await copy({ syncedLsn: lastLsn })).endLsn).toBe(lastLsn)
    let ended = false
    const running = copy().finally(() => {
      ended = true
    })
    setTimeout(() => {
      expect(ended).toBe(false)
      writeFileSync(file, whole)
    }, 100)
    expect((await running).endLsn).toBe(lastLsn)
  })

  it('holds what a log that never syncs has acknowledged', async () => {
    const pool = await openPool({ durability: 'unsafeNone' })
    const { lsn } = await pool.submit(limit(1, 'buy', '90', '1'))
    const { endLsn } = await backupFolder(pool.dir, path.join(temporaryDirectory(), 'copy'))
    expect(endLsn).toBeGreaterThanOrEqual(lsn)
  })

  it('holds a segment whose file has not got its name yet, as an opening does', async () => {
    const { dir, lastLsn } = await closedLog({ segmentBytes: 65_536, ringBytes: 262_144 }, 3000)
    const segments = readdirSync(dir).filter((name) => name.endsWith('.wal'))
    expect(segments.length).toBeGreaterThan(2)
    renameSync(path.join(dir, segments.sort().at(-1)!), path.join(dir, 'spare-9.wal'))
    const target = path.join(temporaryDirectory(), 'copy')
    const report = await backupFolder(dir, target, { closed: true })
    expect(report.endLsn).toBeGreaterThanOrEqual(lastLsn)
    expect(report.segments).toBe(segments.length)
    expect(
      readdirSync(target)
        .filter((name) => name.endsWith('.wal'))
        .sort(),
    ).toEqual(segments.sort())
  })

  it.each([
    ['is removed', [rmSync]],
    ['is removed and its file used again', [scribble, (file: string) => renameSync(file, `${file}.old`)]],
    ['is replaced by an opening', [scribble, replaceEpoch]],
  ])('is begun anew when a segment %s while it is copied', async (_how, changes) => {
    const { dir, lastLsn, file } = await closedLog({ segmentBytes: 65_536, ringBytes: 262_144 }, 3000)
    const kept = readFileSync(file)
    let changed = 0
    let putBack = 0
    const report = await backupFolder(dir, path.join(temporaryDirectory(), 'copy'), {
      closed: true,
      onProgress: (bytesDone) => {
        // Before the first byte the first time; what comes after the change is there again when it is looked for.
        if (bytesDone > 0 || changed++ > 0) return
        for (const change of changes) change(file)
        beforeNextPause(() => {
          writeFileSync(file, kept)
          putBack++
        })
      },
    })
    expect([changed, putBack]).toEqual([2, 1])
    expect(report.endLsn).toBeGreaterThanOrEqual(lastLsn)
  })

  it('gives its files their names when all of them are there', async () => {
    const small = { segmentBytes: 65_536, ringBytes: 262_144, maxBatchBytes: 32_768 }
    const pool = await openPool({ ...small, checkpointBytes: 0 })
    for (let id = 1; id <= 3000; id++) pool.submit(limit(id, 'buy', '90', '1'))
    await pool.submit(limit(3001, 'buy', '90', '1'))
    await pool.close()
    const target = path.join(temporaryDirectory(), 'copy')
    const seen = new Set<string>()
    const report = await backupFolder(pool.dir, target, {
      closed: true,
      onProgress: () => readdirSync(target).forEach((name) => void seen.add(name)),
    })
    expect(report.segments).toBeGreaterThan(2)
    expect(seen.size).toBe(report.segments)
    expect([...seen].every(isTemporaryName)).toBe(true)
    const suffix = '.0123456789abcdef.tmp'.length
    const names = [...seen].map((name) => name.slice(0, -suffix))
    expect(readdirSync(target).sort()).toEqual(['LOCK', ...names].sort())
  })

  it('goes into an empty folder only', async () => {
    const pool = await openPool()
    const target = temporaryDirectory()
    writeFileSync(path.join(target, 'mine'), '')
    await expect(pool.backup(target)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_ARGUMENT' })
  })
})
