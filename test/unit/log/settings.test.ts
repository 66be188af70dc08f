import { describe, expect, it } from 'vitest'
import { resolveLogSettings, spinSetting } from '#tidemark/log/settings.js'
import { resolvePoolSettings } from '#tidemark/pool/settings.js'

describe('settings', () => {
  it('come from options, then the environment, then the preset, then the default', () => {
    const environment = { TIDEMARK_BATCH_SIZE: '7', TIDEMARK_PRESET: 'highThroughput' }
    expect(resolveLogSettings({}, {})).toMatchObject({ batchSize: 1, batchDelayMs: 0, durability: 'group' })
    expect(resolveLogSettings({ preset: 'balanced' }, {})).toMatchObject({ batchSize: 100, batchDelayMs: 10 })
    expect(resolveLogSettings({}, environment)).toMatchObject({ batchSize: 7, batchDelayMs: 50 })
    expect(resolveLogSettings({ batchSize: 9, preset: 'balanced' }, environment)).toMatchObject({
      batchSize: 9,
      batchDelayMs: 10,
    })
  })

  it.each([
    ['TIDEMARK_BATCH_SIZE', '0'],
    ['TIDEMARK_BATCH_SIZE', '1000001'],
    ['TIDEMARK_BATCH_SIZE', '2.5'],
    ['TIDEMARK_BATCH_SIZE', 'many'],
    ['TIDEMARK_BATCH_DELAY_MS', '-1'],
    ['TIDEMARK_BATCH_DELAY_MS', '10001'],
    ['TIDEMARK_DURABILITY', 'maybe'],
    ['TIDEMARK_PRESET', 'fast'],
    ['TIDEMARK_RING_BYTES', '1000'],
    ['TIDEMARK_SEGMENT_BYTES', '100'],
    ['TIDEMARK_SPIN_US', '-1'],
    ['TIDEMARK_SPIN_US', '1001'],
    ['TIDEMARK_SPIN_US', '0.5'],
  ])('refuse %s=%s and name the variable, the value and what is allowed', (variable, value) => {
    expect(() => resolveLogSettings({}, { [variable]: value })).toThrowError(
      expect.objectContaining({ code: 'TIDEMARK_BAD_SETTING', message: expect.stringContaining(variable) }),
    )
    expect(() => resolveLogSettings({}, { [variable]: value })).toThrowError(value.replace('"', ''))
  })

  it('take their limits at the edge', () => {
    expect(resolveLogSettings({ batchSize: 1_000_000, batchDelayMs: 10_000 }, {})).toMatchObject({
      batchSize: 1_000_000,
      batchDelayMs: 10_000,
    })
    expect(() => resolveLogSettings({ batchSize: 1_000_001 }, {})).toThrowError(/batchSize is 1000001/)
  })

  it('of spinning take 0 to 1,000 microseconds, options before the environment', () => {
    expect(resolveLogSettings({ spinUs: 1000 }, {}).spinUs).toBe(1000)
    expect(resolveLogSettings({ spinUs: 0 }, { TIDEMARK_SPIN_US: '20' }).spinUs).toBe(0)
    expect(resolveLogSettings({}, { TIDEMARK_SPIN_US: '20' }).spinUs).toBe(20)
    expect(resolvePoolSettings({ dir: '/d' }, { TIDEMARK_SPIN_US: '20' }).spinUs).toBe(20)
    expect(() => resolveLogSettings({ spinUs: 1001 }, {})).toThrowError(/spinUs is 1001/)
    expect(() => resolvePoolSettings({ dir: '/d', spinUs: 0.5 }, {})).toThrowError(/spinUs is 0\.5/)
  })

  it('have threads spin only where there are more processors than busy threads', () => {
    const spins = (busyThreads: number, processors: number) =>
      spinSetting(undefined, {}, busyThreads, processors) > 0
    expect([1, 2, 3, 4].map((processors) => spins(3, processors))).toEqual([false, false, false, true])
    expect(spins(2, 2)).toBe(false)
    expect(spinSetting(7, {}, 3, 1)).toBe(7)
  })

  it('of the pool need a folder, and 1 to 64 shards', () => {
    expect(resolvePoolSettings({}, { TIDEMARK_DIR: '/d', TIDEMARK_SHARDS: '3' })).toMatchObject({
      dir: '/d',
      shards: 3,
    })
    expect(resolvePoolSettings({ dir: '/d', shards: 64 }, {}).shards).toBe(64)
    expect(() => resolvePoolSettings({}, {})).toThrowError(/TIDEMARK_DIR/)
    expect(() => resolvePoolSettings({ dir: '/d' }, { TIDEMARK_SHARDS: '65' })).toThrowError(
      /TIDEMARK_SHARDS is "65"/,
    )
    expect(() => resolvePoolSettings({ dir: '/d', shards: 0 }, {})).toThrowError(/shards is 0/)
    expect(() => resolvePoolSettings({ dir: '/d', maxInFlight: 0 }, {})).toThrowError(/maxInFlight is 0/)
  })
})
