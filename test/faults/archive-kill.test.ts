import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Archive, archiveLog, compactArchive, verifyArchive } from '#tidemark/archive/index.js'
import { isTemporaryName } from '#tidemark/log/disk/atomic-file.js'
import { EnginePool, type PoolEvent } from '#tidemark/pool/index.js'
import type { Acknowledgement } from '../support/acknowledged.js'
import { collect, inOrder, openSmallPool, trade } from '../support/archived-pool.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { eventsOf } from '../support/pools.js'
import { Random } from '../support/random.js'
import { root } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

const archiverKills = faultCount('archiver-kill', { short: 2, full: 200 })
const poolKills = faultCount('archive-pool-kill', { short: 2, full: 200 })
const cursorKills = faultCount('archive-cursor-kill', { short: 2, full: 200 })
const killsAFolder = 5

function start(script: string, environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [`${root}/test/support/${script}`], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** All rows of an archive, in the order of the log, and after it of a pool. */
async function rowsOf(dir: string, pool?: EnginePool): Promise<PoolEvent[]> {
  const archive = await Archive.open({ dir, pool })
  const rows = [...(await collect(archive.trades())), ...(await collect(archive.orderEvents()))]
  return rows.sort((a, b) => a.lsn - b.lsn || a.index - b.index)
}

/** Names in an archive that no manifest names. */
function unfinished(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => isTemporaryName(name))
}

describe('an archiver, and a compaction, killed at any moment', () => {
  it(`leave an archive that is valid as far as it goes, and the next one completes it (${archiverKills} kills)`, async () => {
    const pool = await openSmallPool({ segmentBytes: 16 * 1024, ringBytes: 64 * 1024 })
    await trade(pool, 1, 2500)
    const events = await eventsOf(pool)
    let killedWhileWriting = 0
    let dir = ''
    for (const seed of faultCases(archiverKills)) {
      if (dir === '' || seed % killsAFolder === 0) {
        dir = path.join(temporaryDirectory(), 'archive')
        mkdirSync(dir)
      }
      const child = start('archive-child.mjs', { LOG: pool.dir, ARCHIVE: dir })
      const delayMs = new Random(seed).int(1500)
      child.stdout!.once('data', () => setTimeout(() => child.kill('SIGKILL'), delayMs))
      const [, signal] = await once(child, 'close')
      if (signal !== null && unfinished(dir).length > 0) killedWhileWriting++
      if (!readdirSync(dir).includes('manifest.json')) continue
      const found = await verifyArchive({ archive: dir, log: pool.dir })
      expect(found.problems, `seed ${seed}`).toEqual([])
      expect(found.comparedRows, `seed ${seed}`).toBe(found.rows)
      const archived = events.filter(({ lsn }) => lsn <= found.endLsn)
      expect(inOrder(await rowsOf(dir)), `seed ${seed}`).toEqual(inOrder(archived))
    }
    if (dir === '') return
    const { endLsn } = await archiveLog({ log: pool.dir, archive: dir, kind: 'pool' })
    await compactArchive({ archive: dir })
    expect(inOrder(await rowsOf(dir))).toEqual(inOrder(events.filter(({ lsn }) => lsn <= endLsn)))
    expect(unfinished(dir)).toEqual([])
    if (archiverKills >= 50) expect(killedWhileWriting).toBeGreaterThan(0)
  }, 36_000_000)
})

