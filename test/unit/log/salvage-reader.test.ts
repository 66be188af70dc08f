import { describe, expect, it } from 'vitest'
import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { SalvageReader } from '#tidemark/log/index.js'
import { damage, sampleLog, segmentPaths } from '../../support/damaged-log.js'
import { inlineDirectory, reopen } from '../../support/inline-log.js'

async function salvaged(reader: SalvageReader) {
  const records = []
  for await (const record of reader) records.push(record)
  return records
}

describe('opening a log for salvage', () => {
  it('gives the records of a valid log as a reader gives them, and skips nothing', async () => {
    const { disk, lsns } = sampleLog()
    const reader = new SalvageReader(inlineDirectory, { disk })
    expect(reader.damage).toBeUndefined()
    const records = await salvaged(reader)
    expect(records.map(({ lsn }) => lsn)).toEqual(lsns)
    expect([reader.skipped, reader.damage]).toEqual([[], []])
    const payloads = records.map(({ payload }) => Buffer.from(payload).toString('hex'))
    const read = reopen(disk).records
    expect(payloads).toEqual(read.map(({ payload }) => Buffer.from(payload).toString('hex')))
  })

  it('leaves no file open when the loop is left early', async () => {
    const { disk } = sampleLog()
    disk.calls.length = 0
    for await (const _record of new SalvageReader(inlineDirectory, { disk })) break
    const count = (call: string) => disk.calls.filter((made) => made.startsWith(`${call} `)).length
    expect(count('open')).toBeGreaterThan(0)
    expect(count('close')).toBe(count('open'))
  })

  it('continues after damage, lists what it skipped, and writes nothing', async () => {
    const { disk, lsns } = sampleLog()
    const [file] = segmentPaths(disk) as [string]
    damage(disk, file, (content) => {
      content[segmentHeaderBytes + lsns[3]! + 40]! ^= 1
      content[segmentHeaderBytes + lsns[9]! + 40]! ^= 1
      return content
    })
    const before = disk
      .list(inlineDirectory)
      .map((name) => [name, disk.contentOf(`${inlineDirectory}/${name}`)])
    const reader = new SalvageReader(inlineDirectory, { disk })
    const records = await salvaged(reader)
    const lost = new Set([lsns[4], lsns[10]])
    expect(records.map(({ lsn }) => lsn)).toEqual(lsns.filter((lsn) => !lost.has(lsn)))
    expect(reader.skipped).toEqual([
      { fromLsn: lsns[3], toLsn: lsns[4], file, bytes: lsns[4]! - lsns[3]! },
      { fromLsn: lsns[9], toLsn: lsns[10], file, bytes: lsns[10]! - lsns[9]! },
    ])
    expect(reader.damage!.map(({ kind, lsn }) => [kind, lsn])).toEqual([
      ['corrupt', lsns[3]],
      ['corrupt', lsns[9]],
    ])
    expect(records.filter(({ lacksBeginning }) => lacksBeginning)).toEqual([])
    const after = disk
      .list(inlineDirectory)
      .map((name) => [name, disk.contentOf(`${inlineDirectory}/${name}`)])
    expect(after).toEqual(before)
  })
})
