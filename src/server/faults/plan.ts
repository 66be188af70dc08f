import { type FaultSettings, requestFaults } from './settings.js'

/** What becomes of a request. */
export interface RequestFate {
  readonly fault: (typeof requestFaults)[number] | undefined
  /** Of a `disconnect`: whether the request is executed before. */
  readonly isExecuted: boolean
  /** Milliseconds before it is executed, and between that and its answer. */
  readonly beforeMs: number
  readonly afterMs: number
}

/** What becomes of a message of a stream. */
export interface MessageFate {
  readonly fault: 'gap' | 'disconnect' | undefined
  readonly delayMs: number
}

/** Senders and receivers that have a sequence of their own; those beyond share one. */
const sequencesMax = 10_000

/** What goes wrong, from a seed: the n-th thing of the same name has the same fate in each run. */
export class FaultPlan {
  readonly settings: FaultSettings
  readonly #sequences = new Map<string, Sequence>()

  constructor(settings: FaultSettings) {
    this.settings = settings
  }

  request(name: string): RequestFate {
    const { rates, lateMs } = this.settings
    const sequence = this.#sequence(`request ${name}`)
    let left = sequence.next()
    const isExecuted = sequence.next() < 0.5
    const latencyMs = this.#latencyMs(sequence.next())
    const beforeMs = latencyMs / 2
    for (const fault of requestFaults) {
      if (left < rates[fault])
        return { fault, isExecuted, beforeMs, afterMs: beforeMs + (fault === 'late' ? lateMs : 0) }
      left -= rates[fault]
    }
    return { fault: undefined, isExecuted: true, beforeMs, afterMs: beforeMs }
  }

  message(name: string): MessageFate {
    const { gap, disconnect } = this.settings.rates
    const sequence = this.#sequence(`message ${name}`)
    const drawn = sequence.next()
    const delayMs = this.#latencyMs(sequence.next())
    return {
      fault: drawn < gap ? 'gap' : drawn < gap + disconnect ? 'disconnect' : undefined,
      delayMs,
    }
  }

  /** The latency of which a part of all is lower. */
  #latencyMs(part: number): number {
    const percent = part * 100
    let [before, least] = [0, 0]
    for (const [at, ms] of this.settings.latency) {
      if (percent < at) return least + ((ms - least) * (percent - before)) / (at - before)
      before = at
      least = ms
    }
    return least
  }

  #sequence(name: string): Sequence {
    const known = this.#sequences.get(name)
    if (known) return known
    const named = this.#sequences.size < sequencesMax ? name : 'others'
    const made = this.#sequences.get(named) ?? new Sequence(this.settings.seed, named)
    this.#sequences.set(named, made)
    return made
  }
}

/** Numbers from 0 to 1, 1 excluded, by the generator mulberry32. */
class Sequence {
  #state: number

  constructor(seed: number, name: string) {
    // FNV-1a of the name, begun with the seed.
    let hash = (0x811c9dc5 ^ seed) >>> 0
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0
    this.#state = hash
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}
