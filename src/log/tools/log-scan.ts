import * as path from 'node:path'
import type { Disk } from '../disk/disk.js'
import {
  alignFrame,
  FrameDecoder,
  type FrameFault,
  frameFlag,
  frameHeaderBytes,
  syncMarkerType,
} from '../format/frame.js'
import {
  decodeSegmentHeader,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentSeed,
} from '../format/segment.js'
import { SegmentWindow } from '../read/segment-window.js'
import { searchBehind } from '../recover/segment-scan.js'
import { listLogFiles, openLogFile, readHeaderBlock } from './inspection-header.js'

/** A place in the log's files. */
export interface LogPlace {
  readonly file: string
  /** Byte of the file. */
  readonly offset: number
  readonly lsn: number
}

/**
 * What a scan comes by: a valid record, bytes that are none, the torn end of a log that was not closed, or a place where the
 * owner has removed what was next, after the scan had begun.
 */
export type Scanned =
  | {
      readonly kind: 'record'
      readonly place: LogPlace
      readonly type: number
      readonly endLsn: number
      /** Valid until the scan goes on. */
      readonly payload: Buffer
    }
  | { readonly kind: 'fault'; readonly place: LogPlace; readonly bytes: number; readonly reason: string }
  | { readonly kind: 'tornTail'; readonly place: LogPlace; readonly bytes: number; readonly reason: string }
  | { readonly kind: 'overtaken'; readonly place: LogPlace }

export interface ScanRange {
  /** Where a record begins. Default: the beginning of the log. */
  readonly fromLsn?: number | undefined
  /** Everything below is known to be there. Default: what the files show. */
  readonly limitLsn?: number | undefined
}

/** The first LSN of each segment in a folder, ascending: also of one that still has the name under which it was made ready. */
export function listSegmentLsns(disk: Disk, dir: string): number[] {
  return listLogFiles(disk, dir).map(({ firstLsn }) => firstLsn)
}

/**
 * Reads a log's files without opening the log: every sound record in order, and in between whatever is not sound,
 * behind which it goes on with the next record whose place and checksum fit. Changes nothing, so it may stand beside
 * the log's owner: what that one writes or removes meanwhile is no fault. What it removes before the scan has given anything
 * is left out; after that, `overtaken` says that records are missing.
 */
export function* scanLog(disk: Disk, dir: string, range: ScanRange = {}): Generator<Scanned> {
  const fromLsn = range.fromLsn ?? 0
  const files = listLogFiles(disk, dir)
  let previous: SegmentHeader | undefined
  let hasBegun = range.fromLsn !== undefined
  const pieces: Pieces = { state: 'none' }
  for (const [i, { firstLsn, path: file }] of files.entries()) {
    const nextLsn = files[i + 1]?.firstLsn
    if (nextLsn !== undefined && nextLsn <= fromLsn) continue
    if (range.limitLsn !== undefined && firstLsn >= range.limitLsn) return
    const opened = openLogFile(disk, dir, { firstLsn, path: file })
    try {
      const header = opened && decodeSegmentHeader(readHeaderBlock(disk, opened.path, opened.handle))
      const place = { file: opened?.path ?? file, offset: 0, lsn: firstLsn }
      if (!opened || header?.firstLsn !== firstLsn) {
        // The owner removes from the front, and uses the files again: then the log begins later by now.
        if (isRemoved(disk, dir, firstLsn)) {
          if (hasBegun) yield { kind: 'overtaken', place }
          previous = undefined
          continue
        }
        yield { kind: 'fault', place, bytes: (nextLsn ?? firstLsn) - firstLsn, reason: 'bad segment header' }
        previous = undefined
        continue
      }
      if (previous && header.previous?.epoch !== previous.epoch) {
        yield { kind: 'fault', place, bytes: 0, reason: 'the segment does not go on from the one before' }
      }
      // A removal that was interrupted may have taken the beginning of the record that such a segment begins within.
      if (!previous && firstLsn >= fromLsn && header.withinGroup) pieces.state = 'rest'
      else if (!previous) pieces.state = 'none'
      previous = header
      // An opening may put another file in the place of this one: header and frames are read from the same.
      const segment = { path: opened.path, header }
      const window = new SegmentWindow(disk, segment, header.maxFrameBytes, opened.handle)
      const beginLsn = Math.max(fromLsn, firstLsn)
      for (const scanned of scanSegmentFile(disk, window, beginLsn, nextLsn, range.limitLsn, pieces)) {
        if (scanned.kind === 'overtaken') previous = undefined
        if (scanned.kind !== 'overtaken' || hasBegun) yield scanned
        hasBegun ||= scanned.kind === 'record'
      }
    } finally {
      if (opened) disk.close(opened.handle)
    }
  }
}

/**
 * Where a scan stands in a record of several frames, over segments: before and after one, within one, which is a fault, or
 * within the rest of one whose beginning was removed, which is left out.
 */
