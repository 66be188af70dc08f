import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  Archive,
  archiveLog,
  compactArchive,
  type OrderEvent,
  verifyArchive,
} from '#tidemark/archive/index.js'
import type { PoolEvent } from '#tidemark/pool/index.js'
import { collect, inOrder, openSmallPool, trade } from '../support/archived-pool.js'
import { tidemark } from '../support/cli.js'
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

    // As another process reads it, that has nothing but the folder: what is synced, as the log itself says.
    const beside = await Archive.open({ dir, log: pool.dir })
    const read = async () => [...(await collect(beside.trades())), ...(await collect(beside.orderEvents()))]
    let rows = await read()
    while (rows.length < events.length) rows = await read()
    expect(inOrder(rows)).toEqual(inOrder(events))
    const { symbol, timeUs, account } = events.at(-1) as OrderEvent & { account: number }
    const query = { symbol, from: timeUs - 50_000, account }
    const isAsked = (event: PoolEvent) =>
      event.event !== 'trade' &&
      event.symbol === symbol &&
      event.timeUs >= query.from &&
      'account' in event &&
      event.account === account
    expect(inOrder(await collect(beside.orderEvents(query)))).toEqual(inOrder(events.filter(isAsked)))
    const lines = await tidemark(['archive', 'trades', dir, '--log', pool.dir])
    expect(lines).toMatchObject({ code: 0, stderr: '' })
    expect(lines.stdout.trim().split('\n')).toHaveLength(
      events.filter(({ event }) => event === 'trade').length,
    )
    await expect(Archive.open({ dir, pool, log: pool.dir })).rejects.toMatchObject({
      code: 'TIDEMARK_BAD_SETTING',
    })
    expect(readdirSync(dir).sort()).toEqual(['LOCK', 'commands', 'manifest.json', 'order_events', 'trades'])
  })

  it('that is to continue in another log is refused, and one that has nothing yet has all that is in its log', async () => {
    const pool = await openSmallPool()
    const [dir, none] = [path.join(temporaryDirectory(), 'archive'), path.join(temporaryDirectory(), 'none')]
    await trade(pool, 8, 3000)
    await archiveLog({ log: pool.dir, archive: dir, kind: 'pool' })
    const other = await openSmallPool()
    await trade(other, 8, 3000)
    const wrong = await Archive.open({ dir, log: other.dir })
    await expect(collect(wrong.trades())).rejects.toMatchObject({ code: 'TIDEMARK_ARCHIVE_OTHER_LOG' })
    await pool.close()
    const empty = await Archive.open({ dir: none, log: pool.dir })
    const whole = await Archive.open({ dir, log: pool.dir })
    const trades = inOrder(await collect(empty.trades()))
    expect(trades.length).toBeGreaterThan(300)
    expect(trades).toEqual(inOrder(await collect(whole.trades())))
    await expect(Archive.open({ dir: none })).rejects.toMatchObject({ code: 'TIDEMARK_ARCHIVE_MISSING' })
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
