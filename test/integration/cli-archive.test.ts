import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Archive, archiveLog } from '#tidemark/archive/index.js'
import { collect, openSmallPool, trade } from '../support/archived-pool.js'
import { tidemark, tidemarkProcess } from '../support/cli.js'
import { temporaryDirectory } from '../support/temporary.js'

describe('tidemark archive', () => {
  it('archives a log, prints what is in it, verifies and compacts it', async () => {
    const pool = await openSmallPool()
    await trade(pool, 9, 4000)
    const dir = path.join(temporaryDirectory(), 'archive')
    const synced = await tidemark(['archive', 'sync', pool.dir, '--to', dir, '--json', '--no-progress'])
    expect(synced).toMatchObject({ code: 0, stderr: '' })
    const report = JSON.parse(synced.stdout)
    expect(report).toMatchObject({ firstLsn: 0, parts: 1, files: 3 })
    const again = await tidemark(['archive', 'sync', pool.dir, '--to', dir])
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Nothing new in sealed segments; .+\n$/),
    })

    const status = await tidemarkProcess(['archive', 'status', dir])
    expect(status.stdout).toMatch(/^Archive of a log of kind pool, LSN 0 to \d+: 3 files in 1 part,/)
    const verified = await tidemark(['archive', 'verify', dir, '--log', pool.dir, '--json'])
    expect(verified.code).toBe(0)
    expect(JSON.parse(verified.stdout)).toMatchObject({ problems: [], files: 3 })

    const archive = await Archive.open({ dir })
    const trades = await collect(archive.trades({ symbol: 'ETH-USD' }))
    const printed = await tidemark(['archive', 'trades', dir, '--symbol', 'ETH-USD'])
    expect(printed.stdout).toBe(trades.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const events = await tidemark(['archive', 'order-events', dir, '--order', '5'])
    expect(events.stdout).toContain('"orderId":5')

    await trade(pool, 10, 4000, 10_000)
    await archiveLog({ log: pool.dir, archive: dir, kind: 'pool' })
    const compacted = await tidemark(['archive', 'compact', dir])
    expect(compacted).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^6 files of .+ are 3 of .+ now\.\n$/),
    })

    const [file] = archive.files('trades')
    const bytes = readFileSync(file!)
    bytes[60]! ^= 4
    writeFileSync(file!, bytes)
    const damaged = await tidemark(['archive', 'verify', dir])
    expect(damaged.code).toBe(6)
    expect(damaged.stdout).toMatch(/checksum is not that of the manifest\.\nArchive NOT VALID: 1 problem;/)
  })

  it.skipIf(process.getuid?.() !== 0)(
    'says how to archive a log whose folder it may not write to',
    async () => {
      const pool = await openSmallPool()
      await trade(pool, 11, 4000)
      const base = temporaryDirectory()
      chmodSync(base, 0o777)
      chmodSync(pool.dir, 0o755)
      const sync = ['archive', 'sync', pool.dir, '--to', path.join(base, 'archive'), '--no-progress']
      const refused = await tidemarkProcess(sync, { unprivileged: true })
      expect(refused).toMatchObject({ code: 1, stdout: '' })
      expect(refused.stderr).toMatch(/^The cursor archive-\S+ can't be written into .+--no-cursor.+\n$/)
      const synced = await tidemarkProcess([...sync, '--no-cursor'], { unprivileged: true })
      expect(synced).toMatchObject({ code: 0, stderr: '' })
      expect(await pool.readers()).toEqual([])
    },
  )

  it('says in one sentence what is wrong, with the exit code of its kind', async () => {
    const empty = temporaryDirectory()
    const cases: [string[], number, RegExp][] = [
      [['archive', 'sync', empty, '--to', `${empty}/a`], 3, /^There is no log in .+\.\n$/],
      [['archive', 'sync', empty], 2, /^Required option '--to <folder>' not specified\.\n$/],
      [['archive', 'status', empty], 3, /^There is no archive in .+\.\n$/],
      [['archive', 'verify', `${empty}/none`], 3, /^There is no archive in .+\.\n$/],
      [['archive', 'compact', empty], 3, /^There is no archive in .+\.\n$/],
    ]
    for (const [args, code, text] of cases) {
      const result = await tidemark(args)
      expect(result.stderr).toMatch(text)
      expect(result.code).toBe(code)
    }
  })
})
