import { describe, expect, it } from 'vitest'
import { DurableWaiters } from '#tidemark/log/read/durable-waiters.js'
import { createLogMemory, int64, LogViews } from '#tidemark/log/ring/memory.js'
import { ReleasedSignal } from '#tidemark/log/ring/released-signal.js'

function setUp() {
  const views = new LogViews(createLogMemory(65_536, 4096))
  const signal = new ReleasedSignal(views)
  const waiters = new DurableWaiters(signal)
  const release = (lsn: number) => {
    views.control64[int64.released] = BigInt(lsn)
    signal.notify()
  }
  return { signal, waiters, release }
}

describe('waiters for the durable LSN', () => {
  it('resolve in any order of their LSNs, none before the durable LSN has passed it', async () => {
    const { signal, waiters, release } = setUp()
    const settled: number[] = []
    for (const lsn of [80, 160, 40, 240, 8, 120]) waiters.wait(lsn).then(() => settled.push(lsn))
    release(79)
    await Promise.resolve()
    expect(settled.sort((a, b) => a - b)).toEqual([8, 40])
    release(160)
    await Promise.resolve()
    expect(settled.sort((a, b) => a - b)).toEqual([8, 40, 80, 120, 160])
    expect(waiters.size).toBe(1)
    release(240)
    await Promise.resolve()
    expect(waiters.size).toBe(0)
    signal.close()
  })

  it('resolve at once for what is released already', async () => {
    const { signal, waiters, release } = setUp()
    release(64)
    await waiters.wait(64)
    expect(waiters.size).toBe(0)
    signal.close()
  })

  it('are all rejected with the cause when the log fails', async () => {
    const { signal, waiters } = setUp()
    const outcomes = Promise.allSettled([waiters.wait(16), waiters.wait(8), waiters.wait(24)])
    waiters.fail(new Error('the disk'))
    expect((await outcomes).map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected'])
    signal.close()
  })
})
