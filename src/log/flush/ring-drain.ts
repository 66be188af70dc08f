import { allAssertions, assert, broken } from '../../base/assert.js'
import { alignFrame, frameField, frameFlag, frameHeaderBytes, syncMarkerType } from '../format/frame.js'
import { int32, int64, type LogViews } from '../ring/memory.js'

/** One write takes at most about this much, so that the first of a long queue is not held up by the last. */
const takeBytesGoal = 4 * 1024 * 1024

/** Takes published frames out of the ring, in LSN order. The flusher's alone. */
export class RingDrain {
  readonly #views: LogViews
  readonly #groupsMax: number
  readonly #takeBytesMax: number
  /** What the last `take` took, where it stands in the ring. */
  readonly pieces: Uint8Array[] = []
  /** How many groups ended in it. */
  groups = 0
  /** LSN up to which frames were taken, and where the last group ended that was taken whole. */
  #end: number
  #groupEnd: number
  #offset: number
  /** Groups taken since the start, as the producers' `published` word counts them. */
  #taken = 0
  #lastType = 0
  #onlySyncMarkers = true

  constructor(views: LogViews, groupsMax: number) {
    this.#views = views
    this.#groupsMax = groupsMax
    this.#takeBytesMax = Math.max(views.maxFrameBytes, Math.min(views.ringBytes >> 2, takeBytesGoal))
    this.#end = Number(Atomics.load(views.control64, int64.released))
    this.#groupEnd = this.#end
    this.#offset = this.#end % views.ringBytes
  }

  get end(): number {
    return this.#end
  }

  get groupEnd(): number {
    return this.#groupEnd
  }

  /** Whether nothing but sync markers was taken since `syncMarkerWritten`, or ever. */
  get onlySyncMarkers(): boolean {
    return this.#onlySyncMarkers
  }

  get endsWithSyncMarker(): boolean {
    return this.#lastType === syncMarkerType
  }

  /** Whether the next frame is published. */
  get hasPublished(): boolean {
    return Atomics.load(this.#views.ring32, this.#offset >> 2) !== 0
  }

  /** Whether every byte that was claimed has been taken. */
  get isEmpty(): boolean {
    return Number(Atomics.load(this.#views.control64, int64.claimTail)) === this.#end
  }

  /** Groups that were published and not taken, as far as their producers have counted them. */
  get pendingGroups(): number {
    return (Atomics.load(this.#views.control32, int32.published) - this.#taken) | 0
  }

  /** What `published` will be when so many more groups are counted. */
  publishedAfter(groups: number): number {
    return (this.#taken + groups) | 0
  }

  syncMarkerWritten(): void {
    this.#onlySyncMarkers = true
  }

  /** When the ring is empty, nothing is pending: what a producer that ended did not count is left out. */
  forgetLostCounts(): void {
    if (this.isEmpty) this.#taken = Atomics.load(this.#views.control32, int32.published)
  }

  /** Takes the published frames that fit in `roomBytes`, as many as one write takes; sets `pieces`, returns their bytes. */
  take(roomBytes: number): number {
    const { ring32, ring8, ringBytes } = this.#views
    const room = Math.min(roomBytes, this.#takeBytesMax)
    const pieces = this.pieces
    pieces.length = 0
    let offset = this.#offset
    let pieceStart = offset
    let bytes = 0
    let groups = 0
    while (groups < this.#groupsMax) {
      const length = Atomics.load(ring32, offset >> 2)
      if (length === 0) break
      if (allAssertions) this.#checkFrame(offset, length, this.#end + bytes)
      const frameBytes = alignFrame(length)
      if (bytes + frameBytes > room) break
      bytes += frameBytes
      const kind = ring32[(offset + frameField.type) >> 2]!
      this.#lastType = kind & 0xff
      if (this.#lastType !== syncMarkerType) this.#onlySyncMarkers = false
      if (((kind >> 8) & frameFlag.continues) === 0) {
        groups++
        this.#groupEnd = this.#end + bytes
      }
      offset += frameBytes
      if (offset >= ringBytes) {
        pieces.push(ring8.subarray(pieceStart, offset))
        offset -= ringBytes
        pieceStart = offset
      }
    }
    if (offset > pieceStart) pieces.push(ring8.subarray(pieceStart, offset))
    this.groups = groups
    this.#offset = offset
    this.#end += bytes
    this.#taken = (this.#taken + groups) | 0
    this.#checkEnd()
    return bytes
  }

  #checkFrame(offset: number, length: number, lsn: number): void {
    const at = (offset + frameField.lsn) >> 2
    const { ring32, maxFrameBytes } = this.#views
    const found = (ring32[at]! >>> 0) + (ring32[at + 1]! >>> 0) * 2 ** 32
    if (length >= frameHeaderBytes && length <= maxFrameBytes && found === lsn) return
    broken('a published frame has a length within bounds and the LSN of its place', { lsn, found, length })
  }

  #checkEnd(): void {
    const tail = Number(Atomics.load(this.#views.control64, int64.claimTail))
    assert(
      this.#end <= tail && this.#groupEnd <= this.#end && this.#end % 8 === 0 && this.#groupEnd % 8 === 0,
      'frames end within a claim, at a multiple of eight',
      () => ({ end: this.#end, groupEnd: this.#groupEnd, tail }),
    )
  }
}
