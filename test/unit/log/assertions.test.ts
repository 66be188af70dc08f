import { describe, expect, it } from 'vitest'
import { Flusher } from '#tidemark/log/flush/flusher.js'
import { SharedPreallocated } from '#tidemark/log/flush/shared-preallocated.js'
import { createLogMemory, readerState, startLogMemory } from '#tidemark/log/ring/memory.js'
import { RingReader } from '#tidemark/log/ring/ring-reader.js'
import { SegmentRemover } from '#tidemark/log/tools/segment-removal.js'
import { InlineLog, inlineDirectory } from '../../support/inline-log.js'
import { logWords } from '../../support/log-words.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const payload = Buffer.alloc(32)

/** A log with one durable record, and one that is published. */
function openLog() {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk)
  log.append(payload)
  log.flushAll()
  const publishedAt = log.tail
  log.append(payload)
  return { disk, log, publishedAt, words: logWords(log), ring32: new Int32Array(log.memory.ring) }
}

function broken(sentence: string) {
  return expect.objectContaining({ code: 'TIDEMARK_INVARIANT', message: expect.stringContaining(sentence) })
}

describe('the flusher stops when', () => {
  it('a published batch has another LSN than its place, or a length out of bounds', () => {
    for (const [word, value] of [
      [4, 8],
      [0, 16],
      [0, 5000],
    ] as const) {
      const { log, publishedAt, ring32 } = openLog()
      ring32[(publishedAt >> 2) + word] = value
      expect(() => log.flusher.flush()).toThrow(broken('the LSN of its place'))
    }
  })

  it('a batch ends above the claims', () => {
    const { log, words, publishedAt } = openLog()
    words.claimTail = publishedAt
    expect(() => log.flusher.flush()).toThrow(broken('batches end within a claim'))
  })

  it('the durable or the synced LSN would fall', () => {
    for (const [word, sentence] of [
      ['released', 'the durable LSN only rises'],
      ['synced', 'the synced LSN only rises'],
    ] as const) {
      const { log, words } = openLog()
      words[word] = log.tail + 64
      expect(() => log.flusher.flush()).toThrow(broken(sentence))
    }
  })

  it("the ring's reader stands above what is written", () => {
    const { log, words } = openLog()
    words.readerSlot = log.tail + 8 + Number(readerState.attached)
    expect(() => log.flusher.advanceLimit()).toThrow(broken("the reader's place in the ring"))
  })

  it('its segment ends at another LSN than the ring', () => {
    const { log, words } = openLog()
    words.released = log.tail
    const settings = { batchSize: 1, batchDelayMs: 0, durability: 'group' } as const
    expect(() => new Flusher({ memory: log.memory, segments: log.segments, settings })).toThrow(
      broken('the segment ends at the LSN'),
    )
  })

  it('batches would be written above the room of their segment, or a segment begin where the last one did', () => {
    const { log } = openLog()
    const bytes = log.segments.limit - log.segments.end + 8
    expect(() => log.segments.write([Buffer.alloc(bytes)], bytes)).toThrow(broken('their segment has room'))
    const empty = new InlineLog(new MemoryDisk())
    expect(() => empty.segments.rotate()).toThrow(broken('first LSNs of segments rise'))
  })

  it('more than one preallocated segment is announced', () => {
    const { log, words } = openLog()
    words.preallocatedSerial = words.preallocatedTaken + 2
    expect(() => new SharedPreallocated(log.memory).ready).toThrow(broken('at most one preallocated segment'))
  })
})

describe('a producer stops when', () => {
  it('its claim is not at a multiple of eight', () => {
    const { log, words } = openLog()
    words.claimTail += 4
    expect(() => log.producer.append(1, 0, payload)).toThrow(broken('multiples of eight'))
  })

  it('there is a length already where it publishes', () => {
    const { log, ring32 } = openLog()
    ring32[log.tail >> 2] = 64
    expect(() => log.producer.append(1, 0, payload)).toThrow(broken('zero until it is published'))
  })
})

describe('the others that rely on LSNs stop when', () => {
  it('a reader of the ring is asked for a part of a batch', () => {
    const { log } = openLog()
    const reader = new RingReader(log.memory)
    reader.request()
    log.flusher.advanceLimit()
    const from = reader.attach()!
    log.flushAll()
    expect(() => reader.read(new Uint8Array(4096), from + 12)).toThrow(broken('copies whole batches'))
  })

  it('a log would begin at another place than a multiple of eight', () => {
    expect(() => startLogMemory(createLogMemory(65_536, 4096), 12, 0)).toThrow(broken('begins at a multiple'))
  })

  it('a removal would bring the beginning of the log back', async () => {
    const { disk, log } = openLog()
    log.flushAll()
    log.segments.rotate()
    const remover = new SegmentRemover({
      disk,
      directory: inlineDirectory,
      segmentBytes: 16 * 1024,
      firstLsn: log.tail + 64,
      check: () => {},
    })
    await expect(remover.removeBelow(() => log.tail)).rejects.toEqual(broken('never falls'))
  })
})
