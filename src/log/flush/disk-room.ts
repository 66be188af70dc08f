import { withoutStack } from '../../base/errors.js'
import { type LogError, shortageError } from '../errors.js'
import { fullFor, int32, int64, type LogViews, shortages } from '../ring/memory.js'

/**
 * The part of a segment that is kept for what is under way when the disk is full: with less of it left in the active
 * segment, and no room for the next, nothing new is taken.
 */
const diskReserveShare = 1 / 4

/** Room on the disk as the flusher and the preallocator report it in shared memory; for the threads that append. */
export class DiskRoom {
  readonly #views: LogViews
  readonly #directory: string
  readonly #segmentBytes: number

  constructor(views: LogViews, directory: string, segmentBytes: number) {
    this.#views = views
    this.#directory = directory
    this.#segmentBytes = segmentBytes
  }

  /** Whether there is no room, or no descriptor, for the next segment, or for opening it. */
  get isShort(): boolean {
    return Atomics.load(this.#views.control32, int32.diskFull) !== 0
  }

  /** Whether what was appended has no room on the disk, and waits in the ring until it has. */
  get isStuck(): boolean {
    return (Atomics.load(this.#views.control32, int32.diskFull) & fullFor.flusher) !== 0
  }

  /** What there is a shortage of. */
  get error(): LogError {
    return this.#error({})
  }

  /** Why so many bytes after `tailLsn` are not taken now; `undefined` when they are. */
  refusal(tailLsn: number, bytes: number): LogError | undefined {
    if (!this.isShort) return undefined
    const segmentBytes = this.#segmentBytes
    const roomBytes = Number(Atomics.load(this.#views.control64, int64.roomEnd)) - tailLsn
    const reserveBytes = Math.floor(segmentBytes * diskReserveShare)
    if (roomBytes - bytes >= reserveBytes) return undefined
    return withoutStack(() => this.#error({ roomBytes, reserveBytes, segmentBytes }))
  }

  #error(details: Record<string, unknown>): LogError {
    const shortage = shortages[Atomics.load(this.#views.control32, int32.shortage)]!
    return shortageError(this.#directory, shortage, details)
  }
}
