import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Archive, archiveLog, compactArchive } from '#tidemark/archive/index.js'
import type { PoolEvent } from '#tidemark/pool/index.js'
import { openSmallPool, trade } from '../support/archived-pool.js'
import { duckdb, fileList, hasDuckDB } from '../support/duckdb.js'
import { eventsOf } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

type Row = Record<string, unknown>

/** A decimal as a database prints it, with the trailing zeros of 15 places: as the pool prints it on its grid. */
function sameDecimal(text: unknown): unknown {
  return typeof text === 'string' ? text.replace(/\.?0+$/, '') : text
}

/** What a row of `trades` or `order_events` must be, from what a subscriber got. */
function rowOf(event: PoolEvent): Row {
  const { lsn, index, timeUs, symbol, tag } = event
  const place = {
    lsn: String(lsn),
    event_index: index,
    time_us: String(timeUs),
    symbol,
    tag: tag === 0n ? null : String(tag),
  }
  if (event.event === 'trade') {
    return {
      ...place,
      trade_id: String(event.tradeId),
      price: sameDecimal(event.price),
      quantity: sameDecimal(event.quantity),
      taker_side: event.takerSide,
      maker_order_id: String(event.makerOrderId),
      taker_order_id: String(event.takerOrderId),
      maker_account: String(event.makerAccount),
      taker_account: String(event.takerAccount),
      maker_remaining: sameDecimal(event.makerRemaining),
      taker_remaining: sameDecimal(event.takerRemaining),
    }
  }
  const field = (name: string) => (event as unknown as Row)[name] ?? null
  const number = (name: string) => (field(name) === null || field(name) === 0 ? null : String(field(name)))
  return {
    ...place,
    event: event.event,
    order_id: number('orderId'),
    account: field('account') === null ? null : String(field('account')),
    side: field('side'),
    reason: field('reason') ?? field('code'),
    price: sameDecimal(field('price')),
    quantity: sameDecimal(field('quantity') ?? field('remaining')),
    filled: ['accepted', 'repeated'].includes(event.event) ? '0' : sameDecimal(field('filled')),
    order_type: field('orderType'),
    time_in_force: field('timeInForce'),
    stop_price: sameDecimal(field('stopPrice')),
    display_quantity: sameDecimal(field('displayQuantity')),
    post_only: field('postOnly'),
    expire_time_ms: number('expireTime'),
    self_trade_prevention: field('selfTradePrevention'),
  }
}

const decimals = [
  'price',
  'quantity',
  'filled',
  'stop_price',
  'display_quantity',
  'maker_remaining',
  'taker_remaining',
]

async function rowsOf(files: readonly string[], like: Row): Promise<Row[]> {
  const columns = Object.keys(like).map((name) => (name === 'time_us' ? 'epoch_us(time) AS time_us' : name))
  const sql = `SELECT ${columns.join(', ')} FROM read_parquet(${fileList(files)}, hive_partitioning = false) ORDER BY lsn, event_index`
  const rows = await duckdb(sql)
  for (const row of rows) for (const name of decimals) if (name in row) row[name] = sameDecimal(row[name])
  return rows
}

describe.skipIf(!hasDuckDB())('another program, DuckDB, reads an archive', () => {
  it('row by row what the log says, before and after a compaction', async () => {
    const pool = await openSmallPool()
    const dir = path.join(temporaryDirectory(), 'archive')
    await trade(pool, 7, 6000)
    const { endLsn, records } = await archiveLog({ log: pool.dir, archive: dir, kind: 'pool', partRows: 700 })
    const events = (await eventsOf(pool)).filter(({ lsn }) => lsn <= endLsn)
    const trades = events.filter(({ event }) => event === 'trade').map(rowOf)
    const others = events.filter(({ event }) => event !== 'trade').map(rowOf)
    expect(trades.length).toBeGreaterThan(500)

    const archive = await Archive.open({ dir })
    const check = async () => {
      expect(await rowsOf(archive.files('trades'), trades[0]!)).toEqual(trades)
      expect(await rowsOf(archive.files('order_events'), others[0]!)).toEqual(others)
      const [commands] = await duckdb(
        `SELECT count(*) AS n, count(DISTINCT lsn) AS lsns, max(lsn) AS last FROM read_parquet(${fileList(archive.files('commands'))})`,
      )
      expect(commands).toEqual({ n: String(records), lsns: String(records), last: String(endLsn) })
    }
    await check()
    const before = archive.stats()
    const report = await compactArchive({ archive: dir })
    expect(report).toMatchObject({ partsBefore: before.parts, partsAfter: 1 })
    await check()

    const [folders] = await duckdb(
      `SELECT count(*) AS n, count(DISTINCT date) AS days FROM read_parquet('${dir}/trades/*/*.parquet', hive_partitioning = true)`,
    )
    expect(folders).toMatchObject({ n: String(trades.length) })
    const types = await duckdb(`DESCRIBE SELECT * FROM read_parquet(${fileList(archive.files('trades'))})`)
    const typeOf = Object.fromEntries(types.map(({ column_name, column_type }) => [column_name, column_type]))
    expect(typeOf).toMatchObject({
      symbol: 'VARCHAR',
      time: 'TIMESTAMP WITH TIME ZONE',
      price: 'DECIMAL(38,15)',
      price_ticks: 'BIGINT',
      tag: 'UBIGINT',
    })
  })

  it('sorted by symbol and time, in row groups whose statistics say what is in them', async () => {
    const pool = await openSmallPool()
    const dir = path.join(temporaryDirectory(), 'archive')
    await trade(pool, 8, 4000)
    await archiveLog({ log: pool.dir, archive: dir, kind: 'pool' })
    const archive = await Archive.open({ dir })
    for (const table of ['trades', 'order_events', 'commands']) {
      for (const file of archive.files(table)) {
        const rows = await duckdb(`SELECT symbol, lsn FROM read_parquet('${file}')`)
        const sorted = [...rows].sort(
          (a, b) =>
            Buffer.compare(Buffer.from(String(a['symbol'])), Buffer.from(String(b['symbol']))) ||
            Number(a['lsn']) - Number(b['lsn']),
        )
        expect(rows).toEqual(sorted)
        const statistics = await duckdb(
          `SELECT path_in_schema, stats_min_value FROM parquet_metadata('${file}') WHERE path_in_schema IN ('symbol', 'time', 'lsn')`,
        )
        expect(statistics.map(({ stats_min_value }) => stats_min_value)).not.toContain(null)
      }
    }
  })
})
