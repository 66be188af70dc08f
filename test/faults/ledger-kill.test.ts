import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { type DepositCommand, Ledger, type TransferCommand } from '#tidemark/ledger/index.js'
import { decodeRecord } from '#tidemark/ledger/records.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { decodeCommand, decodeEvents, MatchingEngine, RecordBuffer } from '#tidemark/matching/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { wordsOf } from '#tidemark/pool/shard/replay.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { readRecords } from '../support/inline-log.js'
import { ledgerAssets } from '../support/ledger-flow.mjs'
import { NaiveLedger } from '../support/naive-ledger.js'
import { Random } from '../support/random.js'
import { root } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

const kills = faultCount('ledger-kill', { short: 3, full: 200 })
/** Each folder is killed so often, so that recovered ledgers are killed as well. */
const killsAFolder = 4
const venue = 0xffff_ffff
const ledgerRecord = 2

interface Acknowledged {
  readonly call: 'deposit' | 'withdraw' | 'transfer'
  readonly command: DepositCommand | TransferCommand
  readonly lsn: number
}

/** Runs a child that sends and says what is acknowledged, and kills it after a random number of that. */
async function runAndKill(dir: string, seed: number, life: number): Promise<Acknowledged[]> {
  const random = new Random(seed)
  const child = spawn(process.execPath, [`${root}/test/support/ledger-child.mjs`], {
    cwd: root,
    env: {
      ...process.env,
      DIR: dir,
      SEED: String(seed),
      SHARDS: String(1 + random.int(2)),
      IN_FLIGHT: String([1, 20, 100][random.int(3)]!),
      LIFE: String(life),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let left = 1 + random.int(150)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    left -= chunk.split('\n').length - 1
    if (left <= 0) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const lines = output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)
  return lines.map((line) => JSON.parse(line))
}

/** All balances of a log, by maps and BigInts from its first record on, and what the open orders of its end hold. */
function foldNaively(
  dir: string,
  firstLsn: number,
  endLsn: number,
): { naive: NaiveLedger; held: Map<string, bigint> } {
  const units = ['AAA', 'BBB'].map((base) => ({ base, quote: 'USD', lot: 100n, step: 100n }))
  const naive = new NaiveLedger(new Map(units.entries()), venue)
  const engine = new MatchingEngine()
  const recomputed = new RecordBuffer()
  let rates = { maker: 0n, taker: 0n, auction: 0n, caps: new Map<string, bigint>() }
  naive.rates = () => rates
  const nameOf = (asset: number) => ledgerAssets[asset]!.id
  for (const record of readRecords(new NodeDisk(), firstLsn, endLsn, dir)) {
    if (record.type === ledgerRecord) {
      const own = decodeRecord(record.payload)
      if (own.op === 'fees')
        rates = { ...rates, maker: BigInt(own.maker), taker: BigInt(own.taker), auction: BigInt(own.auction) }
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
  return { naive, held: naive.holds(engine, 1) }
}

async function check(dir: string, acknowledged: readonly Acknowledged[], label: string): Promise<void> {
  const pool = await EnginePool.open({ dir })
  try {
    const { firstLsn } = pool.recovery
    const ledger = await Ledger.open({ pool, assets: [] })
    const { naive, held } = foldNaively(dir, firstLsn, ledger.lsn)
    const cents = (text: string) => BigInt(text.replace('.', ''))
    for (const account of [...Array.from({ length: 10 }, (_, i) => i + 1), venue])
      for (const { asset, total, held: holds } of ledger.balances(account).balances) {
        const key = `${account}/${asset}`
        expect([cents(total), cents(holds)], `${label}, ${key}`).toEqual([
          naive.balances.get(key) ?? 0n,
          held.get(key) ?? 0n,
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
  } finally {
    await pool.close()
  }
}

describe('a process with a ledger, killed at any moment', () => {
  it(`has every balance of a naive fold of its log, and executes no key twice (${kills} kills)`, async () => {
    let acknowledgedInAll = 0
    let killed = 0
    for (const folder of faultCases(Math.ceil(kills / killsAFolder))) {
      const dir = temporaryDirectory()
      const acknowledged: Acknowledged[] = []
      for (let life = 1; life <= killsAFolder; life++) {
        const seed = folder * killsAFolder + life
        if (seed > kills) break
        acknowledged.push(...(await runAndKill(dir, seed, life)))
        await check(dir, acknowledged, `seed ${seed}`)
        killed++
      }
      acknowledgedInAll += acknowledged.length
    }
    if (killed > 0) expect(acknowledgedInAll).toBeGreaterThan(killed)
  }, 36_000_000)
})
