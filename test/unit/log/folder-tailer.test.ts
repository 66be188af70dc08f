import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { DurableLog, FolderTailer, NodeDisk, RecordAssembler } from '#tidemark/log/index.js'
import { temporaryDirectory } from '../../support/temporary.js'

const text = (value: string) => new TextEncoder().encode(value)
/** Bytes of a segment's file before its first batch. */
const headerBytes = 4096

/** Reads a tailer, until it has nothing more to give; returns the LSNs of the records. */
async function take(tailer: FolderTailer, assembler: RecordAssembler): Promise<void> {
  for (let chunk = await tailer.next(); chunk; chunk = await tailer.next()) assembler.walk(chunk)
}

function collector(): { lsns: number[]; assembler: RecordAssembler } {
  const lsns: number[] = []
  return { lsns, assembler: new RecordAssembler({ visit: (_words, _from, _to, lsn) => void lsns.push(lsn) }) }
}

const segments = (dir: string) =>
  readdirSync(dir)
    .filter((name) => /^\d+\.wal$/.test(name))
    .sort()

describe('a tailer of a folder', () => {
  it('gives what is known to be synced, and the rest when a sync marker says that it is', async () => {
    const dir = temporaryDirectory()
    const log = await DurableLog.open({ dir })
    const written: number[] = []
    for (const word of ['one', 'two', 'three']) {
      written.push(log.append(text(word)))
      await log.waitDurable(written.at(-1)!)
    }
    await log.close()
    const last = written.at(-1)!
    const file = path.join(dir, segments(dir)[0]!)
    const whole = readFileSync(file)
    const after = whole.subarray(headerBytes + last)
    expect(after.some((byte) => byte !== 0)).toBe(true)
    const put = (bytes: Uint8Array) => {
      const handle = openSync(file, 'r+')
      writeSync(handle, bytes, 0, bytes.byteLength, headerBytes + last)
      closeSync(handle)
    }
    put(new Uint8Array(after.byteLength))
    const tailer = new FolderTailer(new NodeDisk(), dir, 0)
    const { lsns, assembler } = collector()
    await take(tailer, assembler)
    expect(lsns).toEqual(written.slice(0, -1))
    expect(tailer.writtenLsn).toBe(last)
    put(after)
    await take(tailer, assembler)
    expect(lsns).toEqual(written)
    tailer.close()
  })

  it('follows a log through rotations, and from opening to opening, within a moment', async () => {
    const dir = temporaryDirectory()
    let log = await DurableLog.open({
      dir,
      segmentBytes: 64 * 1024,
      ringBytes: 64 * 1024,
      maxBatchBytes: 8192,
    })
    const tailer = new FolderTailer(new NodeDisk(), dir, 0)
    const { lsns, assembler } = collector()
    const written: number[] = []
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 30; i++) {
        const lsn = log.append(new Uint8Array(100 + ((round * 37 + i * 101) % 3000)))
        written.push(lsn)
        await log.waitDurable(lsn)
        if (i % 7 === 0) await take(tailer, assembler)
      }
      if (round === 3) {
        await log.close()
        log = await DurableLog.open({
          dir,
          segmentBytes: 64 * 1024,
          ringBytes: 64 * 1024,
          maxBatchBytes: 8192,
        })
      }
    }
    expect(segments(dir).length).toBeGreaterThan(3)
    for (let triesLeft = 100; lsns.length < written.length && triesLeft > 0; triesLeft--) {
      await setTimeout(20)
      await take(tailer, assembler)
    }
    expect(lsns).toEqual(written)
    await log.close()
    tailer.close()
  })

  it('says where the log begins when what comes next was removed', async () => {
    const dir = temporaryDirectory()
    const log = await DurableLog.open({
      dir,
      segmentBytes: 64 * 1024,
      ringBytes: 64 * 1024,
      maxBatchBytes: 8192,
    })
    for (let i = 0; i < 40; i++) await log.waitDurable(log.append(new Uint8Array(4000)))
    await log.close()
    const tailer = new FolderTailer(new NodeDisk(), dir, 0)
    rmSync(path.join(dir, segments(dir)[0]!))
    const firstLsn = Number.parseInt(segments(dir)[0]!, 10)
    await expect(tailer.next()).rejects.toMatchObject({ code: 'TIDEMARK_BAD_LSN', details: { firstLsn } })
    tailer.close()
    expect(() => new FolderTailer(new NodeDisk(), dir, 0)).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_BAD_LSN' }),
    )
  })
})
