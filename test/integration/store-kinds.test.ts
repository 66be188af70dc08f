import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { DurableFactorEngine } from '#tidemark/factors/index.js'
import { JobController } from '#tidemark/jobs/index.js'
import { dropReaderCursor, NodeDisk } from '#tidemark/log/index.js'
import { Store, storeCursorName } from '#tidemark/store/index.js'
import { storeTargets } from '../support/store-targets.js'
import { temporaryDirectory } from '../support/temporary.js'

const targets = await storeTargets()

async function until(store: Store, sql: string, count: number): Promise<void> {
  while ((await store.query(sql)).rows[0]!['n'] !== count) await setTimeout(10)
}

describe.each(targets)('a store in $name', ({ driver, fresh }) => {
  it('keeps the values of a factor engine, across its openings and its own', async () => {
    const base = temporaryDirectory()
    const dir = path.join(base, 'factors')
    const to = await fresh(base)
    const expected: object[] = []
    for (let opening = 0; opening < 2; opening++) {
      const engine = await DurableFactorEngine.open({ dir })
      const names = opening === 0 ? ['A', 'B'] : ['B', 'C']
      for (const name of names.filter((one) => one !== 'B' || opening === 0))
        engine.registerAll(name, { double: 'last * 2', ma2: 'mean(last, 2)' })
      // Each store begins within an opening, and ends within it.
      for (let part = 0; part < 2; part++) {
        const store = await Store.open({ dir, to, driver, transactionDelayMs: 0 })
        for (let i = 0; i < 2; i++) {
          const instrument = names[i]!
          const timestamp = opening * 100 + part * 10 + i
          const last = timestamp + 5
          engine.processTick({ instrument, timestamp, last })
          expected.push({ instrument, time_value: timestamp, value: 2 * last })
        }
        await engine.flush()
        await until(store, "SELECT COUNT(*) AS n FROM factor_values WHERE factor = 'double'", expected.length)
        await store.close()
      }
      await engine.close()
    }
    const store = await Store.open({ to, driver })
    const { rows } = await store.query(
      "SELECT instrument, time_value, value FROM factor_values WHERE factor = 'double' ORDER BY lsn, entry_index",
    )
    expect(rows).toEqual(expected)
    const undefinedYet = await store.query(
      "SELECT COUNT(*) AS n FROM factor_values WHERE factor = 'ma2' AND value IS NULL",
    )
    expect(undefinedYet.rows[0]!['n']).toBeGreaterThan(0)
    await store.close()
  })

  it('keeps the jobs of a queue, each in its latest state', async () => {
    const base = temporaryDirectory()
    const dir = path.join(base, 'jobs')
    const to = await fresh(base)
    const queue = await JobController.open({ dir, concurrency: 1, backoff: () => 1, keepHistory: true })
    await queue.enqueue({ id: 'a', payload: { n: 1, text: 'x\0y' }, priority: 3 })
    await queue.enqueue({ id: 'b', maxAttempts: 2 })
    const store = await Store.open({ dir, to, driver, transactionDelayMs: 0 })
    await until(store, "SELECT COUNT(*) AS n FROM jobs WHERE state = 'pending'", 2)
    queue.start(({ id }: { id: string }) => {
      if (id === 'b') throw new Error('no luck')
    })
    await queue.drained()
    await queue.close()
    await store.close()
    const again = await Store.open({ dir, to, driver, follow: false })
    await again.ended
    const { rows } = await again.query(
      'SELECT job_id, state, reason, error, attempts, max_attempts, priority, payload, due_time FROM jobs ORDER BY job_id',
    )
    expect(rows).toMatchObject([
      {
        job_id: 'a',
        state: 'completed',
        reason: null,
        error: null,
        attempts: 1,
        priority: 3,
        payload: '{"n":1,"text":"x\\u0000y"}',
      },
      { job_id: 'b', state: 'dead', reason: 'failed', attempts: 2, max_attempts: 2, payload: 'null' },
    ])
    expect(String(rows[1]!['error'])).toContain('no luck')
    await again.close()
  })

  it('gets all of a queue that deletes its history, which waits for it, and nothing once its cursor is dropped', async () => {
    const base = temporaryDirectory()
    const dir = path.join(base, 'jobs')
    const to = await fresh(base)
    const work = async (ids: readonly string[]) => {
      const queue = await JobController.open({ dir, concurrency: 1 })
      for (const id of ids) await queue.enqueue({ id })
      queue.start(() => {})
      await queue.drained()
      // Its checkpoint deletes what no reader needs.
      await queue.close()
    }
    const first = await JobController.open({ dir, concurrency: 1 })
    await first.enqueue({ id: 'a' })
    const store = await Store.open({ dir, to, driver, transactionDelayMs: 0 })
    await until(store, 'SELECT COUNT(*) AS n FROM jobs', 1)
    await store.close()
    await first.close()
    await work(['b', 'c'])
    await work(['d'])
    const again = await Store.open({ dir, to, driver, follow: false })
    await again.ended
    const { rows } = await again.query('SELECT job_id, state FROM jobs ORDER BY job_id')
    expect(rows).toEqual(['a', 'b', 'c', 'd'].map((job_id) => ({ job_id, state: 'completed' })))
    await again.close()
    await work(['e'])
    expect(await dropReaderCursor(new NodeDisk(), dir, storeCursorName(to))).toBe(true)
    await work(['f'])
    await expect(Store.open({ dir, to, driver })).rejects.toMatchObject({ code: 'TIDEMARK_STORE_LOG_GONE' })
  })
})
