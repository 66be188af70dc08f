import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BenchmarkSource } from '#tidemark/cli/inputs/benchmark-source.js'
import { InputFile } from '#tidemark/cli/inputs/input-file.js'
import { recogniseFormat } from '#tidemark/cli/inputs/input-format.js'
import { JsonLinesSource } from '#tidemark/cli/inputs/json-lines-source.js'
import { inexactNumber } from '#tidemark/cli/inputs/json-numbers.js'
import { LineReader, lineCharsMax } from '#tidemark/cli/inputs/line-reader.js'
import { RecordedBatch, recordedTarget } from './recorded-batch.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-inputs-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function open(content: string | Buffer, name = `input-${files++}`): Promise<InputFile> {
  const file = path.join(folder, name)
  writeFileSync(file, content)
  return InputFile.open(file)
}

async function linesOf(content: string | Buffer) {
  const reader = new LineReader(await open(content))
  const lines: (string | undefined)[] = []
  for (;;) {
    if (reader.needsMore) await reader.more()
    const line = reader.take()
    if (line === null) return lines
    lines.push(line)
  }
}

describe('an input file', () => {
  it('is unpacked when it is gzip, by content and not by name', async () => {
    const file = await open(gzipSync('{"a":1}\n'), 'plain.txt')
    expect(file.head.toString()).toBe('{"a":1}\n')
  })

  it('that is missing, a folder or cut-off gzip is a bad input with a reason', async () => {
    const missing = path.join(folder, 'missing')
    await expect(InputFile.open(missing)).rejects.toMatchObject({
      exitCode: 3,
      message: `Could not read ${missing}: no such file or directory.`,
    })
    await expect(InputFile.open(folder)).rejects.toMatchObject({ exitCode: 3 })
    const packed = gzipSync(Buffer.alloc(100_000, 'abc'))
    const file = open(packed.subarray(0, packed.length - 20))
    await expect(file.then(async (it) => [await it.next(), await it.next()])).rejects.toMatchObject({
      exitCode: 3,
    })
  })
})

describe('lines', () => {
  it('end with LF or CRLF, the last one with nothing, and a BOM is no part of them', async () => {
    expect(await linesOf('\uFEFFa\r\n\nb\nc')).toEqual(['a', '', 'b', 'c'])
    expect(await linesOf('a\n')).toEqual(['a'])
    expect(await linesOf('')).toEqual([])
  })

  it('come whole out of many chunks, characters of several bytes too', async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => `${i} äöü €`)
    expect(await linesOf(lines.join('\n'))).toEqual(lines)
  })

  it('that are too long are left out, and the next one is there', async () => {
    expect(await linesOf(`a\n${'x'.repeat(lineCharsMax + 1)}\nb`)).toEqual(['a', undefined, 'b'])
  })
})

describe('recognising a format', () => {
  const formatOf = async (content: string | Buffer, name?: string) =>
    recogniseFormat(await open(content, name))

  it('goes by content', async () => {
    expect(await formatOf('\n {"type":"cancel"}')).toBe('commands')
    expect(await formatOf('34200.01,1,5,18,5853300,-1\n')).toBe('lobster')
  })

  it('goes by name where the content says nothing', async () => {
    expect(await formatOf('garbage\n{}', 'a.jsonl')).toBe('commands')
  })

  it('fails on a text in no known format, and names the known ones', async () => {
    await expect(formatOf('hello')).rejects.toMatchObject({ exitCode: 3, message: /no known format/ })
    await expect(formatOf('')).rejects.toMatchObject({ exitCode: 3, message: /is empty/ })
  })
})

describe('numbers in JSON', () => {
  it('are found, with their field, when a double cannot hold them as they are written', () => {
    for (const [line, field, token] of [
      ['{"p":9007199254740993}', 'p', '9007199254740993'],
      ['{"p" : 1.00000000000000001}', 'p', '1.00000000000000001'],
      ['{"p":0.1,"q":0.12345678901234567890}', 'q', '0.12345678901234567890'],
      ['{"p":"q\\":","r":[9007199254740993]}', 'r', '9007199254740993'],
    ] as const) {
      expect(inexactNumber(line)).toEqual({ field, token })
    }
  })

  it('are taken as they are when they are exact, or inside a string', () => {
    for (const line of [
      '{"p":0.1,"q":64000.01,"r":9007199254740991}',
      '{"p":"9007199254740993","q":"a\\"9007199254740993"}',
      '{"p":100000000000000000000,"q":1.50000000000000000000,"r":0.000000000000000001}',
    ]) {
      expect(inexactNumber(line)).toBeUndefined()
    }
  })
})

