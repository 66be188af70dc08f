import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { parquetPackages } from '#tidemark/archive/packages.js'
import { ByteSink } from '#tidemark/archive/parquet/byte-sink.js'
import { ByteSource } from '#tidemark/archive/parquet/byte-source.js'
import { ChunkCheck } from '#tidemark/archive/parquet/chunk-check.js'
import { decompressorOf, decompressors } from '#tidemark/archive/parquet/compression.js'
import { Decimals } from '#tidemark/archive/parquet/decimals.js'
import {
  deltaMax,
  readDeltas,
  readHybrid,
  writeDeltas,
  writeHybrid,
} from '#tidemark/archive/parquet/encodings.js'
import { ParquetFile } from '#tidemark/archive/parquet/read-file.js'
import { FileWriter } from '#tidemark/archive/parquet/write-file.js'
import * as columns from '#tidemark/archive/tables/columns.js'
import { NodeDisk } from '#tidemark/log/index.js'
import { Random } from '../../support/random.js'
import { temporaryDirectory } from '../../support/temporary.js'

const source = (sink: ByteSink) => {
  const from = new ByteSource()
  from.reset(sink.written.slice())
  return from
}

describe('the packing of numbers', () => {
  it('is undone without a difference, for every width, runs and remainders', () => {
    const random = new Random(1)
    let checked = 0
    for (let width = 0; width <= 24; width++) {
      for (const count of [0, 1, 7, 8, 9, 31, 100, 257]) {
        const values = Array.from({ length: count }, (_, i) => {
          // Runs of some lengths, which begin at any place.
          const seed = random.int(3) === 0 ? random.next() : Math.floor(i / 11) / 100
          return Math.floor((seed % 1) * 2 ** width)
        })
        const sink = new ByteSink()
        writeHybrid(sink, values, count, width)
        const found = new Float64Array(count)
        const from = source(sink)
        readHybrid(from, found, count, width)
        expect(Array.from(found), `width ${width}, ${count} values`).toEqual(values)
        expect(from.left).toBe(0)
        checked++
      }
    }
    for (let bits = 0; bits <= 52; bits++) {
      for (const count of [0, 1, 2, 33, 128, 129, 130, 400]) {
        const values = Float64Array.from({ length: count }, () => Math.floor(random.next() * 2 ** bits))
        if (count > 2) values.set([deltaMax, 0, deltaMax])
        const sink = new ByteSink()
        writeDeltas(sink, values, count)
        const found = new Float64Array(count)
        readDeltas(source(sink), found, count)
        expect(found, `${bits} bits, ${count} values`).toEqual(values)
        checked++
      }
    }
    expect(checked).toBeGreaterThan(500)
  })
})

const names = [undefined, 'buy', 'sell', 'ünï']
const table = columns.table('trades', {
  symbol: columns.key,
  plain: columns.integer,
  maybe: columns.optional(columns.integer),
  never: columns.optional(columns.integer),
  index: columns.int32,
  time: columns.time,
  tag: columns.unsigned,
  few: columns.unsigned,
  text: columns.text,
  word: columns.text,
  value: columns.double,
  flag: columns.flag,
  side: columns.name(names),
  reason: columns.optional(columns.name(names)),
  price: columns.decimal('maybe', 'price'),
  lsn: columns.integer,
})
const texts = {
  text: (_column: string, key: number) => (key < 2 ? 'AAA' : `Ü${key}`),
  grid: (key: number) => (key === 0 ? { mantissa: 5, scale: 2 } : { mantissa: 1, scale: 0 }),
}

function setWide(rows: columns.RowSet, name: string, row: number, value: bigint): void {
  rows.setWide(name, row, Number(value & 0xffff_ffffn), Number(value >> 32n))
}

/** Rows with every kind of column, and numbers at the edges of what each takes. */
function someRows(seed: number, count: number): columns.RowSet {
  const random = new Random(seed)
  const rows = new columns.RowSet(table)
  const large = [0, 1, deltaMax, deltaMax + 1, Number.MAX_SAFE_INTEGER]
  for (let i = 0; i < count; i++) {
    const row = rows.add(random.int(4))
    const { numbers, others } = rows
    numbers['plain']![row] = seed % 2 === 0 ? random.int(1000) : large[random.int(large.length)]!
    if (random.int(2)) numbers['maybe']![row] = 1 + random.int(seed % 3 === 0 ? 5 : 1_000_000)
    numbers['index']![row] = random.int(2) ? random.int(5) : 2 ** 31 - 1
    numbers['time']![row] = 1_700_000_000_000_000 + i * 1000 + random.int(2000)
    if (random.int(3))
      setWide(rows, 'tag', row, random.int(2) ? 2n ** 64n - 1n - BigInt(random.int(9)) : BigInt(i))
    if (random.int(3)) setWide(rows, 'few', row, BigInt(random.int(3)) * (seed === 3 ? 2n ** 51n : 2n ** 62n))
    if (random.int(4)) others['text']![row] = ['', 'é', `own-${i}`, '🙂'][random.int(4)]!
    if (random.int(4)) others['word']![row] = ['one', '', 'ñandú'][random.int(3)]!
    if (random.int(5)) numbers['value']![row] = [0, -0, 1.5, -1e300, Number.POSITIVE_INFINITY][random.int(5)]!
    if (random.int(3)) numbers['flag']![row] = random.int(2)
    numbers['side']![row] = 1 + random.int(3)
    if (random.int(9) === 0) numbers['reason']![row] = 1 + random.int(3)
    numbers['lsn']![row] = 8 * i
  }
  return rows
}

