import type { Disk } from '../disk/disk.js'
import type { SegmentHeader } from '../format/segment.js'
import { type BatchDamage, type BatchSearch, BatchWalk } from '../read/batch-walk.js'
import { SegmentWindow } from '../read/segment-window.js'
import { TolerantRead } from './tolerant-read.js'

/** What is walked at a time: in a process that does other things too, for a millisecond or two. */
const chunkBytes = 256 * 1024

/** Takes what a walk passes. */
export interface WalkSink {
  /** The batch that the walk has just passed; it stands in memory during the call. */
  batch(walk: BatchWalk): void
}

/**
 * Walks one segment file for an inspection: in slices, also after what is not valid, and reading around what the disk can't
 * give.
 */
export class InspectionWalk {
  readonly path: string
  readonly header: SegmentHeader
  readonly #window: SegmentWindow
  readonly #walk: BatchWalk
  readonly #read: TolerantRead
  readonly #sink: WalkSink
  batches = 0

  /** Walks the file that `file` is open on; closing it is the caller's. */
  constructor(disk: Disk, file: number, path: string, header: SegmentHeader, sink: WalkSink) {
    this.path = path
    this.header = header
    this.#sink = sink
    this.#read = new TolerantRead(disk, path)
    this.#window = new SegmentWindow(disk, { path, header }, { file, chunkBytes, read: this.#read.read })
    this.#walk = new BatchWalk(this.#window)
  }

  /** LSN of the next batch to check. */
  get position(): number {
    return this.#walk.position
  }

  set position(lsn: number) {
    this.#walk.position = lsn
  }

  get fileEndLsn(): number {
    return this.#window.fileEndLsn
  }

  /** Byte of the file. */
  offset(lsn: number): number {
    return this.#window.filePosition(lsn)
  }

  /** Whether a part of the file could not be read; it was taken for zeros. */
  get unreadable(): boolean {
    return this.#read.unreadable
  }

  /**
   * Checks batches from `position` on, up to `limitLsn`, as many as one read gives: `slice` when there are more, `end` when
   * `position` has come to the limit, or what is wrong with the batch at `position`.
   *
   * @throws LogError `TIDEMARK_LOG_IO` when too much of the file can't be read.
   */
  advance(limitLsn: number): BatchDamage | 'slice' | 'end' {
    const walk = this.#walk
    if (walk.position >= limitLsn) return 'end'
    walk.load(limitLsn)
    for (;;) {
      const step = walk.stepInMemory(limitLsn)
      if (step === 'batch') {
        this.batches++
        this.#sink.batch(walk)
      } else if (step !== 'unread') {
        return step
      } else if (walk.position > this.#window.startLsn) {
        return 'slice'
      } else if (!walk.load(limitLsn)) {
        return 'truncated'
      }
    }
  }

  /** Whether a valid batch begins at an LSN when it is read anew. */
  isValidNow(lsn: number = this.position): boolean {
    return this.#walk.isValidNow(lsn, this.fileEndLsn)
  }

  /** Looks after `position` for the next valid batch, up to `limitLsn`. `position` stays. */
  findNext(limitLsn: number): BatchSearch {
    return this.#walk.findNext(limitLsn)
  }
}
