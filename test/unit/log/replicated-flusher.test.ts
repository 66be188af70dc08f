import { afterEach, describe, expect, it, vi } from 'vitest'
import { listSegmentNames } from '#tidemark/log/format/segment.js'
import { FolderTailer } from '#tidemark/log/read/folder-tailer.js'
import { logState, readerState } from '#tidemark/log/ring/memory.js'
import { RingReader } from '#tidemark/log/ring/ring-reader.js'
import { InlineLog, inlineDirectory, readRecords, reopen } from '../../support/inline-log.js'
import { logWords } from '../../support/log-words.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const payload = Buffer.alloc(1000, 7)

function replicatedLog(options = {}): {
  log: InlineLog
  disk: MemoryDisk
  words: ReturnType<typeof logWords>
} {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk, { replicated: true, ...options })
  return { log, disk, words: logWords(log) }
}

/** Appends and flushes until the ring takes no more, which it must at some time; returns how many records it took. */
function fillRing(log: InlineLog): number {
  for (let appended = 0; appended < 1000; appended++) {
    if (log.producer.tryAppend(1, 0, payload) === undefined) return appended
    log.flusher.flush()
  }
  throw new Error('the ring takes everything')
}

afterEach(() => vi.restoreAllMocks())

describe('a flusher beside a replicator that acknowledgements wait for', () => {
  it('moves the synced LSN and never the released one, and wakes the replicator', () => {
    const { log, words } = replicatedLog()
    const lsn = log.append(payload)
    const signal = words.syncedSignal
    log.flusher.flush()
    expect([log.synced, log.released]).toEqual([lsn, 0])
    expect(words.syncedSignal).toBe(signal + 1)
  })

  it('lets producers be no further ahead of what is released than the ring is long', () => {
    const { log, words } = replicatedLog({ segmentBytes: 1 << 20 })
    const appended = fillRing(log)
    expect(appended).toBeGreaterThan(50)
    expect(log.synced).toBe(log.tail)
    expect(log.tail).toBeLessThanOrEqual(64 * 1024)
    log.flusher.advanceLimit()
    expect(log.producer.tryAppend(1, 0, payload)).toBeUndefined()
    log.release(log.synced / 2 - ((log.synced / 2) % 8))
    log.flusher.advanceLimit()
    expect(words.claimLimit).toBe(log.released + 64 * 1024)
    expect(log.producer.tryAppend(1, 0, payload)).toBeDefined()
  })

  it('takes a record that is longer than the ring, though it is released only as a whole', () => {
    const { log, disk } = replicatedLog({ segmentBytes: 1 << 20 })
    const before = log.append(payload)
    log.flusher.flush()
    log.release(before)
    const long = Buffer.alloc(300_000, 5)
    const { wait } = Atomics
    // The producer waits for space: the flusher's turn.
    let waits = 0
    vi.spyOn(Atomics, 'wait').mockImplementation(((...args: Parameters<typeof wait>) => {
      if (++waits > 1000) throw new Error('the ring is never free')
      log.flusher.flush()
      return args ? 'ok' : 'timed-out'
    }) as typeof wait)
    const lsn = log.producer.append(1, 0, long)
    vi.restoreAllMocks()
    for (let i = 0; i < 1000 && log.synced < lsn; i++) log.flusher.flush()
    expect(log.released).toBe(before)
    // The ring is kept again from where the record begins.
    log.append(payload)
    log.flusher.flush()
    log.flusher.advanceLimit()
    log.release(log.synced)
    log.flusher.advanceLimit()
    expect(log.producer.tryAppend(1, 0, payload)).toBeDefined()
    expect(readRecords(disk, 0, lsn).map(({ payload: { byteLength } }) => byteLength)).toEqual([
      1000, 300_000,
    ])
  })

  it('begins the next segment when everything before it is released', () => {
    const { log, disk, words } = replicatedLog()
    vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out')
    let lsn = 0
    for (let i = 0; i < 100 && log.synced === lsn; i++) {
      lsn = log.append(payload)
      log.flusher.flush()
    }
    expect(log.synced).toBeLessThan(lsn)
    expect(listSegmentNames(disk, inlineDirectory)).toHaveLength(1)
    expect(words.releaseAwaited).toBe(1)
    log.flusher.flush()
    expect(listSegmentNames(disk, inlineDirectory)).toHaveLength(1)
    log.release(log.synced)
    for (let i = 0; i < 3; i++) log.flusher.flush()
    expect(listSegmentNames(disk, inlineDirectory)).toHaveLength(2)
    expect(log.synced).toBe(lsn)
  })

  it('rotates on request when everything before it is released', () => {
    const { log, disk, words } = replicatedLog()
    log.append(payload)
    log.flusher.flush()
    words.rotationsRequested = 1
    log.flusher.completeRotation()
    expect([words.rotationsCompleted, listSegmentNames(disk, inlineDirectory).length]).toEqual([0, 1])
    log.release(log.synced)
    log.flusher.completeRotation()
    expect([words.rotationsCompleted, listSegmentNames(disk, inlineDirectory).length]).toEqual([1, 2])
  })

  it('writes into batches what is released as what is synced, so that a reader of the folder sees no more', async () => {
    const { log, disk } = replicatedLog()
    const first = log.append(payload)
    log.flusher.flush()
    log.append(payload)
    log.flusher.flush()
    const tailer = new FolderTailer(disk, inlineDirectory, 0)
    await tailer.look()
    expect(tailer.syncedLsn).toBe(0)
    log.release(first)
    log.append(payload)
    log.flusher.flush()
    await tailer.look()
    expect(tailer.syncedLsn).toBe(first)
    tailer.close()
  })

  it('writes the sync marker of a log that falls idle when everything is released', () => {
    const { log, words } = replicatedLog()
    log.append(payload)
    let sleeps = 0
    vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      sleeps++
      if (sleeps === 10) {
        expect(words.syncMarkers).toBe(0)
        log.release(log.synced)
      }
      if (sleeps >= 15) words.state = logState.poisoned
      return 'timed-out'
    })
    log.flusher.run()
    expect(words.syncMarkers).toBe(1)
    expect(log.released).toBeLessThan(log.synced)
  })

  it('does not take a producer that waits for what the replicator keeps for one that died', () => {
    const { log, words } = replicatedLog()
    log.append(payload)
    words.claimTail += 64
    let sleptMs = 0
    let released = false
    vi.spyOn(Atomics, 'wait').mockImplementation((_array, _index, _value, ms) => {
      sleptMs += ms!
      if (sleptMs > 1_000_000) throw new Error('the flusher sleeps for ever')
      if (sleptMs > 100_000 && !released) {
        released = true
        log.release(log.synced)
      }
      return 'timed-out'
    })
    expect(() => log.flusher.run()).toThrowError(expect.objectContaining({ code: 'TIDEMARK_THREAD_DIED' }))
    expect(sleptMs).toBeGreaterThan(130_000)
  })

  it('closes when what it wrote is released, and its last sync marker says so', () => {
    const { log, disk, words } = replicatedLog()
    const lsn = log.append(payload)
    words.state = logState.closing
    let sleeps = 0
    vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      sleeps++
      if (sleeps > 100) throw new Error('the flusher sleeps for ever')
      if (sleeps === 5) log.release(log.synced)
      return 'timed-out'
    })
    log.flusher.run()
    expect(sleeps).toBe(5)
    expect(log.synced).toBeGreaterThan(lsn)
    expect(reopen(disk).records).toHaveLength(1)
  })

  it('attaches a reader at what is released, and detaches it for its own slowness alone', () => {
    const { log, words } = replicatedLog({ segmentBytes: 1 << 20 })
    const first = log.append(payload)
    log.flusher.flush()
    log.release(first)
    const reader = new RingReader(log.memory)
    reader.request()
    fillRing(log)
    expect(reader.attach()).toBe(first)
    // More than half of the ring is written after it, and none of that may it read.
    expect(log.tail - first).toBeGreaterThan(32 * 1024)
    expect(reader.detached).toBe(false)
    log.release(log.synced)
    log.flusher.advanceLimit()
    expect(BigInt(words.readerSlot) & 7n).toBe(readerState.detached)
  })
})
