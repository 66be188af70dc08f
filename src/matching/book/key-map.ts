import { NumberIndex } from './number-index.js'

const CHUNK_KEYS = 1024
const WORDS = 48
const BITS = 0
const SUMMARY = 32
const LEFT = 33
const RIGHT = 34
const PARENT = 35
const PRIORITY = 36
const LOWER = 37
const HIGHER = 38
const NUMBER = 20

const INITIAL_CHUNKS = 64
const INITIAL_SIDES = 64

/**
 * Which keys of each book side are taken, and which comes next below another. Keys are whole numbers but 0; they are
 * gathered in chunks of 1,024, one bit each plus a summary word. The chunks that hold something are found by a hash,
 * linked in order, and kept in a treap for each book side, which is only needed when a chunk comes or goes. Memory is
 * bounded by the number of taken keys, whatever lies between them. Chunk 0 is never given out.
 *
 *   words 0-31  bits         33 left child    36 priority      40-41 chunk number (key / 1024)
 *         32    summary      34 right child   37 next lower
 *                            35 parent        38 next higher
 */
export class KeyMap {
  readonly #chunkOf: NumberIndex
  #i32: Int32Array
  #f64: Float64Array
  #roots = new Int32Array(INITIAL_SIDES)
  #capacity = INITIAL_CHUNKS
  #used = 1
  #free = 0
  #random = 0x2545f491

  constructor(seed: number) {
    this.#chunkOf = new NumberIndex(seed)
    const buffer = new ArrayBuffer(INITIAL_CHUNKS * WORDS * 4)
    this.#i32 = new Int32Array(buffer)
    this.#f64 = new Float64Array(buffer)
  }

