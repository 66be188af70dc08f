import { describe, expect, it } from 'vitest'
import { FileReader } from '#tidemark/log/read/file-reader.js'
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
})
