import type { Disk } from '../disk/disk.js'
import { ioError, LogError } from '../errors.js'
import { alignFrame, FrameDecoder, type FrameView, frameHeaderBytes } from '../format/frame.js'
import {
  listSegmentNames,
  requireSegmentHeader,
  segmentNameLsn,
  segmentPath,
  segmentSeed,
} from '../format/segment.js'
import { SegmentWindow } from './segment-window.js'

/** Whole frames, one behind the other, in memory that the next read may use again. */
export interface FrameChunk {
  readonly bytes: Buffer
  readonly startLsn: number
  readonly endLsn: number
}

/**
 * Reads the frames of a log in LSN order from its files, across segments, checking each. It may stand beside a writer
 * as long as nothing is asked for above the mark.
 */
export class FileReader {
  readonly #disk: Disk
  readonly #directory: string
  #firstLsns: number[] = []
  #window: SegmentWindow | undefined
  #decoder = new FrameDecoder(0)
  #seed = 0
  readonly #start: number | undefined
  #position: number

  readonly #verify: boolean
  readonly #chunkBytes: number

  /**
   * Starts at `fromLsn`, which is where a frame begins. Without `verify` the CRCs are not checked: for what was
   * verified a moment ago. `known`: a frame does begin there, so that anything else is corruption and no mistake.
   * `chunkBytes`: a chunk ends with the frame that passes so many bytes, also where more was read at once: for who must
   * not be busy for long.
   */
  constructor(
    disk: Disk,
    directory: string,
    fromLsn: number,
    options: { verify?: boolean; known?: boolean; chunkBytes?: number } = {},
  ) {
    this.#verify = options.verify ?? true
    this.#chunkBytes = options.chunkBytes ?? Number.POSITIVE_INFINITY
    this.#disk = disk
    this.#directory = directory
    this.#start = options.known ? undefined : fromLsn
    this.#position = fromLsn
  }

  get position(): number {
    return this.#position
  }

