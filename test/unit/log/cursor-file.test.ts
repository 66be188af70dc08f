import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type CursorRecord,
  createCursorFile,
  cursorPath,
  isCursorName,
  readCursorFiles,
  removeCursorFile,
  writeCursorFile,
} from '#tidemark/log/tools/cursor-file.js'
import { temporaryDirectory } from '../../support/temporary.js'

const record = (sequence: number, lsn: number, name = 'risk'): CursorRecord => ({
  name,
  state: 'valid',
  lsn,
  sequence,
  writtenUs: 1_700_000_000_000_000 + sequence,
})

async function written(...records: CursorRecord[]): Promise<string> {
  const dir = temporaryDirectory()
  await createCursorFile(dir, records[0]!)
  for (const next of records.slice(1)) await writeCursorFile(dir, next)
  return dir
}

describe('a cursor file', () => {
  it('holds the last record written, in a place of its own beside the one before', async () => {
    const last = { ...record(3, 2 ** 40), state: 'invalidated' as const }
    const dir = await written(record(1, 8), record(2, 16), last)
    expect(readdirSync(dir)).toEqual(['cursor-risk.cur'])
    expect(await readCursorFiles(dir)).toEqual([
      { name: 'risk', path: cursorPath(dir, 'risk'), record: last, reason: undefined, empty: false },
    ])
    await removeCursorFile(dir, 'risk')
    expect(await readCursorFiles(dir)).toEqual([])
  })

  it('has the bytes that its page says', async () => {
    const dir = await written(record(1, 8), record(2, 4096))
    const bytes = readFileSync(cursorPath(dir, 'risk'))
    expect(bytes.byteLength).toBe(8192)
    for (const [at, sequence, lsn] of [
      [4096, 1, 8],
      [0, 2, 4096],
    ] as const) {
      expect(bytes.toString('latin1', at, at + 8)).toBe('TIDECURS')
      expect(bytes.readUInt32LE(at + 8)).toBe(1)
      expect(bytes.readUInt32LE(at + 12)).toBe(1)
      expect(bytes.readBigUInt64LE(at + 16)).toBe(BigInt(sequence))
      expect(bytes.readBigUInt64LE(at + 24)).toBe(BigInt(lsn))
      expect(bytes.readBigUInt64LE(at + 32)).toBe(1_700_000_000_000_000n + BigInt(sequence))
      expect(bytes.readUInt32LE(at + 40)).toBe(4)
      expect(bytes.toString('latin1', at + 44, at + 49)).toBe('risk\0')
    }
  })

  it('torn at any byte, or with any bit of a slot flipped, gives the record before, and never another', async () => {
    const dir = await written(record(1, 800), record(2, 1600))
    const file = cursorPath(dir, 'risk')
    const before = readFileSync(file)
    await writeCursorFile(dir, record(3, 2400))
    const after = readFileSync(file)
    for (let torn = 0; torn <= 112; torn++) {
      const content = Buffer.from(before)
      after.copy(content, 4096, 4096, 4096 + torn)
      writeFileSync(file, content)
      const [found] = await readCursorFiles(dir)
      expect(found!.record?.lsn, `torn at ${torn}`).toBe(after.equals(content) ? 2400 : 1600)
    }
    for (let bit = 0; bit < 112 * 8; bit++) {
      const content = Buffer.from(after)
      content[4096 + (bit >> 3)]! ^= 1 << (bit & 7)
      writeFileSync(file, content)
      const [found] = await readCursorFiles(dir)
      expect(found!.record?.lsn, `bit ${bit}`).toBe(1600)
    }
  })

  it('without a valid slot, of another format or name, or too short is damaged, with the reason', async () => {
    const dir = await written(record(1, 800))
    const file = cursorPath(dir, 'risk')
    const valid = readFileSync(file)
    const reasonOf = async (content: Buffer) => {
      writeFileSync(file, content)
      const [found] = await readCursorFiles(dir)
      expect(found).toMatchObject({ name: 'risk', record: undefined })
      return found!.reason
    }
    expect(await reasonOf(Buffer.alloc(0))).toMatch(/short/)
    expect(await reasonOf(Buffer.alloc(8192))).toMatch(/neither slot/)
    const flipped = Buffer.from(valid)
    flipped[4096 + 30]! ^= 4
    expect(await reasonOf(flipped)).toBeDefined()
    writeFileSync(cursorPath(dir, 'other'), valid)
    const other = (await readCursorFiles(dir)).find(({ name }) => name === 'other')
    expect(other).toMatchObject({ record: undefined, reason: expect.stringContaining('"risk"') })
  })

  it('whose name is no cursor file is left alone', async () => {
    const dir = temporaryDirectory()
    for (const name of [
      'cursor-.cur',
      'cursor-a b.cur',
      'cursor-a.tmp',
      'cursor.cur',
      `cursor-${'a'.repeat(65)}.cur`,
    ])
      writeFileSync(`${dir}/${name}`, 'mine')
    expect(await readCursorFiles(dir)).toEqual([])
  })
})

describe('a name of a cursor', () => {
  it('has 1 to 64 plain characters', () => {
    for (const name of ['a', '0', 'risk', 'Market-Data_2.v1', 'a'.repeat(64)])
      expect(isCursorName(name), name).toBe(true)
    for (const name of [
      '',
      '.a',
      '-a',
      '_a',
      'a/b',
      '../a',
      'a b',
      'ä',
      'a\0',
      'a'.repeat(65),
      7,
      undefined,
      null,
    ])
      expect(isCursorName(name), String(name)).toBe(false)
  })
})
