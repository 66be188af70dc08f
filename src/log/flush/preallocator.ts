import * as path from 'node:path'
import { attempt, removeQuietly } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import type { Ownership } from '../disk/ownership.js'
import {
  type DiskMessage,
  ioError,
  isShortage,
  type LogError,
  makingRoom,
  shortageOf,
  toErrorMessage,
} from '../errors.js'
import { isRecycledName, preallocatedName, segmentHeaderBytes } from '../format/segment.js'
import { fullFor, int32, int64, type LogMemory, LogViews, logState, noteShortage } from '../ring/memory.js'
import { wakeFlusher } from '../ring/signals.js'
import { FillPace } from './fill-pace.js'

/** Zeros are written in pieces of this size, each synced: one large fill beside it would hold up the flusher's syncs. */
const fillBytes = 512 * 1024
const zeros = new Uint8Array(fillBytes)
/**
 * The first segment that is made ready after an opening takes so many times what the active one takes then: a log that is small
 * keeps little of the disk busy, and one that is written fast at once finds it ready in time. Those after it are whole.
 */
const firstGrowth = 4
/** How long the preallocator waits until it looks again whether there is room. */
const retryMs = 1000

/** Writes zeros over `bytes` of a file from `position`, so that what is written there later finds its blocks. Not synced. */
export function reserveBytes(disk: Disk, file: number, name: string, position: number, bytes: number): void {
  for (let done = 0; done < bytes; ) {
    const piece = zeros.subarray(0, Math.min(fillBytes, bytes - done))
    const written = attempt('write to', name, () => disk.write(file, [piece], position + done))
    if (written <= 0) throw noRoom('write to', name)
    done += written
  }
}

/** Writes zeros over `bytes` of a file from `position`, syncing as it goes. `stop` is asked before each piece. */
function fillWithZeros(
  disk: Disk,
  file: number,
  name: string,
  position: number,
  bytes: number,
  stop: (done: number) => boolean = () => false,
): boolean {
  for (let done = 0; done < bytes; ) {
    if (stop(done)) return false
    const step = Math.min(fillBytes, bytes - done)
    const piece = step === fillBytes ? zeros : zeros.subarray(0, step)
    const written = attempt('write to', name, () => disk.write(file, [piece], position + done))
    if (written <= 0) throw noRoom('write to', name)
    attempt('sync', name, () => disk.syncData(file))
    done += written
  }
  return true
}

/**
 * Keeps one file ready for the flusher's next rotation, and makes the names of rotated segments durable. It is one that
 * retention has taken out of the log, or one that is filled with zeros: a sparse or merely allocated file would make
 * every sync of the flusher write the file system's journal.
 */
export class SegmentPreallocator {
  readonly #disk: Disk
  readonly #directory: string
  readonly #ownership: Ownership | undefined
  readonly #segmentBytes: number
  readonly #firstSegmentBytes: number
  readonly #pace: FillPace
  readonly #control32: Int32Array
  readonly #control64: BigInt64Array

  /** `firstSegmentBytes` is what the segment holds that is active when the log is opened. */
  constructor(options: {
    disk: Disk
    directory: string
    segmentBytes: number
    firstSegmentBytes?: number
    memory: LogMemory
    ownership?: Ownership
  }) {
    this.#disk = options.disk
    this.#directory = options.directory
    this.#ownership = options.ownership
    this.#segmentBytes = options.segmentBytes
    this.#firstSegmentBytes = options.firstSegmentBytes ?? options.segmentBytes
    this.#pace = new FillPace(options.memory)
    const { control32, control64 } = new LogViews(options.memory)
    this.#control32 = control32
    this.#control64 = control64
  }

