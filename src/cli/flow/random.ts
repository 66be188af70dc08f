/**
 * A seeded generator of pseudo-random 32-bit words: sfc32 ("small fast counter") by Chris Doty-Humphrey, from PractRand.
 * The same seed gives the same words everywhere: it uses 32-bit integer operations only.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** `seed` is a whole number from 0 to 2^53-1. */
  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 4294967296) | 0
    this.#c = 0x9e3779b9 | 0
    // The author's advice: the first words still show the seed.
    for (let i = 0; i < 15; i++) this.word()
  }

  /** 32 bits, as a signed integer. */
  word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum
  }

  /** A fraction in [0, 1) with 32 bits. */
  fraction(): number {
    return (this.word() >>> 0) / 4294967296
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound)
  }
}
