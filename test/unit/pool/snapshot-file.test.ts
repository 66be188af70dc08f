import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  listSnapshots,
  type PoolSnapshot,
  readPieces,
  readSnapshotHeader,
  removeUnfinishedSnapshots,
  SnapshotWriter,
  validSnapshots,
  verifySnapshot,
} from '#tidemark/pool/snapshot/snapshot-file.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const folder = '/pool'
const sections = [
  { lsn: 800, books: 3, orders: 40, orderNumbers: 50, levelNumbers: 9 },
  { lsn: 640, books: 1, orders: 2, orderNumbers: 7, levelNumbers: 5 },
]
const pieces = [
  { section: 0, words: Int32Array.from({ length: 500 }, (_, i) => i * 7) },
  { section: 1, words: Int32Array.from({ length: 30 }, (_, i) => -i) },
  { section: 0, words: Int32Array.from({ length: 70 }, (_, i) => i + 1_000_000) },
]

function diskWithSnapshot(): { disk: MemoryDisk; snapshot: PoolSnapshot } {
  const disk = new MemoryDisk()
  const writer = new SnapshotWriter(folder, disk)
  for (const { section, words } of pieces) writer.add(section, new Uint8Array(words.buffer))
  return { disk, snapshot: writer.publish(3, sections) }
}

const read = (snapshot: PoolSnapshot, disk: MemoryDisk, wants?: (section: number) => boolean) =>
  Array.from(readPieces(snapshot, wants, disk), ({ section, words, length }) => ({
    section,
    words: words.slice(0, length),
  }))

