import { describe, expect, it } from 'vitest'
import {
  encodeCancel,
  encodeCancelAll,
  encodeInstrument,
  encodeNew,
  type InstrumentDefinition,
  MatchingEngine,
  RecordBuffer,
} from '#tidemark/matching/index.js'
import { CopiedPieces, copyAtOnce, pieceWords, restoredFrom } from './support/copies.js'
import {
  encodeDeepCommand,
  encodeInstruments,
  encodeRandomCommand,
  instruments,
  Random,
} from './support/random-commands.js'

/** Applies commands to an engine, and remembers them. */
class Flow {
  readonly engine: MatchingEngine
  readonly record = new RecordBuffer()
  readonly #random: Random
  #requestId = 0
  #lsn = 0
  /** Since the last `forget`. */
  commands: { words: Int32Array; outcome: Uint8Array; lsn: number }[] = []

  constructor(engine: MatchingEngine, random: Random) {
    this.engine = engine
    this.#random = random
    const words = new Int32Array(1024)
    for (const at of encodeInstruments(words)) this.apply(words.slice(at))
  }

  random(count: number): void {
    for (let i = 0; i < count; i++) {
      const words = new Int32Array(64)
      if (this.#random.chance(12)) this.#encodeRequest(words)
      else encodeRandomCommand(words, this.#random, i)
      this.apply(words)
    }
  }

  deep(count: number): void {
    for (let i = 0; i < count; i++) {
      const words = new Int32Array(64)
      encodeDeepCommand(words, this.#random, i)
      this.apply(words)
    }
  }

  apply(words: Int32Array): void {
    this.#lsn += 8
    this.commands.push({
      words,
      outcome: outcomeOf(this.engine, words, this.record, this.#lsn),
      lsn: this.#lsn,
    })
  }

  forget(): void {
    this.commands = []
  }

  /** Orders with request ids, now and then one that was sent before. */
  #encodeRequest(words: Int32Array): void {
    const random = this.#random
    const instrumentId = random.chance(60) ? 0 : 7
    if (!random.chance(20)) this.#requestId++
    const id = 1 + random.below(48)
    const price = 95 + random.below(11)
    const account = 1 + random.below(30)
    encodeNew(
      words,
      0,
      instrumentId,
      1,
      0,
      id,
      account,
      random.below(2),
      0,
      0,
      0,
      0,
      price,
      2,
      0,
      0,
      0,
      this.#requestId,
    )
  }
}

function outcomeOf(engine: MatchingEngine, words: Int32Array, record: RecordBuffer, lsn: number): Uint8Array {
  record.reset()
  engine.apply(words, 0, record)
  if (engine.hasRequestId(words, 0)) engine.settleRequests(lsn, record.end)
  return record.bytes().slice()
}

function stateOf(engine: MatchingEngine) {
  return engine.instruments().map(({ instrumentId }) => ({
    state: engine.bookState(instrumentId),
    digest: engine.digest(instrumentId),
  }))
}

const byId = <T extends { state: { definition: InstrumentDefinition } | undefined }>(states: T[]): T[] =>
  states.toSorted((a, b) => a.state!.definition.instrumentId - b.state!.definition.instrumentId)

/** A new order of 1 lot that rests. */
function newOrder(id: number, account: number, sell: number, price: number): Int32Array {
  const words = new Int32Array(16)
  encodeNew(words, 0, 0, 0, 0, id, account, sell, 0, 0, 0, 0, price, 1, 0, 0, 0, 0)
  return words
}

/** An engine with one book of orders on both sides, `perLevel` at a price. */
function filled(orders: number, perLevel: number): MatchingEngine {
  const { engine, record } = new Flow(new MatchingEngine(), new Random(1))
  for (let i = 0; i < orders; i++) {
    record.reset()
    const step = Math.floor(i / 2 / perLevel)
    engine.apply(newOrder(i + 1, i % 50, i & 1, i & 1 ? 1_000_001 + step : 1_000_000 - step), 0, record)
  }
  return engine
}

describe('a copy of a shard that is made in steps between commands', () => {
  it.each([
    ['of books with every kind of order', 'random'],
    ['of a book with hundreds of levels', 'deep'],
  ] as const)(
    '%s holds the books of the moment when it began, and restored they do the same as the original',
    (_, kind) => {
      let ahead = 0
      let requests = 0
      for (let seed = 1; seed <= 25; seed++) {
        const random = new Random(seed)
        const flow = new Flow(new MatchingEngine({ hashSeed: seed }), random)
        const { engine, record } = flow
        flow[kind](400)
        for (let round = 0; round < 2; round++) {
          flow.forget()
          const before = byId(stateOf(engine))
          const copied = new CopiedPieces()
          const copy = engine.copy(copied)
          while (!copy.step(1 + random.below(kind === 'deep' ? 20 : 3))) flow[kind](random.below(6))
          engine.verify()
          ahead += copy.ahead
          const restored = copied.restore(copy.counts)
          expect(byId(stateOf(restored)), `seed ${seed}, round ${round}`).toEqual(before)
          flow[kind](100)
          for (const { words, outcome, lsn } of flow.commands) {
            if (restored.hasRequestId(words, 0)) requests++
            const again = outcomeOf(restored, words, record, lsn)
            if (Buffer.compare(again, outcome) !== 0) expect(again, `seed ${seed}`).toEqual(outcome)
          }
          restored.verify()
          expect(byId(stateOf(restored))).toEqual(byId(stateOf(engine)))
        }
      }
      expect(ahead).toBeGreaterThan(500)
      if (kind === 'random') expect(requests).toBeGreaterThan(400)
    },
  )

  it('takes every kind of command between its steps', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed)
      const flow = new Flow(new MatchingEngine(), random)
      flow.random(300)
      const before = byId(stateOf(flow.engine))
      const copied = new CopiedPieces()
      const copy = flow.engine.copy(copied)
      // All commands before the first step: everything that they change is copied ahead.
      flow.random(200)
      while (!copy.step(1));
      expect(byId(stateOf(copied.restore(copy.counts)))).toEqual(before)
    }
  })

  it('leaves out instruments, orders and requests that came after it began', () => {
    const flow = new Flow(new MatchingEngine(), new Random(1))
    const before = byId(stateOf(flow.engine))
    const copied = new CopiedPieces()
    const copy = flow.engine.copy(copied)
    const words = new Int32Array(64)
    encodeInstrument(words, 0, 0, 0, { ...instruments[0]!, instrumentId: 20, symbol: 'LATE' })
    flow.apply(words)
    const order = new Int32Array(64)
    encodeNew(order, 0, 20, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0, 9)
    flow.apply(order)
    flow.apply(newOrder(1, 1, 0, 50))
    while (!copy.step());
    expect(byId(stateOf(copied.restore(copy.counts)))).toEqual(before)
    const second = byId(stateOf(restoredFrom(flow.engine)))
    expect(second).toEqual(byId(stateOf(flow.engine)))
    expect(second.at(-1)!.state!.bids).toHaveLength(1)
  })

  it('has the highest order id of the moment when it began, whichever way later orders are accepted', () => {
    for (const timeInForce of [0, 1, 3]) {
      const engine = filled(100, 10)
      const copied = new CopiedPieces()
      const copy = engine.copy(copied)
      const record = new RecordBuffer()
      encodeNew(record.i32, 0, 0, 0, 0, 2 ** 40, 1, 0, 0, timeInForce, 0, 0, 5, 1, 0, 0, 0, 0)
      const words = record.i32.slice(0, 16)
      record.reset()
      engine.apply(words, 0, record)
      expect(engine.instrument(0)!.highestOrderId).toBe(2 ** 40)
      while (!copy.step());
      expect(copied.restore(copy.counts).instrument(0)!.highestOrderId).toBe(100)
      expect(restoredFrom(engine).instrument(0)!.highestOrderId).toBe(2 ** 40)
    }
  })

  it('looks at no more records a step than it may, and copies a few orders ahead of a command', () => {
    const engine = filled(5000, 10)
    const copied = new CopiedPieces()
    const copy = engine.copy(copied)
    const record = new RecordBuffer()
    const cancel = new Int32Array(16)
    let steps = 0
    let words = 0
    for (let id = 1; !copy.step(100); id += 97) {
      steps++
      expect(copied.words - words).toBeLessThanOrEqual(100 * 16 + pieceWords)
      words = copied.words
      const { ahead } = copy
      record.reset()
      encodeCancel(cancel, 0, 0, 0, 0, id % 5000, -1, 0)
      engine.apply(cancel, 0, record)
      record.reset()
      engine.apply(newOrder(10_000 + id, 3, 0, 999_990), 0, record)
      // The order itself, its neighbours in its level and in its account, and those after which the new one stands.
      expect(copy.ahead - ahead).toBeLessThanOrEqual(6)
      words = copied.words
    }
    expect(steps).toBeGreaterThanOrEqual(49)
    expect(copy.counts).toMatchObject({ orders: 5000, books: instruments.length })
  })

  it('copies nothing ahead any more when it is over or was stopped, and only one is made at a time', () => {
    const engine = filled(1000, 10)
    const copied = new CopiedPieces()
    const copy = engine.copy(copied)
    expect(() => engine.copy(new CopiedPieces())).toThrowError('copied once at a time')
    copy.step(10)
    copy.stop()
    const { words } = copied
    const cancelAll = new Int32Array(16)
    encodeCancelAll(cancelAll, 0, 0, 0, 0, 7)
    const record = new RecordBuffer()
    engine.apply(cancelAll, 0, record)
    expect(copied.words).toBe(words)
    expect(copy.step()).toBe(true)
    expect(stateOf(restoredFrom(engine))).toEqual(stateOf(engine))
  })

  it('is restored by parts, each of them whole, and beside the books of another copy', () => {
    const flow = new Flow(new MatchingEngine(), new Random(3))
    flow.random(600)
    const { copied, copy } = copyAtOnce(flow.engine)
    const whole = byId(stateOf(flow.engine))
    const first = copied.restore(copy.counts, (id) => id === 0)
    const second = copied.restore(copy.counts, (id) => id !== 0)
    expect(stateOf(first)).toEqual([whole[0]])
    expect(byId(stateOf(second))).toEqual(whole.slice(1))
    const third = copyAtOnce(second)
    expect(byId(stateOf(third.copied.restore(third.copy.counts, () => true, first)))).toEqual(whole)
  })

  it('is restored with many levels and many accounts', () => {
    const engine = filled(20_000, 2)
    const record = new RecordBuffer()
    for (let i = 0; i < 3000; i++) {
      record.reset()
      engine.apply(newOrder(60_000 + i, 100 + i, 0, 3 + i * 2 ** 40), 0, record)
    }
    expect(engine.counters().levels).toBeGreaterThan(8200)
    expect(stateOf(restoredFrom(engine))).toEqual(stateOf(engine))
  })

  it('is refused when it lacks something, or has it twice', () => {
    const engine = filled(100, 10)
    const { copied, copy } = copyAtOnce(engine)
    copied.pieces.pop()
    expect(() => copied.restore(copy.counts)).toThrowError('as many orders as its head says')
    const twice = copyAtOnce(engine)
    twice.copied.pieces.push(twice.copied.pieces.at(-1)!)
    expect(() => twice.copied.restore(twice.copy.counts)).toThrowError('each order once')
    const { pieces } = copyAtOnce(engine).copied
    const noBooks = copied.pieces.splice(0, copied.pieces.length, ...pieces.slice(1)).length
    expect(noBooks).toBeGreaterThan(0)
    expect(() => copied.restore(copy.counts)).toThrowError('as many books as its head says')
  })

  it('is refused when a record is of no known kind, does not fit its piece, or links lead nowhere', () => {
    const engine = filled(100, 10)
    const damaged = (damage: (words: Int32Array) => Int32Array | undefined) => () => {
      const { copied, copy } = copyAtOnce(engine)
      const last = copied.pieces.length - 1
      copied.pieces[last] = damage(copied.pieces[last]!) ?? copied.pieces[last]!
      copied.restore(copy.counts)
    }
    expect(
      damaged((words) => {
        words[0] = 31 << 27
      }),
    ).toThrowError('of a known kind')
    expect(damaged((words) => words.slice(0, -1))).toThrowError('where its last record ends')
    // The last order is the last of its queue and of its account; order 51 is its account's second.
    expect(
      damaged((words) => {
        words[words.length - 3] = 1
      }),
    ).toThrowError('one first and one last order')
    expect(
      damaged((words) => {
        words[words.length - 2] = 51
      }),
    ).toThrowError('begin once and end once')
  })
})
