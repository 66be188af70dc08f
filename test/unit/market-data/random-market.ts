import { MatchingEngine, RecordBuffer } from '#tidemark/matching/index.js'
import { InstrumentRegistry, type PoolEvent, poolEvents } from '#tidemark/pool/index.js'
import {
  encodeInstruments,
  encodeRandomCommand,
  instruments,
  Random,
} from '../matching/support/random-commands.js'

/** A matching engine under random commands, which gives the events of each as a subscriber gets them. */
export class RandomMarket {
  readonly engine: MatchingEngine
  readonly random: Random
  lsn = 0
  timeUs = Date.UTC(2026, 0, 30, 23, 58) * 1000
  readonly #group = new RecordBuffer()
  readonly #words = new Int32Array(256)
  readonly #registry = new InstrumentRegistry(1)
  #commands = 0

  constructor(seed: number) {
    this.engine = new MatchingEngine({ hashSeed: seed })
    this.random = new Random(seed)
    this.#registry.restore(instruments)
    for (const at of encodeInstruments(this.#words)) this.#apply(at)
  }

  instrumentOf = (symbol: string) => instruments.find((instrument) => instrument.symbol === symbol)

  /** The events of the next random command, which may be none. */
  next(): PoolEvent[] {
    encodeRandomCommand(this.#words, this.random, this.#commands++)
    return this.#apply(0)
  }

  #apply(at: number): PoolEvent[] {
    this.#group.reset()
    this.engine.apply(this.#words, at, this.#group)
    this.lsn += 8 * (1 + this.random.below(20))
    // Mostly later, sometimes by much, and sometimes a clock that was set back.
    this.timeUs += this.random.chance(2) ? -this.random.below(90_000_000) : this.random.below(40_000_000)
    const { i32 } = this.#group
    return poolEvents(
      { words: i32, from: 0, to: this.#group.byteLength / 4, lsn: this.lsn, timeUs: this.timeUs },
      this.#registry,
    )
  }
}
