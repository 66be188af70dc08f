import type { Clock } from '../../base/clock.js'
import { TidemarkError } from '../../base/errors.js'
import {
  accountOf,
  type BlockCommand,
  type CancelAllCommand,
  type Command,
  type CommandGrids,
  cancelAllEverywhere,
  checkFieldNames,
  encodeCommand,
  encodeInstrument,
  type InstrumentCommand,
  maxCommandWords,
  type SymbolCommand,
  tagHighWord,
  tagLowWord,
  type UnblockCommand,
  unknownType,
} from '../../matching/index.js'
import { BatchWaiter, EverywhereWaiter, type WaiterContext } from '../delivery/pending-commands.js'
import { backpressure, PoolError } from '../errors.js'
import type { InstrumentRegistry } from '../instruments.js'
import { requestWords } from '../shard/requests.js'
import type { ShardHandle } from '../shard/shard-handle.js'
import type { BatchReport, ExecutionReport } from '../types.js'
import { AccountBlocks } from './account-blocks.js'
import { CommandBatch } from './command-batch.js'
import { type CommandGuard, noGuard } from './command-guard.js'
import { checkExpiry } from './expiry.js'
import { Refusals } from './refusals.js'

type Resolve<T> = (value: T) => void
type Reject = (error: unknown) => void

/** After a refusal while nothing is in flight no command settles and drains: by then the shard has taken what is in its ring. */
const drainDelayMs = 1

/**
 * The way into the shards: checks and encodes commands, keeps the number of those in flight within its limit, and puts
 * their promises into the shards' queues. What is refused is refused before anything of it is handed over.
 */
export class Intake {
  readonly maxInFlight: number
  readonly #shards: readonly ShardHandle[]
  readonly #registry: InstrumentRegistry
  readonly #waiting: WaiterContext
  readonly #durableLsn: () => number
  readonly #refusal: () => Error | undefined
  readonly #drain: () => void
  readonly #expiryClock: Clock | undefined
  readonly #words = new Int32Array(maxCommandWords)
  readonly #refusals = new Refusals()
  readonly #blocks = new AccountBlocks()
  /** What every command passes before its shard gets it. */
  guard: CommandGuard = noGuard
  #lastRefusal: { error: PoolError; shard: number | undefined; inFlight: number } | undefined
  #inFlight = 0
  #full = false
  readonly #whenIdle: (() => void)[] = []
  #poison: Error | undefined

  /** `refusal` says why nothing is taken any more, if so; `drain` is called when there is room again after it was short. */
  constructor(options: {
    shards: readonly ShardHandle[]
    waiting: WaiterContext
    maxInFlight: number
    durableLsn: () => number
    refusal: () => Error | undefined
    expiryClock: Clock | undefined
    drain: () => void
  }) {
    this.#shards = options.shards
    this.#waiting = options.waiting
    this.#registry = options.waiting.registry
    this.maxInFlight = options.maxInFlight
    this.#durableLsn = options.durableLsn
    this.#refusal = options.refusal
    this.#expiryClock = options.expiryClock
    this.#drain = options.drain
  }

  /** Commands taken whose outcome is not durable yet. */
  get inFlight(): number {
    return this.#inFlight
  }

  get needsDrain(): boolean {
    return this.#inFlight * 2 >= this.maxInFlight
  }

