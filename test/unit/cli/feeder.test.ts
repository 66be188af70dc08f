import { describe, expect, it } from 'vitest'
import { type CommandSource, RefusalLog } from '#tidemark/cli/inputs/command-source.js'
import { Feeder } from '#tidemark/cli/run/feeder.js'
import { progressLine } from '#tidemark/cli/run/progress.js'
import type { EnginePool } from '#tidemark/pool/index.js'
import { PoolError } from '#tidemark/pool/index.js'
import { RecordedBatch } from './recorded-batch.js'

/** A pool whose acknowledgements come when the test says so, and that refuses what the test asks it to. */
class FakePool {
  readonly taken: unknown[][] = []
  readonly pending: (() => void)[] = []
  /** Commands taken and not acknowledged, at most. */
  mostUnderWay = 0
  #underWay = 0
  refusals = 0
  failure: Error | undefined

  batch() {
    return new ClearedBatch()
  }

  submitBatch(batch: RecordedBatch) {
    if (this.failure) return Promise.reject(this.failure)
    if (this.pending.length > 0 && this.refusals-- > 0) {
      return Promise.reject(new PoolError('TIDEMARK_BACKPRESSURE', 'full'))
    }
    this.taken.push(batch.calls.map(([, orderId]) => orderId))
    const { length } = batch
    const lsn = this.taken.length * 8
    this.#underWay += length
    this.mostUnderWay = Math.max(this.mostUnderWay, this.#underWay)
    return new Promise((resolve) => {
      this.pending.push(() => resolve({ lsn, commands: length, trades: 1, rejected: 0 }))
      setImmediate(() => {
        this.#underWay -= length
        this.pending.shift()?.()
      })
    })
  }
}

class ClearedBatch extends RecordedBatch {
  override clear(): void {
    super.clear()
    this.calls.length = 0
  }
}

function numbers(count: number): CommandSource {
  let next = 0
  return {
    format: 'numbers',
    instruments: [],
    progress: undefined,
    refusals: new RefusalLog(),
    begin: () => {},
    close: () => {},
    fill(batch, goal) {
      while (batch.length < goal && next < count) batch.addCancel(next++, 0, 0, 1)
      return next < count
    },
  }
}

function feederOf(pool: FakePool, count: number, ratePerSecond?: number): Feeder {
  const settings = { handover: 10, window: 40, ratePerSecond }
  return new Feeder(pool as unknown as EnginePool, numbers(count), settings)
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('a feeder', () => {
  it('hands everything over in order, within its window, and waits for all of it', async () => {
    const pool = new FakePool()
    const feeder = feederOf(pool, 95)
    await feeder.run()
    expect(pool.taken.flat()).toEqual(upTo(95))
    expect(Math.max(...pool.taken.map(({ length }) => length))).toBe(10)
    expect(pool.mostUnderWay).toBe(40)
    expect(feeder.counts).toEqual({ submitted: 95, acknowledged: 95, trades: 10, rejected: 0 })
    expect([feeder.lastLsn, feeder.latency.summary().count]).toEqual([80, 10])
  })

  it('gives a full pool the same commands again, once, and in their order', async () => {
    const pool = new FakePool()
    pool.refusals = 5
    const feeder = feederOf(pool, 100)
    await feeder.run()
    expect(pool.taken.flat()).toEqual(upTo(100))
    expect(feeder.counts).toMatchObject({ submitted: 100, acknowledged: 100 })
  })

  it('stops at the first error of the pool and throws it', async () => {
    const pool = new FakePool()
    pool.failure = new Error('gone')
    await expect(feederOf(pool, 100).run()).rejects.toThrow('gone')
  })

  it('settles what is under way when it is stopped', async () => {
    const pool = new FakePool()
    const feeder = feederOf(pool, 1_000_000)
    feeder.onAcknowledged = () => feeder.stop()
    await feeder.run()
    const { submitted, acknowledged } = feeder.counts
    expect(acknowledged).toBe(submitted)
    expect(submitted).toBeLessThan(1000)
  })

  it('records the latency of each command when they arrive by the clock', async () => {
    const feeder = feederOf(new FakePool(), 57, 10_000)
    await feeder.run()
    expect(feeder.latency.summary().count).toBe(57)
  })
})

describe('a progress line', () => {
  it('says how far, how many, how fast, and how far the disk lags', () => {
    const state = { commands: 12_345, trades: 678, ratePerSecond: 250_000, lagBytes: 2048 }
    expect(progressLine({ ...state, fraction: 0.426 })).toBe(
      '42%  12,345 commands  678 trades  250 k/s  durable lag 2.0 KiB',
    )
    expect(progressLine({ ...state, fraction: undefined })).toMatch(/^12,345 commands/)
  })
})
