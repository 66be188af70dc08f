import { Heap } from '@datastructures-js/heap'
import { Queue } from '@datastructures-js/queue'
import type { ReleasedSignal } from '../ring/released-signal.js'

interface Waiter {
  readonly lsn: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * The promises that wait for the durable LSN: a FIFO while their LSNs rise, which is the normal case, and a heap for those
 * that come out of order.
 */
export class DurableWaiters {
  readonly #signal: ReleasedSignal
  readonly #rising = new Queue<Waiter>()
  readonly #heap = new Heap<Waiter>((a, b) => a.lsn - b.lsn)
  readonly #listener = () => this.settle()
  #last = 0
  #watching = false

  constructor(signal: ReleasedSignal) {
    this.#signal = signal
  }

  get size(): number {
    return this.#rising.size() + this.#heap.size()
  }

  wait(lsn: number): Promise<void> {
    if (this.#signal.released >= lsn) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter = { lsn, resolve, reject }
      if (lsn >= this.#last || this.#rising.isEmpty()) {
        this.#last = lsn
        this.#rising.enqueue(waiter)
      } else {
        this.#heap.insert(waiter)
      }
      if (this.size === 1) this.#watch()
      // The durable LSN may have passed it between the look above and the adding of the listener.
      if (this.#signal.released >= lsn) this.settle()
    })
  }

  /** Resolves all that wait for the durable LSN or less. */
  settle(): void {
    const released = this.#signal.released
    while (!this.#rising.isEmpty() && this.#rising.front()!.lsn <= released) this.#rising.dequeue()!.resolve()
    while (!this.#heap.isEmpty() && this.#heap.root()!.lsn <= released) this.#heap.extractRoot()!.resolve()
    this.#unwatch()
  }

  /** Rejects all. */
  fail(error: Error): void {
    while (!this.#rising.isEmpty()) this.#rising.dequeue()!.reject(error)
    while (!this.#heap.isEmpty()) this.#heap.extractRoot()!.reject(error)
    this.#unwatch()
  }

  #watch(): void {
    if (this.#watching) return
    this.#watching = true
    this.#signal.add(this.#listener)
    this.#signal.hold()
  }

  #unwatch(): void {
    if (!this.#watching || this.size > 0) return
    this.#watching = false
    this.#signal.remove(this.#listener)
    this.#signal.letGo()
  }
}
