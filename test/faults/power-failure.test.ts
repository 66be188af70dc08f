import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { connectReplicatedLog, etcd } from '#tidemark/replication/index.js'
import { type Acknowledgement, checkAcknowledged } from '../support/acknowledged.js'
import { etcdMissing, startEtcd } from '../support/etcd-cluster.mjs'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { runAndKill } from '../support/killed-pool.js'
import { poweredDisk, whyNoPowerCut } from '../support/powered-disk.js'
import { FlowReader, FlowWriter } from '../support/replicated-flow.js'

const reason = whyNoPowerCut()
if (reason) process.stderr.write(`SKIPPED: a file system whose power fails is not tested: ${reason}.\n`)

const cuts = faultCount('power-failure', { short: 2, full: 200 })
const cutsADisk = 10
/** A node makes ready 64 MB at a time. */
const clusterBytes = 1024 * 1024 * 1024

describe.skipIf(reason)('a file system whose power fails', () => {
  it('loses what was not synced and nothing else, and takes nothing until the power is back', () => {
    const disk = poweredDisk()
    const synced = path.join(disk.folder, 'synced')
    writeFileSync(synced, 'synced', { flush: true })
    new NodeDisk().syncDirectory(disk.folder)
    appendFileSync(synced, ' and more')
    writeFileSync(path.join(disk.folder, 'not-synced'), 'x')
    disk.cut()
    expect(() => writeFileSync(path.join(disk.folder, 'later'), 'x')).toThrow(/EIO|ESHUTDOWN/)
    disk.restore()
    expect(readdirSync(disk.folder)).toEqual(['synced'])
    expect(readFileSync(synced, 'utf8')).toBe('synced')
  })
})

describe.skipIf(reason)('a pool on a file system whose power fails', () => {
  it(`has every acknowledged command and trade when it is back (${cuts} cuts)`, async () => {
    let acknowledgedInAll = 0
    let done = 0
    for (const number of faultCases(Math.ceil(cuts / cutsADisk))) {
      const disk = poweredDisk()
      const dir = path.join(disk.folder, 'pool')
      const acknowledged: Acknowledgement[] = []
      for (let life = 1; life <= Math.min(cutsADisk, cuts); life++) {
        const seed = number * cutsADisk + life
        acknowledged.push(...(await runAndKill(dir, seed, life * 1_000_000, disk.cut)))
        disk.restore()
        await checkAcknowledged(dir, acknowledged, `seed ${seed}`)
        done++
      }
      disk.release()
      acknowledgedInAll += acknowledged.length
    }
    expect(acknowledgedInAll).toBeGreaterThan(10 * done)
  }, 36_000_000)
})

describe.skipIf(reason ?? etcdMissing())('a replicated log on three nodes of etcd', () => {
  it('loses nothing when the power of all fails at once', async () => {
    const count = faultCount('etcd-power', { short: 1, full: 5 })
    for (const _number of faultCases(count)) {
      const disk = poweredDisk(clusterBytes)
      const { cluster, writer, allIsThere } = await begin([disk.folder, disk.folder, disk.folder])
      await writer.more(100_000)
      disk.cut()
      await Promise.all(cluster.nodes.map((node) => node.kill()))
      disk.restore()
      for (const node of cluster.nodes) node.restart()
      await allIsThere()
      disk.release()
    }
  }, 3_600_000)

  it('loses nothing when the power of one fails, another is down and the third paused', async () => {
    const count = faultCount('etcd-power-of-one', { short: 1, full: 5 })
    for (const _number of faultCases(count)) {
      const disk = poweredDisk()
      const { cluster, writer, allIsThere } = await begin([disk.folder])
      const [first, second, third] = cluster.nodes
      await writer.more(50_000)
      await second!.kill()
      await writer.more(50_000)
      third!.pause()
      disk.cut()
      await first!.kill()
      disk.restore()
      // Of the two that hold all that was acknowledged one is paused: nothing may be acknowledged by what is left.
      second!.restart()
      first!.restart()
      await sleep(500)
      third!.resume()
      await allIsThere()
      disk.release()
    }
  }, 3_600_000)
})

/** A writer and a reader on a cluster of their own. */
async function begin(data: readonly string[]) {
  const cluster = await startEtcd({ data })
  onTestFinished(() => cluster.stop())
  const engine = etcd({ endpoints: cluster.endpoints, callTimeoutMs: 1000 })
  const logs = await Promise.all([1, 2].map(() => connectReplicatedLog(engine, 'pool')))
  onTestFinished(() => void Promise.all(logs.map((log) => log.close())))
  const writer = await FlowWriter.begin(logs[0]!)
  const reader = new FlowReader(logs[1]!)
  /** All that was acknowledged is in the log and was followed, once and in order, and more is taken. */
  async function allIsThere(): Promise<void> {
    await cluster.ready()
    await writer.more(20_000)
    await writer.stop()
    await reader.reached(writer.endLsn)
    await reader.stop()
    expect(writer.acknowledged.size).toBeGreaterThan(100)
    expect(new Map([...reader.entries].filter(([lsn]) => writer.acknowledged.has(lsn)))).toEqual(
      new Map([...writer.acknowledged].sort(([a], [b]) => a - b)),
    )
    await cluster.stop()
  }
  return { cluster, writer, allIsThere }
}
