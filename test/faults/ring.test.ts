import { describe, it } from 'vitest'
import { int32 } from '#tidemark/log/ring/memory.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { Random } from '../support/random.js'
import { batchBytesOf, maxPayload, RingModel, ringBytes } from '../support/ring-model.js'

const operations = faultCount('ring', { short: 100_000, full: 10_000_000 })
const operationsPerHistory = 500
/** Comparing the whole ring takes longer than an operation. */
const freeCheckEvery = 16
const pool = new Random(99).bytes(4 * ringBytes)
/** LSNs, and 32-bit counters, around which something might wrap. */
const places = [0, 2 ** 31, 2 ** 32, 2 ** 33, 2 ** 52]

describe('the ring of the log', () => {
  it(`gives what went in, in order, at every wrap, when it is full to the byte, and at 2^31 and 2^32 (${operations} operations)`, () => {
    for (const seed of faultCases(Math.ceil(operations / operationsPerHistory), operationsPerHistory)) {
      const history = new History(seed)
      try {
        history.run()
      } catch (cause) {
        throw new Error(`seed ${seed}, operation ${history.operation}: ${(cause as Error).message}`, {
          cause,
        })
      }
    }
  })
})

class History {
  operation = 0
  readonly #random: Random
  readonly #model: RingModel

  constructor(seed: number) {
    const random = new Random(seed)
    this.#random = random
    const before = 8 * random.int(20_000)
    const place = places[random.int(places.length)]!
    const counter = [0, 2 ** 31, 2 ** 32][random.int(3)]! - random.int(300)
    this.#model = new RingModel(Math.max(0, place - before), counter)
  }

  run(): void {
    const model = this.#model
    // One thread plays all: where a producer would wait for space, the flusher gets its turn.
    const { wait } = Atomics
    let waits = 0
    Atomics.wait = (() => {
      if (++waits > 10_000) throw new Error('a producer waits for ever')
      model.flush()
      return 'ok'
    }) as typeof Atomics.wait
    try {
      for (; this.operation < operationsPerHistory; this.operation++) {
        waits = 0
        this.#step()
        model.check()
        if (this.operation % freeCheckEvery === 0) model.checkFree()
      }
      model.drain()
      model.check()
      model.checkFree()
    } finally {
      Atomics.wait = wait
    }
  }

  #step(): void {
    const random = this.#random
    const model = this.#model
    const producer = model.producers[random.int(2)]!
    const type = 1 + random.int(200)
    const flags = random.int(16) << 4
    const what = random.int(100)
    if (what < 45) {
      const payload = this.#payload(this.#size())
      const fits = model.tail + batchBytesOf(payload.byteLength) <= model.limit
      this.#wakes(1, fits, () => {
        const lsn = producer.tryAppend(type, flags, payload)
        if (lsn !== (fits ? model.claim(payload, type, flags) : undefined)) {
          throw new Error(`${payload.byteLength} bytes ${fits ? 'did not fit' : 'fitted'}: ${lsn}`)
        }
      })
    } else if (what < 55) {
      const payloads = Array.from({ length: 1 + random.int(12) }, () => this.#payload(this.#size()))
      const { batches, bytes } = model.batchesOf(payloads)
      const fits = model.tail + bytes <= model.limit
      this.#wakes(payloads.length, fits, () => {
        const lsn = producer.tryAppendBatch(type, flags, payloads)
        if (fits) for (const together of batches) model.claimTogether(together, type, flags)
        if (lsn !== (fits ? model.tail : undefined)) throw new Error(`a batch of ${bytes} bytes: ${lsn}`)
      })
    } else if (what < 65) {
      const payloads = Array.from({ length: 1 + random.int(10) }, () =>
        this.#payload(random.int(20) === 0 ? random.int(20_000) : this.#size()),
      )
      for (const together of model.batchesOf(payloads).batches) {
        if (together[0]!.byteLength > maxPayload) model.claimRecord(together[0]!, type, flags)
        else model.claimTogether(together, type, flags)
      }
      model.publish(payloads.length)
      for (const payload of payloads) producer.stage(type, flags, payload)
      if (producer.publish() !== model.tail) throw new Error('what was staged ends elsewhere')
    } else if (what < 67) {
      const payload = this.#payload(
        random.int(3) === 0 ? ringBytes + random.int(ringBytes) : random.int(30_000),
      )
      model.publish(1)
      const end = model.claimRecord(payload, type, flags)
      if (producer.append(type, flags, payload) !== end) throw new Error('a large record ends elsewhere')
    } else if (what < 85) {
      model.flush()
    } else if (what < 87) {
      model.drain()
    } else if (what < 89) {
      model.writeSyncMarker()
    } else if (what < 97) {
      model.read(random.int(4) === 0 ? ringBytes : random.int(3 * maxPayload))
    } else if (what < 99) {
      model.requestReader()
    } else {
      model.releaseReader()
    }
  }

  /** Runs a publication of so many records, after which the flusher must have been woken if, and only if, it waits for them. */
  #wakes(records: number, happens: boolean, publish: () => void): void {
    const { control32 } = this.#model
    const published = control32[int32.published]!
    const waitsFor = 1 + this.#random.int(2 * records)
    control32[int32.wakeAt] = published + waitsFor
    const signal = control32[int32.flusherSignal]!
    publish()
    if (happens) this.#model.publish(records)
    const woken = control32[int32.flusherSignal] !== signal
    // A batch larger than the staging memory is published in parts, each of which may wake.
    if (woken !== (happens && records >= waitsFor)) {
      throw new Error(
        `${records} records ${woken ? 'woke' : 'did not wake'} a flusher that waits for ${waitsFor}`,
      )
    }
  }

  /** Bytes of a payload: often such that the ring is full to the byte, or the batch ends at the wrap, or one more or less. */
  #size(): number {
    const random = this.#random
    const { tail, limit } = this.#model
    const spaces = [limit - tail, ringBytes - (tail % ringBytes)]
    const space = spaces[random.int(2)]!
    const near = space - 40 + [0, 0, 1, -1, -7, -8, 8][random.int(7)]!
    if (random.int(3) === 0 && near >= 0 && near <= maxPayload) return near
    const kind = random.int(20)
    if (kind === 0) return maxPayload - random.int(9)
    return kind < 5 ? random.int(maxPayload) : random.int(200)
  }

  #payload(bytes: number): Uint8Array {
    const at = this.#random.int(pool.byteLength - bytes)
    return pool.subarray(at, at + bytes)
  }
}
