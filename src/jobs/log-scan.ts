import * as path from 'node:path'
import type { Disk } from '../log/disk.js'
import { LogError } from '../log/errors.js'
import {
  alignFrame,
  FrameDecoder,
  type FrameFault,
  frameFlag,
  frameHeaderBytes,
  markFrameType,
} from '../log/frame.js'
import { listLogFiles } from '../log/inspection-header.js'
import {
  readSegmentHeader,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentPath,
  segmentSeed,
} from '../log/segment.js'
import { SegmentWindow, searchBehind } from '../log/segment-scan.js'

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
  let previous: Segment | undefined
  let hasBegun = range.fromLsn !== undefined
  for (const [i, { firstLsn, path: file }] of files.entries()) {
    const nextLsn = files[i + 1]?.firstLsn
    if (nextLsn !== undefined && nextLsn <= fromLsn) continue
    if (range.limitLsn !== undefined && firstLsn >= range.limitLsn) return
    const found = unlessMissing(() => readHeader(disk, dir, file, firstLsn))
    const header = found?.header
    const place = { file: found?.path ?? file, offset: 0, lsn: firstLsn }
    if (header?.firstLsn !== firstLsn) {
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
    const segment = { path: place.file, header }
    if (previous && header.previous?.epoch !== previous.header.epoch) {
      yield { kind: 'fault', place, bytes: 0, reason: 'the segment does not go on from the one before' }
    }
    previous = segment
    for (const scanned of scanSegmentFile(
      disk,
      segment,
      Math.max(fromLsn, firstLsn),
      nextLsn,
      range.limitLsn,
    )) {
      if (scanned.kind === 'overtaken') previous = undefined
      if (scanned.kind !== 'overtaken' || hasBegun) yield scanned
      hasBegun ||= scanned.kind === 'record'
    }
  }
}

/** Reads a segment's header; a file that was made ready a moment ago may have its segment's name by now. */
function readHeader(
  disk: Disk,
  dir: string,
  file: string,
  firstLsn: number,
): { path: string; header: SegmentHeader | undefined } {
  const renamed = segmentPath(dir, firstLsn)
  try {
    return { path: file, header: readSegmentHeader(disk, file) }
  } catch (error) {
    if (file === renamed) throw error
    return { path: renamed, header: readSegmentHeader(disk, renamed) }
  }
}

function* scanSegmentFile(
  disk: Disk,
  segment: Segment,
  fromLsn: number,
  nextLsn: number | undefined,
  limitLsn: number | undefined,
): Generator<Scanned> {
  const window = unlessMissing(() => new SegmentWindow(disk, segment, segment.header.maxFrameBytes))
  if (!window) {
    yield { kind: 'overtaken', place: placeOf(segment, fromLsn) }
    return
  }
  try {
    const promisedLsn = Math.min(nextLsn ?? Number.POSITIVE_INFINITY, limitLsn ?? Number.POSITIVE_INFINITY)
    const end = Number.isFinite(promisedLsn) ? promisedLsn : window.fileEndLsn
    const frames = new FrameCursor(window, end)
    for (let at = fromLsn; at < end; ) {
      const fault = frames.decode(at)
      if (fault === 'none') {
        if (!frames.isMark) yield frames.record(at)
        at = frames.endLsn
        continue
      }
      const place = placeOf(segment, at)
      if (nextLsn === undefined && limitLsn === undefined) {
        const behind = searchBehind(disk, segment, at)
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
  } finally {
    window.close()
  }
}

/** Whether the log begins after a segment by now: what its file holds says nothing any more. */
function isRemoved(disk: Disk, dir: string, firstLsn: number): boolean {
  const [first] = listSegmentLsns(disk, dir)
  return first !== undefined && firstLsn < first
}

function unlessMissing<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    if (error instanceof LogError && error.details['errno'] === 'ENOENT') return undefined
    throw error
  }
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
    return this.#decoder.view.type === markFrameType
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
    const { length, type, flags } = this.#decoder.view
    const place = placeOf(this.#window.segment, lsn)
    if (flags & frameFlag.continues) {
      return { kind: 'fault', place, bytes: this.endLsn - lsn, reason: 'a record in pieces' }
    }
    const at = lsn - this.#window.startLsn
    const payload = this.#window.bytes.subarray(at + frameHeaderBytes, at + length)
    return { kind: 'record', place, type, endLsn: this.endLsn, payload }
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