describe('an archiver in a process of its own, beside a pool that deletes its log, killed at any moment', () => {
  it(`has each event once, and its cursor keeps the log that it has yet to archive (${cursorKills} kills)`, async () => {
    let deleted = 0
    let folders = 0
    for (const folder of faultCases(Math.ceil(cursorKills / killsAFolder))) {
      folders++
      const dir = path.join(temporaryDirectory(), 'archive')
      const pool = await openSmallPool({
        segmentBytes: 16 * 1024,
        ringBytes: 64 * 1024,
        keepLogBytes: 0,
        keepSnapshots: 1,
      })
      const seen: PoolEvent[] = []
      const watching = (async () => {
        for await (const event of pool.subscribe()) seen.push(event)
      })()
      let ended = false
      const trading = (async () => {
        for (let round = 0; !ended; round++) {
          await trade(pool, folder * 1000 + round, 150, 1 + round * 1000)
          // From when the archiver has a cursor on: the archive begins where the log does.
          const followed = (await pool.readers()).length > 0
          if (followed && (await pool.checkpoint()).firstLsn > 0) deleted++
        }
      })()
      const kills = Math.min(killsAFolder, cursorKills - folder * killsAFolder)
      for (let kill = 0; kill < kills; kill++) {
        const random = new Random(folder * killsAFolder + kill)
        const child = start('archive-follow-child.mjs', { LOG: pool.dir, ARCHIVE: dir })
        const closed = once(child, 'close')
        await Promise.race([once(child.stdout!, 'data'), closed])
        // The cursor is written once a second. Every second one lives until log was deleted after it, however slow the machine is.
        await sleep(random.int(2500))
        if (kill % 2 === 0) {
          const before = deleted
          while (deleted === before && child.exitCode === null) await sleep(5)
        }
        child.kill('SIGKILL')
        const [, signal] = await closed
        expect(signal).toBe('SIGKILL')
        expect(await pool.readers()).toMatchObject([
          { name: 'archive', state: 'valid', live: false, lost: true },
        ])
      }
      ended = true
      await trading
      const log = pool.dir
      await archiveLog({ log, archive: dir, kind: 'pool' })
      expect((await verifyArchive({ archive: dir, log })).problems, `folder ${folder}`).toEqual([])
      const rows = inOrder(await rowsOf(dir, pool))
      await pool.close()
      await watching
      expect(rows, `folder ${folder}`).toEqual(inOrder(seen))
    }
    if (folders > 0) expect(deleted).toBeGreaterThan(0)
  }, 36_000_000)
})

/** Runs a pool with an archive and kills it after a random number of acknowledgements. */
async function runAndKill(environment: Record<string, string>, seed: number): Promise<Acknowledgement[]> {
  const child = start('kill-child.mjs', environment)
  let left = 500 + new Random(seed).int(4000)
  let output = ''
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    left -= chunk.split('\n').length - 1
    if (left <= 0) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const lines = output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)
  return lines.map((line) => JSON.parse(line))
}

describe('a pool with an archive, whose log is deleted when it is archived, killed at any moment', () => {
  it(`has every acknowledged trade once in archive or log (${poolKills} kills)`, async () => {
    let deleted = 0
    for (const folder of faultCases(Math.ceil(poolKills / killsAFolder))) {
      const [dir, archive] = [temporaryDirectory(), path.join(temporaryDirectory(), 'archive')]
      const acknowledged: Acknowledgement[] = []
      for (let life = 1; life <= killsAFolder; life++) {
        const seed = folder * killsAFolder + life
        if (seed > poolKills) break
        const environment = {
          DIR: dir,
          ARCHIVE: archive,
          SEED: String(seed),
          SHARDS: '1',
          IN_FLIGHT: '50',
          FIRST_ORDER: String(life * 1_000_000),
        }
        acknowledged.push(...(await runAndKill(environment, seed)))
      }
      const pool = await EnginePool.open({ dir, archive, keepLogBytes: 0 })
      while (pool.stats().archive!.archivedLsn === 0) await sleep(20)
      if ((await pool.checkpoint()).firstLsn > 0) deleted++
      const rows = await rowsOf(archive, pool)
      await pool.close()
      const trades = rows.filter((event) => event.event === 'trade')
      for (const symbol of ['AAA', 'BBB', 'CCC']) {
        const ids = trades.filter((row) => row.symbol === symbol).map(({ tradeId }) => tradeId)
        expect(ids, `folder ${folder}`).toEqual(ids.map((_, i) => i + 1))
      }
      const accepted = new Set(rows.map(({ lsn }) => lsn))
      const byLsn = new Map<number, typeof trades>()
      for (const row of trades) byLsn.set(row.lsn, [...(byLsn.get(row.lsn) ?? []), row])
      for (const { lsn, trades: expected } of acknowledged) {
        expect(accepted.has(lsn), `folder ${folder}, LSN ${lsn}`).toBe(true)
        const found = (byLsn.get(lsn) ?? []).map(
          ({ tradeId, makerOrderId, takerOrderId, price, quantity }) => [
            tradeId,
            makerOrderId,
            takerOrderId,
            price,
            quantity,
          ],
        )
        expect(found, `folder ${folder}, LSN ${lsn}`).toEqual(expected)
      }
      expect((await verifyArchive({ archive, log: dir })).problems).toEqual([])
    }
    expect(deleted).toBeGreaterThan(0)
  }, 36_000_000)
})
