/** What a latency histogram has counted. Times are milliseconds; percentiles are within 1 % of the exact ones. */
export interface LatencySummary {
  /** How many times were recorded. */
  readonly count: number
  /** Half of all took at most so long, in milliseconds. */
  readonly p50Ms: number
  /** 90 of 100 took at most so long, in milliseconds. */
  readonly p90Ms: number
  /** 99 of 100 took at most so long, in milliseconds. */
  readonly p99Ms: number
  /** 999 of 1,000 took at most so long, in milliseconds. */
  readonly p999Ms: number
  /** The longest, exact to the microsecond. */
  readonly maxMs: number
  /** All of them together, within 1 %. */
  readonly sumMs: number
  /** How many took at most so long, by ascending bounds. */
  readonly atMost: readonly LatencyCount[]
}

/** How many times were at most `ms`, within 1 % of it. */
export interface LatencyCount {
  /** The upper bound, in milliseconds. */
  readonly ms: number
  /** How many took at most so long. */
  readonly count: number
}

/** The bounds of `LatencySummary.atMost`, milliseconds. */
const boundsMs: readonly number[] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000]

/** Buckets of one octave: the values of a bucket differ by less than 1/64. */
const octaveBits = 6
const valueUsMax = 2 ** 32 - 1
const buckets = (32 - octaveBits + 1) << octaveBits
/** Words before the buckets: the largest value. */
const firstBucket = 1

/** Bytes that a histogram takes in memory that it shares; they begin as zeros. */
export const latencyHistogramBytes = (firstBucket + buckets) * 8

/**
 * Counts latencies in buckets whose width grows with the value, as HdrHistogram does
 * (https://github.com/HdrHistogram/HdrHistogram), from 0 to 71 minutes; what is longer counts as 71 minutes.
 *
 * One thread records, any thread that has the memory reads. Node's own histogram (`perf_hooks.createHistogram`) can be
 * shared too, but each record is a call out of JavaScript, which is too much for a thread that acknowledges millions of
 * commands a second.
 *
 * ```
 *  Float64Array
 *  word   0          largest value, in microseconds
 *         1 to 64    values 0 to 63, one each
 *        65 to 128   values 64 to 127, one each
 *       129 to 192   values 128 to 255, two each
 *       193 to 256   values 256 to 511, four each, and so on
 * ```
 */
export class LatencyHistogram {
  readonly #words: Float64Array

  /** @param memory At least `latencyHistogramBytes` from `byteOffset`, a multiple of eight. */
  constructor(memory: ArrayBufferLike = new ArrayBuffer(latencyHistogramBytes), byteOffset = 0) {
    this.#words = new Float64Array(memory, byteOffset, firstBucket + buckets)
  }

  /** Counts a value, in microseconds, as if it were recorded `times` times. What is not above zero counts as zero. */
  record(valueUs: number, times = 1): void {
    // Written so that NaN counts as zero, too.
    const value = valueUs > 0 ? (valueUs >= valueUsMax ? valueUsMax : (valueUs + 0.5) >>> 0) : 0
    const words = this.#words
    // The largest value comes before its count, so that no reader finds a count above it.
    if (value > words[0]!) words[0] = value
    words[firstBucket + bucketOf(value)]! += times
  }

  /** The value that `percent` of the recorded ones do not exceed, in microseconds; 0 when there is none. */
  percentileUs(percent: number): number {
    const counts = this.#counts()
    return percentileOf(counts, sumOf(counts), percent, this.maxUs)
  }

  get count(): number {
    return sumOf(this.#counts())
  }

  get maxUs(): number {
    return this.#words[0]!
  }

  snapshot(): LatencySummary {
    // One copy for all of it, and the largest value after it: what the other thread records meanwhile would make the later
    // percentiles those of another moment, and below the earlier ones.
    const counts = this.#counts()
    const count = sumOf(counts)
    const { maxUs } = this
    const ms = (percent: number) => percentileOf(counts, count, percent, maxUs) / 1000
    return {
      count,
      p50Ms: ms(50),
      p90Ms: ms(90),
      p99Ms: ms(99),
      p999Ms: ms(99.9),
      maxMs: maxUs / 1000,
      sumMs: counts.reduce((sum, times, bucket) => sum + times * middleOf(bucket), 0) / 1000,
      atMost: countsAtMost(counts),
    }
  }

  /** The counts of all buckets, copied. */
  #counts(): Float64Array {
    return this.#words.slice(firstBucket)
  }
}

function sumOf(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

function countsAtMost(counts: Float64Array): LatencyCount[] {
  let bucket = 0
  let count = 0
  return boundsMs.map((ms) => {
    while (bucket < buckets && middleOf(bucket) <= ms * 1010) count += counts[bucket++]!
    return { ms, count }
  })
}

function percentileOf(counts: Float64Array, count: number, percent: number, maxUs: number): number {
  if (count === 0) return 0
  // The rounding of 99.9 / 100 must not make the last of 1000 values out of the last but one.
  const rank = Math.max(1, Math.ceil((percent / 100) * count - 1e-6))
  let seen = 0
  for (let bucket = 0; bucket < buckets; bucket++) {
    seen += counts[bucket]!
    if (seen >= rank) return Math.min(middleOf(bucket), maxUs)
  }
  return maxUs
}

function bucketOf(value: number): number {
  const octave = 31 - octaveBits - Math.clz32(value)
  return octave <= 0 ? value : (octave << octaveBits) + (value >>> octave)
}

/** A value in the middle of a bucket. */
function middleOf(bucket: number): number {
  const octave = (bucket >> octaveBits) - 1
  if (octave <= 0) return bucket
  const width = 2 ** octave
  return (bucket - (octave << octaveBits)) * width + (width >> 1)
}
