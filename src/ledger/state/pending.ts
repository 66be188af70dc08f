import { broken } from '../../base/assert.js'

const initialEntries = 1024

/**
 * What is held for the commands that a shard was given and has not logged durably, in their order: each has one entry, or
 * several in a row of which all but the last say that more follow. The shard logs its commands in that order, so nothing in a record
 * has to say which entry is its own.
 */
export class PendingHolds {
  #cell = new Int32Array(initialEntries)
  #amount = new BigInt64Array(initialEntries)
  /** The order that a replace names; 0 for other commands. */
  #order = new Int32Array(initialEntries)
  /** The id of that order: by now its place may be another order's. */
  #orderId = new Float64Array(initialEntries)
  #more = new Int32Array(initialEntries)
  #head = 0
  #tail = 0
  /** Commands with several entries: lists. */
  #lists = 0

  /** Lists on their way. */
  get lists(): number {
    return this.#lists
  }

  /** Where the next entry goes: `takeBack` takes back what was added since. */
  get tail(): number {
    return this.#tail
  }

  add(cell: number, amount: bigint, order: number, orderId: number, more: boolean): void {
    if (this.#tail - this.#head === this.#cell.length) this.#grow()
    const at = this.#place(this.#tail++)
    this.#cell[at] = cell
    this.#amount[at] = amount
    this.#order[at] = order
    this.#orderId[at] = orderId
    this.#more[at] = more ? 1 : 0
    if (more) this.#lists++
  }

  /** Calls `free` with each entry of the first command, and takes it out. */
  take(free: (cell: number, amount: bigint, order: number, orderId: number) => void): void {
    for (;;) {
      if (this.#head === this.#tail)
        broken('a durable order, replace or list has its hold', { head: this.#head })
      const at = this.#place(this.#head++)
      free(this.#cell[at]!, this.#amount[at]!, this.#order[at]!, this.#orderId[at]!)
      if (this.#more[at] === 0) return
      this.#lists--
    }
  }

  /** Calls `free` with each entry that was added since `tail`, and takes it out. */
  takeBack(tail: number, free: (cell: number, amount: bigint, order: number, orderId: number) => void): void {
    while (this.#tail > tail) {
      const at = this.#place(--this.#tail)
      free(this.#cell[at]!, this.#amount[at]!, this.#order[at]!, this.#orderId[at]!)
      if (this.#more[at] === 1) this.#lists--
    }
  }

  /** Numbers of entries outgrow 32 bits, and their low bits are right all the same. */
  #place(entry: number): number {
    return entry & (this.#cell.length - 1)
  }

  #grow(): void {
    const before = this.#cell.length - 1
    const old = [this.#cell, this.#amount, this.#order, this.#orderId, this.#more] as const
    this.#cell = new Int32Array(old[0].length * 2)
    this.#amount = new BigInt64Array(old[0].length * 2)
    this.#order = new Int32Array(old[0].length * 2)
    this.#orderId = new Float64Array(old[0].length * 2)
    this.#more = new Int32Array(old[0].length * 2)
    const mask = this.#cell.length - 1
    for (let i = this.#head; i < this.#tail; i++) {
      this.#cell[i & mask] = old[0][i & before]!
      this.#amount[i & mask] = old[1][i & before]!
      this.#order[i & mask] = old[2][i & before]!
      this.#orderId[i & mask] = old[3][i & before]!
      this.#more[i & mask] = old[4][i & before]!
    }
  }
}
