import { fdatasyncSync, openSync, writevSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { word } from './bare-memory.mjs'

/**
 * A group commit with nothing around it: bytes go into a shared ring, one thread writes whatever is there into a file
 * of zeros, syncs, and says up to where all is on disk. Positions are 32-bit counts of bytes and wrap.
 */
export class BareCommitter {
  /** @param {string} file made by the caller, filled with zeros @param {number} fileBytes @param {number} ringBytes a power of two */
  static async start(file, fileBytes, ringBytes) {
    const memory = { control: new SharedArrayBuffer(512), ring: new SharedArrayBuffer(ringBytes) }
    const workerData = { memory, file, fileBytes }
    const worker = new Worker(new URL('./bare-committer-thread.mjs', import.meta.url), { workerData })
    await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    return new BareCommitter(memory, worker)
  }

  constructor(memory, worker) {
    this.memory = memory
    this.worker = worker
    this.control = new Int32Array(memory.control)
    this.ring = new Uint8Array(memory.ring)
    this.tail = 0
    this.waiters = []
    this.listening = false
  }

  /** Puts `count` copies of a record into the ring; resolves when they are on disk. The ring must have room for them. */
  append(record, count) {
    const { ring } = this
    const mask = ring.length - 1
    for (let i = 0; i < count; i++) {
      const at = this.tail & mask
      const first = Math.min(record.length, ring.length - at)
      if (first === record.length) ring.set(record, at)
      else {
        ring.set(record.subarray(0, first), at)
        ring.set(record.subarray(first), 0)
      }
      this.tail = (this.tail + record.length) | 0
    }
    Atomics.store(this.control, word.tail, this.tail)
    Atomics.notify(this.control, word.tail)
    return new Promise((resolve) => {
      this.waiters.push({ tail: this.tail, resolve })
      this.#listen()
    })
  }

  /** Syncs so far. */
  get commits() {
    return Atomics.load(this.control, word.commits)
  }

  async close() {
    Atomics.store(this.control, word.stop, 1)
    Atomics.store(this.control, word.tail, (this.tail + 1) | 0)
    Atomics.notify(this.control, word.tail)
    await new Promise((resolve) => this.worker.once('exit', resolve))
  }

  /** Gets the durable LSN for as long as a call waits. */
  async #listen() {
    if (this.listening) return
    this.listening = true
    let done = 0
    while (this.waiters.length > done) {
      const durable = Atomics.load(this.control, word.durable)
      while (done < this.waiters.length && ((durable - this.waiters[done].tail) | 0) >= 0)
        this.waiters[done++].resolve()
      if (done > 1024) done -= this.waiters.splice(0, done).length
      if (done === this.waiters.length) break
      const wait = Atomics.waitAsync(this.control, word.durable, durable)
      if (wait.async) await wait.value
    }
    this.waiters.length = 0
    this.listening = false
  }
}

/** The thread's loop. */
export function commitLoop({ memory, file, fileBytes }) {
  const control = new Int32Array(memory.control)
  const ring = new Uint8Array(memory.ring)
  const mask = ring.length - 1
  const descriptor = openSync(file, 'r+')
  let written = 0
  let position = 0
  for (;;) {
    const tail = Atomics.load(control, word.tail)
    if (Atomics.load(control, word.stop) !== 0) return
    if (tail === written) {
      Atomics.wait(control, word.tail, tail)
      continue
    }
    const bytes = (tail - written) >>> 0
    const at = written & mask
    const first = Math.min(bytes, ring.length - at)
    const pieces = [ring.subarray(at, at + first)]
    if (first < bytes) pieces.push(ring.subarray(0, bytes - first))
    if (position + bytes > fileBytes) position = 0
    writevSync(descriptor, pieces, position)
    fdatasyncSync(descriptor)
    position += bytes
    Atomics.add(control, word.commits, 1)
    written = tail
    Atomics.store(control, word.durable, tail)
    Atomics.notify(control, word.durable)
  }
}
