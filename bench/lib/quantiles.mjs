import { createHistogram } from 'node:perf_hooks'

/** Latencies, of which the quantiles are shown up to the one that a single command in ten thousand exceeds. */
export class Quantiles {
  #histogram = createHistogram({ lowest: 1, highest: 3_600e9, figures: 3 })

  record(milliseconds) {
    this.#histogram.record(Math.min(Math.max(Math.round(milliseconds * 1e6), 1), 3_600e9))
  }

  /** Milliseconds by name, each with `prefix` before it. */
  summary(prefix = '') {
    const of = (percent) => this.#histogram.percentile(percent) / 1e6
    return Object.fromEntries(
      [50, 99, 99.9, 99.99].map((percent) => [`${prefix}p${percent} ms`, of(percent)]),
    )
  }
}