describe('a snapshot file', () => {
  it('returns what was put into it, and the pieces of the requested sections', async () => {
    const { disk, snapshot } = diskWithSnapshot()
    expect(snapshot.path).toBe('/pool/snapshot-00000000000000000800.snap')
    const header = await readSnapshotHeader(snapshot.path, disk)
    expect(header).toEqual({ ...snapshot.header, createdUs: expect.any(Number) })
    expect(header).toMatchObject({ rulesVersion: 3, replayFromLsn: 640, endLsn: 800, books: 4, bytes: 2400 })
    expect(header!.sections).toEqual(sections)
    expect(await verifySnapshot(snapshot.path, disk)).toEqual(header)
    expect(await validSnapshots(folder, disk)).toEqual([snapshot])
    expect(read(snapshot, disk)).toEqual(pieces)
    expect(read(snapshot, disk, (section) => section === 1)).toEqual([pieces[1]])
  })

  it('is as docs/snapshot-format.md says', () => {
    const { disk, snapshot } = diskWithSnapshot()
    const content = disk.contentOf(snapshot.path)!
    expect(content.toString('latin1', 0, 8)).toBe('TIDESNAP')
    expect([8, 12, 48, 52].map((at) => content.readUInt32LE(at))).toEqual([4, 3, 2, 3])
    expect([16, 24, 40].map((at) => Number(content.readBigUInt64LE(at)))).toEqual([640, 800, 2400])
    const table = content.subarray(64 + 2400)
    expect(table.byteLength).toBe(2 * 32 + 3 * 12)
    expect(content.readUInt32LE(56)).toBe(crc32(table))
    expect(content.readUInt32LE(60)).toBe(crc32(content.subarray(0, 60)))
    expect(Number(table.readBigUInt64LE(32))).toBe(640)
    expect([8, 12, 16, 20].map((at) => table.readUInt32LE(32 + at))).toEqual([1, 2, 7, 5])
    expect([0, 4, 8].map((at) => table.readUInt32LE(64 + 12 + at))).toEqual([
      1,
      120,
      crc32(content.subarray(64 + 2000, 64 + 2120)),
    ])
  })

  it('is read whole though the system reads in small pieces', async () => {
    const { disk, snapshot } = diskWithSnapshot()
    const readWhole = disk.readSync.bind(disk)
    disk.readSync = (file, buffer, position) =>
      readWhole(file, buffer.subarray(0, Math.ceil(buffer.byteLength / 2)), position)
    expect(read(snapshot, disk)).toEqual(pieces)
    expect(await verifySnapshot(snapshot.path, disk)).toEqual(snapshot.header)
  })

  it('is synced now and then while it is written, so that the syncs of the log never wait for all of it', () => {
    const disk = new MemoryDisk()
    const calls: string[] = []
    disk.beforeCall = (call) => {
      calls.push(call)
    }
    const writer = new SnapshotWriter(folder, disk)
    for (let i = 0; i < 9; i++) writer.add(0, new Uint8Array(1024 * 1024))
    expect(calls.filter((call) => call === 'syncData')).toHaveLength(2)
    writer.publish(1, sections)
    expect(calls.filter((call) => call === 'syncData')).toHaveLength(3)
    expect(calls.slice(-4)).toEqual(['syncData', 'close', 'rename', 'syncDirectory'])
  })

  it('with any bit flipped is not valid, and its pieces are not taken', async () => {
    const { disk, snapshot } = diskWithSnapshot()
    const content = Buffer.from(disk.contentOf(snapshot.path)!)
    let headers = 0
    for (let at = 0; at < content.byteLength; at++) {
      const flipped = Buffer.from(content)
      flipped[at]! ^= 1 << (at % 8)
      disk.replace(snapshot.path, flipped)
      const isPiece = at >= 64 && at < 64 + 2400
      expect(await verifySnapshot(snapshot.path, disk), `byte ${at}`).toBeUndefined()
      const header = await readSnapshotHeader(snapshot.path, disk)
      expect(header !== undefined, `byte ${at}`).toBe(isPiece)
      if (isPiece) {
        headers++
        expect(() => read({ path: snapshot.path, header: header! }, disk)).toThrowError(
          expect.objectContaining({ code: 'TIDEMARK_LOG_CORRUPT' }),
        )
      }
    }
    expect(headers).toBe(2400)
  })

  it('of another version of the format is refused by name', async () => {
    const { disk, snapshot } = diskWithSnapshot()
    for (const [version, crcAt] of [
      [1, 56],
      [2, 60],
    ] as const) {
      const content = Buffer.from(disk.contentOf(snapshot.path)!)
      content.writeUInt32LE(version, 8)
      content.writeUInt32LE(crc32(content.subarray(0, crcAt)), crcAt)
      disk.replace(snapshot.path, content)
      for (const look of [readSnapshotHeader, verifySnapshot]) {
        await expect(look(snapshot.path, disk)).rejects.toMatchObject({
          code: 'TIDEMARK_LOG_FORMAT',
          details: { file: snapshot.path, version, supported: 4 },
        })
      }
    }
  })

  it('of another version, damaged or unreadable, does not keep the valid ones from being found', async () => {
    const { disk, snapshot } = diskWithSnapshot()
    const others = [1, 2, 3].map((lsn) => `${folder}/snapshot-${String(lsn).padStart(20, '0')}.snap`)
    const content = Buffer.from(disk.contentOf(snapshot.path)!)
    for (const other of others) disk.replace(other, content)
    disk.replace(others[1]!, content.subarray(0, 1000))
    const foreign = Buffer.from(content)
    foreign.writeUInt32LE(9, 8)
    foreign.writeUInt32LE(crc32(foreign.subarray(0, 60)), 60)
    disk.replace(others[2]!, foreign)
    const { open } = disk.async
    let errno = 'EIO'
    disk.async.open = (path, mode) =>
      path === others[0] ? Promise.reject(Object.assign(new Error(errno), { code: errno })) : open(path, mode)
    expect(await listSnapshots(folder, disk)).toHaveLength(4)
    expect(await validSnapshots(folder, disk)).toEqual([snapshot])
    // A failed read says nothing about the file.
    errno = 'EMFILE'
    await expect(validSnapshots(folder, disk)).rejects.toMatchObject({ code: 'TIDEMARK_TOO_MANY_FILES' })
  })

  it('that was not finished is removed, and no other file', async () => {
    const { disk, snapshot } = diskWithSnapshot()
    new SnapshotWriter(folder, disk).add(0, new Uint8Array(8))
    const others = ['snapshot.tmp', 'cursor.0123456789abcdef.tmp', '00000000000000000000.wal']
    for (const name of others) disk.replace(`${folder}/${name}`, Buffer.alloc(8))
    expect(disk.list(folder)).toHaveLength(5)
    await removeUnfinishedSnapshots(folder, disk)
    expect(disk.list(folder).sort()).toEqual([...others, path.basename(snapshot.path)].sort())
  })

  it.each(['open', 'readSync'])(
    'that a failing %s keeps from being read says so, with the cause',
    (failing) => {
      const { disk, snapshot } = diskWithSnapshot()
      disk.beforeCall = (call) => {
        if (call === failing) throw Object.assign(new Error('EIO'), { code: 'EIO' })
      }
      expect(() => read(snapshot, disk)).toThrowError(
        expect.objectContaining({
          code: 'TIDEMARK_LOG_IO',
          details: expect.objectContaining({ errno: 'EIO' }),
        }),
      )
    },
  )

  it('that became shorter is refused, not filled up', async () => {
    const { disk, snapshot } = diskWithSnapshot()
    const content = disk.contentOf(snapshot.path)!
    for (const bytes of [0, 63, 64, 1000, content.byteLength - 1]) {
      disk.replace(snapshot.path, content.subarray(0, bytes))
      expect(await readSnapshotHeader(snapshot.path, disk)).toBeUndefined()
    }
    disk.replace(snapshot.path, content.subarray(0, 1000))
    expect(() => read(snapshot, disk)).toThrowError(expect.objectContaining({ code: 'TIDEMARK_LOG_CORRUPT' }))
  })
})
