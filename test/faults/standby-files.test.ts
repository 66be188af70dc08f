import { closeSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { FollowedLog, type LogEntry } from '#tidemark/log/follow/followed-log.js'
import {
  listSegmentNames,
  readSegmentHeader,
  segmentHeaderBytes,
  segmentNameLsn,
  segmentPath,
} from '#tidemark/log/format/segment.js'
import {
  DurableLog,
  LogProducer,
  type LogRecord,
  NodeDisk,
  resolveLogSettings,
  takeFolder,
} from '#tidemark/log/index.js'
import { recoverFollowed } from '#tidemark/log/recover/recovery.js'
import { cutLog, tidyLog, writtenParts } from '#tidemark/log/tools/log-cut.js'
import type { NewEntry } from '#tidemark/replication/index.js'
import { faultCases, faultCount, faultTier } from '../support/fault-tier.js'
import { InlineLog, inlineDirectory, readRecords } from '../support/inline-log.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { Random } from '../support/random.js'
import { entriesOf, segmentContents } from '../support/shipped-log.js'
import { temporaryDirectory } from '../support/temporary.js'

const cuts = faultCount('log-cut', { short: 2, full: 300 })

/** A log of two openings on a disk in memory, with the LSN of each record. */
function deposed(random: Random): { disk: MemoryDisk; lsns: number[]; endLsn: number } {
  const disk = new MemoryDisk()
  const lsns: number[] = []
  let endLsn = 0
  for (let opening = 0; opening < 2; opening++) {
    const log = new InlineLog(disk, { segmentBytes: 16 * 1024, initialSegmentBytes: 16 * 1024 })
    const records = 20 + random.int(120)
    for (let i = 0; i < records; i++) {
      lsns.push(log.append(random.bytes(1 + random.int(400))))
      log.flushAll()
    }
    endLsn = log.tail
  }
  return { disk: disk.clone(), lsns, endLsn }
}

const aside = `${inlineDirectory}/deposed-1`
const snapshot = `${inlineDirectory}/snapshot-00000000000000999999.snap`

/** Cuts the log, as an opening does, on a disk whose power fails at a call; returns whether it failed. */
function cutUntil(disk: MemoryDisk, lsn: number, call: number): boolean {
  let callsLeft = call
  disk.beforeCall = () => {
    if (callsLeft-- <= 0) throw Object.assign(new Error('power'), { code: 'POWER' })
  }
  try {
    tidyLog(disk, inlineDirectory)
    if (writtenParts(disk, inlineDirectory).endLsn > lsn)
      cutLog(disk, inlineDirectory, lsn, aside, disk.exists(snapshot) ? [snapshot] : [])
    return false
  } catch {
    return true
  } finally {
    disk.beforeCall = () => {}
  }
}

/** The records of a log that was cut: those that stay, and those that are aside. */
function recordsOfCut(disk: MemoryDisk, lsn: number, endLsn: number): LogRecord[] {
  const { report } = recoverFollowed({
    disk,
    directory: inlineDirectory,
    kind: 'log',
    contentVersion: 1,
    maxBatchBytes: 4096,
    initialSegmentBytes: 16 * 1024,
  })
  expect(report.endLsn).toBe(lsn)
  const segments = disk.list(aside).filter((name) => segmentNameLsn(name) !== undefined)
  const rest = readRecords(disk, segmentNameLsn(segments.sort()[0]!)!, endLsn, aside)
  return [...readRecords(disk, 0, lsn), ...rest.filter((record) => record.lsn > lsn)]
}

describe('a log that is cut where it left the lineage', () => {
  it(`is cut there, and the rest kept aside, whatever call the power fails at (${cuts} logs)`, () => {
    let interrupted = 0
    for (const seed of faultCases(cuts)) {
      const random = new Random(seed)
      const { disk, lsns, endLsn } = deposed(random)
      disk.replace(snapshot, Buffer.from('books'))
      const before = readRecords(disk, 0, endLsn)
      const lsn = lsns[random.int(lsns.length - 1)]!
      // All calls in the full tier, some in the short one: each costs the recovery of a log.
      for (let call = 0; ; call += faultTier() === 'full' ? 1 : 1 + random.int(20)) {
        const failing = disk.clone()
        if (!cutUntil(failing, lsn, call)) break
        interrupted++
        // The next opening fails as well, now and then, and the one after that completes what is left.
        let after = failing.powerCut(() => random.int(2) === 0)
        if (cutUntil(after, lsn, random.int(40))) after = after.powerCut(() => random.int(2) === 0)
        expect(cutUntil(after, lsn, Number.POSITIVE_INFINITY)).toBe(false)
        expect(recordsOfCut(after, lsn, endLsn), `seed ${seed}, call ${call}`).toEqual(before)
        expect(after.exists(snapshot)).toBe(false)
        expect(after.exists(`${aside}/${path.basename(snapshot)}`)).toBe(true)
      }
    }
    expect(interrupted).toBeGreaterThan(cuts * 3)
  })
})

const copies = faultCount('followed-bytes', { short: 2, full: 400 })
const options = { segmentBytes: 16 * 1024, ringBytes: 64 * 1024, maxBatchBytes: 4096 }

async function follow(dir: string): Promise<FollowedLog> {
  const taken = (await takeFolder(new NodeDisk(), dir, () => false))!
  const settings = resolveLogSettings(options)
  return FollowedLog.open({ dir, kind: 'log', contentVersion: 1, settings, taken, coveredLsn: 0 })
}

function withEnd(entry: NewEntry): LogEntry {
  return { segmentHeader: undefined, ...entry, endLsn: entry.startLsn + entry.bytes.length }
}

/** Tears the last segment as a power cut does: what was written after the last sync is there, or not, or in part. */
function tear(dir: string, random: Random): void {
  const name = listSegmentNames(new NodeDisk(), dir).at(-1)
  if (name === undefined) return
  const file = segmentPath(dir, segmentNameLsn(name)!)
  const { byteLength } = readFileSync(file)
  const at = segmentHeaderBytes + random.int(byteLength - segmentHeaderBytes + 1)
  if (random.int(3) === 0) truncateSync(file, at)
  else {
    const handle = openSync(file, 'r+')
    writeSync(handle, Buffer.alloc(Math.min(512, byteLength - at)), 0, undefined, at)
    closeSync(handle)
  }
}

describe('the copy of a log that another machine writes', () => {
  it(`is the same bytes in the same segments, through rotations, records in pieces, recycled files and crashes (${copies} logs)`, async () => {
    const seen = { rotations: 0, pieces: 0, recycled: 0, crashes: 0, tears: 0 }
    for (const seed of faultCases(copies)) {
      const random = new Random(seed)
      const primary = temporaryDirectory()
      const copy = temporaryDirectory()
      const log = await DurableLog.open({ dir: primary, ...options })
      // It blocks while the ring is full, and takes records that need several batches.
      const producer = new LogProducer(log.memory, 1)
      let followed = await follow(copy)
      for (let round = 0; round < 6; round++) {
        for (let i = 0; i < 40; i++) {
          const isLarge = random.int(12) === 0
          if (isLarge) seen.pieces++
          const lsn = producer.append(1, 0, random.bytes(1 + random.int(isLarge ? 30_000 : 600)))
          if (i % 10 === 9) await log.waitDurable(lsn)
        }
        const { durableLsn } = log
        const crashes = random.int(2) === 0
        if (crashes) seen.crashes++
        const entries = entriesOf(primary, followed.durableLsn, durableLsn, () => 1 + random.int(9000))
        for (let at = 0; at < entries.length; ) {
          const some = entries.slice(at, at + 1 + random.int(12))
          await followed.append(some.map(withEnd))
          at += some.length
        }
        expect(followed.durableLsn).toBe(durableLsn)
        if (crashes) {
          await followed.close()
          if (random.int(4)) {
            tear(copy, random)
            seen.tears++
          }
          followed = await follow(copy)
          expect(followed.durableLsn).toBeLessThanOrEqual(durableLsn)
          const again = entriesOf(primary, followed.durableLsn, durableLsn)
          await followed.append(again.map(withEnd))
        }
        expect(segmentContents(copy, durableLsn), `seed ${seed}, round ${round}`).toEqual(
          segmentContents(primary, durableLsn),
        )
        if (round % 2 === 1) {
          const firstLsn = await log.removeBefore(durableLsn - 20_000)
          expect(await followed.removeBefore(firstLsn)).toBe(firstLsn)
        }
      }
      const headers = listSegmentNames(new NodeDisk(), copy).map((name) =>
        readSegmentHeader(new NodeDisk(), segmentPath(copy, segmentNameLsn(name)!)),
      )
      seen.rotations += headers.length
      seen.recycled += headers.filter((header) => header?.recycled).length
      await log.close()
      await followed.close()
    }
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(copies / 4)
  }, 36_000_000)
})
