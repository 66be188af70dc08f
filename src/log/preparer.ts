import * as path from 'node:path'
import type { Disk } from './disk.js'
import { int32, type LogMemory, LogViews, logState } from './memory.js'
import { attempt, segmentHeaderBytes, spareName } from './segment.js'

/** Zeros are written in pieces of this size, each synced: one large fill beside it would hold up the flusher's syncs. */
const fillBytes = 512 * 1024
const zeros = new Uint8Array(fillBytes)

/** Writes zeros over `bytes` of a file from `position`, syncing as it goes. `stop` is asked between the pieces. */
export function fillWithZeros(
  disk: Disk,
  file: number,
  name: string,
  position: number,
  bytes: number,
  stop: () => boolean = () => false,
): boolean {
  for (let done = 0; done < bytes; ) {
    if (stop()) return false
    const step = Math.min(fillBytes, bytes - done)
    const piece = step === fillBytes ? zeros : zeros.subarray(0, step)
    const written = attempt('write to', name, () => disk.write(file, [piece], position + done))
    if (written <= 0) return false
    attempt('sync', name, () => disk.syncData(file))
    done += written
  }
  return true
}

/**
 * Keeps one zero-filled file ready for the flusher's next rotation, and makes the names of rotated segments durable.
 * A sparse or merely allocated file would make every sync of the flusher write the file system's journal.
 */
export class SegmentPreparer {
  readonly #disk: Disk
  readonly #directory: string
  readonly #segmentBytes: number
  readonly #control32: Int32Array

  constructor(options: { disk: Disk; directory: string; segmentBytes: number; memory: LogMemory }) {
    this.#disk = options.disk
    this.#directory = options.directory
    this.#segmentBytes = options.segmentBytes
    this.#control32 = new LogViews(options.memory).control32
  }

  /** Prepares one spare if the last one was taken; returns whether it did. */
  prepareOnce(): boolean {
    const control = this.#control32
    const ready = Atomics.load(control, int32.spareSerial)
    if (ready !== Atomics.load(control, int32.spareTaken)) return false
    const serial = ready + 1
    const name = path.join(this.#directory, spareName(serial))
    const file = attempt('create', name, () => this.#disk.create(name))
    try {
      const stopped = () => Atomics.load(control, int32.state) >= logState.closing
      const bytes = segmentHeaderBytes + this.#segmentBytes
      if (!fillWithZeros(this.#disk, file, name, 0, bytes, stopped)) return false
    } finally {
      this.#disk.close(file)
    }
    attempt('sync', this.#directory, () => this.#disk.syncDirectory(this.#directory))
    Atomics.store(control, int32.spareSerial, serial)
    return true
  }

  /**
   * Works until the log closes. A disk without room for a spare is not an error here: the flusher then makes its own
   * segment, and it is the flusher's failure, if it fails, that counts.
   */
  run(): void {
    const control = this.#control32
    while (Atomics.load(control, int32.state) < logState.closing) {
      const signal = Atomics.load(control, int32.preparerSignal)
      let prepared = false
      try {
        prepared = this.prepareOnce()
      } catch {
        prepared = false
      }
      if (!prepared) Atomics.wait(control, int32.preparerSignal, signal, 1000)
    }
  }
}
