import { mkdirSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import { temporaryDirectory } from '../../support/temporary.js'

// Built from docs/wal-format.md alone: nothing of the log's own code makes these bytes.
const epoch = Buffer.from('0123456789abcdef', 'hex')

function header(firstLsn: bigint, previous: bigint, previousBytes: Buffer): Buffer {
  const block = Buffer.alloc(4096)
  block.write('TIDEMARK', 0, 'latin1')
  block.writeUInt32LE(1, 8)
  block.writeUInt32LE(1, 12)
  epoch.copy(block, 16)
  block.writeBigUInt64LE(firstLsn, 24)
  block.writeBigUInt64LE(previous, 32)
  if (previous !== 2n ** 64n - 1n) epoch.copy(block, 40)
  block.writeBigUInt64LE(1_700_000_000_000_000n, 48)
  block.writeUInt32LE(262_144, 56)
  block.writeUInt32LE(crc32(previousBytes), 60)
  block.writeUInt32LE(crc32(block.subarray(0, 64)), 64)
  block.copy(block, 2048, 0, 68)
  return block
}

function frame(lsn: number, synced: number, type: number, flags: number, payload: Buffer): Buffer {
  const length = 32 + payload.byteLength
  const bytes = Buffer.alloc((length + 7) & ~7)
  bytes.writeUInt32LE(length, 0)
  bytes[8] = type
  bytes[9] = flags
  bytes.writeUInt16LE(3, 10)
  bytes.writeUInt32LE((lsn - synced) / 8, 12)
  bytes.writeBigUInt64LE(BigInt(lsn), 16)
  bytes.writeBigUInt64LE(1_700_000_000_000_001n, 24)
  payload.copy(bytes, 32)
  const seed = crc32(epoch)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 32), crc32(payload, seed)), 4)
  return bytes
}

describe('a log built by hand from the format page', () => {
  it('opens, and its records are read back', async () => {
    const dir = path.join(temporaryDirectory(), 'log')
    mkdirSync(dir)
    const first = [frame(0, 0, 1, 0, Buffer.from('first')), frame(40, 0, 7, 0x20, Buffer.from('12345678'))]
    writeFileSync(
      path.join(dir, '00000000000000000000.wal'),
      Buffer.concat([header(0n, 2n ** 64n - 1n, Buffer.alloc(0)), ...first, Buffer.alloc(999)]),
    )
    const second = [
      frame(80, 80, 1, 0x01, Buffer.from('a group in ')),
      frame(128, 80, 1, 0, Buffer.from('two frames')),
      frame(176, 176, 255, 0, Buffer.alloc(0)),
    ]
    writeFileSync(
      path.join(dir, '00000000000000000080.wal'),
      Buffer.concat([header(80n, 0n, Buffer.concat(first)), ...second]),
    )

    const log = await DurableLog.open({ dir })
    const records = []
    for await (const record of log.reader({ to: log.durableLsn })) records.push(record)
    expect(
      records.map(({ lsn, type, flags, payload }) => [lsn, type, flags, Buffer.from(payload).toString()]),
    ).toEqual([
      [40, 1, 0, 'first'],
      [80, 7, 0x20, '12345678'],
      [176, 1, 0, 'a group in two frames'],
    ])
    expect(records[0]!.timestampUs).toBe(1_700_000_000_000_001)
    expect(log.recovery).toMatchObject({
      firstLsn: 0,
      endLsn: 208,
      tornTail: undefined,
    })
    await log.close()
  })
})
