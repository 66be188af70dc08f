import { describe, expect, it } from 'vitest'
import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { applyRepair, lockForRepair, planRepair } from '#tidemark/log/tools/repair.js'
import { salvageLog } from '#tidemark/log/tools/salvage.js'
import { damage, inspected, sampleLog, segmentPaths } from '../../support/damaged-log.js'
import { inlineDirectory, reopen } from '../../support/inline-log.js'
import type { MemoryDisk } from '../../support/memory-disk.js'
import { mutate } from '../../support/mutate-log.js'
import { Random } from '../../support/random.js'

const firstLsnOf = (file: string) => Number(/(\d+)\.wal/.exec(file)![1])

function repair(disk: MemoryDisk, options: Parameters<typeof planRepair>[1] = {}) {
  const plan = planRepair(inspected(disk), options)
  const folder = applyRepair(disk, inlineDirectory, plan, 'repair-1')
  return { plan, folder }
}

describe('repairing a log', () => {
  it('cuts after the last whole record before damage, and backs up what it takes away', () => {
    const { disk, lsns } = sampleLog()
    const [, second, third] = segmentPaths(disk) as [string, string, string]
    const hit = lsns.findIndex((lsn) => lsn > firstLsnOf(second) + 3000)
    const offset = segmentHeaderBytes + lsns[hit]! - firstLsnOf(second)
    damage(disk, second, (content) => void (content[offset + 40]! ^= 1))
    const before = disk.clone()
    const { plan, folder } = repair(disk)
    expect(plan).toMatchObject({ firstLsn: 0, endLsn: lsns[hit], lost: [{ fromLsn: lsns[hit] }] })
    expect(inspected(disk)).toMatchObject({ verdict: 'valid', lsns: lsns.slice(0, hit + 1) })
    expect(reopen(disk).records.map(({ lsn }) => lsn)).toEqual(lsns.slice(0, hit + 1))
    for (const file of [second, third]) {
      expect(disk.contentOf(file.replace(inlineDirectory, folder))).toEqual(before.contentOf(file))
    }
  })

  it('loses nothing where only headers are damaged', () => {
    for (const at of [20, 2048 + 20, 300]) {
      const { disk, lsns } = sampleLog()
      for (const file of segmentPaths(disk)) damage(disk, file, (content) => void (content[at]! ^= 1))
      const { plan } = repair(disk)
      expect(plan.lost).toEqual([])
      expect(inspected(disk)).toMatchObject({ verdict: 'valid', lsns })
      expect(reopen(disk).records).toHaveLength(lsns.length)
    }
  })

  it('writes a header anew from what the neighbours say of it', () => {
    const { disk, lsns } = sampleLog()
    const whole = disk.clone()
    for (const [i, file] of segmentPaths(whole).entries()) {
      const damaged = whole.clone()
      damage(damaged, file, (content) => content.fill(0, 0, segmentHeaderBytes))
      expect([i, repair(damaged).plan.lost]).toEqual([i, []])
      expect(inspected(damaged)).toMatchObject({ verdict: 'valid', lsns })
      expect(reopen(damaged).records).toHaveLength(lsns.length)
    }
  })

  it('takes damage away from the front when a snapshot no longer needs what is there', () => {
    const { disk, lsns } = sampleLog()
    const [first, second] = segmentPaths(disk) as [string, string]
    damage(disk, first, (content) => void (content[segmentHeaderBytes + 700]! ^= 1))
    const neededFromLsn = lsns.find((lsn) => lsn > firstLsnOf(second))!
    const { plan } = repair(disk, { neededFromLsn })
    expect(plan).toMatchObject({
      firstLsn: firstLsnOf(second),
      lost: [{ fromLsn: 0, toLsn: firstLsnOf(second) }],
    })
    const found = inspected(disk)
    expect(found).toMatchObject({ verdict: 'valid', firstLsn: firstLsnOf(second), endLsn: lsns.at(-1)! + 32 })
    expect(reopen(disk).log.recovered.report.endLsn).toBe(found.endLsn)
  })

  it('moves snapshots above the new end away', () => {
    const { disk, lsns } = sampleLog()
    const file = segmentPaths(disk)[1]!
    damage(disk, file, (content) => void (content[segmentHeaderBytes + 100]! ^= 1))
    const dependents = [
      { path: `${inlineDirectory}/old.snap`, endLsn: lsns[2]!, valid: true },
      { path: `${inlineDirectory}/new.snap`, endLsn: lsns.at(-1)!, valid: true },
      { path: `${inlineDirectory}/bad.snap`, endLsn: lsns[1]!, valid: false },
    ]
    for (const { path } of dependents) disk.replace(path, Buffer.from(path))
    repair(disk, { dependents })
    const names = disk.list(inlineDirectory).filter((name) => name.endsWith('.snap'))
    expect(names).toEqual(['old.snap'])
    expect(disk.list(`${inlineDirectory}/repair-1`)).toContain('bad.snap')
    expect(disk.list(`${inlineDirectory}/repair-1`)).toContain('new.snap')
  })

  it('needs the lock', async () => {
    const { disk } = sampleLog()
    const free = await lockForRepair(disk, inlineDirectory, 'log')
    await expect(lockForRepair(disk, inlineDirectory, 'log')).rejects.toThrow(
      /is open, in this process or another/,
    )
    free()
    ;(await lockForRepair(disk, inlineDirectory, 'log'))()
  })

  it('leaves a log that opens, whatever the damage, also when it is interrupted and begun again', () => {
    const { disk: whole, lsns } = sampleLog(1, true)
    let repaired = 0
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Random(seed)
      const disk = whole.clone()
      mutate(disk, random)
      const found = inspected(disk)
      if (found.verdict === 'valid') continue
      if (random.int(2) === 0) interruptedRepair(disk, random)
      let kept: number[]
      try {
        if (inspected(disk).verdict !== 'valid') repair(disk)
        const after = inspected(disk)
        expect([seed, after.damage]).toEqual([seed, []])
        kept = after.lsns
      } catch (error) {
        if ((error as { code?: string }).code === 'TIDEMARK_LOG_CORRUPT') continue
        throw error
      }
      expect([seed, kept]).toEqual([seed, lsns.slice(0, kept.length)])
      expect([seed, reopen(disk).records.map(({ lsn }) => lsn)]).toEqual([seed, kept])
      repaired++
    }
    expect(repaired).toBeGreaterThan(80)
  })
})

