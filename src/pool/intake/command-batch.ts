import type { Clock } from '../../base/clock.js'
import { shown } from '../../base/shown.js'
import {
  type Command,
  CommandError,
  encodeCancel,
  encodeCommand,
  encodeNew,
  encodeReduce,
  encodeReplace,
  maxCommandWords,
  type SymbolCommand,
  unknownType,
} from '../../matching/index.js'
import { PoolError } from '../errors.js'
import type { InstrumentRegistry } from '../instruments.js'
import { checkExpiry } from './expiry.js'

/** The commands of a batch that go to one shard, encoded one after the other. */
export class ShardCommands {
  words: Int32Array = new Int32Array(4096)
  used = 0
  commands = 0

  /** Makes room for the largest command after what is there. */
  reserve(): void {
    if (this.used + maxCommandWords <= this.words.length) return
    const grown = new Int32Array(this.words.length * 2)
    grown.set(this.words)
    this.words = grown
  }
}

/**
 * Commands that are submitted together with one promise for all. The adders check and encode at once, so a batch is
 * ready when it is full, and can be filled again after `submitBatch` returned.
 *
 * The positional adders take integers: the instrument's `id`, prices in ticks, quantities in lots, enumerations as
 * their codes (`sideCodes`, `orderTypeCodes`, `timeInForceCodes`). A tag is a whole number up to 2^53-1.
 *
 * @example
 * ```js
 * import { EnginePool, orderTypeCodes, sideCodes, timeInForceCodes } from 'tidemark'
 *
 * const pool = await EnginePool.open({
 *   dir: './data',
 *   instruments: [{ symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }],
 * })
 * const instrument = pool.instrument('BTC-USD')
 * if (!instrument) throw new Error('BTC-USD was added when the pool was opened')
 * const batch = pool.batch()
 * for (let orderId = 1; orderId <= 1000; orderId++) {
 *   const priceTicks = 6_400_000 + orderId // 64000.01 and up, at 0.01 a tick
 *   const quantityLots = 50_000 // 0.5, at 0.00001 a lot
 *   batch.addNew(instrument.id, orderId, 7, sideCodes.buy, orderTypeCodes.limit, timeInForceCodes.GTC, priceTicks, quantityLots)
 * }
 * const { commands, rejected } = await pool.submitBatch(batch)
 * console.log(commands, rejected) // 1000 0
 * batch.clear() // it can be filled again
 * await pool.close()
 * ```
 */
export class CommandBatch {
  readonly #registry: InstrumentRegistry
  readonly #shards: ShardCommands[]
  readonly #shardCount: number
  readonly #expiryClock: Clock | undefined
  #length = 0
  #isAdding = false

  /** For one pool; `pool.batch()` makes one. */
  constructor(owner: {
    readonly registry: InstrumentRegistry
    readonly shards: number
    /** By which GTD orders are refused whose time is over; `undefined`: none are. */
    readonly expiryClock?: Clock | undefined
  }) {
    this.#registry = owner.registry
    this.#expiryClock = owner.expiryClock
    this.#shardCount = owner.shards
    this.#shards = Array.from({ length: owner.shards }, () => new ShardCommands())
  }

  /** Commands in the batch. */
  get length(): number {
    return this.#length
  }

  /** The encoded commands by shard. */
  get parts(): readonly ShardCommands[] {
    return this.#shards
  }

  /** Whether the batch was made for the pool that has these instruments. @internal */
  isFor(registry: InstrumentRegistry): boolean {
    return registry === this.#registry
  }

