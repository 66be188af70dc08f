import { openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readLedgerSnapshot, writeLedgerSnapshot } from '#tidemark/ledger/snapshot.js'
import { LedgerState } from '#tidemark/ledger/state/ledger-state.js'
import { NodeDisk } from '#tidemark/log/index.js'
import { InstrumentRegistry } from '#tidemark/pool/index.js'
import { temporaryDirectory } from '../../support/temporary.js'

const registry = new InstrumentRegistry(1)

/** A ledger at an LSN, with so many accounts. */
function ledgerWith(accounts: number, lsn: number): LedgerState {
  const state = new LedgerState(registry)
  state.assets.add({ id: 'USD', scale: 2 })
  state.supply.push(BigInt(accounts))
  state.lsn = lsn
  for (let account = 0; account < accounts; account++) {
    const cell = state.cells.of(account, 0)
    state.cells.balance[cell] = 1n
  }
  return state
}

describe('a snapshot of a ledger', () => {
  it('is read as it was written, with or without orders and accounts', async () => {
    const dir = temporaryDirectory()
    for (const accounts of [0, 1, 5000]) {
      const { facts, arrays } = ledgerWith(accounts, 8 + accounts * 8).image()
      await writeLedgerSnapshot(dir, { facts, arrays })
      expect((await readLedgerSnapshot(dir, registry))?.image()).toEqual({ facts, arrays })
    }
  })

  it('is read from the version before, which had no last prices, and from no other', async () => {
    const dir = temporaryDirectory()
    const { facts, arrays } = ledgerWith(3, 8).image()
    const { lastPrices, ...older } = facts
    expect(lastPrices).toEqual([])
    await writeLedgerSnapshot(dir, { facts: older, arrays })
    const file = path.join(dir, readdirSync(dir)[0]!)
    const bytes = readFileSync(file)
    for (const version of [2, 1, 6]) {
      bytes.writeUInt32LE(version, 8)
      writeFileSync(file, bytes)
      if (version === 2) expect((await readLedgerSnapshot(dir, registry))?.image()).toEqual({ facts, arrays })
      else
        await expect(readLedgerSnapshot(dir, registry)).rejects.toMatchObject({
          code: version === 1 ? 'TIDEMARK_LEDGER_DAMAGED' : 'TIDEMARK_LOG_FORMAT',
        })
    }
  })

  it('of a version that does not say when fees were set is read when there were none', async () => {
    const dir = temporaryDirectory()
    const state = ledgerWith(3, 8)
    state.fees.set(undefined, undefined, { maker: 1, taker: 2, auction: 3, caps: new Map() }, 8)
    await writeLedgerSnapshot(dir, state.image())
    const file = path.join(dir, readdirSync(dir)[0]!)
    const bytes = readFileSync(file)
    expect((await readLedgerSnapshot(dir, registry))?.fees.at(0, 1, 16)).toMatchObject({ taker: 2 })
    bytes.writeUInt32LE(3, 8)
    writeFileSync(file, bytes)
    await expect(readLedgerSnapshot(dir, registry)).rejects.toMatchObject({ code: 'TIDEMARK_LEDGER_DAMAGED' })
  })

  it('is read where a checkpoint removes the one that was found, because there are newer ones', async () => {
    const dir = temporaryDirectory()
    await writeLedgerSnapshot(dir, ledgerWith(3, 8).image())
    const [older] = readdirSync(dir)
    await writeLedgerSnapshot(dir, ledgerWith(3, 16).image())
    const [, newer] = readdirSync(dir)
    renameSync(path.join(dir, newer!), path.join(dir, 'aside'))
    const open = vi.spyOn(NodeDisk.prototype, 'open')
    onTestFinished(() => open.mockRestore())
    open.mockImplementationOnce((file) => {
      renameSync(path.join(dir, 'aside'), path.join(dir, newer!))
      rmSync(file)
      return openSync(file, 'r')
    })
    expect((await readLedgerSnapshot(dir, registry))?.lsn).toBe(16)
    expect(readdirSync(dir)).not.toContain(older)
  })

  it('is passed over when a byte of it is another one, and reported when no other is whole', async () => {
    const dir = temporaryDirectory()
    for (const lsn of [8, 16]) await writeLedgerSnapshot(dir, ledgerWith(3, lsn).image())
    const damage = (name: string) => {
      const file = path.join(dir, name)
      const bytes = readFileSync(file)
      bytes[bytes.length - 3]! ^= 1
      writeFileSync(file, bytes)
    }
    const [older, newer] = readdirSync(dir).sort()
    damage(newer!)
    expect((await readLedgerSnapshot(dir, registry))?.lsn).toBe(8)
    damage(older!)
    await expect(readLedgerSnapshot(dir, registry)).rejects.toMatchObject({ code: 'TIDEMARK_LEDGER_DAMAGED' })
  })
})
