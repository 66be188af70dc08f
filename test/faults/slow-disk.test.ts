import { describe, expect, it } from 'vitest'
import { inspectLogNow } from '#tidemark/log/tools/inspection.js'
import { type FaultLog, liveOn, recover } from '../support/fault-log.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { inlineDirectory, readRecords } from '../support/inline-log.js'
import { Random } from '../support/random.js'
import { type SimulatedRun, simulate } from '../support/simulated-log.js'

const settings = [
  { batchSize: 1, batchDelayMs: 0, durability: 'group' },
  { batchSize: 100, batchDelayMs: 10, durability: 'group' },
  { batchSize: 1000, batchDelayMs: 50, durability: 'group' },
  { batchSize: 1, batchDelayMs: 0, durability: 'each' },
] as const

/** Opens what a run left, and what a power cut in one of its syncs would have left. */
function checkRun({ disk, written, cut }: SimulatedRun, where: () => string): void {
  const { verdict } = inspectLogNow(disk, inlineDirectory, {}, { settle: false })
  if (verdict !== 'valid') throw new Error(`${where()}: the log is ${verdict}`)
  const closed = disk.powerCut()
  const kept = liveOn(closed, recover(closed), written, where)
  if (kept !== written.length) throw new Error(`${where()}: ${kept} of ${written.length} records`)
  if (!cut) return
  const inCut = () => `${where()}, when the power failed in a sync`
  const survived = liveOn(cut.disk, recover(cut.disk), written as FaultLog['written'], inCut)
  const acknowledged = written.filter(({ lsn }) => lsn <= cut.released).length
  if (survived < acknowledged)
    throw new Error(`${inCut()}: ${survived} of ${acknowledged} acknowledged records`)
}

describe('a slow disk', () => {
  const count = faultCount('slow-disk', { short: 60, full: 3000 })

  it(`whose syncs take up to 5 s holds up acknowledgements and nothing else (${count} runs)`, () => {
    let runs = 0
    let refused = 0
    let cuts = 0
    for (const seed of faultCases(count)) {
      const random = new Random(seed)
      const log = { ...settings[seed % settings.length]!, segmentBytes: 16 * 1024 * (1 + random.int(8)) }
      const options = { records: 500, syncMsMax: 5000, wallClock: () => 1_700_000_000_000, log }
      const run = simulate(random, options)
      checkRun(run, () => `seed ${seed}`)
      runs++
      refused += run.refused
      if (run.cut) cuts++
      expect(run.simulatedMs).toBeGreaterThan(0)
    }
    // The ring was full while the disk was busy: memory does not grow, an append has to wait.
    if (runs >= 60) expect(Math.min(refused, cuts)).toBeGreaterThan(10)
  })
})

describe('a wall clock', () => {
  const count = faultCount('clock', { short: 60, full: 3000 })
  const yearMs = 365 * 24 * 3600 * 1000

  it(`that jumps back and ahead changes nothing but time stamps (${count} runs)`, () => {
    for (const seed of faultCases(count)) {
      const random = new Random(seed)
      let clockMs = 1_700_000_000_000
      const wallClock = () => {
        // From 1970 to the last day that a Date can hold.
        const jumps = [
          0,
          clockMs + 1,
          clockMs - 3_600_000,
          clockMs + 3_600_000,
          clockMs - 10 * yearMs,
          8.64e15,
        ]
        if (random.int(4) === 0) clockMs = jumps[random.int(jumps.length)]!
        clockMs = Math.min(8.64e15, Math.max(0, clockMs))
        return clockMs
      }
      const log = { ...settings[seed % settings.length]!, segmentBytes: 16 * 1024 }
      const run = simulate(random, { records: 200, syncMsMax: 20, wallClock, log })
      const stamps = readRecords(run.disk, 0, run.written.at(-1)!.lsn).map(({ timestampUs }) => timestampUs)
      expect(stamps, `seed ${seed}`).toEqual(run.written.map(({ timestampUs }) => timestampUs))
      checkRun(run, () => `seed ${seed}`)
    }
  })
})
