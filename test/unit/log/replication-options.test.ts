import { describe, expect, it } from 'vitest'
import { type ReplicationOptions, resolveReplication } from '#tidemark/log/replication/options.js'

const engine = { name: 'nowhere', module: 'file:///nowhere.js', options: {} }
const log = { maxBatchBytes: 64 * 1024, durability: 'group' }
const options: ReplicationOptions = { log: engine, pool: 'a' }
const MiB = 1024 * 1024

describe('the options of replication', () => {
  it('have defaults', () => {
    expect(resolveReplication(options, log)).toEqual({
      engine,
      pool: 'a',
      ack: 'replicated',
      entryBytes: 256 * 1024,
      inFlight: 8,
      windowBytes: 128 * MiB,
      leaseMs: 2000,
      closeMs: 5000,
    })
    expect(resolveReplication(options, { ...log, maxBatchBytes: MiB }).entryBytes).toBe(MiB)
  })

  it('are held to their limits', () => {
    const bounds: [keyof ReplicationOptions, number, number][] = [
      ['entryBytes', 64 * 1024, MiB],
      ['inFlight', 1, 64],
      ['windowBytes', MiB, 64 * 1024 * MiB],
      ['leaseMs', 500, 600_000],
      ['closeMs', 0, 2 ** 31 - 1],
    ]
    for (const [name, min, max] of bounds) {
      for (const value of [min, max]) {
        expect(resolveReplication({ ...options, [name]: value }, log)).toMatchObject({ [name]: value })
      }
      for (const value of [min - 1, max + 1, min + 0.5, String(min), null, Number.NaN]) {
        expect(() => resolveReplication({ ...options, [name]: value }, log)).toThrowError(
          expect.objectContaining({
            code: 'TIDEMARK_BAD_SETTING',
            details: { setting: `replication.${name}`, value },
          }),
        )
      }
    }
  })

  it('are refused when they are others, or of another kind', () => {
    const bad: [object, string][] = [
      [{ ...options, polo: 1 }, 'polo'],
      [{ ...options, ack: 'remote' }, 'replication.ack'],
      [{ ...options, pool: 'A' }, 'pool'],
      [{ ...options, pool: 'a'.repeat(65) }, 'pool'],
      [{ ...options, pool: '' }, 'pool'],
      [{ ...options, pool: undefined }, 'pool'],
      [{ ...options, log: undefined }, 'replication.log'],
      [{ ...options, log: 'etcd' }, 'replication.log'],
      [{ ...options, log: { name: 'x' } }, 'replication.log'],
      [{ ...options, log: { ...engine, options: { onError: () => {} } } }, 'replication.log'],
    ]
    for (const [given, setting] of bad) {
      expect(() => resolveReplication(given as ReplicationOptions, log)).toThrowError(
        expect.objectContaining({
          code: 'TIDEMARK_BAD_SETTING',
          details: expect.objectContaining({ setting }),
        }),
      )
    }
    expect(() => resolveReplication(null as unknown as ReplicationOptions, log)).toThrowError('null')
    // Batches that no entry can have would end the log when the first of them is shipped.
    expect(() => resolveReplication(options, { ...log, maxBatchBytes: MiB + 8 })).toThrowError(
      expect.objectContaining({
        code: 'TIDEMARK_BAD_SETTING',
        details: { setting: 'maxBatchBytes', value: MiB + 8 },
      }),
    )
    expect(() => resolveReplication(options, { ...log, durability: 'unsafeNone' })).toThrowError('synced')
    expect(resolveReplication({ ...options, pool: 'a'.repeat(64) }, log).pool).toHaveLength(64)
  })
})
