import { afterEach, describe, expect, it, vi } from 'vitest'
import { DurableLog, LogProducer } from '#tidemark/log/index.js'
import { int32, logState } from '#tidemark/log/ring/memory.js'
import { wakeFlusher } from '#tidemark/log/ring/signals.js'
import { InlineLog } from '../../support/inline-log.js'
import { logWords } from '../../support/log-words.js'
import { MemoryDisk } from '../../support/memory-disk.js'
import { settledWithin } from '../../support/settled.js'
import { temporaryDirectory } from '../../support/temporary.js'

const payload = Buffer.from('a record')

afterEach(() => vi.restoreAllMocks())

/** Resolves when the flusher sleeps and nothing keeps it awake: its last sync marker is written too. */
async function asleep(log: DurableLog): Promise<void> {
  const words = logWords(log)
  while (log.stats().syncMarkers === 0 || words.asleep === 0)
    await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('a producer that ends within a publication', () => {
  it('before it counts: the next lone append is durable all the same', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    await log.waitDurable(log.append(payload))
    logWords(log).published -= 3
    await asleep(log)
    const [outcome] = await settledWithin([log.waitDurable(log.append(payload))], 20_000)
    expect(outcome).toMatchObject({ status: 'fulfilled' })
    await log.close()
  })

  it('before it counts: the next producer that publishes wakes a flusher that sleeps, and none that is awake', () => {
    const log = new InlineLog(new MemoryDisk())
    const words = logWords(log)
    words.published -= 3
    for (const asleep of [0, 1]) {
      words.asleep = asleep
      const before = words.flusherSignal
      log.producer.append(1, 0, payload)
      expect(words.flusherSignal - before).toBe(asleep)
    }
  })

  it('before it wakes the flusher: what it published is durable without another append', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    await log.waitDurable(log.append(payload))
    await asleep(log)
    const { memory, producerId } = log.producerHandle()
    const producer = new LogProducer(memory, producerId)
    const add = Atomics.add
    vi.spyOn(Atomics, 'add').mockImplementation(((array: Int32Array, index: number, value: number) => {
      if (array.buffer === memory.control && array instanceof Int32Array && index === int32.published)
        throw new Error('the thread ended')
      return add(array, index, value)
    }) as typeof Atomics.add)
    expect(() => producer.append(1, 0, payload)).toThrowError('the thread ended')
    vi.restoreAllMocks()
    const [outcome] = await settledWithin([log.waitDurable(log.tailLsn)], 20_000)
    expect(outcome).toMatchObject({ status: 'fulfilled' })
    await log.close()
  })

  it('before it publishes: the log is poisoned when the claim was waited for long enough, not sooner', () => {
    const log = new InlineLog(new MemoryDisk())
    log.append(payload)
    logWords(log).claimTail += 64
    let sleptMs = 0
    vi.spyOn(Atomics, 'wait').mockImplementation((_array, _index, _value, ms) => {
      sleptMs += ms!
      if (sleptMs > 600_000) throw new Error('the flusher sleeps for ever')
      return 'timed-out'
    })
    expect(() => log.flusher.run()).toThrowError(expect.objectContaining({ code: 'TIDEMARK_THREAD_DIED' }))
    expect(sleptMs).toBeGreaterThanOrEqual(30_000)
    expect(sleptMs).toBeLessThan(60_000)
  })

  it('makes at most one batch wait: what it did not count is forgotten when the ring is empty', () => {
    const log = new InlineLog(new MemoryDisk(), { batchSize: 2, batchDelayMs: 1000 })
    const words = logWords(log)
    let nowMs = 0
    const waits: number[] = []
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
    vi.spyOn(Atomics, 'wait').mockImplementation((_array, _index, _value, ms) => {
      waits.push(ms!)
      nowMs += ms!
      if (waits.length === 2) for (let i = 0; i < 2; i++) log.producer.append(1, 0, payload)
      if (waits.length > 2) {
        words.state = logState.closing
        wakeFlusher(new Int32Array(log.memory.control))
      }
      return waits.length === 2 ? 'ok' : 'timed-out'
    })
    for (let i = 0; i < 2; i++) log.producer.append(1, 0, payload)
    words.published -= 5
    log.flusher.run()
    // The first batch waits its whole delay; the second comes while the flusher sleeps and is full at once.
    expect(waits).toEqual([1000, 100, 100])
    expect(log.released).toBe(log.tail)
  })
})

describe('a log that is poisoned while a batch gathers', () => {
  it('writes and acknowledges nothing of it', () => {
    const log = new InlineLog(new MemoryDisk(), { batchSize: 100, batchDelayMs: 1000 })
    log.append(payload)
    const before = log.released
    const words = logWords(log)
    let waits = 0
    vi.spyOn(performance, 'now').mockReturnValue(0)
    vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      waits++
      words.state = logState.poisoned
      return 'ok'
    })
    log.producer.append(1, 0, payload)
    log.flusher.run()
    expect(waits).toBe(1)
    expect(log.released).toBe(before)
    expect(log.tail).toBeGreaterThan(before)
  })
})
