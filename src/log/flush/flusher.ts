import type { Ownership } from '../disk/ownership.js'
import { isShortage, LogError, shortageError, shortageOf } from '../errors.js'
import { alignFrame, frameField, frameFlag, frameHeaderBytes, syncMarkerType } from '../format/frame.js'
import {
  float64,
  fullFor,
  int32,
  int64,
  type LogMemory,
  LogViews,
  logState,
  noteShortage,
  readerState,
} from '../ring/memory.js'
import { LogProducer } from '../ring/producer.js'
import type { SegmentWriter } from './segment-writer.js'

export type Durability = 'group' | 'each' | 'unsafeNone'

export interface FlushSettings {
  readonly batchSize: number
  readonly batchDelayMs: number
  readonly durability: Durability
}

/** A log that got no frame for this long writes one mark frame, so that the last batches are known to be synced. */
const idleSyncMarkerMs = 100
/** How long a closing log waits for a claim that was never published. */
const abandonedClaimMs = 1000
/** How long a flusher sleeps, or waits for room for a frame, until it looks again. */
const lookMs = 1000
/** How long an open log waits for a claim that is not published. */
const unfilledClaimMs = 30_000
/** Far enough ahead that no producer wakes a flusher that is awake. */
const awake = 1 << 30
/** One write takes at most about this much, so that the first of a long queue is not held up by the last. */
const flushBytesGoal = 4 * 1024 * 1024
const stateMask = 7n
/** The flusher's bits of the diskFull word. */
const ownBits = fullFor.flusher | fullFor.ahead

const zeros = new Uint8Array(64 * 1024)

/** `fill` on shared memory goes byte by byte (1.7 GB/s); copying zeros does not (12 GB/s). */
function zero(bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at += zeros.byteLength) {
    bytes.set(to - at < zeros.byteLength ? zeros.subarray(0, to - at) : zeros, at)
  }
}

/**
 * The one reader of the ring that writes: takes every published frame, writes them with one call, syncs once, moves
 * the mark, gives the space back. While it syncs, the next batch gathers.
 */
export class Flusher {
  readonly #views: LogViews
  readonly #segments: SegmentWriter
  readonly #settings: FlushSettings
  readonly #ownership: Ownership | undefined
  readonly #onDisk: (full: LogError | undefined) => void
  readonly #syncMarkers: LogProducer
  readonly #flushBytesMax: number
  readonly #pieces: Uint8Array[] = []
  /** Frames below are in the files; group ends below or at `#groupEnd` may be acknowledged. */
  #written: number
  #offset: number
  #groupEnd: number
  #freed: number
  #groups = 0
  /** Groups taken since the start, as the producers' `published` word counts them. */
  #consumed = 0
  /** For how long the flusher has slept before a claim that nobody filled. */
  #unfilledMs = 0
  #shortage: LogError | undefined
  #scanEndMs = 0
  #onlySyncMarkers = true
  #lastType = 0