  /** Takes all commands out, so that the batch can be filled anew. */
  clear(): void {
    this.#checkNotAdding()
    this.#length = 0
    for (const shard of this.#shards) shard.used = shard.commands = 0
  }

  /**
   * Adds a limit or market order; `price` is 0 for a market order, `orderId` for one that gets the symbol's next id.
   *
   * @throws CommandError; the batch is as before.
   */
  addNew(
    instrumentId: number,
    orderId: number,
    account: number,
    side: number,
    orderType: number,
    timeInForce: number,
    price: number,
    quantity: number,
    tag = 0,
  ): void {
    const shard = this.#shardOf(instrumentId, tag)
    // The other numbers are refused by the encoder before it writes anything.
    if (typeof side !== 'number') throw noNumber('side', side)
    if (typeof timeInForce !== 'number') throw noNumber('timeInForce', timeInForce)
    const at = shard.used
    const low = tag | 0
    const high = (tag / 0x1_0000_0000) | 0
    shard.used += encodeNew(
      shard.words,
      at,
      instrumentId,
      low,
      high,
      orderId,
      account,
      side,
      orderType,
      timeInForce,
      0,
      0,
      price,
      quantity,
      0,
      0,
      0,
      0,
    )
    this.#added(shard)
  }

  /** Adds the cancel of an order. @throws as `addNew`. */
  addCancel(instrumentId: number, orderId: number, tag = 0): void {
    const shard = this.#shardOf(instrumentId, tag)
    const high = (tag / 0x1_0000_0000) | 0
    shard.used += encodeCancel(shard.words, shard.used, instrumentId, tag | 0, high, orderId, -1, 0)
    this.#added(shard)
  }

  /** Adds a replace: `quantity` is the new open quantity in lots; `price` is in ticks, and 0 keeps the price. @throws as `addNew`. */
  addReplace(instrumentId: number, orderId: number, price: number, quantity: number, tag = 0): void {
    const shard = this.#shardOf(instrumentId, tag)
    const high = (tag / 0x1_0000_0000) | 0
    shard.used += encodeReplace(
      shard.words,
      shard.used,
      instrumentId,
      tag | 0,
      high,
      orderId,
      price,
      quantity,
      -1,
      0,
    )
    this.#added(shard)
  }

  /** Adds a reduce: `quantity` is what is taken away, in lots. @throws as `addNew`. */
  addReduce(instrumentId: number, orderId: number, quantity: number, tag = 0): void {
    const shard = this.#shardOf(instrumentId, tag)
    const high = (tag / 0x1_0000_0000) | 0
    shard.used += encodeReduce(shard.words, shard.used, instrumentId, tag | 0, high, orderId, quantity, -1, 0)
    this.#added(shard)
  }

  /**
   * Adds a command for one symbol as `submit` takes it.
   *
   * @throws CommandError or PoolError for what is malformed; the batch is as before.
   */
  add(command: Command): void {
    if (typeof command !== 'object' || command === null) throw unknownType(command)
    if (goesByItself(command)) {
      throw new PoolError(
        'TIDEMARK_BAD_ARGUMENT',
        `A batch takes commands for one symbol; submit ${command.type} by itself.`,
        {
          type: command.type,
        },
      )
    }
    const symbolCommand = command as SymbolCommand
    const { grids, shard: number } = this.#registry.ofCommand(symbolCommand)
    if (this.#expiryClock) checkExpiry(command, this.#expiryClock.wallMs())
    const shard = this.#shards[number]!
    this.#checkNotAdding()
    shard.reserve()
    this.#isAdding = true
    try {
      shard.used += encodeCommand(shard.words, shard.used, symbolCommand, grids)
    } finally {
      this.#isAdding = false
    }
    this.#added(shard)
  }

  /** Adds the record that one of the encoders wrote at the beginning of `words`, for the instrument that it names. */
  addEncoded(words: Int32Array): void {
    const shard = this.#shardOf(words[1]! >>> 0, 0)
    const length = words[0]! >>> 18
    for (let i = 0; i < length; i++) shard.words[shard.used + i] = words[i]!
    shard.used += length
    this.#added(shard)
  }

  #shardOf(instrumentId: number, tag: number): ShardCommands {
    this.#checkNotAdding()
    // An object with a `valueOf` that adds to the batch would move the place of its own command.
    if (typeof tag !== 'number') throw noNumber('tag', tag)
    if (typeof instrumentId !== 'number' || this.#registry.byId(instrumentId) === undefined) {
      throw new PoolError(
        'TIDEMARK_UNKNOWN_SYMBOL',
        `There is no instrument with the id ${shown(instrumentId)}.`,
        {
          instrumentId,
        },
      )
    }
    const shard = this.#shards[instrumentId % this.#shardCount]!
    shard.reserve()
    return shard
  }

  /** A command is read by getters and proxies of the caller's: one that changed the batch would move the place of its own command. */
  #checkNotAdding(): void {
    if (!this.#isAdding) return
    throw new PoolError(
      'TIDEMARK_BAD_ARGUMENT',
      'The batch was changed by a field of a command that is being added to it; add one after the other.',
    )
  }

  #added(shard: ShardCommands): void {
    shard.commands++
    this.#length++
  }
}

/** Whether a command concerns more than one symbol, or makes one. */
function goesByItself(command: Command): boolean {
  const { type } = command
  if (type === 'cancel-all') return command.symbol === undefined
  return type === 'instrument' || type === 'block' || type === 'unblock'
}

function noNumber(field: string, value: unknown): CommandError {
  const message = `${field} must be a number here, not ${shown(value)}.`
  return new CommandError('TIDEMARK_FIELD_TYPE', field, value, message)
}
