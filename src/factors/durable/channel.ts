import { allAssertions, broken } from '../../base/assert.js'
import { entryHeadWords, entryKind, fieldCount } from '../entries.js'

const firstWords = 2048

/**
 * Entries that wait for their batch, one after the other in one block of memory, from which a batch is passed to the log
 * without a copy. It grows while entries wait, and moves what is left to the front when its end is reached.
 */
export class Channel {
  int32: Int32Array = new Int32Array(firstWords * 2)
  float64: Float64Array = new Float64Array(this.int32.buffer)
  /** Entries that wait. */
  length = 0
  /** Number of the first entry that waits; the numbers of entries rise by one. */
  first = 0
  #bytes = new Uint8Array(this.int32.buffer)
  #head = 0
  #tail = 0
  /** What `#head` would be had nothing ever been moved to the front. */
  #moved = 0

  get bytes(): number {
    return (this.#tail - this.#head) * 8
  }

  /** Bytes of memory that it holds. */
  get capacityBytes(): number {
    return this.#bytes.byteLength
  }

  /** Makes room for an entry of `words` at the end; returns its first word. It waits when `add` is called. */
  reserve(words: number): number {
    if (this.#tail + words > this.float64.length) this.#makeRoom(words)
    return this.#tail
  }

  /** Adds the entry written where `reserve` said; returns its number. */
  add(words: number): number {
    if (allAssertions && this.#wordsAt(this.#tail) !== words)
      broken('an entry has as many words as its head says', { words, said: this.#wordsAt(this.#tail) })
    this.#tail += words
    return this.first + this.length++
  }

  /** Writes a whole entry where `reserve` said, to be added; returns its words. */
  write(entry: Uint8Array): number {
    const words = entry.byteLength >> 3
    const at = this.reserve(words)
    this.#bytes.set(entry, at * 8)
    return words
  }

  /** A place that stays valid when entries move: where the next entry will begin. */
  get nextPlace(): number {
    return this.#moved + this.#tail
  }

  /** The word of an entry that waits at `place`, or -1 when it has left. */
  wordAt(place: number): number {
    const word = place - this.#moved
    return word >= this.#head ? word : -1
  }

  /** The first entries, at most `count` of them and as many as fit into `bytesMax`: their bytes, until the next change. */
  peek(count: number, bytesMax: number): { entries: number; bytes: Uint8Array } {
    let end = this.#tail
    let entries = this.length
    if (entries > count || this.bytes > bytesMax) {
      end = this.#head
      entries = 0
      while (entries < count && end < this.#tail) {
        const next = end + this.#wordsAt(end)
        if ((next - this.#head) * 8 > bytesMax) break
        end = next
        entries++
      }
    }
    return { entries, bytes: this.#bytes.subarray(this.#head * 8, end * 8) }
  }

  /** Removes the first entries, with the number and bytes that `peek` returned. */
  remove(entries: number, bytes: number): void {
    this.#head += bytes >> 3
    this.first += entries
    this.length -= entries
    if (this.length > 0) return
    this.#moved += this.#head
    this.#head = 0
    this.#tail = 0
  }

  #wordsAt(at: number): number {
    const head = this.int32[2 * at]!
    const kind = head & 0xff
    if (kind === entryKind.tick) return entryHeadWords + fieldCount(head >> 8) + (head >>> 16)
    if (kind === entryKind.vector) return entryHeadWords + (head >>> 16)
    if (kind === entryKind.series || kind === entryKind.checkpoint) {
      return entryHeadWords + Math.ceil(this.float64[at + 1]! / 8)
    }
    return entryHeadWords
  }

  #makeRoom(words: number): void {
    const waiting = this.#tail - this.#head
    if (waiting + words <= this.float64.length / 2) {
      this.float64.copyWithin(0, this.#head, this.#tail)
    } else {
      const larger = new Float64Array(Math.max(2 * this.float64.length, waiting + words))
      larger.set(this.float64.subarray(this.#head, this.#tail))
      this.float64 = larger
      this.int32 = new Int32Array(larger.buffer)
      this.#bytes = new Uint8Array(larger.buffer)
    }
    this.#moved += this.#head
    this.#head = 0
    this.#tail = waiting
  }
}
