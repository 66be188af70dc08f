import { readdirSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { readSegmentHeader } from '#tidemark/log/format/segment.js'
import { type Acknowledgement, checkAcknowledged } from '../support/acknowledged.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { runAndKill } from '../support/killed-pool.js'
import { temporaryDirectory } from '../support/temporary.js'

const kills = faultCount('kill', { short: 8, full: 400 })
/** Each folder is killed so often, so that recovered logs are killed as well. */
const killsAFolder = 5

/** What stands in a folder that shows what its owners were doing: counted before it is opened, which tidies up. */
class Traces {
  rotations = 0
  snapshots = 0
  unfinished = 0
  readonly #disk = new NodeDisk()
  readonly #names = new Set<string>()

  add(dir: string): void {
    for (const name of readdirSync(dir)) {
      const file = path.join(dir, name)
      if (name.endsWith('.tmp') || name.startsWith('spare-')) this.unfinished++
      if (this.#names.has(file)) continue
      this.#names.add(file)
      if (name.endsWith('.snap')) this.snapshots++
      if (!/^\d+\.wal$/.test(name)) continue
      // An opening begins its segment under an epoch of its own; a rotation continues under the same.
      const header = readSegmentHeader(this.#disk, file)
      if (header?.previous?.epoch === header?.epoch) this.rotations++
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
    if (killed < killsAFolder * 2) return
    expect(traces.rotations, 'rotations').toBeGreaterThan(killed / 2)
    expect(traces.snapshots, 'checkpoints').toBeGreaterThan(0)
    expect(traces.unfinished, 'killed while a file was made').toBeGreaterThan(0)
  }, 36_000_000)
})
