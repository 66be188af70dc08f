import { assert } from '../../base/assert.js'
import { spin } from '../../base/spin.js'
import type { Ownership } from '../disk/ownership.js'
import { LogError } from '../errors.js'
import { batchHeaderBytes } from '../format/batch.js'
import { float64, int32, int64, type LogMemory, LogViews, logState, replicatorState } from '../ring/memory.js'
import { LogProducer } from '../ring/producer.js'
import { wakeReplicator, wakeWaiters } from '../ring/signals.js'
import { RingDrain } from './ring-drain.js'
import { RingSpace } from './ring-space.js'
import { SegmentRoom } from './segment-room.js'
import type { SegmentWriter } from './segment-writer.js'

/** When something is acknowledged: after one sync for all that is pending, after a sync of its own, or before any sync. */
export type Durability = 'group' | 'each' | 'unsafeNone'

export interface FlushSettings {
  readonly batchSize: number
  readonly batchDelayMs: number
  readonly durability: Durability
  /** How long the flusher looks for work before it sleeps; 0 unless stated. */
  readonly spinUs?: number
}

/** A log that got nothing for this long writes one sync marker, so that the last batches are known to be synced. */
const idleSyncMarkerMs = 100
/** How long a closing log waits for a claim that was never published. */
const abandonedClaimMs = 1000
/** How long a flusher sleeps until it looks again. */
const lookMs = 1000
/** How often a flusher that waits for the replicator looks whether the log was poisoned, or the replicator has ended. */
const replicationLookMs = 50
/** How long an open log waits for a claim that is not published. */
const unfilledClaimMs = 30_000
/** Far enough ahead that no producer wakes a flusher that is awake. */
const awake = 1 << 30

/**
 * The one reader of the ring that writes: takes every published batch, writes them with one call, syncs once, moves the
 * durable LSN, frees the space. While it syncs, the next batches gather.
 *
 * Its LSNs, each at most the next: released (or synced under `unsafeNone`), end of the last whole record written, written, tail.
 *
 * Where acknowledgements wait for a replicator, the flusher moves synced alone. Producers may then be no further ahead of
 * released than the ring is long, and the next segment begins when all before it is released: a program that reads the files
 * beside this process, and takes a segment that has a successor for settled, sees nothing that could be lost.
 */
export class Flusher {
  readonly #views: LogViews
  readonly #segments: SegmentWriter
  readonly #settings: FlushSettings
  readonly #ownership: Ownership | undefined
  readonly #syncMarkers: LogProducer
  readonly #drain: RingDrain
  readonly #space: RingSpace
  readonly #room: SegmentRoom
  /** Batches below are in the files. */
  #written: number
  /** For how long the flusher has slept before a claim that is not published. */
  #unfilledMs = 0
  #scanEndMs = 0

