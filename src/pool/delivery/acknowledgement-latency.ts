import { LatencyHistogram, type LatencySummary } from '../../base/latency-histogram.js'

/**
 * How long commands take from their submit to the acknowledgement. Reading the clock costs as much as a tenth of a submit, so
 * it is read once for each batch and for each bundle of commands that were submitted in the same turn of the event loop, and
 * once for each chunk of the log that is delivered: a command counts from when the first of its bundle was submitted.
 */
export class AcknowledgementLatency {
  readonly #histogram = new LatencyHistogram()
  /** When the chunk that is being delivered came; 0 until the first acknowledgement in it asks. */
  #chunkMs = 0

  /** A chunk of the log is delivered next. */
  beginChunk(): void {
    this.#chunkMs = 0
  }

  /** Counts commands that were submitted at `submittedMs`, by `performance.now`, and are acknowledged now. */
  record(submittedMs: number, commands: number): void {
    if (this.#chunkMs === 0) this.#chunkMs = performance.now()
    this.#histogram.record((this.#chunkMs - submittedMs) * 1000, commands)
  }

  summary(): LatencySummary {
    return this.#histogram.snapshot()
  }
}
