import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  Archive,
  archiveLog,
  compactArchive,
  type FactorValue,
  verifyArchive,
} from '#tidemark/archive/index.js'
import { FactorPersister, factorContentVersion } from '#tidemark/factors/index.js'
import { DurableLog } from '#tidemark/log/index.js'
import { collect } from '../support/archived-pool.js'
import { duckdb, fileList, hasDuckDB } from '../support/duckdb.js'
import { temporaryDirectory } from '../support/temporary.js'

type Sent = Pick<FactorValue, 'instrument' | 'factor' | 'value' | 'timestamp'>

/** A session of a persister: vectors of series whose numbers begin anew. Returns each value that was sent. */
async function session(dir: string, instruments: readonly string[], from: number): Promise<Sent[]> {
  const log = await DurableLog.open({ dir, kind: 'factors', contentVersion: factorContentVersion })
  const persister = new FactorPersister(log)
  const sent: Sent[] = []
  for (let i = 0; i < 300; i++) {
    const instrument = instruments[i % instruments.length]!
    const factors = instrument === 'ETH' ? ['rsi'] : ['ma5', 'rsi']
    const values = factors.map((_, j) => (i < 4 ? Number.NaN : i * 0.1 + j))
    await persister.persistVector(persister.series(instrument, factors), values, from + i)
    for (const [j, factor] of factors.entries())
      sent.push({ instrument, factor, value: i < 4 ? undefined : values[j], timestamp: from + i })
  }
  await log.rotate()
  await persister.shutdown()
  await log.close()
  return sent
}

const inOrder = (rows: readonly Sent[]) =>
  rows
    .map(({ instrument, factor, value, timestamp }) =>
      JSON.stringify([instrument, factor, timestamp, value ?? null]),
    )
    .sort()

describe('an archive of factors', () => {
  it('has every value of every session, by instrument and factor, also for DuckDB, and is compared with the log', async () => {
    const [dir, archive] = [temporaryDirectory(), path.join(temporaryDirectory(), 'archive')]
    const first = await session(dir, ['BTC', 'ETH'], 1000)
    await archiveLog({ log: dir, archive, kind: 'factors', partRows: 50 })
    const second = await session(dir, ['ETH', 'SOL', 'BTC'], 5000)
    await archiveLog({ log: dir, archive, kind: 'factors', partRows: 50 })
    const sent = [...first, ...second]
    const check = async () => {
      const open = await Archive.open({ dir: archive })
      expect(inOrder(await collect(open.factorValues()))).toEqual(inOrder(sent))
      const rsi = await collect(open.factorValues({ instrument: 'ETH', factor: 'rsi' }))
      const expected = sent.filter(({ instrument, factor }) => instrument === 'ETH' && factor === 'rsi')
      expect(rsi.map(({ timestamp, value }) => [timestamp, value])).toEqual(
        expected.map(({ timestamp, value }) => [timestamp, value]),
      )
      const found = await verifyArchive({ archive, log: dir })
      expect(found).toMatchObject({ problems: [], rows: sent.length, comparedRows: sent.length })
      if (!hasDuckDB()) return
      const files = fileList(open.files('factor_values'))
      const rows = await duckdb(`SELECT instrument, factor, time_value, value FROM read_parquet(${files})`)
      const read = rows.map((row) => ({ ...row, timestamp: row['time_value'] }) as unknown as Sent)
      expect(inOrder(read)).toEqual(inOrder(sent))
    }
    await check()
    await compactArchive({ archive })
    await check()
    // What is not archived yet is read from the log, as another process may.
    const third = await session(dir, ['XRP', 'BTC'], 9000)
    const beside = await Archive.open({ dir: archive, log: dir })
    expect(inOrder(await collect(beside.factorValues()))).toEqual(inOrder([...sent, ...third]))
    const late = await collect(beside.factorValues({ instrument: 'XRP', factor: 'ma5' }))
    expect(late.map(({ timestamp }) => timestamp)).toEqual(
      third
        .filter(({ instrument, factor }) => instrument === 'XRP' && factor === 'ma5')
        .map((one) => one.timestamp),
    )
  })
})
