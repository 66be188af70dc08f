import {
  accountOf,
  type CancelAllCommand,
  type Command,
  encodeCommand,
  encodeInstrument,
  type InstrumentCommand,
  maxCommandWords,
  tagHighWord,
  tagLowWord,
  unknownType,
} from '../matching/index.js'
import { CommandBatch } from './command-batch.js'
import { backpressure, PoolError } from './errors.js'
import type { InstrumentRegistry } from './instruments.js'
import { requestWords } from './requests.js'
import type { ShardHandle } from './shard-handle.js'
import type { BatchReport, ExecutionReport } from './types.js'
import { BatchWaiter, EverywhereWaiter, type ReportContext } from './waiters.js'

type Resolve<T> = (value: T) => void
type Reject = (error: unknown) => void

/**
 * The way into the shards: checks and encodes commands, keeps the number of those in flight within its limit, and puts
 * who waits for them into the shards' queues. Whatever is refused is refused before anything of it is handed over.
 */
export class Intake {
  readonly maxInFlight: number
  readonly #shards: readonly ShardHandle[]
  readonly #registry: InstrumentRegistry
  readonly #refusal: () => Error | undefined
  readonly #context: ReportContext
  readonly #words = new Int32Array(maxCommandWords)
  #inFlight = 0
  #full = false

  /** `refusal` says why nothing is taken any more, once nothing is. */
  constructor(options: {
    shards: readonly ShardHandle[]
    registry: InstrumentRegistry
    context: ReportContext
    maxInFlight: number
    refusal: () => Error | undefined
  }) {
    this.#shards = options.shards
    this.#registry = options.registry
    this.maxInFlight = options.maxInFlight
    this.#refusal = options.refusal
    this.#context = options.context
  }

  /** Commands taken whose outcome is not durable yet. */
  get inFlight(): number {
    return this.#inFlight
  }

  get needsDrain(): boolean {
    return this.#inFlight * 2 >= this.maxInFlight
  }

  submit(command: Command): Promise<ExecutionReport> {
    try {
      this.#checkRoom(1)
      if (typeof command !== 'object' || command === null) throw unknownType(command)
      if (command.type === 'cancel-all') return this.#cancelAll(command)
      if (command.type === 'instrument') return this.#define(command)
      const { grids, shard } = this.#registry.ofCommand(command)
      return this.#send(shard, encodeCommand(this.#words, 0, command, grids))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Takes all of a batch, which has at least one command, or nothing of it. */
  submitBatch(
    commands: CommandBatch | readonly Command[],
    resolve: Resolve<BatchReport>,
    reject: Reject,
  ): void {
    try {
      const batch = commands instanceof CommandBatch ? commands : this.#encode(commands)
      this.#checkRoom(batch.length)
      for (const [i, part] of batch.parts.entries()) {
        if (!this.#shards[i]!.inbound.fits(part.used)) throw backpressure(`the queue of shard ${i} is full`)
      }
      const waiter = new BatchWaiter(batch.length, resolve, reject)
      for (const [i, { words, used, commands: count }] of batch.parts.entries()) {
        if (count > 0) this.#shards[i]!.send(waiter.part(count), words, 0, used, count)
      }
      this.#taken(batch.length)
    } catch (error) {
      reject(error)
    }
  }

  batch(): CommandBatch {
    return new CommandBatch({ registry: this.#registry, shards: this.#shards.length })
  }

  /** Counts commands as settled; returns whether those who waited for room may go on. */
  settled(commands: number): boolean {
    this.#inFlight -= commands
    if (!this.#full || this.#inFlight * 4 > this.maxInFlight) return false
    this.#full = false
    return true
  }

  #checkRoom(commands: number): void {
    const refusal = this.#refusal()
    if (refusal) throw refusal
    if (commands > this.maxInFlight) {
      throw new PoolError(
        'TIDEMARK_BATCH_TOO_LARGE',
        `The batch has ${commands} commands; at most ${this.maxInFlight} (maxInFlight) may be in flight.`,
        {
          commands,
          maxInFlight: this.maxInFlight,
        },
      )
    }
    if (this.#inFlight + commands > this.maxInFlight) {
      throw backpressure(`${this.#inFlight} commands are in flight, the most is ${this.maxInFlight}`, {
        inFlight: this.#inFlight,
        maxInFlight: this.maxInFlight,
      })
    }
  }

  #send(number: number, length: number): Promise<ExecutionReport> {
    const shard = this.#shards[number]!
    if (!shard.inbound.fits(length)) throw backpressure(`the queue of shard ${number} is full`)
    const report = shard.submit(this.#words, length)
    this.#taken(1)
    return report
  }

  #define(command: InstrumentCommand): Promise<ExecutionReport> {
    const definition = this.#registry.define(command)
    const length = encodeInstrument(
      this.#words,
      0,
      tagLowWord(command.tag),
      tagHighWord(command.tag),
      definition,
    )
    const report = this.#send(definition.instrumentId % this.#shards.length, length)
    this.#registry.add(definition)
    return report
  }

  #cancelAll(command: CancelAllCommand): Promise<ExecutionReport> {
    const account = accountOf(command.account)
    const low = tagLowWord(command.tag)
    const high = tagHighWord(command.tag)
    this.#checkRoom(this.#shards.length)
    for (const shard of this.#shards) {
      if (!shard.inbound.fits(requestWords)) throw backpressure(`the queue of shard ${shard.number} is full`)
    }
    return new Promise((resolve, reject) => {
      const waiter = new EverywhereWaiter(this.#context, this.#shards.length, resolve, reject)
      for (const shard of this.#shards) shard.sendCancelAll(waiter, account, low, high)
      this.#taken(this.#shards.length)
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
        Object.assign((error as PoolError).details, { index })
        throw error
      }
    }
    return batch
  }

  #taken(commands: number): void {
    this.#inFlight += commands
    if (this.needsDrain) this.#full = true
  }
}
