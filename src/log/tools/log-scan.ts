import * as path from 'node:path'
import type { Disk } from '../disk/disk.js'
import { requireKind } from '../format/log-kind.js'
import {
  decodeSegmentHeader,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
} from '../format/segment.js'
import { BatchWalk } from '../read/batch-walk.js'
import { RecordAssembler } from '../read/record-assembler.js'
import { SegmentWindow } from '../read/segment-window.js'
import { searchAfter } from '../recover/segment-scan.js'
import { readHeaderBlock } from './header-probe.js'
import { listLogFiles, openLogFile } from './log-files.js'

/** A place in the log's files. */
export interface LogPlace {
  /** The file in which it begins. */
  readonly file: string
  /** Byte of the file. */
  readonly offset: number
  /** Where it begins. */
  readonly lsn: number
}

/**
 * What a scan comes by: a valid record, bytes that hold none, the torn end of a log that was not closed, or a place where the
 * owner has removed what was next after the scan had begun.
 */
export type Scanned =
  | {
      readonly kind: 'record'
      readonly place: LogPlace
      readonly type: number
      readonly endLsn: number
      /** Whether it stands in several batches, which a reader of small records may not expect. */
      readonly inPieces: boolean
      /** Valid until the next step of the scan. */
      readonly payload: Buffer
    }
  | { readonly kind: 'damage'; readonly place: LogPlace; readonly bytes: number; readonly reason: string }
  | { readonly kind: 'tornTail'; readonly place: LogPlace; readonly bytes: number; readonly reason: string }
  | { readonly kind: 'overtaken'; readonly place: LogPlace }

export interface ScanRange {
  /** The kind of the log: another is refused. */
  readonly kind: string
  /** A record's LSN, after which to begin, or a batch's. Default: the beginning of the log. */
  readonly fromLsn?: number | undefined
  /** Everything below is known to be there. Default: what the files show. */
  readonly limitLsn?: number | undefined
}

/** The first LSN of each segment in a folder, ascending, also of one that has the name of a preallocated segment still. */
export function listSegmentLsns(disk: Disk, dir: string): number[] {
  return listLogFiles(disk, dir).map(({ firstLsn }) => firstLsn)
}

/**
 * Reads a log's files without opening the log: every valid record in order, and between them each place where no valid batch
 * begins; after it the scan continues with the next valid one. It changes nothing and takes no lock, so the log's owner may
 * write and remove meanwhile, and neither is reported as damage. What is removed before the scan has yielded a record is left
 * out; after that, `overtaken` says that records are missing.
 *
 * @throws LogError `TIDEMARK_LOG_KIND`, `TIDEMARK_LOG_FORMAT`, `TIDEMARK_LOG_IO`.
 */
export function* scanLog(disk: Disk, dir: string, range: ScanRange): Generator<Scanned> {
  requireKind(disk, dir, range.kind)
  const fromLsn = range.fromLsn ?? 0
  const files = listLogFiles(disk, dir)
  let previous: SegmentHeader | undefined
  let hasBegun = range.fromLsn !== undefined
  const records = new ScannedRecords(fromLsn)
  for (const [i, { firstLsn, path: file }] of files.entries()) {
    const nextLsn = files[i + 1]?.firstLsn
    if (nextLsn !== undefined && nextLsn <= fromLsn) continue
    if (range.limitLsn !== undefined && firstLsn >= range.limitLsn) return
    const opened = openLogFile(disk, dir, { firstLsn, path: file })
    try {
      const header = opened && decodeSegmentHeader(readHeaderBlock(disk, opened.path, opened.handle))
      const place = { file: opened?.path ?? file, offset: 0, lsn: firstLsn }
      if (!opened || header?.firstLsn !== firstLsn) {
        // The owner removes segments from the front and uses the files again: then the log begins after this one by now.
        if (isRemoved(disk, dir, firstLsn)) {
          if (hasBegun) yield { kind: 'overtaken', place }
          previous = undefined
          continue
        }
        yield { kind: 'damage', place, bytes: (nextLsn ?? firstLsn) - firstLsn, reason: 'bad segment header' }
        previous = undefined
        continue
      }
      if (previous && header.previous?.epoch !== previous.epoch) {
        records.interrupt()
        yield { kind: 'damage', place, bytes: 0, reason: 'the segment does not go on from the one before' }
      }
      // A removal that was interrupted may have taken the beginning of the record that a segment begins within.
      if (!previous) records.begin()
      previous = header
      // An opening may put another file in the place of this one: header and batches are read from the same.
      const segment = { path: opened.path, header }
      const { handle } = opened
      const window = new SegmentWindow(disk, segment, { file: handle })
      const walk = new BatchWalk(window, { fromLsn: Math.max(fromLsn, firstLsn) })
      if (fromLsn > firstLsn) walk.seek(fromLsn, range.limitLsn ?? nextLsn ?? window.fileEndLsn)
      for (const scanned of scanSegmentFile(disk, walk, handle, nextLsn, range.limitLsn, records)) {
        if (scanned.kind === 'overtaken') previous = undefined
        if (scanned.kind !== 'overtaken' || hasBegun) yield scanned
        hasBegun ||= scanned.kind === 'record'
      }
    } finally {
      if (opened) disk.close(opened.handle)
    }
  }
}

