import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '#tidemark/log/memory-disk.js'
import { readSections } from '#tidemark/pool/snapshot-file.js'
import { newestSnapshot, writeSnapshot } from '../../support/inline-snapshot.js'

describe('the sections of a snapshot', () => {
  const sections = [
    { instrumentId: 0, lsn: 800, book: Int32Array.from({ length: 500 }, (_, i) => i * 7) },
    { instrumentId: 7, lsn: 640, book: Int32Array.from({ length: 30 }, (_, i) => -i) },
  ]

  function diskWithSnapshot(): MemoryDisk {
    const disk = new MemoryDisk()
    writeSnapshot(disk, sections)
    return disk
  }

  it('are whole though the system reads in small pieces', () => {
    const disk = diskWithSnapshot()
    const readWhole = disk.readSync.bind(disk)
    disk.readSync = (file, buffer, position) =>
      readWhole(file, buffer.subarray(0, Math.ceil(buffer.byteLength / 2)), position)
    expect([...readSections(newestSnapshot(disk)!, disk)]).toEqual(sections)
  })

  it.each(['open', 'readSync'])(
    'that a failing %s keeps from being read say so, with the cause',
    (failing) => {
      const disk = diskWithSnapshot()
      const snapshot = newestSnapshot(disk)!
      disk.beforeCall = (call) => {
        if (call === failing) throw Object.assign(new Error('EIO'), { code: 'EIO' })
      }
      expect(() => [...readSections(snapshot, disk)]).toThrowError(
        expect.objectContaining({
          code: 'TIDEMARK_LOG_IO',
          details: expect.objectContaining({ errno: 'EIO' }),
        }),
      )
    },
  )

  it('of a file that became shorter are not made up', () => {
    const disk = diskWithSnapshot()
    const snapshot = newestSnapshot(disk)!
    disk.replace(snapshot.path, disk.contentOf(snapshot.path)!.subarray(0, 1000))
    expect(() => [...readSections(snapshot, disk)]).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_LOG_IO' }),
    )
  })
})