  /**
   * Makes one segment ready if the last one was taken; returns whether it did. Says in shared memory whether there is room
   * for it. What fails is removed, and only then tried again, with a new file: a file or a folder whose sync failed is never
   * synced again as if nothing had happened.
   *
   * @throws LogError `TIDEMARK_DISK_FULL`, `TIDEMARK_TOO_MANY_FILES`, after a second try at once, and `TIDEMARK_LOG_IO`; then
   *   nothing of the file is left.
   */
  preallocateOnce(): boolean {
    const control = this.#control32
    const ready = Atomics.load(control, int32.preallocatedSerial)
    if (ready !== Atomics.load(control, int32.preallocatedTaken)) {
      // The flusher found room without taking the segment, which is the next one then.
      if (!this.#keepShortage()) this.#clearShortage()
      return false
    }
    this.#ownership?.check()
    const serial = ready + 1
    const name = path.join(this.#directory, preallocatedName(serial))
    let outcome: 'filled' | 'recycled' | 'stopped'
    try {
      outcome = makingRoom(this.#directory, () => {
        this.#pace.begin(this.#activeBytes)
        return this.#preallocate(name, this.#bytesOf(serial))
      })
    } catch (error) {
      if (isShortage(error)) noteShortage(control, fullFor.preallocator, shortageOf(error)!)
      // The flusher makes its own segments meanwhile, and reports a shortage itself.
      else this.#clearShortage()
      throw error
    }
    if (outcome === 'stopped') return false
    const isRecycled = outcome === 'recycled'
    Atomics.store(control, int32.preallocatedRecycled, isRecycled ? 1 : 0)
    // Only whole segments are used again.
    const bytes = isRecycled ? this.#segmentBytes : this.#bytesOf(serial)
    Atomics.store(this.#control64, int64.preallocatedBytes, BigInt(bytes))
    const kept = this.#keepShortage()
    Atomics.store(control, int32.preallocatedSerial, serial)
    if (kept || this.#keepShortage()) wakeFlusher(control)
    else this.#clearShortage()
    return true
  }

  /** What the active segment takes: the one that was made ready last, or that of the opening. */
  get #activeBytes(): number {
    return Number(Atomics.load(this.#control64, int64.preallocatedBytes)) || this.#firstSegmentBytes
  }

  /** What the segment of this serial takes, if it is filled. */
  #bytesOf(serial: number): number {
    return serial === 1
      ? Math.min(this.#segmentBytes, firstGrowth * this.#firstSegmentBytes)
      : this.#segmentBytes
  }

  /**
   * Sets the preallocator's bit while the flusher's is set; returns whether it is. A flusher without room continues in the
   * segment that was made now, so whether there is room for the one after it is known only when that one is made.
   */
  #keepShortage(): boolean {
    const control = this.#control32
    for (;;) {
      const bits = Atomics.load(control, int32.diskFull)
      if ((bits & fullFor.flusher) === 0) return false
      // Set only while the flusher's is: once all are clear, the shortage may have been reported as over.
      if (Atomics.compareExchange(control, int32.diskFull, bits, bits | fullFor.preallocator) === bits)
        return true
    }
  }

  #clearShortage(): void {
    if (Atomics.and(this.#control32, int32.diskFull, ~fullFor.preallocator) !== 0)
      wakeFlusher(this.#control32)
  }

  get #isShort(): boolean {
    return (Atomics.load(this.#control32, int32.diskFull) & fullFor.preallocator) !== 0
  }

  #preallocate(name: string, bytes: number): 'filled' | 'recycled' | 'stopped' {
    try {
      const recycled = this.#recycle(name)
      if (!recycled && !this.#fill(name, segmentHeaderBytes + bytes)) return 'stopped'
      attempt('sync', this.#directory, () => this.#disk.syncDirectory(this.#directory))
      return recycled ? 'recycled' : 'filled'
    } catch (error) {
      this.#removeOwn(name)
      throw error
    }
  }

  /** Removes a file that failed. In a folder that is another owner's by now, the name may be that of its file. */
  #removeOwn(file: string): void {
    try {
      this.#ownership?.check()
    } catch {
      return
    }
    removeQuietly(this.#disk, file)
  }

  /**
   * Uses the file of a removed segment again, if there is one. A valid header under the name of a preallocated segment
   * makes it a segment of the log, so the old header must be gone before the file gets that name; and it may not be wiped
   * while a crash could bring the file back under its segment's name. So the removal is made durable first, then the
   * wiped header, then the new name.
   */
  #recycle(name: string): boolean {
    const disk = this.#disk
    const old = attempt('read', this.#directory, () => disk.list(this.#directory)).find(isRecycledName)
    if (old === undefined) return false
    const file = path.join(this.#directory, old)
    try {
      return this.#wipe(file, name)
    } catch (error) {
      // Without a descriptor nothing was done to it; after any other failure it is unknown what the disk holds of it.
      if (shortageOf(error) !== 'files') this.#removeOwn(file)
      throw error
    }
  }

  #wipe(file: string, name: string): boolean {
    const disk = this.#disk
    attempt('sync', this.#directory, () => disk.syncDirectory(this.#directory))
    const handle = attempt('open', file, () => disk.open(file, 'write'))
    try {
      const header = zeros.subarray(0, segmentHeaderBytes)
      const written = attempt('write to', file, () => disk.write(handle, [header], 0))
      if (written !== segmentHeaderBytes) return false
      attempt('sync', file, () => disk.syncData(handle))
    } finally {
      disk.close(handle)
    }
    this.#ownership?.check()
    attempt('rename', file, () => disk.rename(file, name))
    return true
  }

  /**
   * Writes a file of so many zeros; returns whether it was finished. Where there is no room for all of it, it is not begun: the
   * last blocks of a full disk are the flusher's, and other people's.
   */
  #fill(name: string, bytes: number): boolean {
    const disk = this.#disk
    const free = attempt('look at', this.#directory, () => disk.freeBytes(this.#directory))
    if (free < bytes) throw noRoom('create', name)
    const file = attempt('create', name, () => disk.create(name))
    let filled = false
    try {
      const stopped = (done: number) => {
        if (done > 0) this.#pace.rest(done / bytes)
        // Nothing is written into a folder that may be another owner's by now.
        this.#ownership?.confirm()
        return Atomics.load(this.#control32, int32.state) >= logState.closing
      }
      filled = fillWithZeros(disk, file, name, 0, bytes, stopped)
      return filled
    } finally {
      disk.close(file)
      if (!filled) this.#removeOwn(name)
    }
  }

  /**
   * Works until the log closes. That there is no room or no descriptor for the next segment is reported by `notify`, once,
   * and once when there is again. Every other failure is reported too, and tried again later: meanwhile the flusher makes its
   * own segments, and only its failure ends the log.
   */
  run(notify: (message: DiskMessage) => void = () => {}): void {
    const control = this.#control32
    // A thread before this one may have been short of what it needs to start.
    let full = this.#isShort
    while (Atomics.load(control, int32.state) < logState.closing) {
      const signal = Atomics.load(control, int32.preallocatorSignal)
      let done = false
      try {
        done = this.preallocateOnce()
      } catch (error) {
        const shortage = isShortage(error) ? shortageOf(error) : undefined
        if (!shortage) notify({ kind: 'preallocation-failed', error: toErrorMessage(error) })
        else if (!full) notify({ kind: 'disk-full', shortage, error: toErrorMessage(error) })
      }
      const before = full
      full = this.#isShort
      if (before && !full) notify({ kind: 'disk-ready' })
      if (!done) Atomics.wait(control, int32.preallocatorSignal, signal, retryMs)
    }
  }
}

function noRoom(action: string, name: string): LogError {
  return ioError(action, name, Object.assign(new Error('no room'), { code: 'ENOSPC' }))
}
