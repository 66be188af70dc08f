import { describe, expect, it } from 'vitest'
import { extensionBytes } from '#tidemark/log/flush/segment-writer.js'
import { fullFor, logState } from '#tidemark/log/ring/memory.js'
import { InlineLog, type InlineLogOptions, inlineDirectory, reopen } from '../../support/inline-log.js'
import { logWords } from '../../support/log-words.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const segmentBytes = 16 * 1024
const fileBytes = 4096 + segmentBytes
const payload = (n: number) => Buffer.alloc(500, n)

const usedBytes = (disk: MemoryDisk) => 1e12 - withCapacity(disk, 1e12, () => disk.freeBytes(inlineDirectory))

function withCapacity<T>(disk: MemoryDisk, bytes: number, use: () => T): T {
  const before = disk.capacityBytes
  disk.capacityBytes = bytes
  try {
    return use()
  } finally {
    disk.capacityBytes = before
  }
}

/** A log on a disk that has room for so many whole segments. */
function cramped(segments: number, options: InlineLogOptions = {}): { disk: MemoryDisk; log: InlineLog } {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk, options)
  disk.capacityBytes = usedBytes(disk) + (segments - 1) * fileBytes + 2000
  return { disk, log }
}

/** Appends and flushes until the log does not get on. */
function fill(log: InlineLog): number[] {
  const lsns: number[] = []
  do {
    try {
      log.preallocator.preallocateOnce()
    } catch (error) {
      expect(error).toMatchObject({ code: 'TIDEMARK_DISK_FULL', details: { errno: 'ENOSPC' } })
    }
    lsns.push(log.append(payload(lsns.length)))
    log.flusher.flush()
    // A flush that finds no room makes some, and the next one writes.
    if (log.released < log.tail) log.flusher.flush()
  } while (log.released === log.tail)
  return lsns
}

