import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NodeDisk, writtenParts } from '#tidemark/log/index.js'
import { etcd } from '#tidemark/replication/etcd/index.js'
import { Standby } from '#tidemark/standby/index.js'
import { type Acknowledgement, checkAcknowledged } from '../support/acknowledged.js'
import { type EtcdCluster, etcdMissing, startEtcd } from '../support/etcd-cluster.mjs'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { Random } from '../support/random.js'
import { root } from '../support/run-script.js'
import { segmentContents } from '../support/shipped-log.js'
import { temporaryDirectory } from '../support/temporary.js'

const kills = faultCount('failover-kill', { short: 1, full: 300 })
const missing = etcdMissing()
if (missing !== undefined) console.warn(`Skipped: ${missing}`)

let nodes: EtcdCluster | undefined
beforeAll(async () => {
  if (missing === undefined) nodes = await startEtcd()
}, 60_000)
afterAll(async () => nodes?.stop())

const smallSegments = { ringBytes: 64 * 1024, maxBatchBytes: 16 * 1024, segmentBytes: 64 * 1024 }

/** Runs a primary until it has acknowledged some commands, kills it, and returns what it acknowledged. */
async function runAndKill(dir: string, pool: string, seed: number): Promise<Acknowledgement[]> {
  const random = new Random(seed)
  const child = spawn(process.execPath, [`${root}/test/support/failover-primary.mjs`], {
    cwd: root,
    env: {
      ...process.env,
      DIR: dir,
      SEED: String(seed),
      IN_FLIGHT: String([1, 20, 200][random.int(3)]),
      ENDPOINTS: nodes!.endpoints.join(','),
      POOL: pool,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let left = 10 + random.int(900)
  const delayMs = random.int(20)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    left -= chunk.split('\n').length - 1
    if (left <= 0) setTimeout(() => child.kill('SIGKILL'), delayMs)
  })
  await once(child, 'close')
  const lines = output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)
  return lines.map((line) => JSON.parse(line))
}

describe.skipIf(missing !== undefined)('a primary that is killed', () => {
  it(`has every acknowledged command on the promoted standby, in the same bytes and the same books (${kills} kills)`, async () => {
    let acknowledgedInAll = 0
    let killed = 0
    for (const seed of faultCases(kills)) {
      const pool = `kill-${seed}`
      const [first, second] = [temporaryDirectory(), temporaryDirectory()]
      const replication = { log: etcd({ endpoints: [...nodes!.endpoints] }), pool }
      const standby = await Standby.open({ dir: second, replication, ...smallSegments })
      const acknowledged = await runAndKill(first, pool, seed)
      const promoted = await standby.promote()
      const forkLsn = promoted.recovery.endLsn
      for (const { lsn } of acknowledged) expect(lsn, `seed ${seed}`).toBeLessThanOrEqual(forkLsn)
      expect(writtenParts(new NodeDisk(), first).endLsn).toBeGreaterThanOrEqual(forkLsn)
      expect(segmentContents(second, forkLsn), `seed ${seed}`).toEqual(segmentContents(first, forkLsn))
      // What the killed one has beyond goes; then it replays the same log to the same books.
      const rejoined = await Standby.open({ dir: first, replication, ...smallSegments })
      await expect.poll(() => rejoined.lsn, { timeout: 20_000 }).toBeGreaterThanOrEqual(forkLsn)
      const { symbols } = await promoted.digest()
      const replayed = async () => (await rejoined.digest()).symbols
      await expect.poll(replayed, { timeout: 20_000 }).toEqual(symbols)
      await rejoined.close()
      await promoted.close()
      await checkAcknowledged(second, acknowledged, `seed ${seed}`)
      acknowledgedInAll += acknowledged.length
      killed++
    }
    expect(acknowledgedInAll).toBeGreaterThan(killed)
  }, 36_000_000)
})
