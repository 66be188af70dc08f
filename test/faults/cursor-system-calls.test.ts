import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../support/run-script.js'
import { parseTrace, traced } from '../support/system-calls.js'
import { temporaryDirectory } from '../support/temporary.js'

const flushes = 20
const script = `
  import { writeSync } from 'node:fs'
  import { EnginePool } from '#tidemark/pool/index.js'
  const pool = await EnginePool.open({ dir: process.env.DIR, instruments: [{ symbol: 'A', tickSize: '1', lotSize: '1' }] })
  const subscription = pool.subscribe({ cursor: 'risk' })
  for (let i = 1; i <= ${flushes}; i++) {
    await pool.submit({ type: 'new', symbol: 'A', orderId: i, account: 1, side: 'buy', orderType: 'limit', price: 5, quantity: 2 })
    await subscription.next()
    subscription.acknowledge()
    await subscription.flush()
    writeSync(1, 'FLUSHED ' + i + '\\n')
  }
  await pool.close()`

describe.skipIf(!traced)('the system calls of a cursor', () => {
  it('show its file synced, renamed and its folder synced when it is made, and a finished fdatasync before each flush resolves', () => {
    const dir = temporaryDirectory()
    const output = path.join(dir, 'trace')
    const names = 'trace=write,pwrite64,fdatasync,fsync,rename,renameat,renameat2'
    const args = ['-f', '-y', '-s', '300', '-e', names, '-o', output]
    const run = spawnSync('strace', [...args, process.execPath, '--input-type=module', '-e', script], {
      cwd: root,
      env: { ...process.env, DIR: path.join(dir, 'log') },
      encoding: 'utf8',
    })
    expect(run.stderr).toBe('')
    expect(run.status).toBe(0)
    const calls = parseTrace(readFileSync(output, 'utf8')).sort((a, b) => a.ended - b.ended)
    const ofFile = (name: string, file: string) =>
      calls.filter((call) => call.name === name && call.args.includes(`/${file}>`) && call.result === 0)
    const renamed = calls.find(
      ({ name, args: of }) => name.startsWith('rename') && of.includes('/cursor-risk.cur"'),
    )!
    const temporary = /cursor-risk\.cur\.[0-9a-f]{16}\.tmp/.exec(renamed.args)![0]
    const [madeSync] = ofFile('fdatasync', temporary)
    expect(madeSync!.ended).toBeLessThan(renamed.began)
    expect(ofFile('fsync', 'log').some(({ began }) => began > renamed.ended)).toBe(true)

    const stored = calls.filter(
      ({ name, args: of }) => name === 'pwrite64' && of.includes('/cursor-risk.cur>'),
    )
    const syncs = ofFile('fdatasync', 'cursor-risk.cur')
    const printed = calls.filter(({ name, args: of }) => name === 'write' && of.includes('FLUSHED '))
    expect(printed).toHaveLength(flushes)
    for (const [i, { began }] of printed.entries()) {
      const written = stored.filter(({ ended }) => ended < began)
      expect(written.length, `flush ${i + 1}`).toBeGreaterThan(i)
      const lastWritten = written.at(-1)!
      const covered = syncs.some((sync) => sync.began > lastWritten.ended && sync.ended < began)
      expect(covered, `flush ${i + 1}`).toBe(true)
    }
  })
})
