import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { DurableLog, LogProducer } from '#tidemark/log/index.js'
import { root } from '../../support/run-script.js'
import { temporaryDirectory } from '../../support/temporary.js'

// Built from docs/wal-format.md alone: nothing of the log's own code makes these bytes.
const epoch = Buffer.from('0123456789abcdef', 'hex')

function header(firstLsn: bigint, previous: bigint): Buffer {
  const block = Buffer.alloc(4096)
  block.write('TIDEMARK', 0, 'latin1')
  block.writeUInt16LE(2, 8)
  block.writeUInt32LE(1, 12)
  epoch.copy(block, 16)
  block.writeBigUInt64LE(firstLsn, 24)
  block.writeBigUInt64LE(previous, 32)
  if (previous !== 2n ** 64n - 1n) epoch.copy(block, 40)
  block.writeBigUInt64LE(1_700_000_000_000_000n, 48)
  block.writeUInt32LE(262_144, 56)
  block.write('by-hand', 60, 'latin1')
  block.writeUInt32LE(crc32(block.subarray(0, 76)), 76)
  block.copy(block, 2048, 0, 80)
  return block
}

function record(type: number, flags: number, payload: string): Buffer {
  const bytes = Buffer.alloc((8 + payload.length + 7) & ~7)
  bytes.writeUInt32LE(8 + payload.length, 0)
  bytes[4] = type
  bytes[5] = flags
  bytes.write(payload, 8, 'latin1')
  return bytes
}

function batch(lsn: number, synced: number, ...records: Buffer[]): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(32), ...records])
  bytes.writeUInt32LE(bytes.byteLength, 0)
  bytes.writeUInt16LE(records.length, 8)
  bytes.writeUInt16LE(3, 10)
  bytes.writeUInt32LE((lsn - synced) / 8, 12)
  bytes.writeBigUInt64LE(BigInt(lsn), 16)
  bytes.writeBigUInt64LE(1_700_000_000_000_001n, 24)
  const seed = crc32(epoch)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 32), crc32(bytes.subarray(32), seed)), 4)
  return bytes
}

describe('a log built by hand from the format page', () => {
  it('opens, and its records are read back', async () => {
    const dir = path.join(temporaryDirectory(), 'log')
    mkdirSync(dir)
    const first = batch(0, 0, record(1, 0, 'first'), record(7, 0x20, '12345678'), record(239, 0, ''))
    writeFileSync(
      path.join(dir, '00000000000000000000.wal'),
      Buffer.concat([header(0n, 2n ** 64n - 1n), first, Buffer.alloc(999)]),
    )
    const second = [
      batch(72, 72, record(1, 0x01, 'a record in ')),
      batch(128, 72, record(1, 0x03, 'three ')),
      batch(176, 72, record(1, 0x02, 'batches')),
      batch(224, 224),
    ]
    writeFileSync(path.join(dir, '00000000000000000072.wal'), Buffer.concat([header(72n, 0n), ...second]))

    await expect(DurableLog.open({ dir })).rejects.toMatchObject({ code: 'TIDEMARK_LOG_KIND' })
    const log = await DurableLog.open({ dir, kind: 'by-hand' })
    const records = []
    for await (const record of log.reader({ to: log.durableLsn })) records.push(record)
    expect(
      records.map(({ lsn, type, flags, payload }) => [lsn, type, flags, Buffer.from(payload).toString()]),
    ).toEqual([
      [48, 1, 0, 'first'],
      [64, 7, 0x20, '12345678'],
      [72, 239, 0, ''],
      [224, 1, 0, 'a record in three batches'],
    ])
    expect(records[0]!.timestampUs).toBe(1_700_000_000_000_001)
    expect(log.recovery).toMatchObject({ firstLsn: 0, endLsn: 256, tornTail: undefined })
    await log.close()
  })

  it('of format 1 is refused by its name, with nothing changed', async () => {
    const dir = path.join(temporaryDirectory(), 'log')
    mkdirSync(dir)
    const block = header(0n, 2n ** 64n - 1n).fill(0, 60)
    block.writeUInt16LE(1, 8)
    block.writeUInt32LE(crc32(block.subarray(0, 64)), 64)
    block.copy(block, 2048, 0, 68)
    const file = path.join(dir, '00000000000000000000.wal')
    writeFileSync(file, block)
    await expect(DurableLog.open({ dir })).rejects.toMatchObject({
      code: 'TIDEMARK_LOG_FORMAT',
      details: { found: 1, supported: 2 },
    })
    expect(readFileSync(file).equals(block)).toBe(true)
  })
})

const python = spawnSync('python3', ['--version']).status === 0

describe.skipIf(!python)('the reader in Python of the format page', () => {
  it('prints every record of a log, across segments and in pieces', async () => {
    const page = readFileSync(path.join(root, 'docs/wal-format.md'), 'utf8')
    const script = path.join(temporaryDirectory(), 'reader.py')
    writeFileSync(script, /```python\n([\s\S]*?)```/.exec(page)![1]!)
    const dir = path.join(temporaryDirectory(), 'log')
    const log = await DurableLog.open({ dir, ringBytes: 65_536, segmentBytes: 65_536, maxBatchBytes: 4096 })
    const producer = new LogProducer(log.memory, log.producerHandle().producerId)
    const expected: string[] = []
    const note = (lsn: number, type: number, payload: Buffer) =>
      expected.push(`${lsn} ${type} ${payload.toString('hex')}`)
    for (let i = 0; i < 120; i++) {
      const payload = Buffer.alloc(i % 30 === 7 ? 9000 + i : i * 5, i)
      const lsn = producer.append(1 + i, 0, payload)
      note(lsn, 1 + i, payload)
      const together = [1, 2, 3].map((n) => Buffer.alloc(n * 8, n))
      const end = log.appendBatch(together, 200)
      note(end - 56, 200, together[0]!)
      note(end - 32, 200, together[1]!)
      note(end, 200, together[2]!)
      await log.waitDurable(end)
    }
    await log.close()
    const { status, stdout, stderr } = spawnSync('python3', [script, dir], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout.trim().split('\n')).toEqual(expected)
  })
})