describe('a log whose disk is full', () => {
  it.each([1, 3])('tears nothing: what has no room stays in the ring (%i segments)', (segments) => {
    const { disk, log } = cramped(segments)
    const lsns = fill(log)
    expect(lsns.length).toBeGreaterThan(25 * segments)
    expect(log.released).toBe(lsns.at(-2))
    expect(logWords(log).diskFull).not.toBe(0)
    const { log: again, records } = reopen(withCapacity(disk, 1e12, () => disk.powerCut()))
    expect(again.recovered.report.tornTail).toBeUndefined()
    expect(records.map(({ lsn }) => lsn)).toEqual(lsns.slice(0, -1))
  })

  it('continues where it stopped when there is room again', () => {
    const { disk, log } = cramped(2)
    const lsns = fill(log)
    disk.capacityBytes += 2 * fileBytes
    expect(log.preallocator.preallocateOnce()).toBe(true)
    log.flushAll()
    expect(log.released).toBe(lsns.at(-1))
    expect(log.preallocator.preallocateOnce()).toBe(true)
    expect(logWords(log).diskFull).toBe(0)
    lsns.push(log.append(payload(1)))
    log.flushAll()
    expect(reopen(withCapacity(disk, 1e12, () => disk.powerCut())).records.map(({ lsn }) => lsn)).toEqual(
      lsns,
    )
  })

  it('stays full when the flusher takes the last segment that has room, until the one after it is made', () => {
    const { disk, log } = cramped(1)
    const lsns = fill(log)
    disk.capacityBytes += fileBytes
    expect(log.preallocator.preallocateOnce()).toBe(true)
    log.flushAll()
    expect(log.released).toBe(lsns.at(-1))
    expect(logWords(log).diskFull).toBe(fullFor.preallocator)
    expect(() => log.preallocator.preallocateOnce()).toThrowError(/the disk is full/)
    expect(logWords(log).diskFull).toBe(fullFor.preallocator)
    disk.capacityBytes += fileBytes
    expect(log.preallocator.preallocateOnce()).toBe(true)
    expect(logWords(log).diskFull).toBe(0)
  })

  it('is full no more when the flusher found room without taking the segment that is ready', () => {
    const { log } = cramped(3)
    logWords(log).diskFull = fullFor.flusher
    expect(log.preallocator.preallocateOnce()).toBe(true)
    expect(logWords(log).diskFull).toBe(fullFor.flusher | fullFor.preallocator)
    logWords(log).diskFull = fullFor.preallocator
    expect(log.preallocator.preallocateOnce()).toBe(false)
    expect(logWords(log).diskFull).toBe(0)
  })

  it('leaves the last blocks to others: a segment that does not fit is not preallocated', () => {
    const { disk, log } = cramped(1)
    const before = usedBytes(disk)
    const free = disk.freeBytes(inlineDirectory)
    expect(free).toBeGreaterThan(0)
    expect(() => log.preallocator.preallocateOnce()).toThrowError(/the disk is full/)
    expect(usedBytes(disk)).toBe(before)
    expect(disk.calls.filter((call) => call.startsWith('write spare'))).toEqual([])
    expect(disk.list(inlineDirectory).filter((name) => name.startsWith('spare'))).toEqual([])
  })

  it('closes cleanly when what is under way has room, with its last sync marker or, where only that has none, without', () => {
    for (const leftBytes of [64, 0]) {
      const { disk, log } = cramped(1)
      expect(() => log.preallocator.preallocateOnce()).toThrowError(/the disk is full/)
      const lsns = Array.from({ length: 29 }, (_, i) => log.append(payload(i)))
      const rest = segmentBytes - log.tail - leftBytes - 40
      lsns.push(log.append(Buffer.alloc(rest)))
      expect(log.tail).toBe(segmentBytes - leftBytes)
      logWords(log).state = logState.closing
      log.flusher.run()
      expect(log.released).toBe(lsns.at(-1)! + (leftBytes > 0 ? 32 : 0))
      const { records, log: again } = reopen(withCapacity(disk, 1e12, () => disk.powerCut()))
      expect(records.map(({ lsn }) => lsn)).toEqual(lsns)
      expect(again.recovered.report.tornTail).toBeUndefined()
    }
  })

  it('says at a close that what is under way has no room, instead of tearing it', () => {
    const { disk, log } = cramped(1)
    const lsns = fill(log)
    logWords(log).state = logState.closing
    expect(() => log.flusher.run()).toThrowError(expect.objectContaining({ code: 'TIDEMARK_DISK_FULL' }))
    expect(reopen(withCapacity(disk, 1e12, () => disk.clone())).records.map(({ lsn }) => lsn)).toEqual(
      lsns.slice(0, -1),
    )
  })

  it('does not take a sync that failed for want of room for anything but the end', () => {
    const { disk, log } = cramped(9)
    while (log.tail < segmentBytes - 600) {
      log.append(payload(1))
      log.flushAll()
    }
    log.append(payload(2))
    let syncs = 0
    disk.beforeCall = (call) => {
      if (call === 'syncData' && ++syncs === 1) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    }
    expect(() => {
      log.flusher.flush()
      log.flusher.flush()
    }).toThrowError(expect.objectContaining({ code: 'TIDEMARK_LOG_IO' }))
  })

  it('without a preallocator reserves each step of a segment before it writes there', () => {
    const bytes = extensionBytes + 1024 * 1024
    const options = { segmentBytes: bytes, ringBytes: 2 ** 20, maxBatchBytes: 2 ** 18 }
    const { disk, log } = cramped(1, { ...options, initialSegmentBytes: 2 ** 18 })
    disk.capacityBytes = usedBytes(disk) + 4096 + extensionBytes + 1000
    const lsns: number[] = []
    do {
      lsns.push(log.append(Buffer.alloc(200_000, lsns.length)))
      log.flusher.flush()
      if (log.released < log.tail) log.flusher.flush()
    } while (log.released === log.tail)
    expect(log.released).toBeGreaterThan(extensionBytes - 200_100)
    expect(
      reopen(
        withCapacity(disk, 1e12, () => disk.powerCut()),
        options,
      ).records,
    ).toHaveLength(lsns.length - 1)
    disk.capacityBytes += 1024 * 1024
    log.flushAll()
    expect(log.released).toBe(lsns.at(-1))
    expect(logWords(log).diskFull).toBe(0)
  })
})
