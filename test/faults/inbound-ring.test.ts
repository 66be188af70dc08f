import { describe, expect, it } from 'vitest'
import {
  createInboundMemory,
  InboundReader,
  InboundWriter,
  inboundRecordWordsMax,
} from '#tidemark/pool/shard/inbound-ring.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { Random } from '../support/random.js'

const operations = faultCount('inbound-ring', { short: 100_000, full: 10_000_000 })
const operationsPerHistory = 1000
const pool = Buffer.from(new Random(98).bytes(1 << 20))
/** Write and read position, in the control block. */
const positionWords = { write: 128 >> 2, read: 256 >> 2 }

/** A ring of commands and the list that it must be: records are kept as places in the pool. */
class InboundModel {
  readonly capacity: number
  readonly writer: InboundWriter
  readonly reader: InboundReader
  readonly control: Int32Array
  written = 0
  released = 0
  #read = 0
  readonly #records: { at: number; words: number }[] = []
  readonly #batch: Int32Array
  readonly #bytes: Buffer
  readonly #ring: Buffer

  constructor(words: number) {
    const memory = createInboundMemory(words)
    this.writer = new InboundWriter(memory)
    this.reader = new InboundReader(memory)
    this.control = new Int32Array(memory.control)
    this.capacity = this.control[0]!
    this.#batch = new Int32Array(this.capacity)
    this.#bytes = Buffer.from(this.#batch.buffer)
    this.#ring = Buffer.from(memory.records)
  }

  get free(): number {
    return this.capacity - (this.written - this.released)
  }

  /** Writes records of these lengths with one call, if they fit. */
  write(lengths: readonly number[], random: Random): void {
    const words = lengths.reduce((sum, length) => sum + length, 0)
    const fits = words <= this.free
    if (this.writer.fits(words) !== fits) throw new Error(`${words} words ${fits ? 'do not fit' : 'fit'}`)
    if (!fits) return
    let to = 0
    for (const length of lengths) {
      const at = 4 * random.int(pool.byteLength / 4 - length)
      pool.copy(this.#bytes, 4 * to, at, at + 4 * length)
      this.#batch[to] = (this.#batch[to]! & 0xffff) | (length << 18)
      this.#records.push({ at, words: length })
      to += length
    }
    this.writer.write(this.#batch, 0, to)
    this.written += words
  }

  /** Reads up to so many records, and compares them. */
  read(records: number): void {
    for (let i = 0; i < records; i++) {
      const offset = this.reader.next()
      const expected = this.#records[0]
      if (offset === -1) {
        if (expected) throw new Error(`a record of ${expected.words} words is not there`)
        return
      }
      const length = this.reader.words[offset]! >>> 18
      if (length !== expected?.words) throw new Error(`a record has ${length} words, not ${expected?.words}`)
      const [from, to] = [expected.at + 4, expected.at + 4 * length]
      if (this.#ring.compare(pool, from, to, 4 * offset + 4, 4 * (offset + length)) !== 0)
        throw new Error('a record is not the one that went in')
      this.reader.advance(offset)
      this.#records.shift()
      this.#read += length
    }
  }

  release(): void {
    this.reader.release()
    this.released = this.#read
  }

  check(): void {
    const { writer, control, written, released } = this
    if (writer.queued !== written - released) throw new Error(`${writer.queued} words are queued`)
    const positions = [control[positionWords.write], control[positionWords.read]]
    if (positions[0] !== (written | 0) || positions[1] !== (released | 0))
      throw new Error(`the positions are ${positions}, not ${[written | 0, released | 0]}`)
  }

  /** Moves both positions on to `position` with records of the largest size. */
  goTo(position: number): void {
    const { writer, reader, capacity } = this
    this.read(capacity)
    this.release()
    const batch = new Int32Array(capacity).fill(7)
    for (let at = 0; at < capacity; at += inboundRecordWordsMax) batch[at] = inboundRecordWordsMax << 18
    while (this.written < position) {
      const words = Math.min(
        capacity,
        Math.floor((position - this.written) / inboundRecordWordsMax) * inboundRecordWordsMax,
      )
      if (words === 0 || !writer.fits(words)) break
      writer.write(batch, 0, words)
      this.written += words
      for (let offset = reader.next(); offset !== -1; offset = reader.next()) reader.advance(offset)
      reader.release()
    }
    this.#read = this.written
    this.released = this.written
    this.check()
  }

  /** Does something at random: mostly what fills the ring to the word, or ends a record at the wrap. */
  step(random: Random): void {
    const what = random.int(10)
    if (what < 5) this.write(this.#lengths(random), random)
    else if (what < 9) this.read(random.int(4) === 0 ? 1000 : random.int(12))
    else this.release()
    this.check()
  }

  #lengths(random: Random): number[] {
    const max = Math.min(inboundRecordWordsMax, this.capacity)
    const lengths = Array.from(
      { length: random.int(12) },
      () => 1 + random.int(random.int(3) === 0 ? max : 20),
    )
    const words = lengths.reduce((sum, length) => sum + length, 0)
    const spaces = [this.free, this.capacity - (this.written % this.capacity)]
    const last = spaces[random.int(2)]! - words + random.int(3) - 1
    if (last >= 1 && last <= max) lengths.push(last)
    return lengths
  }
}

describe('the ring of commands to a shard', () => {
  it(`gives what went in, in order, at every wrap and when it is full to the word (${operations} operations)`, () => {
    for (const seed of faultCases(Math.ceil(operations / operationsPerHistory), operationsPerHistory)) {
      const random = new Random(seed)
      const model = new InboundModel([256, 512, 1000, 4096][random.int(4)]!)
      runHistory(model, random, `seed ${seed}`)
    }
  })

  it('gives what went in, in order, where its positions pass 2^31 and 2^32', () => {
    // Small, so that it is full time and again while the positions pass.
    const model = new InboundModel(512)
    for (const [seed, position] of [2 ** 31, 2 ** 32].entries()) {
      // A thousand operations move many times as much.
      model.goTo(position - 4096)
      runHistory(model, new Random(seed), `seed ${seed}, at ${position}`)
      expect(model.written).toBeGreaterThan(position)
    }
  })
})

function runHistory(model: InboundModel, random: Random, name: string): void {
  let operation = 0
  try {
    for (; operation < operationsPerHistory; operation++) model.step(random)
    model.read(Number.POSITIVE_INFINITY)
    model.release()
    model.check()
  } catch (cause) {
    throw new Error(`${name}, operation ${operation}: ${(cause as Error).message}`, { cause })
  }
}
