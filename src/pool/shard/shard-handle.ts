import { setTimeout as sleep } from 'node:timers/promises'
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { fromErrorMessage, LogError, type LogMemory, threadEnded } from '../../log/index.js'
import { type EngineCounters, type InstrumentState, maxCommandWords } from '../../matching/index.js'
import type { Waiter, WaiterContext } from '../delivery/pending-commands.js'
import { WaiterQueue } from '../delivery/waiter-queue.js'
import { questionFailed } from '../errors.js'
import type { CopyRingMemory } from '../snapshot/copy-ring.js'
import type { PoolSnapshot } from '../snapshot/snapshot-file.js'
import type { ExecutionReport, ShardStats } from '../types.js'
import { createInboundMemory, type InboundMemory, InboundWriter, shardCounter } from './inbound-ring.js'
import type { Answer } from './questions.js'
import { encodeRequest, questionKind, requestKind, requestWords } from './requests.js'
import type { ShardMessage, ShardThreadData } from './shard-thread.js'

/** Words that the inbound ring keeps for a command on average; the largest takes more, a cancel half of it. */
const wordsPerCommand = 16
/** Beside every question that may be asked, so many of the largest commands fit, whatever `maxInFlight` is. */
const largestCommandsMin = 4
/** How often a question that finds the ring full of commands looks again. */
const roomLookMs = 1

interface Question {
  readonly resolve: (answer: { lsn: number; answer: Answer }) => void
  readonly reject: (error: Error) => void
}

/** What a shard needs of the log, its own or one that it follows. */
export interface ShardLog {
  readonly memory: LogMemory
  readonly dir: string
  /** Where the log begins and ended when it was opened. */
  readonly recovery: { readonly firstLsn: number; readonly endLsn: number }
  waitDurable(lsn: number): Promise<void>
}

/** What a shard's thread said when its books were up. */
export interface ShardReady {
  readonly instruments: InstrumentState[]
  readonly counters: EngineCounters
}

/** One shard as the caller's thread sees it: the ring that takes commands, and the queue of those who wait for their records. */
export class ShardHandle {
  readonly inbound: InboundWriter
  readonly inboundMemory: InboundMemory
  readonly number: number
  readonly waiters: WaiterQueue
  /** Resolves when the thread's loop ended because its ring was stopped; rejects with what ended it otherwise. */
  readonly ended: Promise<void>
  readonly ready: Promise<ShardReady>
  /** Called with the instruments of a shard that follows when one was added or changed. */
  onInstruments: (instruments: InstrumentState[]) => void = () => {}
  #log: ShardLog
  #onLeads: (instruments: InstrumentState[]) => void = () => {}
  readonly #questions = new Map<number, Question>()
  readonly #port: MessagePort
  readonly #request = new Int32Array(requestWords)
  #nextQuestion = 1
  #failure: Error | undefined

