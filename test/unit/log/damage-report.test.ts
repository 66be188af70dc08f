import { describe, expect, it } from 'vitest'
import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import { damageOf, damageText, LogError } from '#tidemark/log/index.js'
import { damage, inspected, sampleLog, segmentPaths } from '../../support/damaged-log.js'
import { InlineLog } from '../../support/inline-log.js'

const flip = (at: number) => (content: Buffer) => {
  content[at]! ^= 1
  return content
}

/** A log that was opened again and got three records, of which no batch says yet that they are synced. */
function reopened() {
  const { disk, lsns } = sampleLog()
  const log = new InlineLog(disk)
  const active = segmentPaths(disk).at(-1)!
  const base = Number(/(\d+)\.wal$/.exec(active)![1])
  const kept = lsns.filter((lsn) => lsn > base).length
  const added = [1, 2, 3].map((n) => log.append(Buffer.alloc(40 * n, n)))
  log.flushAll()
  return { disk, active, base, kept, added }
}

describe('a damage report', () => {
  it('of a torn tail says where it is, how many records stay and how many bytes are cut', () => {
    const { disk, active, base, kept, added } = reopened()
    const lsn = added[1]!
    damage(disk, active, flip(segmentHeaderBytes + lsn - base + 40))
    const fault = inspected(disk).damage[0]!
    const opened = new InlineLog(disk).recovered.report.tornTail!
    const cut = added[2]! - lsn
    const report = {
      kind: 'torn-tail',
      file: active,
      offset: segmentHeaderBytes + lsn - base,
      lsn,
      reason: 'the CRC of a batch is wrong',
      recordsKept: kept + 2,
      bytesCut: cut,
      bytesUnreadable: 0,
    }
    expect(damageOf(fault)).toEqual(report)
    expect(damageOf(opened)).toEqual(report)
    expect(damageText(damageOf(opened))).toBe(
      `LSN ${lsn}, byte ${report.offset} of ${active}: the CRC of a batch is wrong ` +
        `(${kept + 2} records of the file before it kept, ${cut} bytes cut)`,
    )
  })

  it('of corruption says the same of the error that refuses the log as of the inspection that lists it', () => {
    const { disk, lsns } = sampleLog()
    const [file] = segmentPaths(disk) as [string]
    const lsn = lsns[3]!
    damage(disk, file, flip(segmentHeaderBytes + lsn + 40))
    let error: unknown
    try {
      new InlineLog(disk)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(LogError)
    const refused = damageOf(error)!
    const place = {
      kind: 'corrupt',
      file,
      offset: segmentHeaderBytes + lsn,
      lsn,
      recordsKept: 4,
      bytesCut: 0,
    }
    expect(refused).toMatchObject({ ...place, bytesUnreadable: undefined })
    expect((error as LogError).message).toBe(`The log is corrupt: ${damageText(refused)}.`)
    const listed = damageOf(inspected(disk).damage[0]!)
    expect(listed).toMatchObject({ ...place, bytesUnreadable: lsns[4]! - lsn })
    expect(damageText(listed)).toContain(
      `(4 records of the file before it kept, ${lsns[4]! - lsn} bytes can't be read)`,
    )
  })

  it('is there for errors that name a place in a log only', () => {
    expect(damageOf(new LogError('TIDEMARK_LOG_CLOSED', 'closed'))).toBeUndefined()
    expect(damageOf(new LogError('TIDEMARK_LOG_CORRUPT', 'begins late', { dir: 'x' }))).toBeUndefined()
  })
})