/** A repair that fails at one of its file calls. */
function interruptedRepair(disk: MemoryDisk, random: Random): void {
  let left = random.int(12)
  disk.beforeCall = (call) => {
    if (['rename', 'truncate', 'write', 'syncData', 'syncDirectory'].includes(call) && left-- === 0) {
      throw Object.assign(new Error('stopped'), { code: 'EIO' })
    }
  }
  try {
    repair(disk)
  } catch (error) {
    if ((error as { code?: string }).code === undefined) throw error
  }
  disk.beforeCall = () => {}
}

describe('salvaging a log', () => {
  it('gives every valid record and every gap between them in order, and writes nothing', () => {
    const { disk, lsns } = sampleLog()
    const from = lsns[2]!
    const [first] = segmentPaths(disk) as [string]
    damage(disk, first, (content) =>
      content.fill(0xaa, segmentHeaderBytes + from + 40, segmentHeaderBytes + from + 400),
    )
    const reported: (number | string)[] = []
    const steps = salvageLog(disk, inlineDirectory, {
      record: ({ lsn }) => reported.push(lsn),
      skipped: ({ fromLsn, toLsn }) => reported.push(`${fromLsn}-${toLsn}`),
    })
    disk.calls.length = 0
    let step = steps.next()
    while (!step.done) step = steps.next()
    const to = lsns.find((lsn) => lsn >= from + 400)!
    const expected = lsns.flatMap((lsn): (number | string)[] =>
      lsn === to ? [`${from}-${to}`] : lsn > from && lsn < to ? [] : [lsn],
    )
    expect(reported).toEqual(expected)
    expect(step.value).toMatchObject({ records: expected.length - 1 })
    expect(disk.calls.some((call) => /^(write|create|rename|remove|truncate|lock)/.test(call))).toBe(false)
  })

  it('reads past places that the disk cannot give', () => {
    const { disk, lsns } = sampleLog()
    const whole = disk.readSync.bind(disk)
    disk.readSync = (file, buffer, position) => {
      if (position <= 8192 && position + buffer.byteLength > 8192) {
        throw Object.assign(new Error('EIO'), { code: 'EIO' })
      }
      return whole(file, buffer, position)
    }
    const found = inspected(disk)
    expect(found.verdict).toBe('corrupt')
    expect(found.damage[0]!.reason).toContain('could not be read')
    expect(found.lsns.length).toBeGreaterThan(lsns.length / 3)
    expect(found.lsns.filter((lsn) => !lsns.includes(lsn))).toEqual([])
  })
})