interface Pieces {
  state: 'none' | 'within' | 'rest'
}

function* scanSegmentFile(
  disk: Disk,
  window: SegmentWindow,
  fromLsn: number,
  nextLsn: number | undefined,
  limitLsn: number | undefined,
  pieces: Pieces,
): Generator<Scanned> {
  const { segment } = window
  const promisedLsn = Math.min(nextLsn ?? Number.POSITIVE_INFINITY, limitLsn ?? Number.POSITIVE_INFINITY)
  const end = Number.isFinite(promisedLsn) ? promisedLsn : window.fileEndLsn
  const frames = new FrameCursor(window, end)
  for (let at = fromLsn; at < end; ) {
    const fault = frames.decode(at)
    if (fault === 'none') {
      const { isMark, isContinued } = frames
      const { state } = pieces
      if (isMark || !isContinued) pieces.state = 'none'
      else if (state === 'none') pieces.state = 'within'
      if (!isMark && state !== 'rest') {
        yield state === 'within' || isContinued ? frames.piece(at) : frames.record(at)
      }
      at = frames.endLsn
      continue
    }
    pieces.state = 'none'
    const place = placeOf(segment, at)
    if (nextLsn === undefined && limitLsn === undefined) {
      const behind = searchBehind(disk, segment, at, window.file)
      if (!behind.proof) {
        const bytes = behind.lastWrittenLsn - at
        if (bytes > 0) yield { kind: 'tornTail', place, bytes, reason: fault }
        return
      }
      // The owner may have written it before what proves that it was there: bytes read now decide.
      if (frames.decodeAnew(at) === 'none') return
    }
    if (isRemoved(disk, path.dirname(segment.path), segment.header.firstLsn)) {
      yield { kind: 'overtaken', place }
      return
    }
    const sound = frames.next(at)
    yield { kind: 'fault', place, bytes: sound - at, reason: fault }
    at = sound
  }
}

/** Whether the log begins after a segment by now: what its file holds says nothing any more. */
function isRemoved(disk: Disk, dir: string, firstLsn: number): boolean {
  const [first] = listSegmentLsns(disk, dir)
  return first !== undefined && firstLsn < first
}

/** Decodes frames of one segment, reading on as needed. */
class FrameCursor {
  readonly #window: SegmentWindow
  readonly #end: number
  readonly #decoder: FrameDecoder
  readonly #seed: number
  endLsn = 0

  constructor(window: SegmentWindow, end: number) {
    const { header } = window.segment
    this.#window = window
    this.#end = end
    this.#decoder = new FrameDecoder(header.maxFrameBytes)
    this.#seed = segmentSeed(header)
  }

  get isMark(): boolean {
    return this.#decoder.view.type === syncMarkerType
  }

  /** Whether the record goes on in the next frame. */
  get isContinued(): boolean {
    return (this.#decoder.view.flags & frameFlag.continues) !== 0
  }

  decode(lsn: number): FrameFault {
    const window = this.#window
    const inside = lsn >= window.startLsn && lsn < window.startLsn + window.available
    if (!inside) window.fill(lsn, this.#end)
    let fault = this.#decodeAt(lsn)
    if (fault === 'truncated' && window.startLsn !== lsn) {
      window.fill(lsn, this.#end)
      fault = this.#decodeAt(lsn)
    }
    if (fault === 'none') this.endLsn = lsn + alignFrame(this.#decoder.view.length)
    return fault
  }

  /** Like `decode`, of what the file holds now. */
  decodeAnew(lsn: number): FrameFault {
    this.#window.fill(lsn, this.#end)
    return this.decode(lsn)
  }

  record(lsn: number): Scanned {
    const { length, type } = this.#decoder.view
    const place = placeOf(this.#window.segment, lsn)
    const at = lsn - this.#window.startLsn
    const payload = this.#window.bytes.subarray(at + frameHeaderBytes, at + length)
    return { kind: 'record', place, type, endLsn: this.endLsn, payload }
  }

  /** A frame of a record in several, which no event is. */
  piece(lsn: number): Scanned {
    const place = placeOf(this.#window.segment, lsn)
    return { kind: 'fault', place, bytes: this.endLsn - lsn, reason: 'a record in pieces' }
  }

  /** Where the next sound frame behind `badLsn` begins, or the end. */
  next(badLsn: number): number {
    const end = Math.min(this.#end, this.#window.fileEndLsn)
    for (let lsn = badLsn + 8; lsn < end; lsn += 8) {
      if (this.decode(lsn) === 'none') return lsn
    }
    return this.#end
  }

  #decodeAt(lsn: number): FrameFault {
    const window = this.#window
    return this.#decoder.decode(window.bytes, lsn - window.startLsn, window.available, lsn, this.#seed)
  }
}

function placeOf(segment: Segment, lsn: number): LogPlace {
  return { file: segment.path, offset: segmentHeaderBytes + lsn - segment.header.firstLsn, lsn }
}
