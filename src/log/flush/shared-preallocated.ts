import { assert } from '../../base/assert.js'
import { int32, int64, type LogMemory, LogViews } from '../ring/memory.js'
import { wakePreallocator } from '../ring/signals.js'
import type { PreallocatedSegment, PreallocatedSource } from './segment-writer.js'

/** The segments that the preallocator's thread announces in shared memory. */
export class SharedPreallocated implements PreallocatedSource {
  readonly #control32: Int32Array
  readonly #control64: BigInt64Array

  constructor(memory: LogMemory) {
    const { control32, control64 } = new LogViews(memory)
    this.#control32 = control32
    this.#control64 = control64
  }

  get ready(): PreallocatedSegment | undefined {
    const serial = Atomics.load(this.#control32, int32.preallocatedSerial)
    const taken = Atomics.load(this.#control32, int32.preallocatedTaken)
    if (serial === taken) return undefined
    assert(serial === taken + 1, 'at most one preallocated segment is ready', () => ({ serial, taken }))
    return {
      serial,
      recycled: Atomics.load(this.#control32, int32.preallocatedRecycled) === 1,
      bytes: Number(Atomics.load(this.#control64, int64.preallocatedBytes)),
    }
  }

  take(): void {
    Atomics.store(
      this.#control32,
      int32.preallocatedTaken,
      Atomics.load(this.#control32, int32.preallocatedSerial),
    )
    wakePreallocator(this.#control32)
  }
}
