import { expect } from 'vitest'
import type { DepositCommand, Ledger, LimitsCommand, TransferCommand } from '#tidemark/ledger/index.js'
import { decodeRecord } from '#tidemark/ledger/records.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { decodeCommand, decodeEvents, MatchingEngine, RecordBuffer } from '#tidemark/matching/index.js'
import { wordsOf } from '#tidemark/pool/shard/replay.js'
import { readRecords } from './inline-log.js'
import { ledgerAssets } from './ledger-flow.mjs'
import { NaiveLedger } from './naive-ledger.js'

const venue = 0xffff_ffff
const ledgerRecord = 2

/** A command of the ledger with the LSN of its receipt. */
export interface Acknowledged {
  readonly call: 'deposit' | 'withdraw' | 'transfer' | 'setLimits'
  readonly command: DepositCommand | TransferCommand | LimitsCommand
  readonly lsn: number
}

/** All balances of a log, by maps and BigInts from its first record on, and what the open orders of its end hold. */
function foldNaively(
  dir: string,
  firstLsn: number,
  endLsn: number,
  label: string,
): { naive: NaiveLedger; held: Map<string, bigint>; credits: Map<string, bigint> } {
  const units = ['AAA', 'BBB'].map((base) => ({ base, quote: 'USD', lot: 100n, step: 100n }))
  const naive = new NaiveLedger(new Map(units.entries()), venue)
  const engine = new MatchingEngine()
  const recomputed = new RecordBuffer()
  let rates = { maker: 0n, taker: 0n, auction: 0n, caps: new Map<string, bigint>() }
  naive.rates = () => rates
  const keys = new Set<string>()
  const credits = new Map<string, bigint>()
  const nameOf = (asset: number) => ledgerAssets[asset]!.id
  for (const record of readRecords(new NodeDisk(), firstLsn, endLsn, dir)) {
    if (record.type === ledgerRecord) {
      const own = decodeRecord(record.payload, record.lsn)
      if ('key' in own) {
        expect(keys.has(own.key), `${label}, ${own.key} is there twice`).toBe(false)
        keys.add(own.key)
      }
      if (own.op === 'fees')
        rates = { ...rates, maker: BigInt(own.maker), taker: BigInt(own.taker), auction: BigInt(own.auction) }
      else if (own.op === 'limits')
        credits.set(`${own.account}/${nameOf(own.asset!)}`, BigInt(own.credit ?? 0))
      else if (own.op === 'transfer') {
        naive.add(own.account, nameOf(own.asset), -BigInt(own.units))
        naive.add(own.to, nameOf(own.asset), BigInt(own.units))
      } else if (own.op === 'deposit' || own.op === 'withdraw') {
        const units = own.op === 'deposit' ? BigInt(own.units) : -BigInt(own.units)
        naive.deposit(own.account, nameOf(own.asset), units)
      }
      continue
    }
    const words = wordsOf(record)
    recomputed.reset()
    engine.apply(words, 0, recomputed)
    naive.record(decodeCommand(words, 0)!, decodeEvents(words, 0, words.length))
  }
  naive.holds(engine, 0)
  return { naive, held: naive.holds(engine, 1), credits }
}

/** A ledger of the random flow has what its log says, and every command that was acknowledged, once. Nothing may be on its way. */
export async function expectOwnLog(
  ledger: Ledger,
  log: { readonly dir: string; readonly firstLsn: number },
  acknowledged: readonly Acknowledged[],
  label: string,
): Promise<void> {
  const { naive, held, credits } = foldNaively(log.dir, log.firstLsn, ledger.lsn, label)
  const cents = (text: string) => BigInt(text.replace('.', ''))
  for (const account of [...Array.from({ length: 10 }, (_, i) => i + 1), venue])
    for (const { asset, total, held: holds, credit = '0' } of ledger.balances(account).balances) {
      const key = `${account}/${asset}`
      expect([cents(total), cents(holds), cents(credit)], `${label}, ${key}`).toEqual([
        naive.balances.get(key) ?? 0n,
        held.get(key) ?? 0n,
        credits.get(key) ?? 0n,
      ])
    }
  for (const { asset, total, deposited } of ledger.totals().assets)
    expect([total, cents(total)], `${label}, ${asset}`).toEqual([deposited, naive.supply.get(asset) ?? 0n])
  const before = JSON.stringify(ledger.totals())
  for (const { call, command, lsn } of acknowledged) {
    const receipt = await ledger[call](command as never)
    expect(receipt, `${label}, ${command.key} again`).toEqual({ lsn, key: command.key, repeated: true })
  }
  expect(JSON.stringify(ledger.totals()), label).toBe(before)
}
