import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type Acknowledgement, checkAcknowledged } from '../support/acknowledged.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { Random } from '../support/random.js'
import { root } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

const kills = faultCount('kill', { short: 20, full: 1000 })
/** Each folder is killed so often, so that recovered logs are killed as well. */
const killsAFolder = 5

/** Runs a child that submits and acknowledges, kills it after a random time, and returns what it acknowledged. */
async function runAndKill(dir: string, seed: number, firstOrder: number): Promise<Acknowledgement[]> {
  const random = new Random(seed)
  const child = spawn(process.execPath, [`${root}/test/support/kill-child.mjs`], {
    cwd: root,
    env: {
      ...process.env,
      DIR: dir,
      SEED: String(seed),
      SHARDS: String(1 + random.int(2)),
      IN_FLIGHT: String([1, 20, 200][random.int(3)]),
      FIRST_ORDER: String(firstOrder),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk))
  await once(child.stdout, 'data')
  await delay(random.int(250))
  child.kill('SIGKILL')
  await once(child, 'close')
  const lines = output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)
  return lines.map((line) => JSON.parse(line))
}

/** What stands in a folder that shows what its owners were doing: counted before it is opened, which tidies up. */
class Traces {
  segments = 0
  snapshots = 0
  unfinished = 0
  #names = new Set<string>()

  add(dir: string): void {
    for (const name of readdirSync(dir)) {
      const isNew = !this.#names.has(`${dir}/${name}`)
      this.#names.add(`${dir}/${name}`)
      if (isNew && /^\d+\.wal$/.test(name)) this.segments++
      if (isNew && name.endsWith('.snap')) this.snapshots++
      if (name.endsWith('.tmp') || name.startsWith('spare-')) this.unfinished++
    }
  }
}

describe('a process killed at any moment', () => {
  it(`keeps every acknowledged command and trade, in a gap-free log, with the book of a naive replay (${kills} kills)`, async () => {
    const traces = new Traces()
    let acknowledgedInAll = 0
    let killed = 0
    for (const folder of faultCases(Math.ceil(kills / killsAFolder))) {
      const dir = temporaryDirectory()
      const acknowledged: Acknowledgement[] = []
      for (let life = 1; life <= killsAFolder; life++) {
        const seed = folder * killsAFolder + life
        if (seed > kills) break
        acknowledged.push(...(await runAndKill(dir, seed, life * 1_000_000)))
        traces.add(dir)
        await checkAcknowledged(dir, acknowledged, `seed ${seed}`)
        killed++
      }
      acknowledgedInAll += acknowledged.length
    }
    expect(acknowledgedInAll).toBeGreaterThan(killed)
    // Every opening, here and in the child, may begin one segment; the rest are rotations.
    if (killed < killsAFolder * 2) return
    expect(traces.segments - 3 * killed, 'rotations').toBeGreaterThan(0)
    expect(traces.snapshots, 'checkpoints').toBeGreaterThan(0)
    expect(traces.unfinished, 'killed while a file was made').toBeGreaterThan(0)
  }, 36_000_000)
})
