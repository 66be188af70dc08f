import {
  bandActionCodes,
  type CommandGrids,
  commandGrids,
  commandInstrument,
  commandKinds,
  decodeEvent,
  differingField,
  eventKinds,
  type InstrumentCommand,
  type InstrumentDefinition,
  instrumentFromCommand,
  type Phase,
  type SymbolCommand,
  unknownType,
} from '../matching/index.js'
import { PoolError, unknownSymbol } from './errors.js'
import { describeDetails } from './instrument-details.js'
import type { Instrument, InstrumentOptions } from './types.js'

const TRADE = eventKinds.trade
const CANCELLED = eventKinds.cancelled

/** An instrument with what encoding and decoding need of it. */
export interface PoolInstrument {
  readonly definition: InstrumentDefinition
  readonly grids: CommandGrids
  readonly shard: number
  readonly phase: Phase
}

/**
 * The instruments of a pool, by symbol and by number; number mod shards is the shard. A number is missing when its
 * creation was in another shard's part of a log that a crash cut after a later one: it was never acknowledged.
 */
export class InstrumentRegistry {
  readonly #shards: number
  readonly #bySymbol = new Map<string, PoolInstrument>()
  readonly #byId: PoolInstrument[] = []
  /** Those of which orders can interrupt the trading. */
  readonly #interruptible = new Set<number>()

  constructor(shards: number) {
    this.#shards = shards
  }

  /** Takes over what the log held, in any order. */
  restore(definitions: readonly InstrumentDefinition[]): void {
    for (const definition of definitions.toSorted((a, b) => a.instrumentId - b.instrumentId))
      this.add(definition)
  }

  add(definition: InstrumentDefinition): PoolInstrument {
    const instrument = {
      definition,
      grids: commandGrids(definition),
      shard: definition.instrumentId % this.#shards,
      phase: definition.phase ?? 'continuous',
    }
    this.#put(instrument)
    return instrument
  }

  /** Whether an order may interrupt the trading of an instrument: then `note` is to be called for its records too. */
  get mayInterrupt(): boolean {
    return this.#interruptible.size > 0
  }

  /** Takes over what the durable record at `from` says of its instrument, if it changed that. */
  note(words: Int32Array, from: number, to: number): void {
    const instrumentId = commandInstrument(words, from)
    if (this.#byId[instrumentId] === undefined) return
    for (let at = from + (words[from]! >>> 18); at < to; at += words[at]! >>> 18) {
      const kind = words[at]! & 0xff
      if (kind === TRADE || kind === CANCELLED) continue
      const instrument = this.#byId[instrumentId]!
      if (kind === eventKinds['volatility-interruption']) this.#put({ ...instrument, phase: 'auction' })
      if (kind !== eventKinds['phase-changed'] && kind !== eventKinds['instrument-changed']) continue
      const event = decodeEvent(words, at, from)
      if (event?.event === 'phase-changed') this.#put({ ...instrument, phase: event.phase })
      else if (event?.event === 'instrument-changed')
        this.#put({ ...instrument, definition: { ...instrument.definition, details: event.details } })
    }
  }

  #put(instrument: PoolInstrument): void {
    const { symbol, instrumentId } = instrument.definition
    const { details } = instrument.definition
    if (details?.bandAction === bandActionCodes.interrupt) this.#interruptible.add(instrumentId)
    else this.#interruptible.delete(instrumentId)
    this.#bySymbol.set(symbol, instrument)
    this.#byId[instrumentId] = instrument
  }

  /**
   * Checks a new instrument and gives it the next number, without adding it.
   *
   * @throws CommandError for what is malformed; PoolError `TIDEMARK_DUPLICATE_SYMBOL`.
   */
  define(command: InstrumentCommand): InstrumentDefinition {
    const definition = instrumentFromCommand(command, 0)
    if (this.#bySymbol.has(definition.symbol)) {
      throw duplicateSymbol(definition.symbol)
    }
    // Taken when the command was read: a getter of the caller's may have added another instrument.
    return { ...definition, instrumentId: this.#byId.length }
  }

  /**
   * What of `options` is not there yet, all of it checked. An instrument that is there must be defined as it is.
   *
   * @throws PoolError `TIDEMARK_INSTRUMENT_DIFFERS` with the field, and what `define` throws.
   */
  missing(options: readonly InstrumentOptions[]): InstrumentOptions[] {
    const symbols = new Set<string>()
    return options.filter((option) => {
      if (typeof option !== 'object' || option === null) {
        throw new PoolError(
          'TIDEMARK_BAD_ARGUMENT',
          'An instrument is an object with symbol, tickSize and lotSize.',
        )
      }
      const known = this.#bySymbol.get(option.symbol)?.definition
      if (!known) {
        const { symbol } = instrumentFromCommand(
          { ...option, type: 'instrument' },
          this.#byId.length + symbols.size,
        )
        if (symbols.has(symbol)) throw duplicateSymbol(symbol)
        symbols.add(symbol)
        return true
      }
      const defined = instrumentFromCommand({ ...option, type: 'instrument' }, known.instrumentId)
      const field = differingField(defined, known)
      if (field) {
        throw new PoolError(
          'TIDEMARK_INSTRUMENT_DIFFERS',
          `${option.symbol} has ${field} ${known[field]} in this log; it can't be opened with ${defined[field]}.`,
          { symbol: option.symbol, field, logged: known[field], wanted: defined[field] },
        )
      }
      return false
    })
  }

  /** @throws PoolError `TIDEMARK_UNKNOWN_SYMBOL`. */
  bySymbol(symbol: unknown): PoolInstrument {
    const instrument = this.#bySymbol.get(symbol as string)
    if (!instrument) throw unknownSymbol(symbol)
    return instrument
  }

  /** The instrument that a command names. @throws as `bySymbol`, and CommandError for a type that does not exist. */
  ofCommand(command: SymbolCommand): PoolInstrument {
    const instrument = this.#bySymbol.get(command.symbol)
    if (instrument) return instrument
    const { type } = command as { type: unknown }
    if (typeof type !== 'string' || !Object.hasOwn(commandKinds, type)) throw unknownType(command)
    throw unknownSymbol(command.symbol)
  }

  find(symbol: string): PoolInstrument | undefined {
    return this.#bySymbol.get(symbol)
  }

  byId(instrumentId: number): PoolInstrument | undefined {
    return this.#byId[instrumentId]
  }

  /** The next one's number. */
  get size(): number {
    return this.#byId.length
  }

  list(): Instrument[] {
    return this.#byId.filter((instrument) => instrument !== undefined).map(describe)
  }
}

function duplicateSymbol(symbol: string): PoolError {
  return new PoolError('TIDEMARK_DUPLICATE_SYMBOL', `There is an instrument ${symbol} already.`, { symbol })
}

export function describe({ definition, shard, phase, grids }: PoolInstrument): Instrument {
  const { instrumentId, symbol, tickSize, lotSize, replacePriority, selfTradePrevention } = definition
  return {
    id: instrumentId,
    shard,
    symbol,
    tickSize,
    lotSize,
    replacePriority,
    selfTradePrevention,
    allocation: definition.allocation ?? 'price-time',
    phase,
    ...describeDetails(definition.details, grids),
  }
}
