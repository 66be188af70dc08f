import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { batchHeaderBytes } from '#tidemark/log/format/batch.js'
import { headerCopyBytes, segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { inspectLog } from '#tidemark/log/tools/inspection.js'
import { damage, inspected, sampleLog, segmentPaths } from '../../support/damaged-log.js'
import { InlineLog, inlineDirectory, reopen } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'
import { mutate } from '../../support/mutate-log.js'
import { Random } from '../../support/random.js'

const codeOf = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    return (error as { code?: string }).code
  }
  return undefined
}

describe('inspecting a valid log', () => {
  it('finds every record, and nothing wrong', () => {
    const { disk, lsns } = sampleLog(1, true)
    const found = inspected(disk)
    expect(found.lsns).toEqual(lsns)
    expect(found).toMatchObject({ verdict: 'valid', damage: [], skippedRanges: [], records: lsns.length })
    expect(found.endLsn).toBe(lsns.at(-1)! + 32)
    expect(found.segments.length).toBeGreaterThan(2)
    expect(found.lastTimeUs).toBeGreaterThanOrEqual(found.firstTimeUs!)
  })

  it('writes nothing, takes no lock and leaves no file open', () => {
    const { disk } = sampleLog()
    const before = disk.clone()
    disk.calls.length = 0
    inspected(disk)
    const calls = new Set(disk.calls.map((call) => call.split(' ')[0]))
    expect([...calls].sort()).toEqual(['close', 'list', 'open', 'readSync'])
    const count = (name: string) => disk.calls.filter((call) => call.startsWith(name)).length
    expect(count('open ')).toBe(count('close '))
    for (const file of segmentPaths(before)) expect(disk.contentOf(file)).toEqual(before.contentOf(file))
  })

  it('is the same after several openings, and for a log that is empty', () => {
    const { disk, lsns } = sampleLog()
    for (let i = 0; i < 3; i++) {
      const { log } = reopen(disk)
      lsns.push(log.append(Buffer.from('more')))
      log.flushAll()
    }
    expect(inspected(disk)).toMatchObject({ lsns, verdict: 'valid' })
    const empty = new MemoryDisk()
    new InlineLog(empty)
    expect(inspected(empty)).toMatchObject({ lsns: [], verdict: 'valid', firstLsn: 0, endLsn: 0 })
    expect(inspected(new MemoryDisk())).toMatchObject({ segments: [], verdict: 'valid' })
  })

  it('takes a preallocated segment with a valid header for the segment that it is', () => {
    const { disk, lsns } = sampleLog()
    const last = segmentPaths(disk).at(-1)!
    disk.rename(last, `${inlineDirectory}/spare-9.wal`)
    expect(inspected(disk)).toMatchObject({ lsns, verdict: 'valid' })
  })
})

