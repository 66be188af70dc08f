import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { LogStats } from '../log/index.js'
import type { CheckpointMetrics } from './state/job-checkpoints.js'

/** Milliseconds. */
export interface DurationSummary {
  /** How many were measured. */
  readonly count: number
  /** The mean, in milliseconds. */
  readonly meanMs: number
  /** Half of all took at most so long, in milliseconds. */
  readonly p50Ms: number
  /** 99 of 100 took at most so long, in milliseconds. */
  readonly p99Ms: number
  /** The longest, in milliseconds. */
  readonly maxMs: number
}

/** Figures of a queue. */
export interface JobMetrics extends CheckpointMetrics {
  /** From when a job could be dispatched to when its handler was called, DISPATCH on disk in between. */
  readonly dispatchLatency: DurationSummary
  /** From the call of a handler to its end. */
  readonly runTime: DurationSummary
  /** Results that came when their attempt was over, and were refused. */
  readonly lateResults: number
  /** How often the backoff gave no delay, and the default one was used. */
  readonly backoffFailures: number
  /** Changes that wait because the ring is full of what is not on disk yet, or the disk is full. */
  readonly waitingSteps: number
  /** Whether the disk has no room: from the event `diskFull` to `diskReady`. */
  readonly diskFull: boolean
  /** How many events a restart would replay. */
  readonly eventsSinceSnapshot: number
  /** Figures of the log. */
  readonly log: LogStats
}

/** Durations in a histogram, which takes microseconds. */
export class Durations {
  readonly #histogram: RecordableHistogram = createHistogram()

  record(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * 1000)))
  }

  summary(): DurationSummary {
    const { count, mean, max } = this.#histogram
    if (count === 0) return { count, meanMs: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 }
    return {
      count,
      meanMs: mean / 1000,
      p50Ms: this.#histogram.percentile(50) / 1000,
      p99Ms: this.#histogram.percentile(99) / 1000,
      maxMs: max / 1000,
    }
  }
}
