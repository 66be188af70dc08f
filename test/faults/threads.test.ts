import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { threadsOf } from '#tidemark/log/durable-log.js'
import { DurableLog, LogPoisonedError } from '#tidemark/log/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { bitcoin, ether, limit } from '../support/pools.js'
import { settledWithin } from '../support/settled.js'
import { temporaryDirectory } from '../support/temporary.js'

describe.each([
  ['the flusher', 0],
  ['a shard', 2],
  ['the other shard', 3],
])('when the thread of %s dies', (_name, thread) => {
  it('every pending promise is rejected with the cause, none hangs, and reopening recovers', async () => {
    const dir = temporaryDirectory()
    const first = await EnginePool.open({ dir, shards: 2, instruments: [bitcoin, ether] })
    const acknowledged = await first.submit(limit(1, 'buy', '10', '1'))
    await first.close()
    // With this delay nothing is flushed before the thread dies, so every promise is pending then.
    const pool = await EnginePool.open({ dir, shards: 2, batchSize: 100_000, batchDelayMs: 10_000 })
    const errors: LogPoisonedError[] = []
    pool.on('error', (error) => errors.push(error))
    const pending: Promise<unknown>[] = []
    for (let i = 2; i < 3000; i++) {
      pending.push(pool.submit({ ...limit(i, 'buy', '10', '1'), symbol: i % 2 ? 'BTC-USD' : 'ETH-USD' }))
    }
    pending.push(pool.depth('BTC-USD'), pool.submit({ type: 'cancel-all', account: 5 }))
    void pool[threadsOf][thread]!.terminate()
    const outcomes = await settledWithin(pending)
    expect(outcomes).toHaveLength(3000)
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'TIDEMARK_LOG_POISONED' } })
    await settledWithin([
      expect(pool.submit(limit(9000, 'buy', '10', '1'))).rejects.toMatchObject({
        code: 'TIDEMARK_LOG_POISONED',
      }),
    ])
    expect(errors).toHaveLength(1)
    expect(errors[0]).toBeInstanceOf(LogPoisonedError)
    expect((errors[0]!.cause as { code: string }).code).toBe('TIDEMARK_THREAD_DIED')
    await pool.close()
    const again = await EnginePool.open({ dir, shards: 2 })
    expect((await again.order('BTC-USD', 1)).order).toBeDefined()
    expect(again.durableLsn).toBeGreaterThanOrEqual(acknowledged.lsn)
    await again.close()
  })

  it('while commands are acknowledged, each that was is there after reopening', async () => {
    const dir = temporaryDirectory()
    const pool = await EnginePool.open({ dir, shards: 2, instruments: [bitcoin, ether] })
    const symbolOf = (orderId: number) => (orderId % 2 ? 'BTC-USD' : 'ETH-USD')
    const acknowledged: number[] = []
    const errors: unknown[] = []
    let lastId = 0
    const flow = async () => {
      while (errors.length === 0) {
        const orderId = ++lastId
        try {
          await pool.submit({ ...limit(orderId, 'buy', '10', '1'), symbol: symbolOf(orderId) })
          acknowledged.push(orderId)
        } catch (error) {
          errors.push(error)
        }
      }
    }
    const flows = Array.from({ length: 50 }, flow)
    while (acknowledged.length < 500) await turn()
    void pool[threadsOf][thread]!.terminate()
    await settledWithin(flows)
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) expect(error).toMatchObject({ code: 'TIDEMARK_LOG_POISONED' })
    await pool.close()
    const again = await EnginePool.open({ dir, shards: 2 })
    expect(acknowledged.length).toBeGreaterThanOrEqual(500)
    for (const orderId of acknowledged)
      expect((await again.order(symbolOf(orderId), orderId)).order, `order ${orderId}`).toBeDefined()
    await again.close()
  })
})

describe('a log whose flusher dies', () => {
  it('rejects its waiters, its readers and every later call', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory(), batchSize: 1000, batchDelayMs: 5000 })
    const waiting = log.waitDurable(log.append(Buffer.alloc(10)))
    const reading = (async () => {
      for await (const _record of log.reader()) throw new Error('nothing is durable')
    })()
    void log[threadsOf][0]!.terminate()
    const outcomes = await settledWithin([waiting, reading])
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'TIDEMARK_LOG_POISONED' } })
    }
    expect(() => log.append(Buffer.alloc(10))).toThrowError(LogPoisonedError)
    await expect(log.waitDurable(1e6)).rejects.toThrowError(LogPoisonedError)
    await log.close()
  })

  it('continues without the preallocator, which only makes it fast', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory(), segmentBytes: 65_536, ringBytes: 65_536 })
    await log[threadsOf][1]!.terminate()
    for (let i = 0; i < 20; i++) await log.waitDurable(log.append(Buffer.alloc(10_000)))
    expect(log.stats().unpreparedRotations).toBeGreaterThan(1)
    await log.close()
  })
})
