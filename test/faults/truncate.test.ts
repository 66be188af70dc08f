import { describe, expect, it } from 'vitest'
import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import {
  diskWith,
  expectRefusal,
  type FaultSegment,
  liveOn,
  threeSegmentLog,
  tryRecover,
} from '../support/fault-log.js'
import { faultCount, faultPlaces } from '../support/fault-tier.js'

/** Shorter than this, not even the first copy of a header is there. */
const headerCopyBytes = 80
const log = threeSegmentLog()
const fileBytes = log.segments.reduce((sum, { content }) => sum + content.byteLength, 0)
// Every byte of every file twice: with the files after it, and without.
const count = faultCount('truncate', { short: 1_267, full: 122_880 })

describe('a log of three segments', () => {
  it(`that is cut at a byte keeps the whole records before it, or is refused there (${count} cuts)`, () => {
    expect(log.segments).toHaveLength(3)
    expect(2 * fileBytes).toBe(122_880)
    for (const place of faultPlaces(count, 2 * fileBytes)) {
      const ends = place < fileBytes
      let bytes = place % fileBytes
      let index = 0
      while (bytes >= log.segments[index]!.content.byteLength) {
        bytes -= log.segments[index++]!.content.byteLength
      }
      cutAt(index, bytes, ends)
    }
  })
})

/** Cuts file `index` after so many bytes; the log ends there, or the files after it stay. */
function cutAt(index: number, bytes: number, ends: boolean): void {
  const where = () => `segment ${index} cut at byte ${bytes}${ends ? ', where the log ends' : ''}`
  const segment = log.segments[index]!
  const { disk, files } = diskWith(log, ({ content }, i) => {
    if (i !== index) return ends && i > index ? undefined : content
    return content.subarray(0, bytes)
  })
  const opening = tryRecover(disk)
  const cutLsn = segment.firstLsn + bytes - segmentHeaderBytes
  if (bytes < headerCopyBytes) {
    expectRefusal(opening, files, disk, { file: segment.path, offset: 0, lsn: segment.firstLsn }, where)
    return
  }
  const validLsn = validUpTo(segment, cutLsn)
  const lost = segment.sealed && !ends && cutLsn < segment.endLsn
  if (lost) {
    const offset = segmentHeaderBytes + validLsn - segment.firstLsn
    expectRefusal(opening, files, disk, { file: segment.path, offset, lsn: validLsn }, where)
    return
  }
  if ('refused' in opening) throw new Error(`${where()}: refused: ${opening.refused.message}`)
  const endLsn = ends || !segment.sealed ? lastWholeEnd(index, validLsn) : log.endLsn
  const kept = liveOn(disk, opening.log, log.written, where)
  const expected = log.written.filter(({ lsn }) => lsn <= endLsn).length
  if (kept !== expected) throw new Error(`${where()}: ${kept} records and not ${expected} were kept`)
  const torn = opening.log.report.tornTail
  const unfinished = Math.min(cutLsn, segment.endLsn) - endLsn
  // Of a batch that is cut within its header nothing is known; it goes without a report.
  if ((ends || !segment.sealed) && unfinished >= 32 && !torn)
    throw new Error(`${where()}: the cut was not reported`)
  if (torn && cutLsn <= segment.endLsn && torn.lsn !== validLsn && torn.file === segment.path)
    throw new Error(`${where()}: reported at LSN ${torn.lsn} and not at ${validLsn}`)
}

/** Where the last batch ends of which every byte is below `cutLsn`. */
function validUpTo(segment: FaultSegment, cutLsn: number): number {
  const last = segment.batches.findLast(({ endLsn }) => endLsn <= cutLsn)
  return last?.endLsn ?? segment.firstLsn
}

/** The end of the last whole record among the batches up to `validLsn` of a segment and in those before it. */
function lastWholeEnd(index: number, validLsn: number): number {
  const batches = log.segments.slice(0, index + 1).flatMap((segment) => segment.batches)
  return batches.findLast(({ whole, endLsn }) => whole && endLsn <= validLsn)?.endLsn ?? 0
}
