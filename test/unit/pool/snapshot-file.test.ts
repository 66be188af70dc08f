import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '#tidemark/log/memory-disk.js'
import { readSections, type Snapshot, SnapshotWriter, soundSnapshots } from '#tidemark/pool/snapshot-file.js'

const folder = '/pool'

describe('the sections of a snapshot', () => {
  const sections = [
    { instrumentId: 0, lsn: 800, book: Int32Array.from({ length: 500 }, (_, i) => i * 7) },
    { instrumentId: 7, lsn: 640, book: Int32Array.from({ length: 30 }, (_, i) => -i) },
  ]

  async function diskWithSnapshot(): Promise<{ disk: MemoryDisk; snapshot: Snapshot }> {
    const disk = new MemoryDisk()
    const writer = await SnapshotWriter.create(folder, disk)
    for (const section of sections) await writer.add(section)
    await writer.publish(1)
    return { disk, snapshot: (await soundSnapshots(folder, disk))[0]! }
  }

  it('are whole though the system reads in small pieces', async () => {
    const { disk, snapshot } = await diskWithSnapshot()
    const readWhole = disk.readSync.bind(disk)
    disk.readSync = (file, buffer, position) =>
      readWhole(file, buffer.subarray(0, Math.ceil(buffer.byteLength / 2)), position)
    expect([...readSections(snapshot, disk)]).toEqual(sections)
  })

  it.each(['open', 'readSync'])(
    'that a failing %s keeps from being read say so, with the cause',
    async (failing) => {
      const { disk, snapshot } = await diskWithSnapshot()
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

  it('of a file that became shorter are not made up', async () => {
    const { disk, snapshot } = await diskWithSnapshot()
    disk.replace(snapshot.path, disk.contentOf(snapshot.path)!.subarray(0, 1000))
    expect(() => [...readSections(snapshot, disk)]).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_LOG_IO' }),
    )
  })
})
