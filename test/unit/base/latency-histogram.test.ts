import { describe, expect, it, vi } from 'vitest'
import { LatencyHistogram, latencyHistogramBytes } from '#tidemark/base/latency-histogram.js'
import { Random } from '../../support/random.js'

describe('a latency histogram', () => {
  it('gives percentiles within 1 % of those of the sorted values, over seven powers of ten', () => {
    const random = new Random(7)
    const histogram = new LatencyHistogram()
    const values = Array.from({ length: 20_000 }, () => Math.round(10 ** (random.next() * 9.6)))
    for (const value of values) histogram.record(value)
    values.sort((a, b) => a - b)
    for (const percent of [0, 1, 10, 50, 90, 99, 99.9, 100]) {
      const exact = values[Math.max(0, Math.ceil((percent / 100) * values.length) - 1)]!
      expect(Math.abs(histogram.percentileUs(percent) - exact), `${percent} %`).toBeLessThanOrEqual(
        exact / 100,
      )
    }
    expect(histogram.count).toBe(values.length)
    expect(histogram.maxUs).toBe(values.at(-1))
  })

  it('keeps every value up to 127 us and the longest exactly', () => {
    const histogram = new LatencyHistogram()
    for (let value = 0; value < 128; value++) histogram.record(value)
    for (let value = 0; value < 128; value++) {
      expect(histogram.percentileUs((100 * (value + 1)) / 128)).toBe(value)
    }
    histogram.record(1_234_567)
    expect(histogram.snapshot().maxMs).toBe(1234.567)
    expect(histogram.percentileUs(100)).toBeLessThanOrEqual(1_234_567)
  })

  it('says milliseconds in its snapshot, and zeros when nothing was recorded', () => {
    const histogram = new LatencyHistogram()
    expect(histogram.snapshot()).toMatchObject({
      count: 0,
      p50Ms: 0,
      p90Ms: 0,
      p99Ms: 0,
      p999Ms: 0,
      maxMs: 0,
      sumMs: 0,
    })
    histogram.record(2, 500)
    histogram.record(20, 400)
    histogram.record(40, 90)
    histogram.record(60, 9)
    histogram.record(80)
    expect(histogram.snapshot()).toMatchObject({
      count: 1000,
      p50Ms: 0.002,
      p90Ms: 0.02,
      p99Ms: 0.04,
      p999Ms: 0.06,
      maxMs: 0.08,
    })
  })

  it('counts how many took at most so long, and how long all of them took together', () => {
    const histogram = new LatencyHistogram()
    histogram.record(50, 3)
    histogram.record(1000, 2)
    histogram.record(20_000_000)
    const { count, sumMs, atMost } = histogram.snapshot()
    expect(Math.abs(sumMs - 20_002.15)).toBeLessThan(200)
    expect(atMost.filter(({ ms }) => [0.1, 0.5, 1, 2.5, 10_000].includes(ms))).toEqual([
      { ms: 0.1, count: 3 },
      { ms: 0.5, count: 3 },
      { ms: 1, count: 5 },
      { ms: 2.5, count: 5 },
      { ms: 10_000, count: 5 },
    ])
    expect(count).toBe(6)
  })

  it('gives percentiles of one moment, though another thread records while they are read', () => {
    const memory = new SharedArrayBuffer(latencyHistogramBytes)
    const writer = new LatencyHistogram(memory)
    writer.record(5000, 10)
    // Between any two steps of the reader the writer may have counted thousands of short times.
    const { ceil } = Math
    const spy = vi.spyOn(Math, 'ceil').mockImplementation((value) => {
      writer.record(10, 1000)
      return ceil(value)
    })
    const read = new LatencyHistogram(memory).snapshot()
    spy.mockRestore()
    expect(writer.count).toBeGreaterThan(1000)
    expect(read).toMatchObject({ count: 10, p50Ms: 5, p90Ms: 5, p99Ms: 5, p999Ms: 5, maxMs: 5 })
    expect(read.atMost.at(-1)!.count).toBe(10)
  })

  it('counts a clock that went back as zero, and what is too long as the longest that it knows', () => {
    const histogram = new LatencyHistogram()
    for (const value of [-5, Number.NaN, 0]) histogram.record(value)
    expect(histogram.snapshot()).toMatchObject({ count: 3, maxMs: 0 })
    for (const value of [2 ** 40, Number.POSITIVE_INFINITY]) histogram.record(value)
    expect(histogram.snapshot()).toMatchObject({ count: 5, maxMs: 4_294_967.295 })
  })

  it('is read where the same memory is, and touches nothing around it', () => {
    const memory = new SharedArrayBuffer(latencyHistogramBytes + 16)
    const around = new Float64Array(memory)
    around.fill(-1, 0, 1).fill(-1, around.length - 1)
    const recorded = new LatencyHistogram(memory, 8)
    for (const value of [0, 100, 2 ** 32]) recorded.record(value)
    expect(new LatencyHistogram(memory, 8).snapshot()).toEqual(recorded.snapshot())
    expect(recorded.count).toBe(3)
    expect([around[0], around.at(-1)]).toEqual([-1, -1])
  })
})