  /** The next frames below `limitLsn`, at most as many as one read gives, or `undefined` when there are none. */
  nextSync(limitLsn: number): FrameChunk | undefined {
    if (this.#position >= limitLsn) return undefined
    const there = this.#window && this.#checked(this.#window, limitLsn)
    if (there) return there
    const { window, end } = this.#seek(limitLsn)
    this.#unlessRemoved(() => window.fill(this.#position, end))
    return this.#filled(window, end)
  }

  /** Like `nextSync`, without blocking the thread. */
  async next(limitLsn: number): Promise<FrameChunk | undefined> {
    if (this.#position >= limitLsn) return undefined
    const there = this.#window && this.#checked(this.#window, limitLsn)
    if (there) return there
    const { window, end } = this.#seek(limitLsn)
    try {
      await window.fillAsync(this.#position, end)
    } catch (cause) {
      this.#checkStillThere()
      throw cause instanceof LogError ? cause : ioError('read', window.segment.path, cause)
    }
    return this.#filled(window, end)
  }

  close(): void {
    this.#window?.close()
    this.#window = undefined
  }

  /** Closes its file, not while a read is under way, and keeps what was read: the next read of the file opens it again. */
  release(): void {
    this.#window?.close()
  }

  /**
   * Opens the segment in which the position lies; returns it with the LSN up to which it may be read. The names are
   * listed after the caller took its limit from the mark, so a segment that begins below the limit is among them.
   */
  #seek(limitLsn: number): { window: SegmentWindow; end: number } {
    let end = this.#firstLsns.find((lsn) => lsn > this.#position)
    if (!this.#window || end === undefined || !this.#holdsPosition()) {
      this.#firstLsns = listSegmentNames(this.#disk, this.#directory).map((name) => segmentNameLsn(name)!)
      end = this.#firstLsns.find((lsn) => lsn > this.#position)
    }
    const window = this.#window && this.#holdsPosition() ? this.#window : this.#open()
    return { window, end: Math.min(limitLsn, end ?? limitLsn) }
  }

  #holdsPosition(): boolean {
    return this.#window?.segment.header.firstLsn === this.#firstLsns.findLast((lsn) => lsn <= this.#position)
  }

  #open(): SegmentWindow {
    const firstLsn = this.#firstLsns.findLast((lsn) => lsn <= this.#position)
    if (firstLsn === undefined) throw removed(this.#position, this.#firstLsns[0])
    const file = segmentPath(this.#directory, firstLsn)
    const header = this.#unlessRemoved(() => requireSegmentHeader(this.#disk, file, firstLsn))
    this.close()
    this.#window = new SegmentWindow(this.#disk, { path: file, header }, header.maxFrameBytes)
    this.#decoder = new FrameDecoder(header.maxFrameBytes)
    this.#seed = segmentSeed(header)
    return this.#window
  }

  /** Does what a removal of the segment may disturb: then that is the error. */
  #unlessRemoved<T>(use: () => T): T {
    try {
      return use()
    } catch (error) {
      this.#checkStillThere()
      throw error
    }
  }

  /** The file of a segment that was removed may hold other frames by now. */
  #checkStillThere(): void {
    const name = listSegmentNames(this.#disk, this.#directory)[0]
    const firstLsn = name === undefined ? undefined : segmentNameLsn(name)
    if (firstLsn !== undefined && this.#position < firstLsn) throw removed(this.#position, firstLsn)
  }

  /** The next frames of what was just read. */
  #filled(window: SegmentWindow, end: number): FrameChunk {
    const chunk = this.#checked(window, end)
    if (chunk) return chunk
    this.#checkStillThere()
    if (window.available > 0) throw this.#unsound(window, this.#position, 'truncated')
    throw new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `The log ends before LSN ${this.#position} in ${window.segment.path}.`,
      { file: window.segment.path, lsn: this.#position },
    )
  }

  /** The next frames of what is in memory, checked; `undefined` when not even one is there whole. */
  #checked(window: SegmentWindow, end: number): FrameChunk | undefined {
    const startLsn = this.#position
    const from = startLsn - window.startLsn
    const to = Math.min(window.available, end - window.startLsn)
    let at = from
    while (at < to && at - from < this.#chunkBytes) {
      const lsn = window.startLsn + at
      const fault = this.#verify
        ? this.#decoder.decode(window.bytes, at, to, lsn, this.#seed)
        : this.#decoder.bound(window.bytes, at, to, lsn)
      if (fault === 'truncated') break
      if (fault !== 'none') {
        this.#checkStillThere()
        throw this.#unsound(window, lsn, fault)
      }
      at += alignFrame(this.#decoder.view.length)
    }
    if (at <= from) return undefined
    this.#position = window.startLsn + at
    return { bytes: window.bytes.subarray(from, at), startLsn, endLsn: this.#position }
  }

  #unsound(window: SegmentWindow, lsn: number, reason: string): LogError {
    if (lsn === this.#start) {
      return new LogError(
        'TIDEMARK_BAD_LSN',
        `No sound record begins at LSN ${lsn}; read from the LSN of a record.`,
        { lsn, reason },
      )
    }
    const { path: file } = window.segment
    const offset = window.filePosition(lsn)
    return new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `The log is corrupt at LSN ${lsn}, byte ${offset} of ${file}: ${reason}.`,
      { file, offset, lsn, reason },
    )
  }
}

function removed(lsn: number, firstLsn: number | undefined): LogError {
  return new LogError(
    'TIDEMARK_BAD_LSN',
    `LSN ${lsn} is not in the log any more; the first one there is ${firstLsn}.`,
    { lsn, firstLsn },
  )
}

/** Walks the frames of a chunk. `visit` gets fields that are valid during the call, and where the payload stands. */
export function forEachFrame(
  chunk: FrameChunk,
  visit: (frame: FrameView, payloadStart: number, payloadEnd: number) => void,
): void {
  const decoder = walker
  const bytes = chunk.endLsn - chunk.startLsn
  for (let at = 0; at < bytes; ) {
    decoder.read(chunk.bytes, at)
    const { length } = decoder.view
    visit(decoder.view, at + frameHeaderBytes, at + length)
    at += alignFrame(length)
  }
}

const walker = new FrameDecoder(0)
