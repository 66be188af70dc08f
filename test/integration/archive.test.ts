import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Archive, archiveLog, compactArchive, verifyArchive } from '#tidemark/archive/index.js'
import { collect, inOrder, openSmallPool, trade } from '../support/archived-pool.js'
import { eventsOf } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

describe('an archive', () => {
  it('holds every event of the sealed segments as a subscriber got it, and continues in the pool without a gap or a repeat', async () => {
    const pool = await openSmallPool()
    const dir = path.join(temporaryDirectory(), 'archive')
    await trade(pool, 1, 6000)
    const report = await archiveLog({ log: pool.dir, archive: dir, kind: 'pool', partRows: 1000 })
    expect(report.parts).toBeGreaterThan(1)
    expect(report.endLsn).toBeGreaterThan(0)
    expect(report.endLsn).toBeLessThan(pool.durableLsn)

    const events = await eventsOf(pool)
    const archived = events.filter(({ lsn }) => lsn <= report.endLsn)
    const kinds = new Set(archived.map(({ event }) => event))
    expect([...kinds].sort()).toEqual([
      'accepted',
      'cancelled',
      'instrument-changed',
      'instrument-created',
      'rejected',
      'repeated',
      'replaced',
      'trade',
      'triggered',
    ])
    const closed = await Archive.open({ dir })
    const trades = await collect(closed.trades())
    const others = await collect(closed.orderEvents())
    expect(inOrder([...trades, ...others])).toEqual(inOrder(archived))

    const open = await Archive.open({ dir, pool })
    const all = [...(await collect(open.trades())), ...(await collect(open.orderEvents()))]
    expect(inOrder(all)).toEqual(inOrder(events))
    expect(readdirSync(dir).sort()).toEqual(['LOCK', 'commands', 'manifest.json', 'order_events', 'trades'])
  })

  it('is verified by every byte and every row, and says which file is not what it must be', async () => {
    const pool = await openSmallPool()
    const dir = path.join(temporaryDirectory(), 'archive')
    await trade(pool, 2, 5000)
    await archiveLog({ log: pool.dir, archive: dir, kind: 'pool', partRows: 1000 })
    const valid = await verifyArchive({ archive: dir, log: pool.dir })
    expect(valid.problems).toEqual([])
    expect(valid.comparedRows).toBe(valid.rows)
    expect(valid.rows).toBeGreaterThan(5000)
    await compactArchive({ archive: dir })
    const merged = await verifyArchive({ archive: dir, log: pool.dir })
    expect(merged).toMatchObject({ problems: [], rows: valid.rows, comparedRows: valid.rows })
    expect(merged.files).toBeLessThan(valid.files)

    const archive = await Archive.open({ dir })
    const [file] = archive.files('trades')
    const bytes = readFileSync(file!)
    bytes[100]! ^= 1
    writeFileSync(file!, bytes)
    const flipped = await verifyArchive({ archive: dir })
    expect(flipped.problems).toEqual([
      { path: path.relative(dir, file!), reason: 'its checksum is not that of the manifest' },
    ])
    rmSync(file!)
    const missing = await verifyArchive({ archive: dir })
    expect(missing.problems).toEqual([{ path: path.relative(dir, file!), reason: 'it is missing' }])
  })

  it('reads only the row groups that a query needs', async () => {
    const pool = await openSmallPool()
    const dir = path.join(temporaryDirectory(), 'archive')
    await trade(pool, 3, 5000)
    const { endLsn } = await archiveLog({ log: pool.dir, archive: dir, kind: 'pool', partRows: 800 })
    const events = (await eventsOf(pool)).filter(({ lsn }) => lsn <= endLsn)
    const archive = await Archive.open({ dir })
    const trades = events.filter((event) => event.event === 'trade')
    const [from, to] = [trades[100]!.timeUs, trades[120]!.timeUs + 1]
    const asked = trades.filter(({ symbol, timeUs }) => symbol === 'ETH-USD' && timeUs >= from && timeUs < to)
    expect(inOrder(await collect(archive.trades({ symbol: 'ETH-USD', from, to })))).toEqual(inOrder(asked))
    const { filesRead, groupsRead, files } = archive.stats()
    expect(filesRead).toBeLessThan(files / 3)
    expect(groupsRead).toBeLessThanOrEqual(filesRead)

    const { orderId } = events.find((event) => event.event === 'cancelled')!
    const ofOrder = events.filter(
      (event) => event.event !== 'trade' && 'orderId' in event && event.orderId === orderId,
    )
    expect(inOrder(await collect(archive.orderEvents({ orderId })))).toEqual(inOrder(ofOrder))
    const fills = trades.filter(({ makerOrderId, takerOrderId }) =>
      [makerOrderId, takerOrderId].includes(orderId),
    )
    expect(inOrder(await collect(archive.trades({ orderId })))).toEqual(inOrder(fills))
    expect(await collect(archive.trades({ symbol: 'NONE' }))).toEqual([])
  })

  it('refuses the log of another pool, one whose beginning is gone, and queries that it does not know', async () => {
    const pool = await openSmallPool()
    const other = await openSmallPool()
    const dir = path.join(temporaryDirectory(), 'archive')
    await trade(pool, 4, 4000)
    await trade(other, 4, 4000)
    await archiveLog({ log: pool.dir, archive: dir, kind: 'pool' })
    const code = (promise: Promise<unknown>) =>
      promise.then(
        () => 'none',
        (error) => error.code,
      )
    expect(await code(archiveLog({ log: other.dir, archive: dir, kind: 'pool' }))).toBe(
      'TIDEMARK_ARCHIVE_OTHER_LOG',
    )
    expect(await code(verifyArchive({ archive: dir, log: other.dir }))).toBe('TIDEMARK_ARCHIVE_OTHER_LOG')
    expect(await code(archiveLog({ log: pool.dir, archive: dir, kind: 'factors' }))).toBe('TIDEMARK_LOG_KIND')
    const first = readdirSync(pool.dir)
      .filter((name) => name.endsWith('.wal'))
      .sort()[0]!
    rmSync(path.join(pool.dir, first))
    const empty = path.join(temporaryDirectory(), 'empty')
    expect(await code(archiveLog({ log: pool.dir, archive: empty, kind: 'pool' }))).toBe(
      'TIDEMARK_ARCHIVE_GAP',
    )
    expect(await code(Archive.open({ dir: empty }))).toBe('TIDEMARK_ARCHIVE_MISSING')

    const archive = await Archive.open({ dir })
    expect(await code(collect(archive.trades({ symbool: 'A' } as never)))).toBe('TIDEMARK_BAD_SETTING')
    expect(await code(collect(archive.trades({ from: 'yesterday' })))).toBe('TIDEMARK_ARCHIVE_QUERY')
    expect(await code(collect(archive.trades({ orderId: 1.5 })))).toBe('TIDEMARK_ARCHIVE_QUERY')
  })

  it('gives each row once to a query under way while its files are merged, and refuses to merge damage', async () => {
    const pool = await openSmallPool()
    const dir = path.join(temporaryDirectory(), 'archive')
    await trade(pool, 11, 5000)
    const { endLsn } = await archiveLog({ log: pool.dir, archive: dir, kind: 'pool', partRows: 600 })
    const events = (await eventsOf(pool)).filter(({ event, lsn }) => event === 'trade' && lsn <= endLsn)
    const archive = await Archive.open({ dir })
    const found = []
    for await (const row of archive.trades()) {
      found.push(row)
      if (found.length === 1) await compactArchive({ archive: dir })
    }
    expect(archive.stats().parts).toBe(1)
    expect(inOrder(found)).toEqual(inOrder(events))

    await trade(pool, 12, 4000, 10_000)
    await archiveLog({ log: pool.dir, archive: dir, kind: 'pool' })
    const [file] = archive.files('trades')
    const bytes = readFileSync(file!)
    // A bit of the end of the file, which the decoder passes over.
    bytes[bytes.lastIndexOf('tidemark')]! ^= 1
    writeFileSync(file!, bytes)
    await expect(compactArchive({ archive: dir })).rejects.toMatchObject({ code: 'TIDEMARK_ARCHIVE_DAMAGED' })
    expect(archive.stats().parts).toBe(2)
  })
})