describe('commands as JSON lines', () => {
  it('are refused one by one, with line and code, and their indexes count refused ones', async () => {
    const lines = [
      '{"type":"cancel","symbol":"A","orderId":1}',
      '',
      'nonsense',
      '[]',
      '{"type":"cancel","symbol":"A","orderId":9007199254740993}',
      '{"type":"cancel","symbol":"A","orderId":2,"tag":99}',
    ]
    const source = new JsonLinesSource(await open(lines.join('\n')))
    const batch = new RecordedBatch()
    source.begin(recordedTarget(['A']))
    expect(await source.fill(batch.asBatch, 100)).toBe(false)
    expect(batch.calls).toEqual([
      ['add', { type: 'cancel', symbol: 'A', orderId: 1, tag: 0 }],
      ['add', { type: 'cancel', symbol: 'A', orderId: 2, tag: 4 }],
    ])
    expect(source.refusals.kept.map(({ line, code }) => [line, code])).toEqual([
      [3, 'TIDEMARK_BAD_JSON'],
      [4, 'TIDEMARK_BAD_JSON'],
      [5, 'TIDEMARK_INEXACT_NUMBER'],
    ])
    expect(source.refusals.total).toBe(3)
  })

  it('with a number that is not exact say how that field may be written', async () => {
    const lines = [
      '{"type":"cancel","symbol":"A","orderId":9007199254740993}',
      '{"type":"reduce","symbol":"A","orderId":1,"quantity":0.12345678901234567890}',
    ]
    const source = new JsonLinesSource(await open(lines.join('\n')))
    source.begin(recordedTarget(['A']))
    await source.fill(new RecordedBatch().asBatch, 100)
    const [id, quantity] = source.refusals.kept
    expect(id!.message).toMatch(/^orderId 9007199254740993 .*; use a whole number up to 9007199254740991\.$/)
    expect(quantity!.message).toMatch(/^quantity 0\.12345678901234567890 .*; write it as a string\.$/)
  })

  it('keep their order around an instrument, which goes by itself', async () => {
    const cancel = (orderId: number) => `{"type":"cancel","symbol":"A","orderId":${orderId}}`
    const instrument = '{"type":"instrument","symbol":"B","tickSize":"1","lotSize":"1"}'
    const source = new JsonLinesSource(await open([cancel(1), instrument, cancel(2)].join('\n')))
    const submitted: unknown[] = []
    const batch = new RecordedBatch()
    source.begin(recordedTarget(['A'], submitted))
    expect(await source.fill(batch.asBatch, 100)).toBe(true)
    expect([batch.length, submitted.length]).toEqual([1, 0])
    batch.clear()
    expect(await source.fill(batch.asBatch, 100)).toBe(false)
    expect(submitted).toEqual([{ type: 'instrument', symbol: 'B', tickSize: '1', lotSize: '1', tag: 1 }])
    expect(batch.calls.at(-1)).toEqual(['add', { type: 'cancel', symbol: 'A', orderId: 2, tag: 2 }])
  })
})

describe('the benchmark form', () => {
  const header = (count: number) => {
    const bytes = Buffer.alloc(16)
    bytes.writeBigUInt64LE(0x4d4542575f303031n, 0)
    bytes.writeUInt32LE(1, 8)
    bytes.writeUInt32LE(count, 12)
    return bytes
  }
  const message = (
    type: number,
    side: number,
    ioc: number,
    quantity: number,
    sequence: number,
    orderId: number,
    price: number,
  ) => {
    const bytes = Buffer.alloc(40)
    bytes.writeUInt8(type, 0)
    bytes.writeUInt8(side, 1)
    bytes.writeUInt8(ioc, 2)
    bytes.writeUInt32LE(quantity, 4)
    bytes.writeBigUInt64LE(BigInt(sequence), 8)
    bytes.writeBigUInt64LE(BigInt(orderId), 16)
    bytes.writeBigInt64LE(BigInt(price), 24)
    return bytes
  }

  it('is recognised, and read message by message', async () => {
    const content = Buffer.concat([
      header(4),
      message(0, 1, 0, 88, 0, 814347, 33721),
      message(0, 0, 1, 5, 1, 2 ** 40, 7),
      message(1, 0, 0, 0, 2, 814347, 0),
      message(2, 0, 0, 3, 3, 9, 12),
    ])
    const file = await open(content)
    expect(recogniseFormat(file)).toBe('matching-engine-benchmark')
    const source = new BenchmarkSource(file)
    const seen: number[][] = []
    source.onMessage = (sequence, type) => seen.push([sequence, type])
    source.begin(recordedTarget(['BENCHMARK']))
    const batch = new RecordedBatch()
    expect(await source.fill(batch.asBatch, 100)).toBe(false)
    expect(batch.calls).toEqual([
      ['new', 0, 814347, 1, 1, 0, 0, 33721, 88, 0],
      ['new', 0, 2 ** 40, 1, 0, 0, 1, 7, 5, 1],
      ['cancel', 0, 814347, 2, 1],
      ['replace', 0, 9, 12, 3, 3, 1],
    ])
    expect(seen).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 2],
    ])
  })

  it('that ends early says after which message', async () => {
    const source = new BenchmarkSource(await open(Buffer.concat([header(2), message(1, 0, 0, 0, 0, 1, 0)])))
    source.begin(recordedTarget(['BENCHMARK']))
    await expect(source.fill(new RecordedBatch().asBatch, 100)).rejects.toMatchObject({
      exitCode: 3,
      message: /ends after 1 of 2 messages/,
    })
  })
})
