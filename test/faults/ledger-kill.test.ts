import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Ledger } from '#tidemark/ledger/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { type Acknowledged, expectOwnLog } from '../support/ledger-log.js'
import { Random } from '../support/random.js'
import { root } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

const kills = faultCount('ledger-kill', { short: 3, full: 200 })
/** Each folder is killed so often, so that recovered ledgers are killed as well. */
const killsAFolder = 4

/** Runs a child that sends and says what is acknowledged, and kills it after a random number of that. */
async function runAndKill(dir: string, seed: number, life: number): Promise<Acknowledged[]> {
  const random = new Random(seed)
  const child = spawn(process.execPath, [`${root}/test/support/ledger-child.mjs`], {
    cwd: root,
    env: {
      ...process.env,
      DIR: dir,
      SEED: String(seed),
      SHARDS: String(1 + random.int(2)),
      IN_FLIGHT: String([1, 20, 100][random.int(3)]!),
      LIFE: String(life),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let left = 1 + random.int(150)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    left -= chunk.split('\n').length - 1
    if (left <= 0) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const lines = output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)
  return lines.map((line) => JSON.parse(line))
}

async function check(dir: string, acknowledged: readonly Acknowledged[], label: string): Promise<void> {
  const pool = await EnginePool.open({ dir })
  try {
    const ledger = await Ledger.open({ pool, assets: [] })
    await expectOwnLog(ledger, { dir, firstLsn: pool.recovery.firstLsn }, acknowledged, label)
  } finally {
    await pool.close()
  }
}

describe('a process with a ledger, killed at any moment', () => {
  it(`has every balance of a naive fold of its log, and executes no key twice (${kills} kills)`, async () => {
    let acknowledgedInAll = 0
    let killed = 0
    for (const folder of faultCases(Math.ceil(kills / killsAFolder))) {
      const dir = temporaryDirectory()
      const acknowledged: Acknowledged[] = []
      for (let life = 1; life <= killsAFolder; life++) {
        const seed = folder * killsAFolder + life
        if (seed > kills) break
        acknowledged.push(...(await runAndKill(dir, seed, life)))
        await check(dir, acknowledged, `seed ${seed}`)
        killed++
      }
      acknowledgedInAll += acknowledged.length
    }
    if (killed > 0) expect(acknowledgedInAll).toBeGreaterThan(killed)
  }, 36_000_000)
})