  /** `onDisk` is told when the disk has no room for the next frame, and with nothing when it has again. */
  constructor(options: {
    memory: LogMemory
    segments: SegmentWriter
    settings: FlushSettings
    ownership?: Ownership
    onDisk?: (full: LogError | undefined) => void
  }) {
    this.#views = new LogViews(options.memory)
    this.#segments = options.segments
    this.#settings = options.settings
    this.#ownership = options.ownership
    this.#onDisk = options.onDisk ?? (() => {})
    this.#syncMarkers = new LogProducer(options.memory, 0xffff)
    this.#flushBytesMax = Math.max(
      this.#views.maxFrameBytes,
      Math.min(this.#views.ringBytes >> 2, flushBytesGoal),
    )
    this.#written = Number(this.#views.control64[int64.released]!)
    this.#groupEnd = this.#written
    this.#freed = this.#written
    this.#offset = this.#written % this.#views.ringBytes
    Atomics.store(this.#views.control32, int32.wakeAt, awake)
    this.#tellRoom()
  }

  /** Works until the log is closed; throws what makes it impossible to go on. */
  run(): void {
    const control32 = this.#views.control32
    for (;;) {
      if (Atomics.load(control32, int32.state) === logState.poisoned) {
        this.#segments.close()
        return
      }
      this.#ownership?.confirm()
      this.serveRotation()
      this.serveSync()
      if (this.#segments.mayOpenAhead || (Atomics.load(control32, int32.diskFull) & fullFor.ahead) !== 0)
        this.#tryFor(() => this.#segments.openAhead(), fullFor.ahead)
      if (this.#hasPublished()) {
        if (this.#settings.batchDelayMs > 0) this.#gather()
        // A log that was poisoned while the batch gathered writes nothing more: its durable LSN stays.
        if (Atomics.load(control32, int32.state) !== logState.poisoned) this.flush()
        continue
      }
      if (Atomics.load(control32, int32.state) >= logState.closing) break
      this.#sleep()
    }
    this.#finish()
  }

  /** Writes, syncs and acknowledges what is published now; returns the number of groups. */
  flush(): number {
    const startMs = performance.now()
    const bytes = this.#take()
    if (bytes === 0) {
      if (this.#hasPublished()) this.#awaitRoom()
      this.advanceLimit()
      return 0
    }
    const unsafe = this.#settings.durability === 'unsafeNone'
    this.#segments.write(this.#pieces, bytes)
    if (!unsafe) this.#segments.sync()
    this.#written += bytes
    this.#unfilledMs = 0
    this.#forgetLostCounts()
    this.#count(bytes, performance.now() - startMs)
    this.#acknowledge(!unsafe)
    this.advanceLimit()
    return this.#groups
  }

  /** Goes on in a new segment if somebody asked for it, and says where that begins. */
  serveRotation(): void {
    const { control32, control64 } = this.#views
    const wanted = Atomics.load(control32, int32.rotateWanted)
    if (wanted === Atomics.load(control32, int32.rotateServed)) return
    if (this.#segments.firstLsn < this.#written && !this.#tryFor(() => this.#rotate())) return
    Atomics.store(control64, int64.activeFirst, BigInt(this.#segments.firstLsn))
    Atomics.store(control32, int32.rotateServed, wanted)
    Atomics.add(control32, int32.releasedSignal, 1)
    Atomics.notify(control32, int32.releasedSignal)
  }

  /** Syncs what is written if somebody asked for it: under `unsafeNone` nothing else does before the segment is full. */
  serveSync(): void {
    if (!this.#isSyncWanted()) return
    const { control32, control64 } = this.#views
    this.#segments.sync()
    this.#ownership?.confirm()
    Atomics.store(control64, int64.synced, BigInt(this.#groupEnd))
    Atomics.add(control32, int32.releasedSignal, 1)
    Atomics.notify(control32, int32.releasedSignal)
  }

  /** Writes a mark frame, which carries the synced LSN; returns whether the ring had room for it. */
  writeSyncMarker(): boolean {
    return this.#syncMarkers.tryAppendSyncMarker() !== undefined
  }

  /**
   * Moves the limit of the claims: space is free when it is written and the attached reader has passed it. A reader
   * that keeps half of the ring is detached and goes over to the files. Freed space is zeroed before it is given back,
   * so that a stale length never looks published.
   */
  advanceLimit(): void {
    const { control64, control32, ringBytes, ring8 } = this.#views
    const free = this.#serveReader()
    if (free === this.#freed) return
    const from = this.#freed % ringBytes
    const bytes = free - this.#freed
    zero(ring8, from, Math.min(ringBytes, from + bytes))
    if (from + bytes > ringBytes) zero(ring8, 0, from + bytes - ringBytes)
    this.#freed = free
    Atomics.store(control64, int64.claimLimit, BigInt(free + ringBytes))
    Atomics.add(control32, int32.limitSignal, 1)
    if (Atomics.load(control32, int32.spaceWaiters) > 0) Atomics.notify(control32, int32.limitSignal)
  }

  /** Attaches, follows or detaches the ring's reader; returns the LSN below which nobody needs the ring. */
  #serveReader(): number {
    const { control64, ringBytes } = this.#views
    for (;;) {
      const slot = Atomics.load(control64, int64.readerSlot)
      const state = slot & stateMask
      if (state === readerState.requested) {
        const attached = BigInt(this.#written) | readerState.attached
        if (Atomics.compareExchange(control64, int64.readerSlot, slot, attached) === slot)
          return this.#written
        continue
      }
      if (state !== readerState.attached) return this.#written
      const position = Number(slot & ~stateMask)
      if (this.#written - position <= ringBytes / 2) return Math.min(this.#written, position)
      const detached = BigInt(position) | readerState.detached
      if (Atomics.compareExchange(control64, int64.readerSlot, slot, detached) === slot) {
        this.#views.statistics[float64.readerDetached]! += 1
        return this.#written
      }
    }
  }

  #hasWork(): boolean {
    const { control32 } = this.#views
    return (
      this.#hasPublished() ||
      Atomics.load(control32, int32.state) >= logState.closing ||
      this.#isSyncWanted() ||
      (this.#isRotationWanted() && Atomics.load(control32, int32.diskFull) === 0)
    )
  }

  #isRotationWanted(): boolean {
    const { control32 } = this.#views
    return Atomics.load(control32, int32.rotateWanted) !== Atomics.load(control32, int32.rotateServed)
  }

  /** Whoever asks has waited until all below that LSN was written. */
  #isSyncWanted(): boolean {
    const { control64 } = this.#views
    return Atomics.load(control64, int64.syncWanted) > Atomics.load(control64, int64.synced)
  }

  #hasPublished(): boolean {
    return Atomics.load(this.#views.ring32, this.#offset >> 2) !== 0
  }

  /** Finds what one write takes: published frames that fit the segment. Sets `#pieces` and returns their bytes. */
  #take(): number {
    const { ring32, ring8, ringBytes } = this.#views
    const groupsMax = this.#settings.durability === 'each' ? 1 : Number.POSITIVE_INFINITY
    const room = Math.min(this.#segments.limit - this.#written, this.#flushBytesMax)
    const pieces = this.#pieces
    pieces.length = 0
    let offset = this.#offset
    let pieceStart = offset
    let bytes = 0
    this.#groups = 0
    while (this.#groups < groupsMax) {
      const length = Atomics.load(ring32, offset >> 2)
      if (length === 0) break
      const frameBytes = alignFrame(length)
      if (bytes + frameBytes > room) break
      bytes += frameBytes
      const kind = ring32[(offset + frameField.type) >> 2]!
      this.#lastType = kind & 0xff
      if (this.#lastType !== syncMarkerType) this.#onlySyncMarkers = false
      if (((kind >> 8) & frameFlag.continues) === 0) {
        this.#groups++
        this.#groupEnd = this.#written + bytes
      }
      offset += frameBytes
      if (offset >= ringBytes) {
        pieces.push(ring8.subarray(pieceStart, offset))
        offset -= ringBytes
        pieceStart = offset
      }
    }
    if (offset > pieceStart) pieces.push(ring8.subarray(pieceStart, offset))
    this.#offset = offset
    this.#consumed = (this.#consumed + this.#groups) | 0
    this.#scanEndMs = performance.now()
    return bytes
  }

  /**
   * Makes room for the next frame: in the active segment or in the next. While the disk is full it waits, with the frame
   * in the ring and nothing torn, for the preallocator to find room; a log that closes can't.
   *
   * @throws LogError `TIDEMARK_DISK_FULL`, `TIDEMARK_TOO_MANY_FILES`, when the log closes and what is in the ring has no room.
   */
  #awaitRoom(): void {
    const { control32 } = this.#views
    const signal = Atomics.load(control32, int32.flusherSignal)
    if (this.#makeRoom()) return
    if (Atomics.load(control32, int32.state) >= logState.closing) {
      const shortage = shortageOf(this.#shortage) ?? 'space'
      throw shortageError(this.#segments.directory, shortage, { lsn: this.#written })
    }
    Atomics.wait(control32, int32.flusherSignal, signal, lookMs)
  }

  /** Returns whether there is more room now. */
  #makeRoom(): boolean {
    if (this.#tryFor(() => this.#segments.extend() || this.#rotate())) return true
    // The active segment can't be extended; a preallocated one has room already.
    return this.#segments.hasPreallocated && this.#tryFor(() => this.#rotate())
  }

  /** Does what a shortage may refuse and then leaves as it was; returns whether it was done. */
  #tryFor(action: () => unknown, bit: number = fullFor.flusher): boolean {
    const { control32 } = this.#views
    try {
      action()
      this.#tellRoom()
      const before = Atomics.and(control32, int32.diskFull, ~bit)
      if ((before & bit) !== 0 && (before & ownBits & ~bit) === 0) this.#onDisk(undefined)
      return true
    } catch (error) {
      if (!(error instanceof LogError && isShortage(error))) throw error
      this.#shortage = error
      const before = noteShortage(control32, bit, shortageOf(error)!)
      if ((before & ownBits) === 0) this.#onDisk(error)
      Atomics.add(control32, int32.preallocatorSignal, 1)
      Atomics.notify(control32, int32.preallocatorSignal)
      return false
    }
  }

  #tellRoom(): void {
    Atomics.store(this.#views.control64, int64.roomEnd, BigInt(this.#segments.limit))
  }

  /** A mark is left out where only a new segment has room for it and the disk is full. */
  #hasRoomForSyncMarker(): boolean {
    if (this.#segments.limit - this.#written >= frameHeaderBytes) return true
    return this.#makeRoom()
  }

  #rotate(): void {
    const preallocated = this.#segments.rotate(this.#groupEnd < this.#written)
    if (this.#settings.durability === 'unsafeNone') {
      Atomics.store(this.#views.control64, int64.synced, BigInt(this.#groupEnd))
    }
    this.#views.statistics[float64.rotations]! += 1
    if (!preallocated) this.#views.statistics[float64.unpreparedRotations]! += 1
  }

  /** Moves the mark to the last group end and wakes who waits for it. */
  #acknowledge(synced: boolean): void {
    const { control64, control32 } = this.#views
    const mark = BigInt(this.#groupEnd)
    if (Atomics.load(control64, int64.released) === mark) return
    // Asked after the sync: then whoever takes the folder over later finds what is acknowledged now.
    this.#ownership?.confirm()
    if (synced) Atomics.store(control64, int64.synced, mark)
    Atomics.store(control64, int64.released, mark)
    Atomics.add(control32, int32.releasedSignal, 1)
    Atomics.notify(control32, int32.releasedSignal)
  }

  /** Waits until `batchSize` groups are pending or the oldest of them is `batchDelayMs` old, or somebody needs space. */
  #gather(): void {
    const { control32 } = this.#views
    const { batchSize, batchDelayMs } = this.#settings
    const deadlineMs = this.#scanEndMs + batchDelayMs
    Atomics.store(control32, int32.wakeAt, (this.#consumed + batchSize) | 0)
    for (;;) {
      const signal = Atomics.load(control32, int32.flusherSignal)
      if (((Atomics.load(control32, int32.published) - this.#consumed) | 0) >= batchSize) break
      if (Atomics.load(control32, int32.spaceWaiters) > 0) break
      if (Atomics.load(control32, int32.state) >= logState.closing) break
      const waitMs = deadlineMs - performance.now()
      if (waitMs <= 0) break
      Atomics.wait(control32, int32.flusherSignal, signal, waitMs)
      this.advanceLimit()
    }
    Atomics.store(control32, int32.wakeAt, (this.#consumed + awake) | 0)
  }

  /**
   * Sleeps until somebody publishes, asks for space or closes; a log that falls idle is marked first.
   *
   * ```
   *  producer                                     flusher
   *  P1  claimTail += bytes                       F1  remembers flusherSignal
   *  P2  ring[claim] = length: it is published    F2  asleep = 1
   *  P3  published += groups                      F3  looks for work: the ring, the state, a rotation
   *  P4  looks whether asleep is 1                F4  waits while flusherSignal is what F1 remembers
   *  P5  flusherSignal += 1, notify               F5  asleep = 0
   * ```
   *
   * Every step is sequentially consistent. A publication that F3 does not see (P2) comes after F3, so its P4 comes after F2,
   * sees 1 and goes on to P5. P5 comes after F1, so F4 finds the word changed, or is notified while it waits. No
   * publication of a living producer is therefore overslept.
   *
   * A producer may end at any step, in a thread of the user's. After P2 and before P3: `published` stays too low for ever,
   * which is why sleep does not depend on it; it only tells `#gather` when a batch is full, and is forgotten when the ring is
   * empty. After P2 and before P5: nobody wakes the flusher, so no sleep is longer than `lookMs`. After P1 and before P2:
   * nothing behind that claim can ever be written, so the log is poisoned when the claim was waited for long enough.
   */
  #sleep(): void {
    const { control32 } = this.#views
    const signal = Atomics.load(control32, int32.flusherSignal)
    Atomics.store(control32, int32.asleep, 1)
    this.advanceLimit()
    if (!this.#hasWork()) {
      const checkMs = this.#ownership?.nextCheckMs ?? lookMs
      const sleepMs = this.#onlySyncMarkers ? Math.min(checkMs, lookMs) : idleSyncMarkerMs
      const outcome = Atomics.wait(control32, int32.flusherSignal, signal, sleepMs)
      if (outcome === 'timed-out' && !this.#hasPublished()) {
        this.#checkClaims(sleepMs)
        if (!this.#onlySyncMarkers)
          this.#onlySyncMarkers = !this.#hasRoomForSyncMarker() || this.writeSyncMarker()
      }
    }
    Atomics.store(control32, int32.asleep, 0)
    this.#scanEndMs = performance.now()
    Atomics.store(control32, int32.wakeAt, (this.#consumed + awake) | 0)
  }

  /**
   * Counts how long the flusher has slept before a claim that is not published. Sleep is counted, not time, so that a
   * process that was stopped is not taken for a producer that died.
   */
  #checkClaims(sleptMs: number): void {
    if (this.#isAllWritten()) return
    this.#unfilledMs += sleptMs
    if (this.#unfilledMs >= unfilledClaimMs) throw unfilledClaim(this.#written)
  }

  #isAllWritten(): boolean {
    return Number(Atomics.load(this.#views.control64, int64.claimTail)) === this.#written
  }

  /** When the ring is empty, whatever a producer that ended did not count is behind us. */
  #forgetLostCounts(): void {
    if (this.#isAllWritten()) this.#consumed = Atomics.load(this.#views.control32, int32.published)
  }

  /** The clean end: nothing is claimed and not published, and a last mark proves that all of it was synced. */
  #finish(): void {
    const { control32, control64 } = this.#views
    const deadlineMs = performance.now() + abandonedClaimMs
    // A close does not say that all is well in a folder that was taken away a moment ago.
    this.#ownership?.check()
    while (!this.#isAllWritten()) {
      if (this.#hasPublished()) {
        this.flush()
      } else if (performance.now() > deadlineMs) {
        throw unfilledClaim(this.#written)
      } else {
        Atomics.wait(control32, int32.flusherSignal, Atomics.load(control32, int32.flusherSignal), 10)
        this.advanceLimit()
      }
    }
    if (this.#settings.durability === 'unsafeNone') {
      this.#segments.sync()
      Atomics.store(control64, int64.synced, BigInt(this.#groupEnd))
    }
    if (!this.#onlySyncMarkers && this.#hasRoomForSyncMarker()) {
      this.writeSyncMarker()
      while (this.#hasPublished()) this.flush()
      if (this.#settings.durability === 'unsafeNone') this.#segments.sync()
    }
    this.#segments.close()
  }

  #count(bytes: number, flushMs: number): void {
    const statistics = this.#views.statistics
    statistics[float64.flushes]! += 1
    statistics[float64.groups]! += this.#groups
    statistics[float64.bytes]! += bytes
    if (this.#lastType === syncMarkerType) statistics[float64.syncMarkers]! += 1
    this.#views.flushLatency.record(flushMs * 1000)
  }
}

function unfilledClaim(lsn: number): LogError {
  return new LogError('TIDEMARK_THREAD_DIED', 'A thread claimed space in the log and never filled it.', {
    lsn,
  })
}
