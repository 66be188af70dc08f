import { describe, expect, it } from 'vitest'
import { batchHeaderBytes } from '#tidemark/log/format/batch.js'
import { segmentHeaderBytes, segmentNameLsn } from '#tidemark/log/format/segment.js'
import { logState } from '#tidemark/log/ring/memory.js'
import { segmentPaths } from '../support/damaged-log.js'
import { recover, tryRecover } from '../support/fault-log.js'
import { faultCount, faultPlaces } from '../support/fault-tier.js'
import { InlineLog, inlineDirectory, readRecords, reopen } from '../support/inline-log.js'
import { logWords } from '../support/log-words.js'
import { MemoryDisk } from '../support/memory-disk.js'

/** What the log's owner does between the opening after the crash and the damage. */
const lives = {
  'crashes at once': (disk: MemoryDisk) => void recover(disk),
  'falls idle and crashes': (disk: MemoryDisk) => run(disk, logState.poisoned),
  'is closed cleanly': (disk: MemoryDisk) => run(disk, logState.closing),
}

/** Runs the flusher's loop on an opened log: it falls idle a few times, then `state` ends it. */
function run(disk: MemoryDisk, state: number): void {
  const log = new InlineLog(disk)
  const words = logWords(log)
  const { wait } = Atomics
  let waits = 0
  Atomics.wait = (() => {
    if (++waits === 3) words.state = state
    return 'timed-out'
  }) as typeof Atomics.wait
  try {
    log.flusher.run()
  } finally {
    Atomics.wait = wait
  }
  expect(waits).toBe(3)
}

/**
 * A log that crashed after it had acknowledged a last batch, which no later batch covers: the batch follows
 * `before` records that are covered.
 */
function crashed(before: number): { disk: MemoryDisk; lsns: number[]; batchLsn: number; endLsn: number } {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk)
  const lsns: number[] = []
  for (let i = 0; i < before; i++) {
    lsns.push(log.append(Buffer.alloc(40, i)))
    log.flushAll()
  }
  log.flusher.writeSyncMarker()
  log.flushAll()
  const batchLsn = log.tail
  for (const bytes of [20, 64, 8]) lsns.push(log.append(Buffer.alloc(bytes, 0x5a)))
  log.flushAll()
  expect(log.released).toBe(log.tail)
  return { disk: disk.powerCut(), lsns, batchLsn, endLsn: log.tail }
}

function* bitsOf(disk: MemoryDisk, fromLsn: number, toLsn: number, count: number) {
  const file = segmentPaths(disk).at(-1)!
  const at = segmentHeaderBytes + fromLsn - segmentNameLsn(file.slice(inlineDirectory.length + 1))!
  for (const bit of faultPlaces(count, (toLsn - fromLsn) * 8)) yield { file, bit, byte: at + (bit >> 3) }
}

const count = faultCount('recovered-tail', { short: 150, full: 10_000 })

describe('what was acknowledged before a crash', () => {
  // Beside a few records the opening writes the whole segment again, beside many only what was not covered.
  for (const before of [3, 150]) {
    for (const [name, live] of Object.entries(lives)) {
      it(`is never cut silently after the next owner ${name}, ${before} records before it (${count} bits)`, () => {
        const { disk, lsns, batchLsn, endLsn } = crashed(before)
        live(disk)
        const found = disk.powerCut()
        let refused = 0
        let harmless = 0
        for (const { file, bit, byte } of bitsOf(found, batchLsn, endLsn, count)) {
          const damaged = found.clone()
          const content = damaged.contentOf(file)!
          content[byte]! ^= 1 << (bit & 7)
          damaged.replace(file, content)
          const opening = tryRecover(damaged)
          if ('refused' in opening) {
            expect(opening.refused.code, `bit ${bit}`).toBe('TIDEMARK_LOG_CORRUPT')
            expect(opening.refused.details.lsn, `bit ${bit}`).toBeGreaterThanOrEqual(batchLsn)
            refused++
            continue
          }
          const { report } = opening.log
          expect(report.tornTail, `bit ${bit}`).toBeUndefined()
          const kept = readRecords(damaged, report.firstLsn, report.endLsn).map(({ lsn }) => lsn)
          expect(kept, `bit ${bit}`).toEqual(lsns)
          harmless++
        }
        expect(refused).toBeGreaterThan(harmless * 10)
      })
    }
  }

  it('gets one sync marker, however often the log is opened after that', () => {
    const { disk, endLsn } = crashed(150)
    for (const live of [...Object.values(lives), ...Object.values(lives)]) {
      live(disk)
      expect(recover(disk).report.endLsn).toBe(endLsn + batchHeaderBytes)
      expect(segmentPaths(disk)).toHaveLength(2)
    }
  })

  it('gets a sync marker only if records are among what the opening kept', () => {
    const disk = new MemoryDisk()
    expect(recover(disk).report.endLsn).toBe(0)
    expect(recover(disk).report.endLsn).toBe(0)
    const { log, records } = reopen(disk)
    expect(records).toEqual([])
    log.append(Buffer.alloc(10))
    log.flushAll()
    log.flusher.writeSyncMarker()
    log.flushAll()
    expect(recover(disk).report.endLsn).toBe(log.tail)
  })
})
