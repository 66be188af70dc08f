import { int32, type LogMemory } from '../ring/memory.js'
import type { Spare, SpareSource } from './segment-writer.js'

/** Spares that a preparer thread announces in shared memory. */
export class SharedSpares implements SpareSource {
  readonly #control32: Int32Array

  constructor(memory: LogMemory) {
    this.#control32 = new Int32Array(memory.control)
  }

  get ready(): Spare | undefined {
    const serial = Atomics.load(this.#control32, int32.spareSerial)
    if (serial === Atomics.load(this.#control32, int32.spareTaken)) return undefined
    return { serial, recycled: Atomics.load(this.#control32, int32.spareRecycled) === 1 }
  }

  take(): void {
    Atomics.store(this.#control32, int32.spareTaken, Atomics.load(this.#control32, int32.spareSerial))
    Atomics.add(this.#control32, int32.preparerSignal, 1)
    Atomics.notify(this.#control32, int32.preparerSignal)
  }
}