  reserveBookSides(count: number): void {
    if (count <= this.#roots.length) return
    const roots = new Int32Array(Math.max(count, this.#roots.length * 2))
    roots.set(this.#roots)
    this.#roots = roots
  }

  /** Marks a key that is not taken as taken. */
  add(bookSide: number, key: number): void {
    const number = Math.floor(key / CHUNK_KEYS)
    const chunk = this.#chunkOf.find(bookSide, number) || this.#insertChunk(bookSide, number)
    const bit = key - number * CHUNK_KEYS
    const i32 = this.#i32
    const base = chunk * WORDS
    i32[base + BITS + (bit >>> 5)]! |= 1 << (bit & 31)
    i32[base + SUMMARY]! |= 1 << (bit >>> 5)
  }

  /** Marks a taken key as free. */
  remove(bookSide: number, key: number): void {
    const number = Math.floor(key / CHUNK_KEYS)
    const chunk = this.#chunkOf.find(bookSide, number)
    const bit = key - number * CHUNK_KEYS
    const i32 = this.#i32
    const base = chunk * WORDS
    const word = i32[base + BITS + (bit >>> 5)]! & ~(1 << (bit & 31))
    i32[base + BITS + (bit >>> 5)] = word
    if (word !== 0) return
    const summary = i32[base + SUMMARY]! & ~(1 << (bit >>> 5))
    i32[base + SUMMARY] = summary
    if (summary === 0) this.#removeChunk(bookSide, number, chunk)
  }

  /** The highest taken key below a taken key, or 0. */
  below(bookSide: number, key: number): number {
    const number = Math.floor(key / CHUNK_KEYS)
    const chunk = this.#chunkOf.find(bookSide, number)
    const i32 = this.#i32
    const base = chunk * WORDS
    const bit = key - number * CHUNK_KEYS
    const word = bit >>> 5
    const rest = i32[base + BITS + word]! & ((1 << (bit & 31)) - 1)
    if (rest !== 0) return number * CHUNK_KEYS + word * 32 + 31 - Math.clz32(rest)
    const words = i32[base + SUMMARY]! & ((1 << word) - 1)
    if (words !== 0) return this.#highest(chunk, words)
    const lower = i32[base + LOWER]!
    return lower === 0 ? 0 : this.#highest(lower, i32[lower * WORDS + SUMMARY]!)
  }

  #highest(chunk: number, words: number): number {
    const word = 31 - Math.clz32(words)
    const bits = this.#i32[chunk * WORDS + BITS + word]!
    return this.#f64[(chunk * WORDS) / 2 + NUMBER]! * CHUNK_KEYS + word * 32 + 31 - Math.clz32(bits)
  }

  /** Adds an empty chunk: as a leaf of the treap, between its neighbours, then up to where its priority belongs. */
  #insertChunk(bookSide: number, number: number): number {
    const chunk = this.#allocate()
    this.#chunkOf.insert(bookSide, number, chunk)
    const i32 = this.#i32
    const f64 = this.#f64
    const base = chunk * WORDS
    i32.fill(0, base, base + WORDS)
    f64[base / 2 + NUMBER] = number
    this.#random ^= this.#random << 13
    this.#random ^= this.#random >>> 17
    this.#random ^= this.#random << 5
    i32[base + PRIORITY] = this.#random
    let parent = 0
    let at = this.#roots[bookSide]!
    let side = LEFT
    while (at !== 0) {
      parent = at
      side = number < f64[(at * WORDS) / 2 + NUMBER]! ? LEFT : RIGHT
      at = i32[at * WORDS + side]!
    }
    i32[base + PARENT] = parent
    if (parent === 0) {
      this.#roots[bookSide] = chunk
      return chunk
    }
    i32[parent * WORDS + side] = chunk
    const lower = side === LEFT ? i32[parent * WORDS + LOWER]! : parent
    const higher = side === LEFT ? parent : i32[parent * WORDS + HIGHER]!
    i32[base + LOWER] = lower
    i32[base + HIGHER] = higher
    if (lower !== 0) i32[lower * WORDS + HIGHER] = chunk
    if (higher !== 0) i32[higher * WORDS + LOWER] = chunk
    while (i32[base + PARENT] !== 0 && i32[i32[base + PARENT]! * WORDS + PRIORITY]! < i32[base + PRIORITY]!) {
      this.#rotateUp(bookSide, chunk)
    }
    return chunk
  }

  #removeChunk(bookSide: number, number: number, chunk: number): void {
    this.#chunkOf.remove(bookSide, number)
    const i32 = this.#i32
    const base = chunk * WORDS
    for (;;) {
      const left = i32[base + LEFT]!
      const right = i32[base + RIGHT]!
      if (left === 0 || right === 0) break
      const takesLeft = i32[left * WORDS + PRIORITY]! > i32[right * WORDS + PRIORITY]!
      this.#rotateUp(bookSide, takesLeft ? left : right)
    }
    const child = i32[base + LEFT]! || i32[base + RIGHT]!
    this.#hang(bookSide, i32[base + PARENT]!, chunk, child)
    const lower = i32[base + LOWER]!
    const higher = i32[base + HIGHER]!
    if (lower !== 0) i32[lower * WORDS + HIGHER] = higher
    if (higher !== 0) i32[higher * WORDS + LOWER] = lower
    i32[base + HIGHER] = this.#free
    this.#free = chunk
  }

  /** Swaps a chunk with its parent, keeping the order of keys. */
  #rotateUp(bookSide: number, chunk: number): void {
    const i32 = this.#i32
    const parent = i32[chunk * WORDS + PARENT]!
    const near = i32[parent * WORDS + LEFT] === chunk ? LEFT : RIGHT
    const far = LEFT + RIGHT - near
    const inner = i32[chunk * WORDS + far]!
    this.#hang(bookSide, i32[parent * WORDS + PARENT]!, parent, chunk)
    i32[parent * WORDS + near] = inner
    if (inner !== 0) i32[inner * WORDS + PARENT] = parent
    i32[chunk * WORDS + far] = parent
    i32[parent * WORDS + PARENT] = chunk
  }

  /** Puts `child` where `old` hangs below `parent`. */
  #hang(bookSide: number, parent: number, old: number, child: number): void {
    const i32 = this.#i32
    if (parent === 0) this.#roots[bookSide] = child
    else if (i32[parent * WORDS + LEFT] === old) i32[parent * WORDS + LEFT] = child
    else i32[parent * WORDS + RIGHT] = child
    if (child !== 0) i32[child * WORDS + PARENT] = parent
  }

  #allocate(): number {
    const free = this.#free
    if (free !== 0) {
      this.#free = this.#i32[free * WORDS + HIGHER]!
      return free
    }
    if (this.#used === this.#capacity) {
      this.#capacity *= 2
      const buffer = new ArrayBuffer(this.#capacity * WORDS * 4)
      const i32 = new Int32Array(buffer)
      i32.set(this.#i32)
      this.#i32 = i32
      this.#f64 = new Float64Array(buffer)
    }
    return this.#used++
  }
}
