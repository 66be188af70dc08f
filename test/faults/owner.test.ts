import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { bitcoin, ether, limit, openPool } from '../support/pools.js'
import { root, runScript } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

const locked = { code: 'TIDEMARK_LOG_LOCKED', message: expect.stringMatching(/in use by another/) }

const opener = `import { EnginePool } from '#tidemark/pool/index.js'
  const pool = await EnginePool.open({ dir: process.env.DIR }).catch((error) => error)
  if (pool instanceof Error) console.log(pool.code)
  else { console.log('opened'); await pool.close() }`

const owner = `import { EnginePool } from '#tidemark/pool/index.js'
  const pool = await EnginePool.open({ dir: process.env.DIR, instruments: [${JSON.stringify(bitcoin)}] })
  const order = ${JSON.stringify(limit(1, 'buy', '10', '1'))}
  console.log((await pool.submit(order)).lsn)
  for (let orderId = 2; ; orderId++) await pool.submit({ ...order, orderId })`

/** A process that owns the folder and goes on writing; resolves when it has acknowledged something. */
async function startOwner(dir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', owner], {
    cwd: root,
    env: { ...process.env, DIR: dir },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
  return child
}

describe('a folder that has an owner', () => {
  it('is refused to a second opener in the process, by whichever path, and the owner goes on', async () => {
    const dir = path.join(temporaryDirectory(), 'pool')
    const pool = await openPool({ dir })
    const link = `${dir}-link`
    symlinkSync(dir, link)
    for (const other of [dir, `${dir}/../pool`, link]) {
      await expect(EnginePool.open({ dir: other })).rejects.toMatchObject(locked)
      await expect(DurableLog.open({ dir: other })).rejects.toMatchObject(locked)
    }
    expect((await pool.submit(limit(1, 'buy', '10', '1'))).status).toBe('resting')
    await pool.close()
    const again = await EnginePool.open({ dir: link })
    expect((await again.order('BTC-USD', 1)).order).toBeDefined()
    await again.close()
  })

  it('is refused to another process, and the owner goes on', async () => {
    const dir = temporaryDirectory()
    const pool = await openPool({ dir })
    expect(await runScript(opener, { DIR: dir })).toMatchObject({ code: 0, stdout: 'TIDEMARK_LOG_LOCKED\n' })
    expect((await pool.submit(limit(1, 'buy', '10', '1'))).status).toBe('resting')
    await pool.close()
    expect(await runScript(opener, { DIR: dir })).toMatchObject({ code: 0, stdout: 'opened\n' })
  })

  it('goes to one of many that open it at once', async () => {
    const dir = temporaryDirectory()
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => EnginePool.open({ dir })))
    const opened = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    expect(opened).toHaveLength(1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(locked)
    await opened[0]!.value.close()
  })

  it('is free at once when the owner is killed while it writes, and holds what it acknowledged', async () => {
    const dir = temporaryDirectory()
    const child = await startOwner(dir)
    await expect(EnginePool.open({ dir })).rejects.toMatchObject(locked)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const pool = await openPool({ dir, instruments: [bitcoin] })
    expect((await pool.order('BTC-USD', 1)).order).toBeDefined()
  })

  it('is free again when its opening failed, and when its owner was poisoned and closed', async () => {
    const dir = temporaryDirectory()
    await (await EnginePool.open({ dir, instruments: [bitcoin] })).close()
    const differing = { dir, instruments: [{ ...bitcoin, tickSize: '0.1' }, ether] }
    await expect(EnginePool.open(differing)).rejects.toMatchObject({ code: 'TIDEMARK_INSTRUMENT_DIFFERS' })
    await expect(DurableLog.open({ dir, contentVersion: 999 })).rejects.toMatchObject({
      code: 'TIDEMARK_LOG_FORMAT',
    })
    const pool = await EnginePool.open({ dir })
    await pool.close()
    const log = await DurableLog.open({ dir: path.join(dir, 'log') })
    log.poison(new Error('for the test'))
    await log.close()
    await (await DurableLog.open({ dir: path.join(dir, 'log') })).close()
  })
})
