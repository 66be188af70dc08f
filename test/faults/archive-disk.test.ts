import { readdirSync, readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Archive, archiveLog, compactArchive, verifyArchive } from '#tidemark/archive/index.js'
import { EnginePool, type PoolEvent } from '#tidemark/pool/index.js'
import { collect, inOrder, trade } from '../support/archived-pool.js'
import { faultCases, faultCount, faultPlaces } from '../support/fault-tier.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { bitcoin, ether, eventsOf } from '../support/pools.js'
import { Random } from '../support/random.js'
import { temporaryDirectory } from '../support/temporary.js'

const log = '/log'
const archive = '/archive'
const cuts = faultCount('archive-power-cut', { short: 10, full: 2000 })
const failures = faultCount('archive-failing-calls', { short: 10, full: Number.MAX_SAFE_INTEGER })

/** A log on a disk in memory, and its events. */
let start: MemoryDisk | undefined
let events: PoolEvent[]

async function prepare(): Promise<void> {
  if (start) return
  const dir = temporaryDirectory()
  const pool = await EnginePool.open({
    dir,
    instruments: [bitcoin, ether],
    segmentBytes: 16 * 1024,
    ringBytes: 64 * 1024,
    checkpointBytes: 0,
  })
  await trade(pool, 3, 600)
  events = await eventsOf(pool)
  const disk = new MemoryDisk()
  for (const name of readdirSync(dir).filter((file) => /^\d+\.wal$/.test(file)))
    disk.replace(`${log}/${name}`, readFileSync(path.join(dir, name)))
  await pool.close()
  start = disk
}

async function archiveAll(disk: MemoryDisk): Promise<number> {
  const { endLsn } = await archiveLog({ log, archive, kind: 'pool', partRows: 150, disk })
  await compactArchive({ archive, mergedRows: 1000, disk })
  return endLsn
}

/** The archive is valid as far as it goes, and has the rows of the log up to there. */
async function check(disk: MemoryDisk, label: string): Promise<number> {
  if (!disk.exists(`${archive}/manifest.json`)) return 0
  const found = await verifyArchive({ archive, log, disk })
  expect(found.problems, label).toEqual([])
  const open = await Archive.open({ dir: archive, disk })
  const rows = [...(await collect(open.trades())), ...(await collect(open.orderEvents()))]
  expect(inOrder(rows), label).toEqual(inOrder(events.filter(({ lsn }) => lsn <= found.endLsn)))
  return found.endLsn
}

function strangers(disk: MemoryDisk): string[] {
  const folders = ['trades', 'order_events', 'commands'].flatMap((table) =>
    disk.exists(`${archive}/${table}`)
      ? disk.list(`${archive}/${table}`).map((day) => `${archive}/${table}/${day}`)
      : [],
  )
  return [archive, ...folders].flatMap((folder) => disk.list(folder)).filter((name) => name.endsWith('.tmp'))
}

describe('an archive on a disk that fails', () => {
  it(`is valid as far as it goes after a power cut at any call, and is completed by the next archiver (${cuts} cuts)`, async () => {
    await prepare()
    const whole = start!.clone()
    let calls = 0
    whole.beforeCall = () => void calls++
    const endLsn = await archiveAll(whole)
    whole.beforeCall = () => {}
    // What is archived is on the disk.
    expect(await check(whole.powerCut(), 'whole')).toBe(endLsn)
    for (const seed of faultCases(cuts)) {
      const random = new Random(seed)
      const survival = random.next()
      const cutAt = random.int(calls)
      const disk = start!.clone()
      let made = 0
      let cut: MemoryDisk | undefined
      disk.beforeCall = () => {
        if (made++ === cutAt) cut = disk.powerCut(() => random.next() < survival)
      }
      await archiveAll(disk)
      const label = `seed ${seed}, call ${cutAt}`
      await check(cut!, label)
      expect(await archiveAll(cut!), label).toBe(endLsn)
      expect(await check(cut!, label), label).toBe(endLsn)
    }
  }, 36_000_000)

  it(`refuses to go on when a call fails, keeps what it has, and is completed by the next archiver (${failures} calls)`, async () => {
    await prepare()
    const whole = start!.clone()
    let calls = 0
    whole.beforeCall = () => void calls++
    const endLsn = await archiveAll(whole)
    for (const failAt of faultPlaces(failures, calls)) {
      const disk = start!.clone()
      let made = 0
      let failed = ''
      disk.beforeCall = (call, name) => {
        // A system that can't say whether a file exists says that it does not. What is read of the log is read by then.
        const isNone = call === 'exists' || (call === 'close' && name.startsWith(log))
        if (made++ !== failAt || isNone) return
        failed = `${call} of ${name}`
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
      }
      await archiveAll(disk).catch((error) => {
        expect(error.code, failed).toBe('TIDEMARK_LOG_IO')
      })
      disk.beforeCall = () => {}
      await check(disk, failed)
      expect(await archiveAll(disk), failed).toBe(endLsn)
      expect(await check(disk.powerCut(), failed), failed).toBe(endLsn)
      expect(strangers(disk), failed).toEqual([])
    }
  }, 36_000_000)
})
