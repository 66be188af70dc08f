/** A small seeded generator (mulberry32): the seed alone repeats a run. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 to 1, 1 excluded. */
  next(): number {
    return this.#word() / 0x1_0000_0000
  }

  #word(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** A whole number from 0 to `below`, `below` excluded. */
  int(below: number): number {
    return Math.floor(this.next() * below)
  }

  bytes(length: number): Uint8Array {
    const words = new Uint32Array((length + 3) >> 2)
    for (let i = 0; i < words.length; i++) words[i] = this.#word()
    return new Uint8Array(words.buffer, 0, length)
  }
}
