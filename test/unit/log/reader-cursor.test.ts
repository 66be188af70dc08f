import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DurableLog, dropReaderCursor, NodeDisk, outsideReaders, ReaderCursor } from '#tidemark/log/index.js'
import { cursorPath } from '#tidemark/log/tools/cursor-file.js'
import { readersFloorLsn } from '#tidemark/log/tools/outside-readers.js'
import { temporaryDirectory } from '../../support/temporary.js'

const disk = new NodeDisk()
const range = { firstLsn: 64, durableLsn: 1000 }
const path = (dir: string, name: string) => cursorPath(dir, name, 'reader')

describe('the cursor of a reader outside', () => {
  it('says how far its reader is, whether it is alive, and whether it ended with or without a word', async () => {
    const dir = temporaryDirectory()
    const cursor = await ReaderCursor.open(disk, dir, 'books', 400)
    const now = await outsideReaders(disk, dir, range)
    expect(now).toMatchObject([
      { name: 'books', state: 'valid', live: true, lost: false, lsn: 400, lagBytes: 600, reason: undefined },
    ])
    expect(Math.abs(now[0]!.writtenMs! - Date.now())).toBeLessThan(60_000)
    await cursor.close(800)
    expect(await outsideReaders(disk, dir, range)).toMatchObject([
      { state: 'valid', live: false, lost: false, lsn: 800, lagBytes: 200 },
    ])
    // What a reader leaves that dies: its lock is free, and the file says that it is held.
    const dead = await ReaderCursor.open(disk, dir, 'books', 880)
    const held = readFileSync(path(dir, 'books'))
    await dead.close(880)
    writeFileSync(path(dir, 'books'), held)
    expect(await outsideReaders(disk, dir, range)).toMatchObject([{ live: false, lost: true, lsn: 880 }])
    const again = await ReaderCursor.open(disk, dir, 'books', 888)
    expect(await outsideReaders(disk, dir, range)).toMatchObject([{ live: true, lost: false, lsn: 888 }])
    await again.close(888)
  })

  it('is held by one reader at a time, and removed only when none holds it', async () => {
    const dir = temporaryDirectory()
    const cursor = await ReaderCursor.open(disk, dir, 'books', 0)
    const inUse = { code: 'TIDEMARK_CURSOR_IN_USE', details: { name: 'books' } }
    await expect(ReaderCursor.open(disk, dir, 'books', 0)).rejects.toMatchObject(inUse)
    await expect(dropReaderCursor(disk, dir, 'books')).rejects.toMatchObject(inUse)
    await cursor.close(8)
    expect(await dropReaderCursor(disk, dir, 'books')).toBe(true)
    expect(await dropReaderCursor(disk, dir, 'books')).toBe(false)
    expect(readdirSync(dir)).toEqual([])
    for (const name of ['', '../x', '.hidden', 'x'.repeat(65)]) {
      await expect(ReaderCursor.open(disk, dir, name, 0)).rejects.toMatchObject({
        code: 'TIDEMARK_BAD_SETTING',
      })
      await expect(dropReaderCursor(disk, dir, name)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
    }
    expect(readdirSync(dir)).toEqual([])
  })

  it('is invalidated where the log begins after it, or ends before it, and counts for nothing then', async () => {
    const dir = temporaryDirectory()
    for (const [name, lsn] of [
      ['at', 64],
      ['before', 56],
      ['beyond', 1008],
      ['end', 1000],
    ] as const)
      await (await ReaderCursor.open(disk, dir, name, lsn)).close(lsn)
    const found = await outsideReaders(disk, dir, range)
    expect(found.map(({ name, state }) => [name, state])).toEqual([
      ['at', 'valid'],
      ['before', 'invalidated'],
      ['beyond', 'beyond-end'],
      ['end', 'valid'],
    ])
    expect(readersFloorLsn(found, 1000, 5000)).toBe(64)
    // At the limit it holds, one word further back it does not.
    expect(readersFloorLsn(found, 1000, 1000 - 64)).toBe(64)
    expect(readersFloorLsn(found, 1000, 1000 - 64 - 8)).toBe(1000)
    expect(readersFloorLsn([], 1000, 0)).toBe(Number.POSITIVE_INFINITY)
  })

  it('that is damaged holds as much as any may, and one that was never written holds nothing', async () => {
    const dir = temporaryDirectory()
    writeFileSync(path(dir, 'unborn'), '')
    expect(await outsideReaders(disk, dir, range)).toEqual([])
    writeFileSync(path(dir, 'broken'), Buffer.alloc(8192, 7))
    const found = await outsideReaders(disk, dir, range)
    expect(found).toMatchObject([
      { name: 'broken', state: 'damaged', live: false, lost: false, lsn: undefined },
    ])
    expect(found[0]!.reason).toMatch(/begins like a cursor/)
    expect(readersFloorLsn(found, 1000, 400)).toBe(600)
    // The reader knows where it is, and writes it anew.
    await (await ReaderCursor.open(disk, dir, 'broken', 640)).close(640)
    expect(await outsideReaders(disk, dir, range)).toMatchObject([{ state: 'valid', lsn: 640 }])
  })

  it('keeps what it needs of any log, up to the limit that the log was opened with', async () => {
    for (const [cursorKeepBytes, kept] of [
      [1 << 20, true],
      [4096, false],
    ] as const) {
      const dir = temporaryDirectory()
      const log = await DurableLog.open({
        dir,
        ringBytes: 65_536,
        segmentBytes: 16_384,
        maxBatchBytes: 8192,
        cursorKeepBytes,
      })
      const payload = new Uint8Array(4000)
      const append = async () => {
        const lsn = log.append(payload)
        await log.waitDurable(lsn)
        return lsn
      }
      const first = await append()
      const cursor = await ReaderCursor.open(disk, dir, 'books', first)
      let last = first
      for (let i = 0; i < 20; i++) last = await append()
      const firstLsn = await log.removeBefore(last)
      expect(await log.outsideReaders()).toMatchObject([
        { live: true, state: kept ? 'valid' : 'invalidated' },
      ])
      if (kept) expect(firstLsn).toBeLessThanOrEqual(first)
      else expect(firstLsn).toBeGreaterThan(first)
      await cursor.close(last)
      expect(await log.removeBefore(last)).toBeGreaterThan(first)
      await log.close()
    }
    const dir = temporaryDirectory()
    for (const cursorKeepBytes of [-1, Number.NaN, '5' as never])
      await expect(DurableLog.open({ dir, cursorKeepBytes })).rejects.toMatchObject({
        code: 'TIDEMARK_BAD_SETTING',
        details: { setting: 'cursorKeepBytes' },
      })
  })
})
