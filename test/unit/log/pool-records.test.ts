import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { InstrumentCatalog, poolRecordOf } from '#tidemark/cli/log/pool-records.js'
import { checkSnapshots, snapshotInstruments, usableSnapshot } from '#tidemark/cli/log/snapshots.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { inspectLogNow } from '#tidemark/log/tools/inspection.js'
import type { InspectedRecord } from '#tidemark/log/tools/inspection-report.js'
import { eventKinds } from '#tidemark/matching/index.js'
import { bitcoin, ether, limit, openPool } from '../../support/pools.js'
import { Random } from '../../support/random.js'
import { temporaryDirectory } from '../../support/temporary.js'

/** The records of a pool that has seen every kind of command, and its folder with a snapshot. */
async function sampleRecords(): Promise<{ dir: string; records: InspectedRecord[] }> {
  const dir = temporaryDirectory()
  const pool = await openPool({ dir, instruments: [bitcoin, ether] })
  for (let i = 1; i <= 20; i++) {
    await pool.submit({
      ...limit(i, i % 3 ? 'buy' : 'sell', String(90 + (i % 7)), '2'),
      displayQuantity: '1',
    })
    await pool.submit({
      ...limit(100 + i, 'buy', '80', '1'),
      timeInForce: 'GTD',
      expireTime: 1000 + i,
      requestId: i,
    })
  }
  await pool.submit({
    type: 'replace',
    symbol: 'BTC-USD',
    orderId: 1,
    quantity: '1',
    account: 1,
    requestId: 50,
  })
  await pool.submit({ type: 'reduce', symbol: 'BTC-USD', orderId: 2, quantity: '1' })
  await pool.submit({ type: 'expire', symbol: 'BTC-USD', time: 1010 })
  await pool.submit({ type: 'phase', symbol: 'ETH-USD', phase: 'halted' })
  await pool.submit({ type: 'cancel-all', account: 3 })
  await pool.checkpoint()
  await pool.close()
  const records: InspectedRecord[] = []
  inspectLogNow(new NodeDisk(), dir, {
    record: (record) => records.push({ ...record, payload: Uint8Array.from(record.payload) }),
  })
  return { dir, records }
}

/** The word at which the first trade of a record begins. */
function placeOfTrade(payload: Uint8Array): number | undefined {
  const words = new Int32Array(payload.buffer)
  let at = words[0]! >>> 18
  while (at < words.length && (words[at]! & 0xff) !== eventKinds.trade) at += words[at]! >>> 18
  return at < words.length ? at : undefined
}

describe('records of a log', () => {
  it('are known for what they are, and random or changed bytes are never decoded beyond their end', async () => {
    const { records } = await sampleRecords()
    const catalog = new InstrumentCatalog()
    for (const record of records) {
      const pool = poolRecordOf(record)
      expect(pool).toBeDefined()
      catalog.learn(pool!)
      expect(catalog.describe(pool!, record.lsn).command['type']).toBe(pool!.commandType)
    }
    let decoded = 0
    for (let seed = 1; seed <= 6000; seed++) {
      const random = new Random(seed)
      const record = records[random.int(records.length)]!
      const payload = seed % 5 === 0 ? random.bytes(8 * random.int(40)) : Uint8Array.from(record.payload)
      if (payload.byteLength === 0) continue
      for (let i = 0; i < 1 + random.int(3); i++) payload[random.int(payload.byteLength)] = random.int(256)
      const cut = random.int(4) === 0 ? payload.subarray(0, 8 * random.int(payload.byteLength / 8)) : payload
      const pool = poolRecordOf({ ...record, payload: cut })
      if (!pool) continue
      const other = new InstrumentCatalog()
      other.learn(pool)
      const text = JSON.stringify([catalog.describe(pool, record.lsn), other.describe(pool, record.lsn)])
      expect([seed, text.includes('NaN')]).toEqual([seed, false])
      decoded++
    }
    expect(decoded).toBeGreaterThan(1000)
  })

  it('are none when a record does not end in them, or lacks what its flags promise', async () => {
    const { records } = await sampleRecords()
    const plain = records.find(({ payload }) => payload[0] === 4 && payload[1] === 0)!
    const promising = Uint8Array.from(plain.payload)
    promising[1] = 16
    expect(poolRecordOf(plain)).toBeDefined()
    expect(poolRecordOf({ ...plain, payload: promising })).toBeUndefined()
    const trade = records.find(({ payload }) => placeOfTrade(payload) !== undefined)!
    expect(poolRecordOf(trade)).toBeDefined()
    const place = placeOfTrade(trade.payload)!
    const tradeBytes = (new Int32Array(trade.payload.buffer)[place]! >>> 18) * 4
    for (let bytes = 8; bytes < tradeBytes; bytes += 8) {
      const end = place * 4
      expect(poolRecordOf({ ...trade, payload: trade.payload.slice(0, end + bytes) })).toBeUndefined()
    }
  })

  it('of a snapshot that the pool removed meanwhile are none, and no failure', async () => {
    const { dir } = await sampleRecords()
    const snapshot = usableSnapshot(await checkSnapshots(dir), 0)!
    rmSync(snapshot.path)
    expect(snapshotInstruments(snapshot)).toBeUndefined()
  })

  it('of a snapshot with changed bytes are not used', async () => {
    const { dir } = await sampleRecords()
    const [valid] = await checkSnapshots(dir)
    const whole = readFileSync(valid!.path)
    expect(snapshotInstruments(usableSnapshot([valid!], 0)!)!.map(({ symbol }) => symbol)).toEqual([
      'BTC-USD',
      'ETH-USD',
    ])
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed)
      const bytes = Buffer.from(whole)
      const at = random.int(bytes.byteLength)
      bytes[at]! ^= 1 << random.int(8)
      writeFileSync(valid!.path, seed % 10 === 0 ? bytes.subarray(0, at) : bytes)
      const [checked] = await checkSnapshots(dir)
      expect([seed, checked!.reason === undefined]).toEqual([seed, false])
    }
    writeFileSync(path.join(dir, 'snapshot-00000000000000000008.snap'), whole)
    expect((await checkSnapshots(dir)).at(-1)!.reason).toContain('which is not its name')
  })
})