/** The records in the batches that a scan passes. */
class ScannedRecords {
  readonly #found: Scanned[] = []
  readonly #fromLsn: number
  #segment: Segment | undefined
  readonly #assembler: RecordAssembler = new RecordAssembler({
    visit: (_words, _from, _to, lsn, type) => {
      if (lsn <= this.#fromLsn) return
      const segment = this.#segment!
      const { startLsn, inPieces, payload } = this.#assembler
      const place = placeOf(segment, Math.max(startLsn, segment.header.firstLsn))
      this.#found.push({ kind: 'record', place, type, endLsn: lsn, inPieces, payload: asBuffer(payload) })
    },
  })

  constructor(fromLsn: number) {
    this.#fromLsn = fromLsn
  }

  /** Where the record begins of which only the beginning was read so far, if there is one. */
  get unfinishedLsn(): number | undefined {
    return this.#assembler.unfinishedLsn
  }

  /** What comes next is the first that is there; the rest of a record whose beginning was removed is passed over. */
  begin(): void {
    this.#assembler.begin()
  }

  interrupt(): void {
    this.#assembler.interrupt()
  }

  /** The records that end in the batch that a walk has just passed. */
  take({ header, window, batchStart, batchEnd }: BatchWalk): readonly Scanned[] {
    this.#found.length = 0
    this.#segment = window.segment
    this.#assembler.take(window.bytes, batchStart, batchEnd, header.lsn)
    return this.#found
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function* scanSegmentFile(
  disk: Disk,
  walk: BatchWalk,
  file: number,
  nextLsn: number | undefined,
  limitLsn: number | undefined,
  records: ScannedRecords,
): Generator<Scanned> {
  const { window } = walk
  const { segment } = window
  const promisedLsn = Math.min(nextLsn ?? Number.POSITIVE_INFINITY, limitLsn ?? Number.POSITIVE_INFINITY)
  const end = Number.isFinite(promisedLsn) ? promisedLsn : window.fileEndLsn
  for (;;) {
    const step = walk.step(end)
    if (step === 'end') return
    if (step === 'batch') {
      yield* records.take(walk)
      continue
    }
    const at = walk.position
    const unfinishedLsn = records.unfinishedLsn
    records.interrupt()
    const place = placeOf(segment, at)
    if (nextLsn === undefined && limitLsn === undefined) {
      const after = searchAfter(disk, segment, at, file)
      if (!after.proof) {
        const tornLsn = Math.max(unfinishedLsn ?? at, segment.header.firstLsn)
        const bytes = after.lastWrittenLsn - tornLsn
        const reason = after.lastWrittenLsn > at ? step : 'unfinished record'
        if (bytes > 0) yield { kind: 'tornTail', place: placeOf(segment, tornLsn), bytes, reason }
        return
      }
      // The owner may have written this place before the batch that proves that it was synced: so it is read again.
      if (walk.isValidNow(at, end)) return
    }
    if (isRemoved(disk, path.dirname(segment.path), segment.header.firstLsn)) {
      yield { kind: 'overtaken', place }
      return
    }
    const next = walk.findNext(end).lsn ?? end
    yield { kind: 'damage', place, bytes: next - at, reason: step }
    walk.position = next
  }
}

/** Whether the log begins after a segment by now: then the bytes of its file say nothing about the log. */
function isRemoved(disk: Disk, dir: string, firstLsn: number): boolean {
  const [first] = listSegmentLsns(disk, dir)
  return first !== undefined && firstLsn < first
}

function placeOf(segment: Segment, lsn: number): LogPlace {
  return { file: segment.path, offset: segmentHeaderBytes + lsn - segment.header.firstLsn, lsn }
}