describe('inspecting a damaged log', () => {
  it('names file, byte and LSN of every corruption, and reads on after each', () => {
    const { disk, lsns } = sampleLog()
    const [first, second] = segmentPaths(disk) as [string, string]
    const secondFirst = Number(/(\d+)\.wal/.exec(second)![1])
    const hit = lsns.findIndex((lsn) => lsn > secondFirst + 3000)
    damage(disk, first, (content) => void (content[segmentHeaderBytes + lsns[4]! + 40]! ^= 1))
    const offset = segmentHeaderBytes + lsns[hit]! - secondFirst
    damage(disk, second, (content) => void (content[offset + 33]! ^= 0x80))
    const found = inspected(disk)
    expect(found.verdict).toBe('corrupt')
    expect(found.damage).toMatchObject([
      {
        kind: 'batch',
        file: first,
        lsn: lsns[4],
        offset: segmentHeaderBytes + lsns[4]!,
        wholeEndLsn: lsns[4],
      },
      { kind: 'batch', file: second, lsn: lsns[hit], offset, wholeEndLsn: lsns[hit] },
    ])
    expect(found.damage[0]!.endLsn).toBe(lsns[5])
    expect(found.lsns).toEqual(lsns.filter((lsn) => lsn !== lsns[5] && lsn !== lsns[hit + 1]))
    expect(found.endLsn).toBe(lsns[4])
  })

  it('takes damage to neighbouring records for one place', () => {
    const { disk, lsns } = sampleLog()
    const [first] = segmentPaths(disk) as [string]
    for (const lsn of lsns.slice(4, 6)) {
      damage(disk, first, (content) => void (content[segmentHeaderBytes + lsn + 33]! ^= 1))
    }
    expect(inspected(disk).skippedRanges).toEqual([[lsns[4], lsns[6]]])
  })

  it('takes no LSN beyond 2^53-1 for valid', () => {
    const firstLsn = 2n ** 64n - 8192n
    const content = Buffer.alloc(segmentHeaderBytes + 4096)
    content.write('TIDEMARK', 0, 'latin1')
    content.writeUInt32LE(2, 8)
    content.writeBigUInt64LE(firstLsn, 24)
    content.writeBigUInt64LE(2n ** 64n - 1n, 32)
    content.writeUInt32LE(4096, 56)
    content.write('log', 60, 'latin1')
    withHeader(content, () => {})
    content.copy(content, 2048, 0, headerCopyBytes)
    const marker = content.subarray(segmentHeaderBytes, segmentHeaderBytes + batchHeaderBytes)
    marker.writeUInt32LE(batchHeaderBytes, 0)
    marker.writeBigUInt64LE(firstLsn, 16)
    marker.writeUInt32LE(crc32(marker, crc32(content.subarray(16, 24))), 4)
    const disk = new MemoryDisk()
    disk.replace(`${inlineDirectory}/${firstLsn}.wal`, content)
    expect(inspected(disk)).toMatchObject({ verdict: 'corrupt', damage: [{ kind: 'header' }], records: 0 })
  })

  it('separates a torn tail from corruption by what later batches say was synced', () => {
    const { disk, log, lsns } = lastBatch()
    const file = segmentPaths(disk).at(-1)!
    const tail = lsns.at(-1)!
    const torn = disk.clone()
    damage(torn, file, (content) => void (content[segmentHeaderBytes + tail + 33]! ^= 1))
    expect(inspected(torn)).toMatchObject({
      verdict: 'torn',
      endLsn: tail,
      damage: [{ kind: 'torn-tail', lsn: tail }],
    })
    log.flusher.writeSyncMarker()
    log.flushAll()
    log.flusher.writeSyncMarker()
    log.flushAll()
    const corrupt = disk.clone()
    damage(corrupt, file, (content) => void (content[segmentHeaderBytes + tail + 33]! ^= 1))
    expect(inspected(corrupt)).toMatchObject({
      verdict: 'corrupt',
      endLsn: tail,
      damage: [{ kind: 'batch', lsn: tail }],
    })
  })

  it('reports one damaged header copy, and reads with the other', () => {
    for (const at of [20, 2048 + 20, 100, 4000]) {
      const { disk, lsns } = sampleLog()
      const file = segmentPaths(disk)[1]!
      damage(disk, file, (content) => void (content[at]! ^= 4))
      const found = inspected(disk)
      expect(found).toMatchObject({ lsns, verdict: 'corrupt', damage: [{ kind: 'header-copy', file }] })
      expect(found.damage).toHaveLength(1)
    }
  })

  it('reads a segment without a valid header by what its neighbours say of it', () => {
    const { disk, lsns } = sampleLog()
    for (const [i, file] of segmentPaths(disk).entries()) {
      const damaged = disk.clone()
      damage(damaged, file, (content) => content.fill(0, 0, segmentHeaderBytes))
      const found = inspected(damaged)
      expect([i, found.lsns]).toEqual([i, lsns])
      expect(found).toMatchObject({ verdict: 'corrupt', damage: [{ kind: 'header', file, offset: 0 }] })
    }
  })

  it('finds a segment missing', () => {
    const { disk, lsns } = sampleLog()
    const [, second, third] = segmentPaths(disk) as [string, string, string]
    const [from, to] = [second, third].map((file) => Number(/(\d+)\.wal/.exec(file)![1])) as [number, number]
    disk.remove(second)
    const found = inspected(disk)
    expect(found.damage).toMatchObject([{ kind: 'missing', lsn: from, endLsn: to, file: third }])
    expect(found.skippedRanges).toEqual([[from, to]])
    const rest = found.lsns.filter((lsn) => !lsns.includes(lsn))
    expect(rest).toEqual([])
    expect(found.lsns.filter((lsn) => lsn > from && lsn <= to)).toEqual([])
  })

  it('finds a byte of padding that is not zero, in the last segment too', () => {
    const { disk, lsns } = sampleLog()
    const file = segmentPaths(disk).at(-1)!
    const firstLsn = Number(/(\d+)\.wal/.exec(file)![1])
    const content = disk.contentOf(file)!
    let at = segmentHeaderBytes
    while (content.readUInt32LE(at + batchHeaderBytes) % 8 === 0) {
      expect(content.readUInt32LE(at)).toBeGreaterThan(0)
      at += content.readUInt32LE(at)
    }
    damage(
      disk,
      file,
      (bytes) => void (bytes[at + batchHeaderBytes + bytes.readUInt32LE(at + batchHeaderBytes)] = 9),
    )
    const lsn = firstLsn + at - segmentHeaderBytes
    const end = lsn + content.readUInt32LE(at)
    expect(inspected(disk)).toMatchObject({
      lsns: lsns.filter((one) => one <= lsn || one > end),
      damage: [{ kind: 'batch', lsn, offset: at }],
    })
  })

  it('finds a segment that its successor does not know', () => {
    const { disk, lsns } = sampleLog()
    const [, second] = segmentPaths(disk) as [string, string]
    damage(disk, second, (content) => withHeader(content, (copy) => copy.writeBigUInt64LE(7n, 40)))
    expect(inspected(disk)).toMatchObject({
      lsns,
      verdict: 'corrupt',
      damage: [{ kind: 'chain', file: second }],
    })
    const renamed = sampleLog().disk
    renamed.rename(second, second.replace(/\d(?=\.wal)/, '0'))
    expect(inspected(renamed).damage.map(({ kind }) => kind)).toContain('foreign')
  })

  it('refuses a format version that it does not know', () => {
    const { disk } = sampleLog()
    const file = segmentPaths(disk)[0]!
    damage(disk, file, (content) => withHeader(content, (copy) => copy.writeUInt16LE(3, 8)))
    expect(codeOf(() => inspected(disk))).toBe('TIDEMARK_LOG_FORMAT')
  })
})

