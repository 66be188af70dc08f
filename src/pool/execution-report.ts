import {
  type DecodedCommand,
  decodeCommand,
  EventCursor,
  eventKinds,
  fromSteps,
  rejectCodeNames,
} from '../matching/index.js'
import type { InstrumentRegistry } from './instruments.js'
import { type GroupPlace, poolEvents } from './pool-events.js'
import type { ExecutionReport, PoolEvent, ReportStatus, TradeEvent } from './types.js'

const slabWords = 16_384

/** Memory for the bytes that reports are read from later: one allocation for many. */
export class ReportSlab {
  #words = new Int32Array(slabWords)
  #used = 0

  /** A copy of a group that can be kept. */
  keep(words: Int32Array, from: number, to: number, lsn: number): GroupPlace {
    const count = to - from
    if (this.#used + count > this.#words.length) {
      this.#words = new Int32Array(Math.max(slabWords, count))
      this.#used = 0
    }
    const target = this.#words
    const start = this.#used
    for (let i = 0; i < count; i++) target[start + i] = words[from + i]!
    this.#used = start + count
    return { words: target, from: start, to: start + count, lsn }
  }
}

interface Outcome {
  status: ReportStatus
  code: string | undefined
  filled: number
  remaining: number
}

/** A report that is read from the log's bytes when it is looked at: most callers look at two fields of it. */
export class LazyExecutionReport implements ExecutionReport {
  readonly lsn: number
  readonly #groups: readonly GroupPlace[]
  readonly #registry: InstrumentRegistry
  #command: DecodedCommand | undefined
  #events: PoolEvent[] | undefined
  #outcome: Outcome | undefined

  /** `groups` is one, or for a command over several symbols all of them by LSN. */
  constructor(groups: readonly GroupPlace[], registry: InstrumentRegistry) {
    this.#groups = groups
    this.#registry = registry
    this.lsn = groups.at(-1)!.lsn
  }

  get symbol(): string | undefined {
    return this.#groups.length === 1
      ? this.#registry.byId(this.#decoded.instrumentId)?.definition.symbol
      : undefined
  }

  get orderId(): number | undefined {
    const command = this.#decoded
    return 'orderId' in command ? command.orderId : undefined
  }

  get status(): ReportStatus {
    return this.#judged.status
  }

  get code(): string | undefined {
    return this.#judged.code
  }

  get filled(): string | undefined {
    return this.#quantity(this.#judged.filled)
  }

  get remaining(): string | undefined {
    return this.#quantity(this.#judged.remaining)
  }

  get events(): readonly PoolEvent[] {
    this.#events ??= this.#groups.flatMap((group) => poolEvents(group, this.#registry))
    return this.#events
  }

  get trades(): readonly TradeEvent[] {
    return this.events.filter((event) => event.event === 'trade')
  }

  toJSON(): ExecutionReport {
    const { lsn, symbol, orderId, status, code, filled, remaining, trades, events } = this
    return { lsn, symbol, orderId, status, code, filled, remaining, trades, events }
  }

  get #decoded(): DecodedCommand {
    const { words, from } = this.#groups[0]!
    this.#command ??= decodeCommand(words, from)!
    return this.#command
  }

  get #judged(): Outcome {
    this.#outcome ??= judge(this.#decoded, this.#groups[0]!)
    return this.#outcome
  }

  #quantity(lots: number): string | undefined {
    const grids = this.#registry.byId(this.#decoded.instrumentId)?.grids
    return grids && this.orderId !== undefined && lots >= 0 ? fromSteps(lots, grids.quantity) : undefined
  }
}

/**
 * What became of the command's own order: the quantity that traded, and what of it is open now. A quantity that the
 * group does not tell (of a refused command, or of an order that was only amended) is -1.
 */
function judge(command: DecodedCommand, group: GroupPlace): Outcome {
  const orderId = 'orderId' in command ? command.orderId : 0
  const outcome: Outcome = { status: 'done', code: undefined, filled: orderId ? 0 : -1, remaining: -1 }
  if (command.type === 'new') {
    outcome.status =
      command.orderType === 'stop' || command.orderType === 'stop-limit' ? 'waiting' : 'resting'
    outcome.remaining = command.quantity
  }
  const cursor = new EventCursor()
  cursor.reset(group.words, group.from, group.to)
  for (let kind = cursor.next(); kind !== 0; kind = cursor.next()) {
    if (kind === eventKinds.trade) {
      const taker = cursor.takerOrderId === orderId
      if (!taker && cursor.makerOrderId !== orderId) continue
      outcome.filled += cursor.tradeQuantity
      outcome.remaining = taker ? cursor.takerRemaining : cursor.makerRemaining
      outcome.status = outcome.remaining === 0 ? 'filled' : 'partially-filled'
    } else if (kind === eventKinds.rejected && cursor.orderId === orderId) {
      return {
        status: 'rejected',
        code: rejectCodeNames[cursor.reason],
        filled: orderId ? 0 : -1,
        remaining: -1,
      }
    } else if (cursor.orderId !== orderId) {
    } else if (kind === eventKinds.cancelled) {
      outcome.status = 'cancelled'
      outcome.remaining = 0
    } else if (kind === eventKinds.replaced) {
      if (command.type !== 'new') outcome.status = 'replaced'
      outcome.remaining = cursor.quantity
    } else if (kind === eventKinds.triggered) {
      outcome.status = 'resting'
    }
  }
  return outcome
}
