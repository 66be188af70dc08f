import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { recommendBatch, recommendPreset, type ThroughputPoint } from '#tidemark/cli/bench/bench-run.js'
import { benchTables } from '#tidemark/cli/bench/tables.js'
import { tidemark, tidemarkProcess } from '../support/cli.js'

const folders: string[] = []

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-test-'))
  folders.push(folder)
  return folder
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

describe('tidemark bench', () => {
  it('measures disk, throughput and latency, recommends a setting, prints tables, and leaves no file', async () => {
    const dir = newFolder()
    const { code, stdout, stderr } = await tidemarkProcess([
      'bench',
      '--quick',
      '--dir',
      dir,
      '--shards',
      '2',
      '--json',
      '--no-progress',
    ])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const result = JSON.parse(stdout)
    expect(result.disk.map(({ bytes }: { bytes: number }) => bytes)).toEqual([128, 4096, 65_536, 1_048_576])
    for (const { latency } of result.disk) expect(latency.count).toBeGreaterThan(0)
    const points = result.throughput as ThroughputPoint[]
    expect(points.map(({ handover, shards, perBatch }) => `${handover} ${shards} ${perBatch}`)).toEqual(
      [1, 2].flatMap((shards) => [
        `submit ${shards} 1`,
        ...[1, 10, 100, 1000, 10_000].map((batch) => `batch ${shards} ${batch}`),
      ]),
    )
    for (const { commandsPerSecond, commandsPerFlush, logBytesPerCommand } of points) {
      expect(commandsPerSecond).toBeGreaterThan(0)
      expect(commandsPerFlush).toBeGreaterThan(0)
      expect(logBytesPerCommand).toBeGreaterThan(32)
    }
    expect(result.tradesPerCommand).toBeGreaterThan(0.05)
    expect(result.latency).toHaveLength(9)
    for (const { latency } of result.latency) expect(latency.count).toBeGreaterThan(0)
    expect(result.recommended).toEqual({
      ...recommendBatch(points),
      preset: recommendPreset(result.presets),
    })
    expect(result.advice.join('\n')).toMatch(/^A sync takes .+limits this machine/s)
    expect(readdirSync(dir)).toEqual([])
    const tables = benchTables(result, result.advice)
    expect(tables).toMatch(/^Node v\d+/)
    expect(tables).toMatch(/submitBatch of 10,000 +1 /)
    expect(tables).toMatch(/\nWhat this means\n\n {2}A sync takes /)
    expect(tables).toMatch(
      /Recommended here: hand over about [\d,]+ commands? at a time to \d shards?.*preset \w+\.$/,
    )
  })

  it('names a folder that it cannot make', async () => {
    const { code, stdout, stderr } = await tidemark(['bench', '--quick', '--dir', '/proc/nowhere'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^Could not create \/proc\/nowhere: .+\.\n$/)
  })

  it('refuses a number of shards that a pool does not take', async () => {
    const { code, stderr } = await tidemark(['bench', '--shards', '65'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/--shards.*from 1 to 64/)
  })
})

describe('the recommendation', () => {
  const point = (shards: number, perBatch: number, commandsPerSecond: number): ThroughputPoint => ({
    handover: 'batch',
    shards,
    perBatch,
    commandsPerSecond,
    commandsPerFlush: 1,
    logBytesPerCommand: 100,
  })

  it('is the fewest shards and the smallest batch within a tenth of the best', () => {
    const points = [point(1, 10, 80), point(1, 100, 91), point(1, 1000, 100), point(2, 10, 101)]
    expect(recommendBatch(points)).toEqual({ shards: 1, perBatch: 100, commandsPerSecond: 91 })
  })

  it('leaves out submit, which has no batches', () => {
    const points = [{ ...point(1, 1, 200), handover: 'submit' as const }, point(1, 10, 100)]
    expect(recommendBatch(points).perBatch).toBe(10)
  })

  it('prefers the preset that waits least, unless another is more than a tenth faster', () => {
    const points = (lowLatency: number, balanced: number) => [
      { preset: 'lowLatency' as const, commandsPerSecond: lowLatency },
      { preset: 'balanced' as const, commandsPerSecond: balanced },
    ]
    expect(recommendPreset(points(95, 100))).toBe('lowLatency')
    expect(recommendPreset(points(80, 100))).toBe('balanced')
  })
})
