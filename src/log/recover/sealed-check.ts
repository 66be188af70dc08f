import type { Disk } from '../disk/disk.js'
import {
  listSegmentNames,
  readSegmentHeader,
  type Segment,
  segmentNameLsn,
  segmentPath,
} from '../format/segment.js'
import { BatchWalk } from '../read/batch-walk.js'
import { SegmentWindow } from '../read/segment-window.js'

/** From so many bytes of sealed segments on, starting threads for the check costs less than it saves. */
export const parallelCheckBytes = 256 * 1024 * 1024
/** Threads that check; more of them only wait for the same disk. */
export const checkThreadsMax = 8

/** A segment that has a successor, which begins at `endLsn`. */
export interface SealedSegment {
  readonly segment: Segment
  readonly endLsn: number
}

/** Values of a segment's word: not checked yet; valid; neither valid nor readable, or not checked, so that recovery looks. */
export const checkState = { pending: 0, valid: 1, doubtful: 2 } as const

/** What the checker and the recovery share: for each segment, by its first LSN, a word with its state. */
export interface SealedStates {
  readonly firstLsns: readonly number[]
  readonly words: SharedArrayBuffer
}

/**
 * Checks sealed segments while the thread that will recover the log still starts. It only ever says that a segment is valid:
 * a doubtful one is checked again by the recovery, which reports what is wrong.
 */
export class SealedCheck {
  readonly states: SealedStates
  readonly segments: readonly SealedSegment[]
  readonly #disk: Disk
  readonly #words: Int32Array
  #stopped = false

  /** Lists what there is to check. The folder's lock must be held. */
  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.segments = listSealed(disk, directory)
    const words = new SharedArrayBuffer(4 * this.segments.length)
    this.#words = new Int32Array(words)
    this.states = { firstLsns: this.segments.map(({ segment }) => segment.header.firstLsn), words }
  }

  /** Bytes to read and check. */
  get bytes(): number {
    return this.segments.reduce((sum, { segment, endLsn }) => sum + endLsn - segment.header.firstLsn, 0)
  }

  /** Checks all of them in this thread, a chunk a turn of the event loop. Never rejects. */
  async run(): Promise<void> {
    for (const [i, sealed] of this.segments.entries()) {
      if (this.#stopped) return
      this.note(i, await this.#isValid(sealed).catch(() => false))
    }
  }

  /** Notes what was found, and wakes the recovery. */
  note(i: number, valid: boolean): void {
    Atomics.store(this.#words, i, valid ? checkState.valid : checkState.doubtful)
    Atomics.notify(this.#words, i)
  }

  /** Marks what is not checked yet as doubtful. */
  stop(): void {
    this.#stopped = true
    for (let i = 0; i < this.segments.length; i++) {
      const { pending, doubtful } = checkState
      if (Atomics.compareExchange(this.#words, i, pending, doubtful) === pending)
        Atomics.notify(this.#words, i)
    }
  }

  async #isValid({ segment, endLsn }: SealedSegment): Promise<boolean> {
    const window = new SegmentWindow(this.#disk, segment)
    try {
      const walk = new BatchWalk(window)
      for (;;) {
        const step = walk.stepInMemory(endLsn, Number.POSITIVE_INFINITY)
        if (this.#stopped) return false
        if (step === 'end') return walk.position === endLsn
        if (step !== 'unread' || !(await walk.loadAsync(endLsn))) return false
      }
    } finally {
      window.close()
    }
  }
}

/** Waits for what a `SealedCheck` finds; `false` for a segment that is doubtful or that the check does not know. Blocks. */
export function isCheckedValid(states: SealedStates, firstLsn: number): boolean {
  const i = states.firstLsns.indexOf(firstLsn)
  if (i < 0) return false
  const words = new Int32Array(states.words)
  while (Atomics.load(words, i) === checkState.pending) Atomics.wait(words, i, checkState.pending)
  return Atomics.load(words, i) === checkState.valid
}

/** The segments whose successor's header can be read and names them. Errors are left out: the recovery finds them. */
function listSealed(disk: Disk, directory: string): SealedSegment[] {
  const segments = listSegmentNames(disk, directory).flatMap((name): Segment[] => {
    const path = segmentPath(directory, segmentNameLsn(name)!)
    try {
      const header = readSegmentHeader(disk, path)
      return header ? [{ path, header }] : []
    } catch {
      return []
    }
  })
  return segments.slice(0, -1).flatMap((segment, i): SealedSegment[] => {
    const { firstLsn, previous } = segments[i + 1]!.header
    const { header } = segment
    if (previous?.firstLsn !== header.firstLsn || previous.epoch !== header.epoch) return []
    return [{ segment, endLsn: firstLsn }]
  })
}
