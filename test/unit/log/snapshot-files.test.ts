import { describe, expect, it } from 'vitest'
import { newestSnapshot, newestSnapshotSync, SnapshotNames } from '#tidemark/log/tools/snapshot-files.js'

const names = new SnapshotNames('books-', '.snap')

describe('the names of snapshot files', () => {
  it('say an LSN, and are found among all names of a folder, newest first', () => {
    const lsns = [8, 1024, 123_456_789_012_344]
    const listed = lsns.map((lsn) => names.nameOf(lsn))
    expect(listed[0]).toBe('books-00000000000000000008.snap')
    const others = [
      '00000000000000000008.wal',
      'books-8.snap',
      'books-.snap',
      `${listed[0]}.tmp`,
      `x${listed[0]}`,
    ]
    const files = names.among('/log', [...others, ...listed])
    expect(files).toEqual(lsns.toReversed().map((lsn) => ({ path: `/log/${names.nameOf(lsn)}`, lsn })))
    expect(others.map((name) => names.lsnOf(name))).toEqual(others.map(() => undefined))
  })
})

describe('the newest snapshot', () => {
  const files = names.among(
    '/log',
    [8, 16, 24].map((lsn) => names.nameOf(lsn)),
  )

  it('is the first that is valid; older ones are not read', async () => {
    const read: number[] = []
    const valid = ({ lsn }: { lsn: number }) => {
      read.push(lsn)
      return lsn <= 16 ? `at ${lsn}` : undefined
    }
    expect(newestSnapshotSync(files, valid)).toBe('at 16')
    expect(await newestSnapshot(files, async (file) => valid(file))).toBe('at 16')
    expect(read).toEqual([24, 16, 24, 16])
  })

  it('is none where none is valid, and a failure to read is a failure', async () => {
    expect(newestSnapshotSync(files, () => undefined)).toBeUndefined()
    expect(await newestSnapshot([], async () => 1)).toBeUndefined()
    await expect(newestSnapshot(files, () => Promise.reject(new Error('unreadable')))).rejects.toThrow(
      'unreadable',
    )
  })
})