/** A log whose last record is written and synced, while no batch says so yet. */
function lastBatch() {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk)
  const lsns: number[] = []
  for (let i = 0; i < 10; i++) {
    lsns.push(log.append(Buffer.from(`record ${i}`)))
    log.flushAll()
  }
  log.append(Buffer.from('the last one'))
  log.flushAll()
  return { disk, log, lsns }
}

/** Both copies of a header changed, their CRCs made to fit. */
function withHeader(content: Buffer, change: (copy: Buffer) => void): Buffer {
  for (const at of [0, 2048]) {
    const copy = content.subarray(at, at + headerCopyBytes - 4)
    change(copy)
    content.writeUInt32LE(crc32(copy), at + headerCopyBytes - 4)
  }
  return content
}

describe('beside a writer', () => {
  it('does not judge a tail that is being written', () => {
    const { disk, log } = lastBatch()
    const file = segmentPaths(disk).at(-1)!
    log.append(Buffer.alloc(500, 'x'))
    log.flushAll()
    const whole = disk.contentOf(file)!
    const end = log.released
    // The writer is within its write: the second half of the batch is not there yet.
    disk.replace(file, Buffer.concat([whole.subarray(0, segmentHeaderBytes + end - 200), Buffer.alloc(9000)]))
    const steps = inspectLog(disk, inlineDirectory)
    let waits = 0
    for (;;) {
      const step = steps.next()
      if (step.done) {
        expect(step.value).toMatchObject({ verdict: 'valid', endLsn: end })
        break
      }
      if (step.value.waitMs === 0 || ++waits < 3) continue
      const handle = disk.open(file, 'write')
      disk.write(handle, [whole], 0)
      disk.close(handle)
    }
    expect(waits).toBe(3)
  })

  it('follows a log that is opened, rotated and trimmed meanwhile', () => {
    const { disk, lsns } = sampleLog()
    const seen: number[] = []
    const steps = inspectLog(disk, inlineDirectory, { record: ({ lsn }) => seen.push(lsn) })
    steps.next()
    const { log } = reopen(disk)
    for (let i = 0; i < 200; i++) {
      log.append(Buffer.alloc(300, i))
      log.flushAll()
    }
    // Retention takes the segment that is being read, and one that the inspection has not opened yet.
    for (const file of segmentPaths(disk).slice(0, 2)) disk.remove(file)
    for (;;) {
      const step = steps.next()
      if (!step.done) continue
      expect(step.value).toMatchObject({ verdict: 'valid', damage: [] })
      break
    }
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.filter((lsn) => lsn <= lsns.at(-1)! && !lsns.includes(lsn))).toEqual([])
  })
})

describe('beside retention that overtakes it', () => {
  it('continues to the end of the log as it is then', () => {
    const { disk, lsns } = sampleLog()
    const steps = inspectLog(disk, inlineDirectory)
    steps.next()
    const { log } = reopen(disk)
    const listed = segmentPaths(disk)
    for (let i = 0; i < 200; i++) {
      log.append(Buffer.alloc(300, i))
      log.flushAll()
    }
    // All that was there when it began, the one that it has open too.
    for (const file of listed) disk.remove(file)
    const left = segmentPaths(disk)
    expect(left.length).toBeGreaterThan(1)
    for (;;) {
      const step = steps.next()
      if (!step.done) continue
      expect(step.value).toMatchObject({ verdict: 'valid', damage: [], lastWholeEndLsn: log.released })
      expect(step.value.lastWholeEndLsn).toBeGreaterThan(lsns.at(-1)!)
      expect(step.value.segments.slice(-left.length).map(({ path }) => path)).toEqual(left)
      break
    }
  })
})