  submit(command: Command): Promise<ExecutionReport> {
    const refusal = this.#noRoom(1)
    if (refusal) return this.#refusals.refused(refusal)
    try {
      if (typeof command !== 'object' || command === null) throw unknownType(command)
      if (command.type === 'cancel-all' && command.symbol === undefined) return this.#cancelAll(command)
      if (command.type === 'instrument') return this.#define(command)
      if (command.type === 'block' || command.type === 'unblock') return this.#block(command)
      const { grids, shard } = this.#registry.ofCommand(command as SymbolCommand)
      if (this.#expiryClock) checkExpiry(command, this.#expiryClock.wallMs())
      return this.#sendInPlace(shard, command as SymbolCommand, grids)
    } catch (error) {
      return this.#refusals.refused(error)
    }
  }

  /** Takes all of a batch or nothing of it. */
  submitBatch(
    commands: CommandBatch | readonly Command[],
    resolve: Resolve<BatchReport>,
    reject: Reject,
  ): void {
    try {
      const batch = commands instanceof CommandBatch ? this.#own(commands) : this.#encode(commands)
      const refusal = this.#noRoom(batch.length) ?? this.#noRoomInRings(batch)
      if (refusal) throw refusal
      if (batch.length === 0) {
        resolve({ lsn: this.#durableLsn(), commands: 0, trades: 0, rejected: 0 })
        return
      }
      this.guard.admitBatch(batch.parts)
      const waiter = new BatchWaiter(this.#waiting.latency, batch.length, resolve, reject)
      for (const [i, { words, used, commands: count }] of batch.parts.entries()) {
        if (count > 0) this.#shards[i]!.send(waiter.part(count), words, 0, used)
      }
      this.#taken(batch.length)
    } catch (error) {
      this.#refusals.add(reject, error)
    }
  }

  /** A batch names instruments and shards by the numbers that they have in its own pool. */
  #own(batch: CommandBatch): CommandBatch {
    if (batch.isFor(this.#registry)) return batch
    throw new PoolError(
      'TIDEMARK_BAD_ARGUMENT',
      'The batch was made by another pool, or before this one was opened again; make one with this pool’s batch().',
    )
  }

  /** @throws what submitting the command would throw because it is malformed. */
  check(command: SymbolCommand): void {
    encodeCommand(this.#words, 0, command, this.#registry.ofCommand(command).grids)
  }

  batch(): CommandBatch {
    return new CommandBatch({
      registry: this.#registry,
      shards: this.#shards.length,
      expiryClock: this.#expiryClock,
    })
  }

  /** Instruments that fit at once into a pool that has nothing else to do, however long their symbols are. */
  get instrumentsAtOnce(): number {
    return Math.min(this.maxInFlight, Math.floor(this.#shards[0]!.inbound.capacity / maxCommandWords))
  }

  /** Counts commands as settled, and calls `drain` when there is room again. */
  settled(commands: number): void {
    this.#inFlight -= commands
    if (this.#inFlight === 0) while (this.#whenIdle.length > 0) this.#whenIdle.pop()!()
    if (!this.#full || this.#inFlight * 4 > this.maxInFlight) return
    this.#full = false
    this.#drain()
  }

  /** Resolves when nothing is in flight. @throws what poisoned the pool, when that ends what is in flight. */
  async idle(): Promise<void> {
    while (this.#inFlight > 0) {
      if (this.#poison) throw this.#poison
      await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
    }
  }

  /** What is in flight is settled no more. */
  poisoned(error: Error): void {
    this.#poison = error
    while (this.#whenIdle.length > 0) this.#whenIdle.pop()!()
  }

  /** Why so many commands are not taken now, if they are not. */
  #noRoom(commands: number): Error | undefined {
    const refusal = this.#refusal()
    if (refusal) return refusal
    const { maxInFlight } = this
    const inFlight = this.#inFlight
    if (inFlight + commands <= maxInFlight) return undefined
    if (commands <= maxInFlight) {
      return this.#refuse(undefined)
    }
    return new PoolError(
      'TIDEMARK_BATCH_TOO_LARGE',
      `The batch has ${commands} commands; at most ${maxInFlight} (maxInFlight) may be in flight.`,
      { commands, maxInFlight },
    )
  }

  /** A getter of the command may have submitted others, or closed the pool, since room was looked for. */
  #checkRoomAgain(): void {
    const refusal = this.#noRoom(1)
    if (refusal) throw refusal
  }

  #noRoomInRings(batch: CommandBatch): Error | undefined {
    for (const [i, { used }] of batch.parts.entries()) {
      const { inbound } = this.#shards[i]!
      if (used > inbound.capacity) {
        const [bytes, bytesMax] = [used * 4, inbound.capacity * 4]
        return new PoolError(
          'TIDEMARK_BATCH_TOO_LARGE',
          `The batch's commands for shard ${i} have ${bytes} bytes; its queue takes at most ${bytesMax}. Split the batch or raise maxInFlight.`,
          { commands: batch.length, shard: i, bytes, bytesMax },
        )
      }
    }
    for (const [i, { used }] of batch.parts.entries()) {
      if (!this.#shards[i]!.inbound.fits(used)) return this.#refuse(i)
    }
    return undefined
  }

  #handOver(number: number, at: number, length: number): Promise<ExecutionReport> {
    const report = this.#shards[number]!.submit(at, length)
    this.#taken(1)
    return report
  }

  /** Encodes a command where the shard reads it. */
  #sendInPlace(number: number, command: SymbolCommand, grids: CommandGrids): Promise<ExecutionReport> {
    const { inbound } = this.#shards[number]!
    const at = inbound.reserve(maxCommandWords)
    if (at < 0) return this.#sendExact(number, encodeCommand(this.#words, 0, command, grids))
    let length = 0
    let admitted = false
    try {
      length = encodeCommand(inbound.words, at, command, grids)
      this.guard.admit(number, inbound.words, at)
      admitted = true
    } finally {
      if (!admitted) inbound.cancel()
    }
    return this.#handOver(number, at, length)
  }

  /** Takes a command that was encoded elsewhere: the ring is nearly full, or it takes no longest command. */
  #sendExact(number: number, length: number): Promise<ExecutionReport> {
    const { inbound } = this.#shards[number]!
    const at = inbound.reserve(length)
    if (at < 0) throw this.#refuse(number)
    let admitted = false
    try {
      this.guard.admit(number, this.#words, 0)
      admitted = true
    } finally {
      if (!admitted) inbound.cancel()
    }
    inbound.words.set(this.#words.subarray(0, length), at)
    return this.#handOver(number, at, length)
  }

  #define(command: InstrumentCommand): Promise<ExecutionReport> {
    const low = tagLowWord(command.tag)
    const high = tagHighWord(command.tag)
    const definition = this.#registry.define(command)
    this.#checkRoomAgain()
    const length = encodeInstrument(this.#words, 0, low, high, definition)
    const shard = definition.instrumentId % this.#shards.length
    const report =
      this.#blocks.size === 0 ? this.#sendExact(shard, length) : this.#sendBlocking(shard, length)
    this.#registry.add(definition)
    return report
  }

  /** Takes the creation of an instrument, in which the shard blocks at once who is blocked in the pool. */
  #sendBlocking(number: number, length: number): Promise<ExecutionReport> {
    const shard = this.#shards[number]!
    if (!shard.inbound.fits(length)) throw this.#refuse(number)
    this.guard.admit(number, this.#words, 0)
    return this.#everywhere(1, (waiter) => shard.send(waiter, this.#words, 0, length))
  }

  /** The accounts that are blocked, as far as that is on disk, ascending. */
  blockedAccounts(): number[] {
    return this.#blocks.durable()
  }

  /**
   * Takes over which accounts the log blocks. A block or an unblock that a crash cut short counts as
   * a block: it is completed.
   */
  async restoreBlocks(): Promise<void> {
    const blocked = new Map<number, number>()
    for (const shard of await Promise.all(this.#shards.map((shard) => shard.blockedBooks())))
      for (const [account, books] of shard) blocked.set(account, (blocked.get(account) ?? 0) + books)
    if (blocked.size === 0) return
    const instruments = this.#registry.list().length
    const accounts = [...blocked.keys()]
    for (const account of accounts) this.#blocks.restore(account)
    await Promise.all(this.#shards.map((shard) => shard.setBlockedAccounts(accounts)))
    for (const [account, books] of blocked)
      if (books < instruments) await this.submit({ type: 'block', account })
  }

  #block(command: BlockCommand | UnblockCommand): Promise<ExecutionReport> {
    checkFieldNames(command)
    const isBlocked = command.type === 'block'
    const account = accountOf(command.account)
    const low = tagLowWord(command.tag)
    const high = tagHighWord(command.tag)
    this.#checkRoomEverywhere()
    this.#blocks.submitted(account, isBlocked)
    const report = this.#everywhere(this.#shards.length, (waiter) => {
      for (const shard of this.#shards) shard.sendBlock(waiter, account, isBlocked, low, high)
    })
    const durable = () => this.#blocks.settled(account, isBlocked)
    report.then(durable, () => {})
    return report
  }

  #cancelAll(command: CancelAllCommand): Promise<ExecutionReport> {
    const { account, flags } = cancelAllEverywhere(command)
    const low = tagLowWord(command.tag)
    const high = tagHighWord(command.tag)
    this.#checkRoomEverywhere()
    return this.#everywhere(this.#shards.length, (waiter) => {
      for (const shard of this.#shards) shard.sendCancelAll(waiter, account, flags, low, high)
    })
  }

  #checkRoomEverywhere(): void {
    this.#checkRoomAgain()
    for (const shard of this.#shards) {
      if (!shard.inbound.fits(requestWords)) throw this.#refuse(shard.number)
    }
  }

  /** Hands over, with `send`, a command that becomes several records in so many shards. */
  #everywhere(shards: number, send: (waiter: EverywhereWaiter) => void): Promise<ExecutionReport> {
    return new Promise((resolve, reject) => {
      send(new EverywhereWaiter(this.#waiting, shards, resolve, reject))
      this.#taken(1)
    })
  }

  #encode(commands: readonly Command[]): CommandBatch {
    if (!Array.isArray(commands)) {
      throw new PoolError(
        'TIDEMARK_BAD_ARGUMENT',
        'submitBatch takes a CommandBatch or an array of commands.',
      )
    }
    const batch = this.batch()
    for (const [index, command] of commands.entries()) {
      try {
        batch.add(command)
      } catch (error) {
        if (error instanceof TidemarkError) Object.assign(error.details, { index })
        throw error
      }
    }
    return batch
  }

  #taken(commands: number): void {
    this.#inFlight += commands
    if (this.needsDrain) this.#full = true
  }

  /**
   * A refusal after which `drain` is sure to come: the caller waits for it. It is for want of room in a shard's queue, or
   * anywhere. An error takes longer to make than a command to take, so calls that are refused for the same reason before
   * the caller could see it share one.
   */
  #refuse(shard: number | undefined): PoolError {
    const inFlight = this.#inFlight
    if (!this.#full && inFlight === 0) setTimeout(() => this.settled(0), drainDelayMs)
    this.#full = true
    const last = this.#lastRefusal
    if (last?.error === this.#refusals.error && last?.shard === shard && last?.inFlight === inFlight) {
      return last.error
    }
    const { maxInFlight } = this
    const error =
      shard === undefined
        ? backpressure(`${inFlight} commands are in flight, the most is ${maxInFlight}`, {
            inFlight,
            maxInFlight,
          })
        : backpressure(`the queue of shard ${shard} is full`, { shard, inFlight })
    this.#lastRefusal = { error, shard, inFlight }
    return error
  }
}
