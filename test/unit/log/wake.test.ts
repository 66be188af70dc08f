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

describe('a flusher that spins before it sleeps', () => {
  /** Runs a flusher that spins for 100 us, on a clock of its own; `look` is called at each look at the clock. */
  function spinning(look: (log: InlineLog, nowUs: number) => void) {
    const log = new InlineLog(new MemoryDisk(), { spinUs: 100 })
    const words = logWords(log)
    const slept: number[] = []
    let nowUs = 0
    vi.spyOn(performance, 'now').mockImplementation(() => {
      nowUs += 10
      look(log, nowUs)
      return nowUs / 1000
    })
    vi.spyOn(Atomics, 'wait').mockImplementation((_array, _index, signal, ms) => {
      if (words.flusherSignal !== Number(signal)) return 'not-equal'
      slept.push(ms!)
      words.state = logState.closing
      return 'timed-out'
    })
    return { log, words, slept }
  }
  const isSpinning = (log: InlineLog) => logWords(log).asleep === 0

  it('writes what is published meanwhile, and no producer notifies it', () => {
    const signals: number[] = []
    let appended = 0
    const { log, words, slept } = spinning(({ producer, memory }, nowUs) => {
      if (nowUs < 50 || appended === 3 || !isSpinning(log)) return
      appended++
      producer.append(1, 0, payload)
      signals.push(new Int32Array(memory.control)[int32.flusherSignal]!)
    })
    log.flusher.run()
    expect(appended).toBe(3)
    expect(signals).toEqual([0, 0, 0])
    expect(log.released).toBe(log.tail)
    expect(slept).toEqual([100])
    expect(words.state).toBe(logState.closing)
  })

  it('sleeps when there was nothing for so long', () => {
    let spunUs = 0
    const { log, slept } = spinning((_log, nowUs) => {
      if (slept.length === 0) spunUs = nowUs
    })
    log.flusher.run()
    expect(slept).toEqual([1000])
    expect(spunUs).toBeGreaterThan(100)
    expect(spunUs).toBeLessThan(150)
  })

  it('does not sleep over what is published after its last look', () => {
    const { log, slept } = spinning(() => {})
    const store = Atomics.store
    let sleeps = 0
    vi.spyOn(Atomics, 'store').mockImplementation(((array: Int32Array, index: number, value: number) => {
      const isFalling =
        array instanceof Int32Array &&
        array.buffer === log.memory.control &&
        index === int32.asleep &&
        value === 1
      if (isFalling && ++sleeps === 1) log.producer.append(1, 0, payload)
      return store(array, index, value)
    }) as typeof Atomics.store)
    log.flusher.run()
    expect(log.released).toBe(log.tail)
    expect(slept).toEqual([100])
  })

  it('frees the space that a producer waits for as soon as it is signalled, not when its time is up', () => {
    let lookedUs = 0
    let signalledUs = 0
    let freedUs = 0
    const { log, words } = spinning(({ memory }, nowUs) => {
      lookedUs = nowUs
      if (signalledUs > 0 || nowUs < 30) return
      signalledUs = nowUs
      wakeFlusher(new Int32Array(memory.control))
    })
    vi.spyOn(log.flusher, 'advanceLimit').mockImplementation(() => {
      if (signalledUs === 0) return
      freedUs ||= lookedUs
      words.state = logState.closing
    })
    log.flusher.run()
    expect(freedUs).toBeGreaterThan(0)
    expect(freedUs - signalledUs).toBeLessThan(50)
  })
})