describe('a log with random damage', () => {
  const { disk: whole, lsns } = sampleLog(1, true)
  const { payloads: known } = inspected(whole)

  it('is judged as an opening judges it', () => {
    const payloads = new Map(reopen(whole.clone()).records.map(({ lsn, payload }) => [lsn, String(payload)]))
    const tally = { valid: 0, torn: 0, corrupt: 0 }
    for (let seed = 1; seed <= 250; seed++) {
      const disk = whole.clone()
      mutate(disk, new Random(seed))
      const found = inspected(disk)
      tally[found.verdict]++
      if (found.verdict === 'corrupt') continue
      const opened = opening(disk)
      expect([seed, opened.code]).toEqual([seed, undefined])
      const same = opened.records!.every(({ lsn, payload }) => payloads.get(lsn) === String(payload))
      // The opening may add a sync marker.
      const added = opened.endLsn! - found.endLsn
      expect([seed, same, added === 0 || added === batchHeaderBytes]).toEqual([seed, true, true])
      if (found.verdict === 'valid') expect([seed, opened.torn]).toEqual([seed, undefined])
    }
    expect(Math.min(tally.valid, tally.torn, tally.corrupt)).toBeGreaterThan(3)
  })

  it('is read without one record that was not written, and everything skipped is reported', () => {
    for (let seed = 10_001; seed <= 10_800; seed++) {
      const disk = whole.clone()
      mutate(disk, new Random(seed))
      const found = inspected(disk)
      const wrong = [...found.payloads].filter(([lsn, payload]) => known.get(lsn) !== payload)
      expect([seed, wrong]).toEqual([seed, []])
      const last = Math.max(0, ...found.segments.map(({ endLsn }) => endLsn))
      const read = new Set(found.lsns)
      const unseen = lsns.filter((lsn, i) => {
        if (lsn > last || read.has(lsn)) return false
        return !found.skippedRanges.some(([from, to]) => from < lsn && to > (lsns[i - 1] ?? 0))
      })
      expect([seed, unseen]).toEqual([seed, []])
    }
  })

  it('never leads to a crash, a hang or a large allocation', () => {
    for (let seed = 1; seed <= 1500; seed++) {
      const random = new Random(seed)
      const disk = new MemoryDisk()
      const files = random.int(4)
      for (let i = 0; i < files; i++) {
        const content = Buffer.from(random.bytes(random.int(9000)))
        if (random.int(2) === 0 && content.byteLength >= segmentHeaderBytes) plausibleHeader(content, random)
        disk.replace(`${inlineDirectory}/${String(random.int(3) * 4096 * 8).padStart(20, '0')}.wal`, content)
      }
      const code = codeOf(() => expect(inspected(disk).lsns).toEqual([]))
      expect([seed, code]).toEqual([seed, undefined])
    }
  })
})

function opening(disk: MemoryDisk) {
  try {
    const { log, records } = reopen(disk.clone())
    const { endLsn, tornTail } = log.recovered.report
    return { endLsn, torn: tornTail, records }
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === undefined) throw error
    return { code }
  }
}

/** A header whose CRC fits and whose numbers are anything. */
function plausibleHeader(content: Buffer, random: Random): void {
  content.write('TIDEMARK', 0, 'latin1')
  content.writeUInt32LE(2, 8)
  if (random.int(2) === 0) content.writeBigUInt64LE(BigInt(random.int(3) * 4096 * 8), 24)
  if (random.int(2) === 0) content.writeUInt32LE(0xffff_ffff, 56)
  content.writeUInt32LE(crc32(content.subarray(0, headerCopyBytes - 4)), headerCopyBytes - 4)
  content.copy(content, 2048, 0, headerCopyBytes)
  // And batches that claim to be large.
  for (let at = segmentHeaderBytes; at + 32 < content.byteLength; at += 8 * (1 + random.int(40))) {
    content.writeUInt32LE(random.int(2) === 0 ? 0x7fff_fff8 : 32 + random.int(9000), at)
    content.writeBigUInt64LE(content.readBigUInt64LE(24) + BigInt(at - segmentHeaderBytes), at + 16)
  }
}