  /** Starts the shard with `start`, which runs the task in a thread and settles when it is over. */
  constructor(options: {
    shard: number
    shards: number
    log: ShardLog
    /** Whether the log grows without the shard, which replays it until `lead`. Default false. */
    follows?: boolean
    maxInFlight: number
    maxQuestions: number
    spinUs: number
    snapshot: PoolSnapshot | undefined
    waiting: WaiterContext
    start: (data: ShardThreadData, transfer: MessagePort[]) => Promise<void>
  }) {
    const { shard, shards, log } = options
    this.number = shard
    this.#log = log
    const inbound = createInboundMemory(
      Math.max(
        options.maxInFlight * wordsPerCommand,
        largestCommandsMin * maxCommandWords + options.maxQuestions * requestWords,
      ),
    )
    this.inboundMemory = inbound
    this.inbound = new InboundWriter(inbound)
    this.waiters = new WaiterQueue(options.waiting, () => this.inbound.wake())
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    let stopped = false
    let failure: Error | undefined
    let take: (message: ShardMessage) => void
    this.ready = new Promise((resolve, reject) => {
      take = (message) => {
        if (message.kind === 'ready') resolve(message)
        else if (message.kind === 'answer') this.#answered(message)
        else if (message.kind === 'unanswered') this.#unanswered(message.id, fromErrorMessage(message.error))
        else if (message.kind === 'stopped') stopped = true
        else if (message.kind === 'instruments') this.onInstruments(message.instruments)
        else if (message.kind === 'leads') this.#onLeads(message.instruments)
        else {
          failure = fromErrorMessage(message.error)
          reject(failure)
        }
      }
      port1.on('message', take)
      // A message for which this thread has no memory is lost, and with it the id of its question: all of them fail.
      port1.on('messageerror', (cause) => this.#loseAnswers(cause))
    })
    // The opening awaits `ready`; a later failure is reported by `ended`.
    this.ready.catch(() => {})
    const task = options.start(
      {
        shard,
        shards,
        log: log.memory,
        inbound,
        port: port2,
        directory: log.dir,
        fromLsn: options.snapshot?.header.replayFromLsn ?? log.recovery.firstLsn,
        snapshot: options.snapshot,
        endLsn: log.recovery.endLsn,
        follows: options.follows ?? false,
        spinUs: options.spinUs,
      },
      [port2],
    )
    this.ended = task
      .catch((cause) => {
        throw threadEnded(`shard ${shard}`, cause)
      })
      .then(() => {
        // The thread's last message is in the port, but its exit may arrive before that message does.
        for (let last = receiveMessageOnPort(port1); last; last = receiveMessageOnPort(port1))
          take(last.message)
        if (failure) throw failure
        if (!stopped)
          throw new LogError('TIDEMARK_THREAD_DIED', `The thread of shard ${shard} ended.`, { shard })
      })
    this.ended.catch(() => {})
  }

  /**
   * Hands over the command of so many words that the caller encoded at `at` in the inbound ring, where it had reserved room.
   */
  submit(at: number, length: number): Promise<ExecutionReport> {
    const { inbound, waiters } = this
    const report = waiters.addCommand(inbound.words, at)
    inbound.commit(length)
    waiters.handedOver()
    return report
  }

  /** Hands encoded commands over; the caller has made sure that they fit. */
  send(waiter: Waiter, words: Int32Array, from: number, to: number): void {
    this.waiters.add(waiter, words, from, to)
    this.inbound.write(words, from, to)
    this.inbound.wake()
  }

  /** Cancels an account's orders in all symbols of this shard. */
  sendCancelAll(waiter: Waiter, account: number, flags: number, tagLow: number, tagHigh: number): void {
    encodeRequest(this.#request, requestKind.cancelAllSymbols, flags, 0, tagLow, tagHigh, account, 0)
    this.send(waiter, this.#request, 0, requestWords)
  }

  /** Blocks an account in all symbols of this shard, or ends that. */
  sendBlock(waiter: Waiter, account: number, isBlocked: boolean, tagLow: number, tagHigh: number): void {
    const flags = isBlocked ? 1 : 0
    encodeRequest(this.#request, requestKind.blockAccount, flags, 0, tagLow, tagHigh, account, 0)
    this.send(waiter, this.#request, 0, requestWords)
  }

  /** In how many instruments of the shard each account is blocked, of those that are blocked in any. */
  async blockedBooks(): Promise<ReadonlyMap<number, number>> {
    const { answer } = await this.ask(questionKind.blockedBooks, 0)
    return answer.question === 'blockedBooks' ? answer.books : new Map()
  }

  /** Says which accounts are blocked in the pool: the shard blocks them in each instrument that it creates. */
  async setBlockedAccounts(accounts: readonly number[]): Promise<void> {
    // The shard takes it from the port when it comes to the question.
    this.#port.postMessage({ accounts })
    await this.ask(questionKind.blockedAccounts, 0)
  }

  /**
   * Asks the shard; resolves when the LSN at which the answer was true is durable. Once `fail` was called no
   * question is answered any more: those that are pending, of a checkpoint for example, get the error. A question is never refused for want of
   * room: who asks for users keeps the number of their questions within its limit. `first` and `second` are its arguments.
   */
  async ask(
    question: number,
    instrumentId: number,
    first = 0,
    second = 0,
  ): Promise<{ lsn: number; answer: Answer }> {
    while (!this.#failure && !this.inbound.fits(requestWords)) await sleep(roomLookMs)
    if (this.#failure) throw this.#failure
    const id = this.#nextQuestion
    this.#nextQuestion = (id + 1) >>> 0
    const answered = await new Promise<{ lsn: number; answer: Answer }>((resolve, reject) => {
      this.#questions.set(id, { resolve, reject })
      encodeRequest(this.#request, requestKind.question, question, instrumentId, id, 0, first, second)
      this.inbound.write(this.#request, 0, requestWords)
      this.inbound.wake()
    })
    await this.#log.waitDurable(answered.lsn)
    return answered
  }

  /**
   * Has the shard copy its books into a ring, as they are when it comes to this request. Resolves with the LSN at which
   * they were copied, when all of the copy is in the ring and that LSN is durable.
   */
  async copy(memory: CopyRingMemory): Promise<number> {
    // The shard takes it from the port when it comes to the question.
    this.#port.postMessage({ memory })
    const { lsn } = await this.ask(questionKind.copy, 0)
    return lsn
  }

  /**
   * Has a shard that follows replay what is on disk, and take commands for `log` from then on. Resolves with its instruments when
   * it does; rejects with what ended it.
   */
  async lead(log: ShardLog): Promise<InstrumentState[]> {
    this.#log = log
    const leads = new Promise<InstrumentState[]>((resolve) => {
      this.#onLeads = resolve
    })
    while (!this.#failure && !this.inbound.fits(requestWords)) await sleep(roomLookMs)
    if (this.#failure) throw this.#failure
    encodeRequest(this.#request, requestKind.lead, 0, 0, 0, 0, 0, 0)
    this.inbound.write(this.#request, 0, requestWords)
    this.inbound.wake()
    return Promise.race([
      leads,
      this.ended.then(() => Promise.reject(new Error('a shard ended before it led'))),
    ])
  }

  stats(): ShardStats {
    const { counters } = this.inbound
    const commands = counters[shardCounter.commands]!
    return {
      commands,
      trades: counters[shardCounter.trades]!,
      rejected: counters[shardCounter.rejected]!,
      longestAnswerMs: counters[shardCounter.longestAnswerMs]!,
      inFlight: this.waiters.commands,
      queuedWords: this.inbound.queued,
    }
  }

  /** Rejects every command and question that is pending, and every question from now on. */
  fail(error: Error): void {
    this.#failure ??= error
    this.waiters.fail(error)
    for (const question of this.#questions.values()) question.reject(error)
    this.#questions.clear()
  }

  close(): void {
    this.#port.close()
  }

  #unanswered(id: number, cause: Error): void {
    const question = this.#questions.get(id)
    this.#questions.delete(id)
    question?.reject(questionFailed(this.number, cause.cause instanceof Error ? cause.cause : cause))
  }

  #loseAnswers(cause: Error): void {
    for (const id of [...this.#questions.keys()]) this.#unanswered(id, cause)
  }

  #answered({ id, lsn, answer }: { id: number; lsn: number; answer: Answer }): void {
    const question = this.#questions.get(id)
    this.#questions.delete(id)
    question?.resolve({ lsn, answer })
  }
}
