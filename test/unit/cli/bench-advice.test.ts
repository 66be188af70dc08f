import { describe, expect, it } from 'vitest'
import { adviceOf } from '#tidemark/cli/bench/advice.js'
import type { ThroughputPoint } from '#tidemark/cli/bench/bench-run.js'

function disk(bytes: number, p50Ms: number, p99Ms = p50Ms) {
  const latency = { count: 100, meanMs: p50Ms, p50Ms, p99Ms, p999Ms: p99Ms, maxMs: p99Ms }
  return { bytes, writesPerSecond: 1000 / p50Ms, latency }
}

function point(perBatch: number, commandsPerSecond: number, shards = 1): ThroughputPoint {
  return {
    handover: 'batch',
    shards,
    perBatch,
    commandsPerSecond,
    commandsPerFlush: 1,
    logBytesPerCommand: 100,
  }
}

function advice(
  syncMs: number,
  options: { p99Ms?: number; megabyteMs?: number; shards?: number } = {},
): string {
  const { p99Ms, megabyteMs = 1, shards = 1 } = options
  const throughput = [point(1, 5000), point(1000, 1_000_000), point(1, 8000, 2), point(1000, 1_000_000, 2)]
  const recommended = {
    shards,
    perBatch: 1000,
    commandsPerSecond: 1_000_000,
    preset: 'lowLatency',
  } as const
  return adviceOf({
    disk: [disk(4096, syncMs, p99Ms), disk(1_048_576, megabyteMs)],
    throughput,
    recommended,
  }).join('\n')
}

describe('the advice of tidemark bench', () => {
  it('says what kind of disk a sync takes so long on', () => {
    expect(advice(0.012)).toMatch(
      /^A sync takes 12\.0 us here\. That is a cache that answers, .*power cut takes/,
    )
    expect(advice(0.2)).toMatch(/^A sync takes 200 us here: a fast disk\./)
    expect(advice(2)).toMatch(/^A sync takes 2\.00 ms here, as usual for .*At 500 syncs a second/)
    expect(advice(12)).toMatch(/^A sync takes 12\.0 ms here: a slow disk, at 83 syncs a second\./)
  })

  it('warns of a disk that is slow now and then, and of no other', () => {
    expect(advice(0.2, { p99Ms: 8 })).toMatch(
      /One sync in a hundred takes 8\.00 ms or longer, the usual one 200 us\./,
    )
    expect(advice(0.2, { p99Ms: 1 })).not.toMatch(/One sync in a hundred/)
  })

  it('says whether the disk or the processor limits, and what batches bring', () => {
    expect(advice(0.2, { megabyteMs: 8 })).toMatch(
      /The disk is what limits this machine: the pool wrote 100 MB\/s of the 131 MB\/s/,
    )
    expect(advice(0.2, { megabyteMs: 1 })).toMatch(
      /The processor is what limits this machine: the pool wrote 100 MB\/s, and the disk takes 1,049 MB\/s\./,
    )
    expect(advice(0.2)).toMatch(
      /one by one, 5,000 commands a second became durable; in batches of 1,000, 1,000,000/,
    )
    expect(advice(0.2, { shards: 2 })).toMatch(/one by one, 8,000 commands a second/)
  })
})
