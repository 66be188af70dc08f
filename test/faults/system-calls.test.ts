import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { root } from '../support/run-script.js'
import { parseTrace, traced } from '../support/system-calls.js'
import { temporaryDirectory } from '../support/temporary.js'

const script = `
  import { writeSync } from 'node:fs'
  import { EnginePool } from '#tidemark/pool/index.js'
  const pool = await EnginePool.open({ dir: process.env.DIR, segmentBytes: 32768, maxBatchBytes: 4096, instruments: [{ symbol: 'A', tickSize: '1', lotSize: '1' }] })
  let orderId = 1
  const caller = async (count) => {
    for (let i = 0; i < count; i++) {
      const report = await pool.submit({ type: 'new', symbol: 'A', orderId: orderId++, account: 1, side: i % 2 ? 'buy' : 'sell', orderType: 'limit', price: 5, quantity: 2 })
      writeSync(1, 'ACK ' + report.lsn + '\\n')
    }
  }
  await Promise.all(Array.from({ length: 5 }, () => caller(100)))
  writeSync(1, 'FLUSHES ' + pool.stats().log.flushes + ' ' + pool.stats().log.rotations + '\\n')
  await pool.close()`

describe.skipIf(!traced)('the system calls of a pool', () => {
  it('show one fdatasync a batch, and before each acknowledgement a finished one that covers it', () => {
    const dir = temporaryDirectory()
    const output = path.join(dir, 'trace')
    const names = 'trace=write,writev,pwrite64,pwritev,fdatasync,fsync'
    const args = [
      '-f',
      '-y',
      '-s',
      '32',
      '-e',
      names,
      '-o',
      output,
      process.execPath,
      '--input-type=module',
      '-e',
      script,
    ]
    const run = spawnSync('strace', args, {
      cwd: root,
      env: { ...process.env, DIR: path.join(dir, 'log') },
      encoding: 'utf8',
    })
    expect(run.stderr).toBe('')
    expect(run.status).toBe(0)
    const calls = parseTrace(readFileSync(output, 'utf8'))

    // What each finished write had put into a segment, as LSN, and what each sync that began later made durable.
    const writes: { lsn: number; ended: number }[] = []
    const syncs: { lsn: number; ended: number }[] = []
    let acknowledgements = 0
    for (const call of calls.toSorted((a, b) => a.ended - b.ended)) {
      const segment = /<[^>]*\/(\d{20})\.wal>/.exec(call.args)
      if (call.name.startsWith('pwrite') && segment) {
        const position = Number(/, (\d+)\s*$/.exec(call.args)![1])
        if (position < segmentHeaderBytes) continue
        const firstLsn = Number(segment[1])
        writes.push({ lsn: firstLsn + position + call.result - segmentHeaderBytes, ended: call.ended })
      } else if (call.name === 'fdatasync' && segment && call.result === 0) {
        const covered = writes.filter((write) => write.ended < call.began)
        syncs.push({ lsn: Math.max(0, ...covered.map(({ lsn }) => lsn)), ended: call.ended })
      } else if (call.name === 'write' && call.args.includes('"ACK ')) {
        acknowledgements++
        const lsn = Number(/ACK (\d+)/.exec(call.args)![1])
        const synced = Math.max(0, ...syncs.filter((sync) => sync.ended < call.began).map((sync) => sync.lsn))
        expect(synced, `acknowledged LSN ${lsn}`).toBeGreaterThanOrEqual(lsn)
      }
    }
    expect(acknowledgements).toBe(500)
    const [, flushes, rotations] = /FLUSHES (\d+) (\d+)/.exec(run.stdout)!.map(Number) as [
      number,
      number,
      number,
    ]
    expect(rotations).toBeGreaterThan(0)
    // The sync marker of the clean close comes on top; a rotation syncs the finished segment once more.
    expect(writes.length - flushes).toBeLessThanOrEqual(2)
    expect(syncs.length - writes.length).toBe(rotations)
  })
})
