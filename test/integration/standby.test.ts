import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { batchField, crcSeedOf, resealBatch } from '#tidemark/log/format/batch.js'
import { decodeSegmentHeader, segmentHeaderBytes, segmentName } from '#tidemark/log/format/segment.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { type Seed, seedHandler } from '#tidemark/standby/index.js'
import { openPool } from '../support/pools.js'
import { segmentContents } from '../support/shipped-log.js'
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

/** Writes another time into a batch, under a CRC that fits: valid, and not what the primary wrote. */
function changeTimeOfFirstBatch(file: string): void {
  const bytes = readFileSync(file)
  const seed = crcSeedOf(decodeSegmentHeader(bytes)!.epoch)
  const length = bytes.readInt32LE(segmentHeaderBytes + batchField.length)
  bytes[segmentHeaderBytes + batchField.timestamp]! ^= 1
  resealBatch(bytes, segmentHeaderBytes, length, seed)
  writeFileSync(file, bytes)
}

describe('a standby', () => {
  it('has the bytes and the books of the primary, says that its answers are stale, and becomes the pool', async () => {
    const primary = await openPool(smallLog)
    const { cluster, log } = memoryCluster()
    const shipper = await Shipper.begin(log, primary)
    const standby = await openStandby(cluster, { shards: 2 })
    await trade(primary, 1, 600)
    await primary.addInstrument({ symbol: 'NEW-USD', tickSize: '1', lotSize: '1' })
    await trade(primary, 1001, 200)
    const lsn = await shipper.ship()
    await follows(standby, lsn)
    expect(segmentContents(standby.dir, lsn)).toEqual(segmentContents(primary.dir, lsn))
    expect(segmentContents(standby.dir, lsn).size).toBeGreaterThan(3)

    await expect.poll(async () => (await standby.digest()).symbols).toEqual((await primary.digest()).symbols)
    const depth = await standby.depth('BTC-USD')
    expect(depth.stale).toBe(true)
    expect(depth.bids).toEqual((await primary.depth('BTC-USD')).bids)
    expect((await standby.openOrders({ account: 5 })).orders).toEqual(
      (await primary.openOrders({ account: 5 })).orders,
    )
    await expect.poll(() => standby.instruments().map(({ symbol }) => symbol)).toContain('NEW-USD')

    const pool = await standby.promote()
    onTestFinished(() => pool.close())
    expect(pool.recovery.endLsn).toBe(lsn)
    expect((await pool.digest()).symbols).toEqual((await primary.digest()).symbols)
    await expect(standby.promote()).rejects.toMatchObject({ code: 'TIDEMARK_REPLICATION_CLOSED' })
    await trade(pool, 2001, 100)
    const { symbols } = await pool.digest()
    await pool.close()
    const again = await openPool({ dir: standby.dir, ...smallLog })
    expect((await again.digest()).symbols).toEqual(symbols)
  })

  it('takes checkpoints of its own, from which it continues, and removes log that they cover', async () => {
    const primary = await openPool(smallLog)
    const { cluster, log } = memoryCluster()
    const shipper = await Shipper.begin(log, primary)
    const dir = temporaryDirectory()
    const options = { dir, checkpointBytes: 20_000, keepLogBytes: 0 }
    let standby = await openStandby(cluster, options)
    for (let round = 0; round < 6; round++) {
      await trade(primary, 1 + round * 1000, 300)
      await follows(standby, await shipper.ship())
    }
    await expect.poll(() => standby.stats().checkpoints?.lastLsn ?? 0).toBeGreaterThan(20_000)
    await standby.close()
    expect(readdirSync(dir)).not.toContain('00000000000000000000.wal')
    await trade(primary, 10_001, 50)
    const lsn = await shipper.ship()
    standby = await openStandby(cluster, options)
    await follows(standby, lsn)
    await expect.poll(async () => (await standby.digest()).symbols).toEqual((await primary.digest()).symbols)
  })

  it('that is behind the window fails with a code, and with a seed begins anew, from a folder or over HTTP', async () => {
    const primary = await openPool({ ...smallLog, checkpointBytes: 20_000 })
    const server = createServer(seedHandler(primary)).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const { cluster, log } = memoryCluster()
    const shipper = await Shipper.begin(log, primary)
    await trade(primary, 1, 400)
    await log.trim(shipper.epoch, await shipper.ship())
    const seeds: (Seed | undefined)[] = [undefined, { dir: primary.dir }, { url }]
    for (const seed of seeds) {
      const opening = openStandby(cluster, { seed })
      if (!seed) {
        await expect(opening).rejects.toMatchObject({ code: 'TIDEMARK_STANDBY_BEHIND' })
        continue
      }
      const standby = await opening
      await trade(primary, 'url' in seed ? 1001 : 2001, 50)
      await follows(standby, await shipper.ship())
      await expect
        .poll(async () => (await standby.digest()).symbols)
        .toEqual((await primary.digest()).symbols)
      expect(readdirSync(standby.dir)).not.toContain('SEEDING')
      await standby.close()
      // Overtaken while it was away: it has a log, and it is too old.
      await trade(primary, 'url' in seed ? 3001 : 4001, 50)
      await shipper.ship()
      await trade(primary, 'url' in seed ? 5001 : 6001, 50)
      const lsn = await shipper.ship()
      await log.trim(shipper.epoch, lsn)
      await expect(openStandby(cluster, { dir: standby.dir })).rejects.toMatchObject({
        code: 'TIDEMARK_STANDBY_BEHIND',
      })
      const again = await openStandby(cluster, { dir: standby.dir, seed })
      await follows(again, lsn)
      await again.close()
    }
  })

  it('begins a seeding again that was interrupted', async () => {
    const primary = await openPool({ ...smallLog, checkpointBytes: 20_000 })
    const { cluster, log } = memoryCluster()
    const shipper = await Shipper.begin(log, primary)
    await trade(primary, 1, 100)
    await shipper.ship()
    const standby = await openStandby(cluster)
    await standby.close()
    // Whatever else is in the folder: it may be half of the old and half of the new.
    writeFileSync(path.join(standby.dir, 'SEEDING'), '')
    await expect(openStandby(cluster, { dir: standby.dir })).rejects.toMatchObject({
      code: 'TIDEMARK_STANDBY_BEHIND',
    })
    let copied = 0
    const again = await openStandby(cluster, {
      dir: standby.dir,
      seed: { dir: primary.dir },
      onSeeding: (bytesDone) => {
        copied = bytesDone
      },
    })
    expect(copied).toBeGreaterThan(0)
    await follows(again, primary.durableLsn)
  })

  it('that has not heard of a promotion is fenced when it is promoted itself, and follows', async () => {
    const { cluster, log, far } = farCluster()
    const primary = await openPool(smallLog)
    const shipper = await Shipper.begin(log, primary)
    const near = await openStandby(cluster, { name: 'near' })
    const deaf = await openStandby(cluster, { ...far.options, name: 'deaf' })
    await trade(primary, 1, 50)
    await Promise.all([follows(near, await shipper.ship()), follows(deaf, primary.durableLsn)])
    far.down()
    const pool = await near.promote()
    onTestFinished(() => pool.close())
    far.up()
    await expect(deaf.promote()).rejects.toMatchObject({ code: 'TIDEMARK_FENCED' })
    await trade(pool, 1001, 10)
    await follows(deaf, pool.durableLsn)
    expect(deaf.stats()).toMatchObject({ role: 'standby', epoch: 2 })
  })

  it('that is overtaken while it runs is seeded anew by itself, or fails with a code', async () => {
    const { cluster, log, far } = farCluster()
    const primary = await openPool(smallLog)
    const shipper = await Shipper.begin(log, primary)
    const seeded = await openStandby(cluster, { ...far.options, name: 'seeded', seed: { dir: primary.dir } })
    const lost = await openStandby(cluster, { ...far.options, name: 'lost' })
    const failed = failureOf(lost)
    await trade(primary, 1, 50)
    await Promise.all([follows(seeded, await shipper.ship()), follows(lost, primary.durableLsn)])
    far.down()
    for (let round = 1; round < 4; round++) {
      await trade(primary, round * 1000, 50)
      await shipper.ship()
    }
    await log.trim(shipper.epoch, primary.durableLsn)
    far.up()
    expect((await failed).code).toBe('TIDEMARK_STANDBY_BEHIND')
    await follows(seeded, primary.durableLsn)
    const digest = async () => (await seeded.digest()).symbols
    await expect.poll(digest).toEqual((await primary.digest()).symbols)
  })

  it('promotes itself when the lease of the primary is gone, and not while there is one', async () => {
    const { cluster, log } = memoryCluster()
    const epoch = await log.fence(undefined, 'a primary')
    const lease = await log.hold(epoch, 500)
    const standby = await openStandby(cluster, { autoPromote: true })
    const promoted = once(standby, 'promoted')
    await once(standby, 'caughtUp')
    await expect.poll(() => standby.stats().holder).toEqual({ n: 1, owner: 'a primary' })
    expect(standby.stats().role).toBe('standby')
    await lease.release()
    const [pool] = (await promoted) as [EnginePool]
    onTestFinished(() => pool.close())
    expect(pool.stats().replication).toMatchObject({ role: 'primary', epoch: 2 })
    // One that has seen no primary waits for as long as a lease lasts.
    await pool.close()
    const second = await openStandby(cluster, {
      autoPromote: true,
      replication: { log: cluster.engine(), pool: 'btc', leaseMs: 500 },
    })
    const [again] = (await once(second, 'promoted')) as [EnginePool]
    expect(again.stats().replication).toMatchObject({ epoch: 3 })
    await again.close()
  })

  it('refuses a log that differs from the replicated one where both have it', async () => {
    const primary = await openPool(smallLog)
    const { cluster, log } = memoryCluster()
    const shipper = await Shipper.begin(log, primary)
    const standby = await openStandby(cluster)
    await trade(primary, 1, 50)
    await follows(standby, await shipper.ship())
    await standby.close()
    changeTimeOfFirstBatch(path.join(standby.dir, segmentName(0)))
    const again = await openStandby(cluster, { dir: standby.dir })
    const error = await failureOf(again)
    expect(error.code).toBe('TIDEMARK_LOG_DIVERGED')
    await expect(again.depth('BTC-USD')).rejects.toMatchObject({ code: 'TIDEMARK_LOG_DIVERGED' })
  })

  it('refuses what is no copy of the replicated log, before anything is written', async () => {
    const primary = await openPool(smallLog)
    const { cluster, log } = memoryCluster()
    const shipper = await Shipper.begin(log, primary)
    await trade(primary, 1, 100)
    await shipper.ship()
    const other = await EnginePool.open({ dir: temporaryDirectory(), ...smallLog })
    await other.close()
    await expect(openStandby(cluster, { dir: primary.dir })).rejects.toMatchObject({
      code: 'TIDEMARK_LOG_LOCKED',
    })
    for (const [options, code] of [
      [{ seed: { dir: 'a', url: 'http://b/' } as unknown as Seed }, 'TIDEMARK_BAD_SETTING'],
      [{ replication: { log: cluster.engine(), pool: 'btc', leaseMs: 3 } }, 'TIDEMARK_BAD_SETTING'],
      [{ replication: { log: cluster.engine(), pool: 'UPPER' } }, 'TIDEMARK_BAD_SETTING'],
      [{ name: 'Upper' }, 'TIDEMARK_BAD_SETTING'],
      [{ strange: 1 } as object, 'TIDEMARK_BAD_SETTING'],
    ] as const) {
      await expect(openStandby(cluster, options), JSON.stringify(options)).rejects.toMatchObject({ code })
    }
  })
})
