import { describe, expect, it } from 'vitest'
import { FileReader } from '#tidemark/log/read/file-reader.js'
import { RecordCollector } from '#tidemark/log/read/log-record.js'
import { segmentPaths } from '../../support/damaged-log.js'
import { InlineLog, inlineDirectory } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'

describe('a reader of the files', () => {
  const failing = { code: 'EIO' }

  function logOfTwoSegments(): { disk: MemoryDisk; endLsn: number } {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    while (segmentPaths(disk).length < 2) {
      log.append(new Uint8Array(1000))
      log.flushAll()
    }
    return { disk, endLsn: log.released }
  }

  it('closes each file once, also when the next segment cannot be opened', () => {
    const { disk, endLsn } = logOfTwoSegments()
    const [, second] = segmentPaths(disk)
    const reader = new FileReader(disk, inlineDirectory, 0)
    let opened = 0
    disk.beforeCall = (call, path) => {
      // Its header is read first, then it is opened for its batches.
      if (call === 'open' && path === second && ++opened === 2) throw Object.assign(new Error('EIO'), failing)
    }
    const readAll = () => {
      while (reader.nextSync(endLsn));
    }
    expect(readAll).toThrowError(expect.objectContaining({ code: 'TIDEMARK_LOG_IO' }))
    // A file closed twice is an error here, and on the machine perhaps another file.
    reader.close()
    expect(opened).toBe(2)
  })

  it('that gives its file back between reads opens it only for what is not in memory', () => {
    const { disk, endLsn } = logOfTwoSegments()
    const read = (release: boolean) => {
      const reader = new FileReader(disk, inlineDirectory, 0, { chunkBytes: 1 })
      disk.calls.length = 0
      let chunks = 0
      for (let chunk = reader.nextSync(endLsn); chunk; chunk = reader.nextSync(endLsn)) {
        chunks++
        if (release) reader.release()
        const [opened, closed] = ['open ', 'close '].map(
          (call) => disk.calls.filter((made) => made.startsWith(call)).length,
        )
        if (release) expect(closed).toBe(opened)
      }
      reader.close()
      return { chunks, reads: disk.calls.filter((made) => made.startsWith('readSync')).length }
    }
    const kept = read(false)
    expect(kept.chunks).toBeGreaterThan(10)
    expect(kept.reads).toBeLessThan(kept.chunks)
    expect(read(true)).toEqual(kept)
  })

  it('says what failed when the folder cannot be listed', () => {
    const { disk, endLsn } = logOfTwoSegments()
    disk.beforeCall = (call) => {
      if (call === 'list') throw Object.assign(new Error('EIO'), failing)
    }
    const reader = new FileReader(disk, inlineDirectory, 0)
    expect(() => reader.nextSync(endLsn)).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_LOG_IO', cause: expect.objectContaining(failing) }),
    )
  })

  it.each([true, false])(
    'takes a record for no batch that looks like one at its place (verify: %s)',
    async (verify) => {
      const disk = new MemoryDisk()
      const log = new InlineLog(disk)
      // The second begins at LSN 72: its length and these bytes are what a batch's header has there.
      const likeBatch = Buffer.alloc(56)
      likeBatch.writeBigUInt64LE(72n, 8)
      const lsns = log.appendTogether([Buffer.alloc(32, 1), likeBatch, Buffer.alloc(8, 2)])
      expect(lsns[0]).toBe(72)
      log.flushAll()
      const readers = Array.from({ length: 2 }, () => new FileReader(disk, inlineDirectory, 72, { verify }))
      const chunks = [readers[0]!.nextSync(log.released), await readers[1]!.next(log.released)]
      for (const chunk of chunks)
        expect(new RecordCollector().take(chunk!).map(({ lsn }) => lsn)).toEqual(lsns.slice(1))
      for (const reader of readers) reader.close()
    },
  )
})
