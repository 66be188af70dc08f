import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** What the summary says about latency; milliseconds. */
export interface LatencySummary {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

/** Acknowledgement latencies, kept in a histogram with three significant digits. */
export class LatencyRecorder {
  // A minute's worth of nanoseconds many times over: longer ones count as an hour.
  readonly #histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: 3_600e9, figures: 3 })

  record(milliseconds: number): void {
    const nanoseconds = Math.round(milliseconds * 1e6)
    this.#histogram.record(Math.min(Math.max(nanoseconds, 1), 3_600e9))
  }

  summary(): LatencySummary {
    const histogram = this.#histogram
    if (histogram.count === 0) return { count: 0, meanMs: 0, p50Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 }
    return {
      count: histogram.count,
      meanMs: histogram.mean / 1e6,
      p50Ms: histogram.percentile(50) / 1e6,
      p99Ms: histogram.percentile(99) / 1e6,
      p999Ms: histogram.percentile(99.9) / 1e6,
      maxMs: histogram.max / 1e6,
    }
  }
}