/** What a row says, in the form in which the package that reads Parquet gives it. */
function expected(rows: columns.RowSet, place: number): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (const { name, kind, names: of } of table.columns) {
    const number = rows.numbers[name]?.[place]
    const there = number !== undefined && !Number.isNaN(number)
    if (kind === 'key') row[name] = texts.text(name, rows.keys[place]!)
    else if (kind === 'text') row[name] = rows.others[name]![place] ?? null
    else if (kind === 'unsigned')
      row[name] = there ? (BigInt(rows.highs[name]![place]!) << 32n) | BigInt(number) : null
    else if (kind === 'name') row[name] = (there && of![number]) || null
    else if (kind === 'flag') row[name] = there ? number === 1 : null
    else if (kind === 'integer' || kind === 'time') row[name] = there ? BigInt(number) : null
    else if (kind !== 'decimal') row[name] = there ? number : null
  }
  return row
}

async function write(rows: columns.RowSet, dir: string) {
  const packages = await parquetPackages()
  const writer = new FileWriter(packages, new NodeDisk(), texts)
  const [places] = rows.daysSorted(texts).values()
  const { file, entry } = await writer.write(dir, '.', 'rows.parquet', rows, places!)
  file.publish('rows.parquet')
  return { places: places!, entry, packages }
}

describe('a file of an archive', () => {
  it('is read by the package as the rows that were written, of every kind and at the edges of each', async () => {
    let read = 0
    for (const [seed, count] of [
      [1, 1],
      [2, 300],
      [3, 2000],
      [4, 20_001],
    ] as const) {
      const dir = temporaryDirectory()
      const rows = someRows(seed, count)
      const { places, entry } = await write(rows, dir)
      const bytes = readFileSync(path.join(dir, 'rows.parquet'))
      expect(entry.rows).toBe(count)
      const found = await parquetReadObjects({
        file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
        compressors: decompressors,
        parsers: { timestampFromMicroseconds: (us: bigint) => us as unknown as Date },
      })
      expect(found).toHaveLength(count)
      for (const [i, place] of places.entries()) {
        const { price, ...row } = found[i]!
        expect(row).toEqual(expected(rows, place))
        const ticks = rows.numbers['maybe']![place]!
        const unit = rows.keys[place] === 0 ? 0.05 : 1
        if (Number.isNaN(ticks)) expect(price).toBeNull()
        else expect(price).toBeCloseTo(ticks * unit, 6)
        read++
      }
    }
    expect(read).toBe(22_302)
  })

  it('is found to differ in the row and column in which the log says something else', async () => {
    const dir = temporaryDirectory()
    const rows = someRows(6, 500)
    const { places, packages } = await write(rows, dir)
    const file = new ParquetFile(packages, new NodeDisk(), path.join(dir, 'rows.parquet'))
    const bytes = file.all()
    const [group] = (await file.end()).groups
    file.close()
    const check = new ChunkCheck(texts, new Decimals(texts), decompressorOf(packages))
    const differing = () =>
      table.columns.flatMap((column, i) => {
        const row = check.firstDifference(bytes, group!.group.columns[i]!.meta_data!, column, rows, places)
        return row === undefined ? [] : [`${column.name} ${row}`]
      })
    expect(differing()).toEqual([])
    let changed = 0
    for (const { name, kind } of table.columns) {
      if (kind === 'key' || kind === 'decimal') continue
      for (const at of [0, 250, 499]) {
        const place = places[at]!
        const values: (string | undefined)[] | Float64Array = rows.others[name] ?? rows.numbers[name]!
        const before = values[place]
        const others = kind === 'text' ? ['x', undefined] : [3, Number.NaN]
        for (const other of others) {
          if (Object.is(other, before)) continue
          // A flag is one or the other.
          if (kind === 'flag' && other === 3) continue
          values[place] = other as never
          // The decimal of these ticks is another too.
          expect(differing(), `${name} of row ${at}`).toEqual(
            name === 'maybe' ? [`${name} ${at}`, `price ${at}`] : [`${name} ${at}`],
          )
          values[place] = before as never
          changed++
        }
      }
    }
    expect(changed).toBeGreaterThan(60)
    expect(differing()).toEqual([])
    rows.keys[places[499]!] = 77
    expect(differing()).toContain('symbol 499')
  })
})
