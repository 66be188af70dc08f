import { describe, expect, it, onTestFinished } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import { limit, openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'
import { collectUncaught } from '../support/uncaught.js'

describe('a listener that throws', () => {
  it('of drain leaves the pool as it was: everything in flight is acknowledged, and more is taken', async () => {
    const uncaught = collectUncaught()
    const pool = await openPool({ maxInFlight: 4 })
    const heard: string[] = []
    const bug = new Error('a bug in the application')
    pool.on('drain', () => {
      heard.push('drain')
      throw bug
    })
    pool.on('drain', () => heard.push('drain, the second listener'))
    pool.on('error', () => heard.push('error'))
    for (const first of [1, 5]) {
      const orders = [0, 1, 2, 3].map((i) => pool.submit(limit(first + i, 'buy', '1', '1')))
      expect((await Promise.all(orders)).map(({ status }) => status)).toEqual(Array(4).fill('resting'))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(heard).toEqual(['drain', 'drain, the second listener', 'drain', 'drain, the second listener'])
    expect(uncaught).toEqual([bug, bug])
    expect((await pool.checkpoint()).books).toBe(2)
  })

  it('of error does not keep waiting promises of a poisoned log from settling', async () => {
    const uncaught = collectUncaught()
    const log = await DurableLog.open({ dir: temporaryDirectory(), batchSize: 1000, batchDelayMs: 10_000 })
    onTestFinished(() => log.close())
    const lsn = log.append(Buffer.from('never synced'))
    const waiting = log.waitDurable(lsn)
    const heard: string[] = []
    log.on('error', () => {
      throw new Error('a bug in the application')
    })
    log.on('error', ({ code }) => heard.push(code))
    log.poison(new Error('the disk is gone'))
    await expect(waiting).rejects.toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    expect(heard).toEqual(['TIDEMARK_LOG_POISONED'])
    expect(uncaught).toHaveLength(1)
  })
})
