import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readLedgerSnapshot, writeLedgerSnapshot } from '#tidemark/ledger/snapshot.js'
import { digestOf, isSameDigest, type Keys } from '#tidemark/ledger/state/keys.js'
import { LedgerState } from '#tidemark/ledger/state/ledger-state.js'
import { NodeDisk } from '#tidemark/log/index.js'
import { InstrumentRegistry, listLedgerFiles } from '#tidemark/pool/index.js'
import { temporaryDirectory } from '../../support/temporary.js'

const record = (i: number) =>
  ({ op: 'deposit', key: `wire ${i}`, account: i, asset: 0, units: String(i) }) as const
const keysMax = 20_000

function expectAll(keys: Keys): void {
  expect(keys.image().keyLsn).toHaveLength(keysMax)
  for (let i = 0; i < keysMax; i++) {
    const known = keys.find(`wire ${i}`)
    if (known?.lsn !== 8 * i || !isSameDigest(known.digest, digestOf(record(i)))) expect(known).toBe(i)
    if (isSameDigest(known!.digest, digestOf({ ...record(i), units: '-1' }))) expect.fail(`another ${i}`)
  }
  expect(keys.find('wire')).toBeUndefined()
}

describe('the keys of a ledger', () => {
  it('are all known, with what they were given to, also out of a snapshot, in which each takes 32 bytes', async () => {
    const dir = temporaryDirectory()
    const registry = new InstrumentRegistry(1)
    const bytes: number[] = []
    for (const count of [0, keysMax]) {
      const state = new LedgerState(registry)
      state.lsn = 8 + count
      for (let i = 0; i < count; i++) state.keys.add(`wire ${i}`, 8 * i, digestOf(record(i)))
      if (count > 0) expectAll(state.keys)
      await writeLedgerSnapshot(dir, state.image())
      bytes.push(statSync(listLedgerFiles(new NodeDisk(), dir)[0]!.path).size)
    }
    expect((bytes[1]! - bytes[0]!) / keysMax).toBeCloseTo(32, 1)
    const { keys } = (await readLedgerSnapshot(dir, registry))!
    expectAll(keys)
    keys.add('one more', 7, digestOf(record(0)))
    expect(keys.find('one more')?.lsn).toBe(7)
    expect(keys.find('wire 1')?.lsn).toBe(8)
  })

  it('are known out of a snapshot of before, which has them one by one', async () => {
    const dir = temporaryDirectory()
    const registry = new InstrumentRegistry(1)
    const { facts, arrays } = new LedgerState(registry).image()
    const digest = createHash('sha256')
      .update(JSON.stringify(record(1)))
      .digest('base64url')
      .slice(0, 16)
    const cells = Object.fromEntries(Object.entries(arrays).filter(([name]) => !name.startsWith('key')))
    const older = { facts: { ...facts, keys: [['wire 1', 8, digest]] }, arrays: cells }
    await writeLedgerSnapshot(dir, older as never)
    const known = (await readLedgerSnapshot(dir, registry))!.keys.find('wire 1')
    expect(known?.lsn).toBe(8)
    expect(isSameDigest(known!.digest, digestOf(record(1)))).toBe(true)
  })
})
