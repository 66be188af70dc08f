import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cursorPath, encodeSlot } from '#tidemark/log/tools/cursor-file.js'
import { tidemark } from '../support/cli.js'
import { limit, openPool } from '../support/pools.js'
import { take } from '../support/subscribers.js'

describe('tidemark log stats', () => {
  it('lists the cursors, their lag and their state, beside a running pool and without touching it', async () => {
    const pool = await openPool()
    const stats = (...flags: string[]) => tidemark(['log', 'stats', pool.dir, '--no-progress', ...flags])
    expect(JSON.parse((await stats('--json')).stdout).cursors).toEqual([])
    expect((await stats()).stdout).not.toMatch(/cursors/)
    const { lsn } = await pool.submit(limit(1, 'buy', '10', '1'))
    const risk = pool.subscribe({ cursor: 'risk' })
    await take(risk, 2)
    risk.acknowledge()
    await risk.flush()
    await pool.subscribe({ cursor: 'broken' }).flush()
    const broken = cursorPath(pool.dir, 'broken')
    writeFileSync(broken, readFileSync(broken).fill(7))
    for (const [name, state, at] of [
      ['lost', 'invalidated', 8],
      ['above', 'beyond-end', 2 ** 40],
    ] as const) {
      writeFileSync(
        cursorPath(pool.dir, name),
        encodeSlot({ name, state, lsn: at, sequence: 2, writtenUs: 0 }),
      )
    }
    const before = readFileSync(cursorPath(pool.dir, 'risk'))
    const { code, stdout } = await stats('--json')
    expect(code).toBe(0)
    const { cursors, last } = JSON.parse(stdout)
    const at = risk.acknowledgedLsn!
    expect(at).toBeLessThan(lsn)
    expect(cursors).toEqual([
      { name: 'above', state: 'beyond-end', lsn: 2 ** 40, lagBytes: 0 },
      { name: 'broken', state: 'damaged', reason: expect.stringMatching(/./) },
      { name: 'lost', state: 'invalidated', lsn: 8, lagBytes: last.lsn - 8 },
      { name: 'risk', state: 'valid', lsn: at, lagBytes: last.lsn - at },
    ])
    const table = (await stats()).stdout
    expect(table).toMatch(/^cursors +4$/m)
    // The log may have grown by its sync marker since.
    const end = Number(/^last +LSN (\d+)/m.exec(table)![1])
    expect(end).toBeGreaterThanOrEqual(last.lsn)
    expect(table).toMatch(new RegExp(`^ {2}risk +LSN ${at}, ${end - at} B before the end$`, 'm'))
    expect(table).toMatch(/^ {2}lost .*INVALIDATED: the log that it needs was deleted$/m)
    expect(table).toMatch(/^ {2}above .*INVALIDATED: the log ends below it$/m)
    expect(table).toMatch(/^ {2}broken +DAMAGED: /m)
    expect(readFileSync(cursorPath(pool.dir, 'risk'))).toEqual(before)
  })
})
