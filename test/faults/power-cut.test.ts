import { describe, expect, it } from 'vitest'
import { batchHeaderBytes } from '#tidemark/log/format/batch.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { InlineLog, reopen } from '../support/inline-log.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { Random } from '../support/random.js'

const count = faultCount('power-cut', { short: 200, full: 100_000 })

/** Runs a log until the power fails at a random call, and compares what a restart finds with what was acknowledged. */
function cutAndReopen(seed: number, recycling: boolean): void {
  const random = new Random(seed)
  let disk = new MemoryDisk({ sectorBytes: random.int(2) === 0 ? 512 : 4096 })
  const acknowledged = new Map<number, string>()
  let keptFrom = 0
  for (let life = 0; life < 3; life++) {
    const survival = random.next()
    let calls = 5 + random.int(recycling ? 300 : 60)
    let cut: MemoryDisk | undefined
    let log: InlineLog | undefined
    const note = (sent: Map<number, string>) => {
      for (const [lsn, payload] of sent) if (lsn <= (log?.released ?? 0)) acknowledged.set(lsn, payload)
    }
    const sent = new Map<number, string>()
    disk.beforeCall = () => {
      if (cut || calls-- > 0) return
      // What is acknowledged when the power fails is what counts: the disk at this very call.
      if (log) note(sent)
      cut = disk.powerCut(() => random.next() < survival)
    }
    try {
      log = new InlineLog(disk, { segmentBytes: 16 * 1024 })
      for (let i = 0; i < (recycling ? 600 : 200) && !cut; i++) {
        if (random.int(3) > 0) log.preallocator.preallocateOnce()
        const payload = random.bytes(random.int(300))
        sent.set(log.append(payload), Buffer.from(payload).toString('hex'))
        if (random.int(5) === 0) log.flusher.flush()
        if (random.int(25) === 0) {
          // A record of several batches, often over a rotation.
          log.flushAll()
          const record = random.bytes(5000 + random.int(20_000))
          sent.set(log.producer.append(1, 0, record), Buffer.from(record).toString('hex'))
        }
        if (random.int(40) === 0) log.flusher.writeSyncMarker()
        if (recycling && random.int(8) === 0) {
          // What retention may take: up to the end of a record that is on disk.
          const ends = [...sent.keys()].filter((lsn) => lsn <= log!.released)
          keptFrom = Math.max(keptFrom, ends.at(random.int(2) ? -1 : random.int(ends.length || 1)) ?? 0)
          log.removeBefore(keptFrom)
        }
      }
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
    }
    cut ??= disk.powerCut(() => random.next() < survival)
    if (acknowledged.size === 0 && !cut) continue
    disk = cut
    const { records } = reopen(disk.clone())
    const found = new Map(records.map(({ lsn, payload }) => [lsn, Buffer.from(payload).toString('hex')]))
    // Millions of calls of `expect` would take longer than all the rest.
    for (const [lsn, payload] of acknowledged) {
      if (lsn <= keptFrom || found.get(lsn) === payload) continue
      expect(found.get(lsn), `seed ${seed}, LSN ${lsn}`).toBe(payload)
    }
    let previous = 0
    for (const { lsn } of records) {
      if (lsn <= previous) expect(lsn, `seed ${seed}`).toBeGreaterThan(previous)
      previous = lsn
    }
  }
}

describe('a power cut', () => {
  it(`loses nothing that was acknowledged, at any call, whatever survives of the rest (${count} seeds)`, () => {
    for (const seed of faultCases(count)) cutAndReopen(seed, false)
  })

  const recyclingCount = Math.ceil(count / 4)
  it(`loses nothing when segments are removed meanwhile and their files used again (${recyclingCount} seeds)`, () => {
    for (const seed of faultCases(recyclingCount)) cutAndReopen(seed, true)
  })

  it('at the very moment of a sync finds everything acknowledged before it', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    let syncs = 0
    disk.beforeCall = (call) => {
      if (call !== 'syncData') return
      syncs++
      const { released } = log
      expect(reopen(disk.powerCut()).log.tail, `sync ${syncs}`).toBeGreaterThanOrEqual(released)
    }
    for (let i = 0; i < 100; i++) {
      log.append(new Uint8Array(200))
      log.flusher.flush()
    }
    expect(syncs).toBeGreaterThanOrEqual(100)
    expect(log.released).toBe(log.tail)
    // After the last batch the opening puts a sync marker.
    expect(reopen(disk.powerCut()).log.tail).toBe(log.released + batchHeaderBytes)
  })

  it('under unsafeNone may lose what was released, and never what was synced', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk, { durability: 'unsafeNone' })
    const lsn = log.append(new Uint8Array(64))
    log.flushAll()
    expect(log.released).toBe(lsn)
    expect(log.synced).toBe(0)
    expect(reopen(disk.powerCut()).log.tail).toBe(0)
  })

  it('under unsafeNone loses nothing below an LSN up to which a sync was asked for', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk, { durability: 'unsafeNone' })
    for (let i = 0; i < 50; i++) {
      log.append(new Uint8Array(700).fill(i))
      log.flushAll()
      if (i % 7 === 3) {
        log.syncTo(log.released)
        expect(log.synced).toBe(log.released)
      }
      expect(reopen(disk.powerCut()).log.recovered.report.endLsn).toBeGreaterThanOrEqual(log.synced)
    }
    expect(log.synced).toBeGreaterThan(40 * 700)
    // Nothing is synced again for an LSN that is synced already.
    disk.calls.length = 0
    log.syncTo(8)
    expect(disk.calls).toEqual([])
  })
})

describe('a segment', () => {
  it('is on disk to its end before the next one begins, even under unsafeNone', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk, { durability: 'unsafeNone' })
    while (disk.list('/log').length < 2) {
      log.append(new Uint8Array(1000).fill(1))
      log.flusher.flush()
    }
    const { records } = reopen(disk.powerCut())
    expect(records.length).toBeGreaterThanOrEqual(15)
  })
})

describe('a failing disk', () => {
  it.each([
    ['write', 'EIO'],
    ['write', 'ENOSPC'],
    ['syncData', 'EIO'],
  ] as const)('that fails one %s with %s acknowledges nothing of that batch', (call, errno) => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    const safe = log.append(new Uint8Array(64))
    log.flushAll()
    log.append(new Uint8Array(64))
    disk.beforeCall = (name) => {
      if (name === call) throw Object.assign(new Error(`${errno}: injected`), { code: errno })
    }
    expect(() => log.flusher.flush()).toThrowError(expect.objectContaining({ code: 'TIDEMARK_LOG_IO' }))
    expect(log.released).toBe(safe)
  })

  it('that takes a write only in part acknowledges nothing of it', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    log.append(new Uint8Array(64).fill(7))
    disk.writeLimit = (bytes) => bytes - 8
    expect(() => log.flusher.flush()).toThrowError(/only 96 of 104 bytes/)
    expect(log.released).toBe(0)
    disk.writeLimit = (bytes) => bytes
    expect(reopen(disk).log.recovered.report).toMatchObject({
      endLsn: 0,
      tornTail: { bytesCut: expect.any(Number) },
    })
  })
})