  /** `onDisk` is called with the reason when the disk has no room for the next batch, and without one when it has again. */
  constructor(options: {
    memory: LogMemory
    segments: SegmentWriter
    settings: FlushSettings
    ownership?: Ownership
    onDisk?: (full: LogError | undefined) => void
  }) {
    const views = new LogViews(options.memory)
    this.#views = views
    this.#segments = options.segments
    this.#settings = options.settings
    this.#ownership = options.ownership
    this.#syncMarkers = new LogProducer(options.memory, 0xffff)
    this.#drain = new RingDrain(views, options.settings.durability === 'each' ? 1 : Number.POSITIVE_INFINITY)
    this.#space = new RingSpace(views)
    this.#room = new SegmentRoom({
      views,
      segments: options.segments,
      rotate: () => this.#rotate(),
      mayRotate: () => this.#mayRotate(),
      onDisk: options.onDisk ?? (() => {}),
    })
    this.#written = Number(views.control64[int64.released]!)
    this.#checkPosition()
    Atomics.store(views.control32, int32.wakeAt, awake)
  }

  /** Works until the log is closed; throws the failure that ends the log. */
  run(): void {
    const control32 = this.#views.control32
    for (;;) {
      if (this.#isPoisoned()) {
        this.#segments.close()
        return
      }
      this.#ownership?.confirm()
      this.completeRotation()
      this.completeSync()
      this.#room.openAhead()
      if (this.#drain.hasPublished) {
        if (this.#settings.batchDelayMs > 0) this.#gather()
        // A log that was poisoned while the batch gathered writes nothing more: its durable LSN stays.
        if (!this.#isPoisoned()) this.flush()
        continue
      }
      if (Atomics.load(control32, int32.state) >= logState.closing) break
      // Callers are refused until there is room, so none would publish what makes the flusher look for it.
      if (!this.#isRotationRequested()) this.#room.retry()
      this.#sleep()
    }
    this.#finish()
  }

  /** Writes, syncs and acknowledges what is published now; returns the number of records. */
  flush(): number {
    const startMs = performance.now()
    const drain = this.#drain
    const bytes = drain.take(this.#segments.limit - this.#written)
    this.#scanEndMs = performance.now()
    if (bytes === 0) {
      if (drain.hasPublished) this.#awaitRoom()
      this.advanceLimit()
      return 0
    }
    const unsafe = this.#settings.durability === 'unsafeNone'
    this.#segments.write(drain.pieces, bytes)
    if (!unsafe) this.#segments.sync()
    this.#written += bytes
    this.#checkPosition()
    this.#unfilledMs = 0
    drain.forgetLostCounts()
    this.#count(bytes, performance.now() - startMs)
    this.#acknowledge(!unsafe)
    this.advanceLimit()
    return drain.records
  }

  /** Completes a rotation that was requested: continues in a new segment, and stores where that begins. */
  completeRotation(): void {
    const { control32, control64 } = this.#views
    const requested = Atomics.load(control32, int32.rotationsRequested)
    if (requested === Atomics.load(control32, int32.rotationsCompleted)) return
    if (this.#segments.firstLsn < this.#written && !(this.#mayRotate() && this.#room.tryRotate())) return
    Atomics.store(control64, int64.activeFirst, BigInt(this.#segments.firstLsn))
    Atomics.store(control32, int32.rotationsCompleted, requested)
    wakeWaiters(control32)
  }

  /** Completes a sync that was requested: under `unsafeNone` nothing else syncs before the segment is full. */
  completeSync(): void {
    if (!this.#isSyncRequested()) return
    this.#segments.sync()
    this.#ownership?.confirm()
    this.#storeSynced()
    wakeWaiters(this.#views.control32)
  }

  /** Appends a sync marker, which carries the synced LSN to disk; returns whether the ring had room for it. */
  writeSyncMarker(): boolean {
    return this.#syncMarkers.tryAppendSyncMarker() !== undefined
  }

  /** Gives producers the space of the ring that is written and that no reader needs. */
  advanceLimit(): void {
    const { control64, isReplicated } = this.#views
    const released = isReplicated ? Number(Atomics.load(control64, int64.released)) : this.#written
    // A record that is longer than the ring is released when its last piece is there, so its first must not keep the ring.
    this.#space.advance(this.#written, released < this.#drain.wholeEnd ? released : this.#written)
  }

  #hasWork(): boolean {
    const { control32 } = this.#views
    return (
      this.#drain.hasPublished ||
      Atomics.load(control32, int32.state) >= logState.closing ||
      this.#isSyncRequested() ||
      (this.#isRotationRequested() && Atomics.load(control32, int32.diskFull) === 0 && this.#mayRotate())
    )
  }

  /** Whether acknowledgements wait for the replicator, which has yet to come to what is written, and still may. */
  #awaitsRelease(): boolean {
    const { control32, control64, isReplicated } = this.#views
    if (!isReplicated || Atomics.load(control32, int32.replicatorState) === replicatorState.ended)
      return false
    return Number(Atomics.load(control64, int64.released)) < this.#drain.wholeEnd
  }

  /** Whether the log may continue in another segment, as far as the replicator has come; if not, that wakes the flusher when it has. */
  #mayRotate(): boolean {
    const { control32 } = this.#views
    if (!this.#awaitsRelease()) return true
    // Set before the second look: what the replicator releases after that, it wakes the flusher for.
    Atomics.store(control32, int32.releaseAwaited, 1)
    return !this.#awaitsRelease()
  }

  /** Makes room for a batch that has none in the active segment, or waits a moment for what it takes. */
  #awaitRoom(): void {
    const { control32 } = this.#views
    const signal = Atomics.load(control32, int32.flusherSignal)
    if (this.#segments.canExtend || this.#mayRotate()) this.#room.await(this.#written)
    else Atomics.wait(control32, int32.flusherSignal, signal, replicationLookMs)
  }

  #isRotationRequested(): boolean {
    const { control32 } = this.#views
    const completed = Atomics.load(control32, int32.rotationsCompleted)
    return Atomics.load(control32, int32.rotationsRequested) !== completed
  }

  /** A sync is requested for an LSN that is released, so everything below it is written. */
  #isSyncRequested(): boolean {
    const { control64 } = this.#views
    return Atomics.load(control64, int64.syncRequested) > Atomics.load(control64, int64.synced)
  }

  /**
   * Whether a log that is idle is to write its sync marker: after the last record, and when that is acknowledged, since the
   * marker says up to where everything is.
   */
  #isSyncMarkerDue(): boolean {
    return !this.#drain.onlySyncMarkers && !this.#awaitsRelease()
  }

  /** A sync marker is left out where only a new segment has room for it and the disk is full. */
  #hasRoomForSyncMarker(): boolean {
    return this.#segments.limit - this.#written >= batchHeaderBytes || this.#room.make()
  }

  #rotate(): void {
    const preallocated = this.#segments.rotate(this.#drain.wholeEnd < this.#written)
    if (this.#settings.durability === 'unsafeNone') this.#storeSynced()
    this.#views.statistics[float64.rotations]! += 1
    if (!preallocated) this.#views.statistics[float64.unpreparedRotations]! += 1
  }

  /**
   * Moves the durable LSN to the end of the last whole record and wakes the threads that wait for it; or only the synced LSN,
   * where the replicator moves the other.
   */
  #acknowledge(synced: boolean): void {
    const { control64, control32, isReplicated } = this.#views
    const { wholeEnd } = this.#drain
    const acknowledged = Number(Atomics.load(control64, isReplicated ? int64.synced : int64.released))
    if (acknowledged === wholeEnd) return
    assert(
      acknowledged < wholeEnd && wholeEnd <= this.#written,
      'the durable LSN only rises, up to what is written',
      () => ({ acknowledged, wholeEnd, written: this.#written }),
    )
    // After the sync: an owner that takes the folder over later finds what is acknowledged now.
    this.#ownership?.confirm()
    if (synced) this.#storeSynced()
    if (isReplicated) return
    Atomics.store(control64, int64.released, BigInt(wholeEnd))
    wakeWaiters(control32)
  }

  /** Call after a sync of all that is written. */
  #storeSynced(): void {
    const { control32, control64 } = this.#views
    const { wholeEnd } = this.#drain
    const synced = Number(Atomics.load(control64, int64.synced))
    assert(
      synced <= wholeEnd && wholeEnd <= this.#written,
      'the synced LSN only rises, up to what is written',
      () => ({ synced, wholeEnd, written: this.#written }),
    )
    Atomics.store(control64, int64.synced, BigInt(wholeEnd))
    if (Atomics.load(control32, int32.replicatorState) !== replicatorState.none) wakeReplicator(control32)
  }

  /**
   * Waits until `batchSize` records are pending, or the oldest of them is `batchDelayMs` old, or a producer waits for space.
   *
   * ```
   *  producer                                     flusher
   *  P1  published += records                     F1  wakeAt = the value of `published` with enough of them
   *  P2  looks whether published reached wakeAt   F2  remembers flusherSignal
   *  P3  flusherSignal += 1, notify               F3  looks at published, spaceWaiters, the state
   *                                               F4  waits while flusherSignal is what F2 remembers, at most to the end
   *                                                   of the delay
   * ```
   *
   * What F3 does not see to be enough becomes enough by a P1 after F3, so its P2 comes after F1, sees the number, and P3 ends the
   * wait. A producer that waits for space adds itself to `spaceWaiters` and then wakes the flusher, as `signals.ts` describes.
   * While the flusher is awake, `wakeAt` is out of reach, and producers notify no one.
   */
  #gather(): void {
    const { control32 } = this.#views
    const { batchSize, batchDelayMs } = this.#settings
    const deadlineMs = this.#scanEndMs + batchDelayMs
    Atomics.store(control32, int32.wakeAt, this.#drain.publishedAfter(batchSize))
    for (;;) {
      const signal = Atomics.load(control32, int32.flusherSignal)
      if (this.#drain.pendingRecords >= batchSize) break
      if (Atomics.load(control32, int32.spaceWaiters) > 0) break
      if (Atomics.load(control32, int32.state) >= logState.closing) break
      const waitMs = deadlineMs - performance.now()
      if (waitMs <= 0) break
      Atomics.wait(control32, int32.flusherSignal, signal, waitMs)
      this.advanceLimit()
    }
    Atomics.store(control32, int32.wakeAt, this.#drain.publishedAfter(awake))
  }

  /**
   * Sleeps until a producer publishes or needs space, something is requested, or the log is closed. A log that falls idle gets
   * its sync marker first.
   *
   * ```
   *  producer                                     flusher
   *  P1  claimTail += bytes                       F1  remembers flusherSignal
   *  P2  ring[claim] = length: it is published    F2  asleep = 1
   *  P3  published += records                     F3  looks for work: the ring, the state, requests
   *  P4  looks whether asleep is 1                F4  waits while flusherSignal is what F1 remembers
   *  P5  flusherSignal += 1, notify               F5  asleep = 0
   * ```
   *
   * Every step is sequentially consistent. A publication that F3 does not see (P2) comes after F3, so its P4 comes after F2,
   * sees 1 and leads to P5. P5 comes after F1, so F4 finds the word changed, or is notified while it waits. No publication of
   * a living producer is therefore missed. The others that wake the flusher don't look at `asleep`: they always do P5, after
   * they changed what F3 looks at.
   *
   * Where it may spin, the flusher does so between F1 and F2: it looks at what F3 looks at, and at flusherSignal, for `spinUs` at
   * most. Until F2 a producer notifies no thread, which is what spinning saves it. A flusher that has spun in vain continues
   * with F2, and what came after its last look is found by F3 or ends F4, as above.
   *
   * A producer may end at any step, in a thread of the user's. After P2 and before P3: `published` stays too low for ever,
   * which is why sleep does not depend on it; only `#gather` does, and the difference is forgotten when the ring is
   * empty. After P2 and before P5: nothing wakes the flusher, so no sleep is longer than `lookMs`. After P1 and before P2:
   * nothing after that claim can ever be written, so the log is poisoned when it was waited for long enough.
   */
  #sleep(): void {
    const { control32 } = this.#views
    const signal = Atomics.load(control32, int32.flusherSignal)
    if (!this.#spin(signal)) {
      Atomics.store(control32, int32.asleep, 1)
      this.advanceLimit()
      if (!this.#hasWork()) {
        const { onlySyncMarkers } = this.#drain
        const checkMs = this.#ownership?.nextCheckMs ?? lookMs
        const sleepMs = onlySyncMarkers ? Math.min(checkMs, lookMs) : idleSyncMarkerMs
        const outcome = Atomics.wait(control32, int32.flusherSignal, signal, sleepMs)
        if (outcome === 'timed-out' && !this.#drain.hasPublished) {
          this.#checkClaims(sleepMs)
          if (this.#isSyncMarkerDue() && (!this.#hasRoomForSyncMarker() || this.writeSyncMarker()))
            this.#drain.syncMarkerWritten()
        }
      }
      Atomics.store(control32, int32.asleep, 0)
    }
    this.#scanEndMs = performance.now()
    Atomics.store(control32, int32.wakeAt, this.#drain.publishedAfter(awake))
  }

  /** Looks for work, and for a signal after the remembered one, for `spinUs` at most; returns whether there was any. */
  #spin(signal: number): boolean {
    const { spinUs = 0 } = this.#settings
    if (spinUs === 0) return false
    const { control32 } = this.#views
    // A producer or a reader that signals is here for space, which is advanced before each spin.
    this.advanceLimit()
    return spin(spinUs, () => this.#hasWork() || Atomics.load(control32, int32.flusherSignal) !== signal)
  }

  /**
   * Counts how long the flusher has slept before a claim that is not published. Sleep is counted, not time, so that a
   * process that was stopped is not taken for a producer that died. Nor is a producer that waits for the space which the
   * replicator keeps.
   */
  #checkClaims(sleptMs: number): void {
    if (this.#drain.isEmpty || this.#awaitsRelease()) return
    this.#unfilledMs += sleptMs
    if (this.#unfilledMs >= unfilledClaimMs) throw unfilledClaim(this.#written)
  }

  /** The clean end: no claim is left unpublished, and a last sync marker proves that all of it was synced. */
  #finish(): void {
    const { control32 } = this.#views
    const unsafe = this.#settings.durability === 'unsafeNone'
    const deadlineMs = performance.now() + abandonedClaimMs
    // A close does not say that all is well in a folder that was taken away a moment ago.
    this.#ownership?.check()
    while (!this.#drain.isEmpty) {
      if (this.#isPoisoned()) break
      if (this.#drain.hasPublished) {
        this.flush()
      } else if (performance.now() > deadlineMs) {
        throw unfilledClaim(this.#written)
      } else {
        Atomics.wait(control32, int32.flusherSignal, Atomics.load(control32, int32.flusherSignal), 10)
        this.advanceLimit()
      }
    }
    if (unsafe) {
      this.#segments.sync()
      this.#storeSynced()
    }
    while (this.#awaitsRelease() && !this.#isPoisoned()) {
      Atomics.wait(
        control32,
        int32.flusherSignal,
        Atomics.load(control32, int32.flusherSignal),
        replicationLookMs,
      )
    }
    if (!this.#isPoisoned() && this.#isSyncMarkerDue() && this.#hasRoomForSyncMarker()) {
      this.writeSyncMarker()
      while (this.#drain.hasPublished) this.flush()
      if (unsafe) this.#segments.sync()
    }
    this.#segments.close()
  }

  #isPoisoned(): boolean {
    return Atomics.load(this.#views.control32, int32.state) === logState.poisoned
  }

  #checkPosition(): void {
    assert(
      this.#segments.end === this.#written && this.#drain.end === this.#written,
      'the segment ends at the LSN up to which the ring was taken and written',
      () => ({ segment: this.#segments.end, taken: this.#drain.end, written: this.#written }),
    )
  }

  #count(bytes: number, flushMs: number): void {
    const statistics = this.#views.statistics
    statistics[float64.flushes]! += 1
    statistics[float64.records]! += this.#drain.records
    statistics[float64.bytes]! += bytes
    if (this.#drain.endsWithSyncMarker) statistics[float64.syncMarkers]! += 1
    this.#views.flushLatency.record(flushMs * 1000)
  }
}

function unfilledClaim(lsn: number): LogError {
  return new LogError('TIDEMARK_THREAD_DIED', 'A thread claimed space in the log and never filled it.', {
    lsn,
  })
}
