import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { broken } from '../../base/assert.js'
import {
  batchHeaderWords,
  type ErrorMessage,
  FollowedLsn,
  LogError,
  type LogMemory,
  LogProducer,
  recordHeaderBytes,
  recordHeaderWords,
  toErrorMessage,
  writeRecordHeader,
} from '../../log/thread.js'
import type { EngineCounters, InstrumentState, MatchingEngine } from '../../matching/thread.js'
// Each module that a thread loads costs it a millisecond or two before it can begin, so threads name what they need.
import {
  commandKinds,
  commandTagHigh,
  commandTagLow,
  encodeBlock,
  encodeCancelAll,
  encodeNoop,
  maxCommandWords,
  RecordBuffer,
} from '../../matching/thread.js'
import { commandRecordType, moreRecords } from '../record-type.js'
import type { CopyRingMemory } from '../snapshot/copy-ring.js'
import { ShardCopier } from '../snapshot/shard-copier.js'
import type { PoolSnapshot } from '../snapshot/snapshot-file.js'
import { type InboundMemory, InboundReader, shardCounter } from './inbound-ring.js'
import { QuestionQueue } from './question-queue.js'
import { type Answer, Answers } from './questions.js'
import { type RestoredBooks, restoreShard, ShardReplay } from './replay.js'
import { questionKind, requestKind } from './requests.js'

export interface ShardThreadData {
  readonly shard: number
  readonly shards: number
  readonly log: LogMemory
  readonly inbound: InboundMemory
  readonly port: MessagePort
  readonly directory: string
  readonly fromLsn: number
  readonly endLsn: number
  /** Whether the log grows without this shard, which replays it, and takes no commands, until it is to lead. */
  readonly follows: boolean
  /** What the books are restored from before the log is replayed. */
  readonly snapshot: PoolSnapshot | undefined
  /** How long the thread looks for commands before it sleeps. */
  readonly spinUs: number
}

export type ShardMessage =
  | { readonly kind: 'ready'; readonly instruments: InstrumentState[]; readonly counters: EngineCounters }
  /** Of a shard that follows: instruments were added or changed. */
  | { readonly kind: 'instruments'; readonly instruments: InstrumentState[] }
  /** The shard has followed to the end, and takes commands from now on. */
  | { readonly kind: 'leads'; readonly instruments: InstrumentState[] }
  | { readonly kind: 'answer'; readonly id: number; readonly lsn: number; readonly answer: Answer }
  /** The question got no answer, and never will. */
  | { readonly kind: 'unanswered'; readonly id: number; readonly error: ErrorMessage }
  | { readonly kind: 'failed'; readonly error: ErrorMessage }
  | { readonly kind: 'stopped' }

const INSTRUMENT = commandKinds.instrument
/** A batch is published when the inbound ring runs dry, and at the latest with so many commands or bytes. */
const publishCommands = 256
const publishBytes = 48 * 1024
/** While a copy is made and commands keep coming, a step of it is made after so many of them. */
const commandsAStep = 256

/** What a shard's thread can do while the log is still checked: restore the books of the snapshot that will be used. */
export interface ShardForecast {
  readonly shard: number
  readonly shards: number
  readonly snapshot: PoolSnapshot
}

/** What became of a snapshot that was to be restored. */
export type RestoreMessage =
  | { readonly outcome: 'restored' | 'damaged' }
  | { readonly outcome: 'failed'; readonly error: ErrorMessage }

/** Restores the shard's books while the log is not yet checked. */
export function restoreAhead(forecast: ShardForecast): {
  books: RestoredBooks | undefined
  message: RestoreMessage
} {
  try {
    return { books: restoreShard(forecast.snapshot, forecast), message: { outcome: 'restored' } }
  } catch (error) {
    const isDamaged = error instanceof LogError && error.code === 'TIDEMARK_LOG_CORRUPT'
    const message: RestoreMessage = isDamaged
      ? { outcome: 'damaged' }
      : { outcome: 'failed', error: toErrorMessage(error) }
    return { books: undefined, message }
  }
}

/**
 * Brings the shard's books up from the log, then matches until the inbound ring is stopped. One that follows continues
 * replaying what the log gets, until it is to lead. Blocks its thread. `restored` are the books of the very snapshot in
 * `data`, if they were restored before.
 */
export function runShardThread(data: ShardThreadData, restored?: RestoredBooks): void {
  const post = (message: ShardMessage) => data.port.postMessage(message)
  try {
    const books = restored ?? restoreShard(data.snapshot, data)
    const { engine } = books
    const replay = new ShardReplay(books, data)
    try {
      replay.to(data.endLsn)
      replay.takeInstrumentsChanged()
      if (!data.follows) replay.close()
      post({ kind: 'ready', instruments: engine.instruments(), counters: engine.counters() })
      new ShardLoop(engine, data, post, data.follows ? replay : undefined).run()
    } finally {
      replay.close()
    }
    post({ kind: 'stopped' })
  } catch (error) {
    post({ kind: 'failed', error: toErrorMessage(error) })
  }
}

/**
 * Takes commands from the inbound ring and matches them. Each becomes one record with all that it caused, written where the
 * batch is published from.
 */
class ShardLoop {
  readonly #engine: MatchingEngine
  readonly #inbound: InboundReader
  readonly #shard: number
  readonly #log: LogMemory
  /** One that follows makes it when it is to lead: only then is it known under which epoch the log continues. */
  #producer: LogProducer
  /** The batch in the making: words for its header, then for each command those of a record's header and what it caused. */
  readonly #batch = new RecordBuffer()
  readonly #synthetic = new Int32Array(maxCommandWords)
  /** Accounts that are blocked in the pool, whether or not this shard has an instrument. */
  readonly #blocked = new Set<number>()
  readonly #questions = new QuestionQueue()
  readonly #answers: Answers
  readonly #answerOne = (words: Int32Array, at: number) => this.#answer(words, at)
  readonly #post: (message: ShardMessage) => void
  readonly #port: MessagePort
  readonly #spinUs: number
  /** Where the last record of this shard ends; of one that follows, where the books stand. */
  #lsn: number
  /** How a shard that follows gets its commands, and up to where they are on disk. */
  #replay: ShardReplay | undefined
  readonly #followed: FollowedLsn
  /** The copy for a snapshot that is being made, and the question that it answers. */
  #copier: ShardCopier | undefined
  #copyQuestion = 0
  #sinceStep = 0
  /** Commands in the batch. */
  #commands = 0
  readonly #publishCommands: number
  readonly #publishWords: number

  constructor(
    engine: MatchingEngine,
    data: ShardThreadData,
    post: (message: ShardMessage) => void,
    replay: ShardReplay | undefined,
  ) {
    this.#engine = engine
    this.#shard = data.shard
    this.#log = data.log
    this.#replay = replay
    this.#answers = new Answers(engine)
    this.#inbound = new InboundReader(data.inbound)
    this.#producer = new LogProducer(data.log, data.shard + 1)
    this.#post = post
    this.#port = data.port
    this.#spinUs = data.spinUs
    this.#lsn = data.endLsn
    const { maxBatchBytes, recordsMax } = this.#producer
    this.#publishCommands = Math.min(publishCommands, recordsMax)
    this.#publishWords = Math.min(publishBytes, maxBatchBytes) >> 2
    this.#batch.reset(batchHeaderWords)
    this.#followed = new FollowedLsn(data.log)
  }

  /** Whether there is something to do beside what comes through the ring: other threads wake this one when there is. */
  get ready(): boolean {
    return this.#copier?.ready === true || this.#replay?.isBehind(this.#followed.value) === true
  }

  run(): void {
    const inbound = this.#inbound
    const words = inbound.words
    const batch = this.#batch
    const [commandsMax, wordsMax] = [this.#publishCommands, this.#publishWords]
    for (;;) {
      const at = inbound.next()
      if (at < 0) {
        this.#publish()
        const answered = this.#answersSome()
        const followed = this.#followOn()
        if (this.#copier?.ready) {
          this.#copyOn(this.#copier)
          continue
        }
        if (answered || followed) continue
        if (inbound.stopped && inbound.next() < 0) return
        inbound.sleep(this, this.#spinUs)
        continue
      }
      const kind = words[at]! & 0xff
      if (kind < requestKind.cancelAllSymbols) {
        if (kind !== INSTRUMENT || this.#blocked.size === 0) this.#execute(words, at, 0)
        else this.#createBlocking(words, at)
      } else if (kind === requestKind.cancelAllSymbols) this.#cancelAllSymbols(words, at)
      else if (kind === requestKind.blockAccount) this.#blockAccount(words, at)
      else if (kind === requestKind.lead) this.#lead()
      else if (isUserQuestion(words, at)) this.#questions.add(words, at)
      else this.#answer(words, at)
      inbound.advance(at)
      if (this.#commands >= commandsMax || batch.end >= wordsMax) {
        this.#publish()
        this.#answersSome()
      }
      if (this.#copier !== undefined && ++this.#sinceStep >= commandsAStep && this.#copier.ready) {
        this.#publish()
        this.#copyOn(this.#copier)
      }
    }
  }

  /** Replays some of what the log has got, if this shard follows; returns whether there was any. */
  #followOn(): boolean {
    const replay = this.#replay
    // One that is stopped need not catch up first.
    if (!replay || this.#inbound.stopped || !replay.step(this.#followed.value)) return false
    this.#lsn = replay.lsn
    if (replay.takeInstrumentsChanged())
      this.#post({ kind: 'instruments', instruments: this.#engine.instruments() })
    return true
  }

  /** Replays to the end of what is on disk, where the log of this process begins, and takes commands from then on. */
  #lead(): void {
    const replay = this.#replay
    if (!replay) broken('only a shard that follows is asked to lead', { shard: this.#shard })
    const endLsn = this.#followed.value
    replay.to(endLsn)
    replay.close()
    this.#replay = undefined
    this.#producer = new LogProducer(this.#log, this.#shard + 1)
    this.#lsn = endLsn
    this.#post({ kind: 'leads', instruments: this.#engine.instruments() })
  }

  #execute(words: Int32Array, at: number, flags: number): void {
    // A repetition is answered with the LSN of the first execution, which is known when that is published.
    if (this.#engine.repeatsUnsettled(words, at)) this.#publish()
    const batch = this.#batch
    const head = batch.next(recordHeaderWords)
    this.#engine.apply(words, at, batch)
    const { end } = batch
    writeRecordHeader(batch.i32, head, (end - batch.start) * 4 + recordHeaderBytes, commandRecordType, flags)
    this.#commands++
    if (end * 4 > this.#producer.maxBatchBytes) this.#publishApart(head, flags)
  }

  /**
   * Publishes a batch that is too large because of its last record: that record by itself, after all before it. Its header
   * takes the words of what was published then.
   */
  #publishApart(head: number, flags: number): void {
    const producer = this.#producer
    const batch = this.#batch
    const { end } = batch
    this.#count()
    if (this.#commands > 1) {
      const lsn = producer.publishBuilt(batch.i32, 0, head, this.#commands - 1)
      this.#published(lsn, head)
    }
    const from = head - batchHeaderWords
    const fits = (end - from) * 4 <= producer.maxBatchBytes
    const lsn = fits
      ? producer.publishBuilt(batch.i32, from, end, 1)
      : producer.publishLarge(batch.i32, head, end, commandRecordType, flags)
    this.#published(lsn, end)
    this.#begin()
  }

  /** Brings the counters, which other threads read, up to the last command: before anyone can hear of it. */
  #count(): void {
    const counters = this.#inbound.counters
    counters[shardCounter.commands]! += this.#commands
    counters[shardCounter.trades] = this.#batch.trades
    counters[shardCounter.rejected] = this.#batch.rejections
  }

  /** One logged command for each symbol in which the account has orders, by symbol; a noop when there is none. */
  #cancelAllSymbols(words: Int32Array, at: number): void {
    const account = words[at + 4]! >>> 0
    const flags = (words[at]! >>> 8) & 0xff
    const tagLow = words[at + 2]! >>> 0
    const tagHigh = words[at + 3]! >>> 0
    this.#executeInEach(this.#engine.instrumentsOf(account), tagLow, tagHigh, (id) =>
      encodeCancelAll(this.#synthetic, 0, id, tagLow, tagHigh, account, flags),
    )
  }

  /** One logged command for each symbol in which the account is not blocked yet, or is, by symbol; a noop when there is none. */
  #blockAccount(words: Int32Array, at: number): void {
    const account = words[at + 4]! >>> 0
    const isBlocked = ((words[at]! >>> 8) & 1) !== 0
    const tagLow = words[at + 2]! >>> 0
    const tagHigh = words[at + 3]! >>> 0
    if (isBlocked) this.#blocked.add(account)
    else this.#blocked.delete(account)
    this.#executeInEach(this.#engine.instrumentsBlocking(account, !isBlocked), tagLow, tagHigh, (id) =>
      encodeBlock(this.#synthetic, 0, id, tagLow, tagHigh, account, isBlocked),
    )
  }

  /** Executes for each instrument what `encode` writes to the words for it, as records of one command; a noop when there is none. */
  #executeInEach(
    ids: readonly number[],
    tagLow: number,
    tagHigh: number,
    encode: (id: number) => void,
  ): void {
    for (const [i, id] of ids.entries()) {
      this.#publishFull()
      encode(id)
      this.#execute(this.#synthetic, 0, i < ids.length - 1 ? moreRecords : 0)
    }
    if (ids.length > 0) return
    encodeNoop(this.#synthetic, 0, tagLow, tagHigh)
    this.#execute(this.#synthetic, 0, 0)
  }

  /** Executes the creation of an instrument, and blocks in it who is blocked in the pool: all of it records of one command. */
  #createBlocking(words: Int32Array, at: number): void {
    const id = words[at + 1]! >>> 0
    const tagLow = commandTagLow(words, at)
    const tagHigh = commandTagHigh(words, at)
    const accounts = [...this.#blocked].sort((a, b) => a - b)
    this.#execute(words, at, moreRecords)
    for (const [i, account] of accounts.entries()) {
      this.#publishFull()
      encodeBlock(this.#synthetic, 0, id, tagLow, tagHigh, account, true)
      this.#execute(this.#synthetic, 0, i < accounts.length - 1 ? moreRecords : 0)
    }
  }

  #publishFull(): void {
    if (this.#commands >= this.#publishCommands || this.#batch.end >= this.#publishWords) this.#publish()
  }

  /** Answers some of the questions that wait; returns whether any did. */
  #answersSome(): boolean {
    if (this.#questions.isEmpty) return false
    this.#questions.answerSome(this.#answerOne)
    return true
  }

  /**
   * Answers with the LSN at which the answer was true; the caller's side gives it out when that is durable. Returns false when
   * the question takes another step.
   */
  #answer(words: Int32Array, at: number): boolean {
    this.#publish()
    const startMs = performance.now()
    const id = words[at + 2]! >>> 0
    let isAnswered = true
    const question = (words[at]! >>> 8) & 0xff
    if (question === questionKind.copy) this.#beginCopy(id)
    else if (question === questionKind.blockedAccounts) this.#takeBlocked(id)
    else {
      this.#tryAnswer(id, () => {
        const answer = this.#answers.answer(words, at)
        isAnswered = answer !== undefined
        if (answer) this.#post({ kind: 'answer', id, lsn: this.#lsn, answer })
      })
    }
    this.#noteAnswer(startMs)
    return isAnswered
  }

  /**
   * Begins the copy of the books for a snapshot, at the claim tail: whatever this shard logs later stands after it, and
   * replay need not go back to the last record of a quiet shard. One that follows logs nothing, and stands where it has
   * replayed to. The question is answered when all is copied.
   */
  #beginCopy(question: number): void {
    const lsn = this.#replay ? this.#lsn : this.#producer.tailLsn
    this.#copyQuestion = question
    this.#tryAnswer(question, () => {
      const { memory } = receiveMessageOnPort(this.#port)!.message as { memory: CopyRingMemory }
      this.#copier = new ShardCopier(this.#engine, memory, lsn)
    })
  }

  #takeBlocked(question: number): void {
    this.#tryAnswer(question, () => {
      const { accounts } = receiveMessageOnPort(this.#port)!.message as { accounts: readonly number[] }
      for (const account of accounts) this.#blocked.add(account)
      this.#post({ kind: 'answer', id: question, lsn: this.#lsn, answer: { question: 'blockedAccounts' } })
    })
  }

  #copyOn(copier: ShardCopier): void {
    const startMs = performance.now()
    this.#sinceStep = 0
    if (copier.step()) {
      this.#copier = undefined
      this.#post({ kind: 'answer', id: this.#copyQuestion, lsn: copier.lsn, answer: { question: 'copy' } })
    }
    this.#noteAnswer(startMs)
  }

  #noteAnswer(startMs: number): void {
    const { counters } = this.#inbound
    const elapsedMs = performance.now() - startMs
    if (elapsedMs > counters[shardCounter.longestAnswerMs]!)
      counters[shardCounter.longestAnswerMs] = elapsedMs
  }

  /**
   * Answers a question, which reads and changes nothing: what fails there, such as memory that can't be had for a large
   * message or for the copy of the books, is the question's failure and not the shard's.
   */
  #tryAnswer(id: number, answer: () => void): void {
    try {
      answer()
    } catch (error) {
      this.#answers.giveUp()
      this.#post({ kind: 'unanswered', id, error: toErrorMessage(error) })
    }
  }

  #publish(): void {
    if (this.#commands > 0) {
      const { i32, end } = this.#batch
      this.#count()
      this.#published(this.#producer.publishBuilt(i32, 0, end, this.#commands), end)
      this.#begin()
    }
    this.#inbound.release()
  }

  /** Notes that the batch was published up to its word `end`, which stands in the log at `lsn`. */
  #published(lsn: number, end: number): void {
    if (lsn <= this.#lsn) broken('what a shard publishes gets a higher LSN', { lsn, lastLsn: this.#lsn })
    this.#lsn = lsn
    this.#engine.settleRequests(lsn, end)
  }

  #begin(): void {
    this.#batch.reset(batchHeaderWords)
    this.#commands = 0
  }
}

/** Whether a question waits for its turn. One of the pool's own doesn't: its answer is as of its place among the commands. */
function isUserQuestion(words: Int32Array, at: number): boolean {
  const question = (words[at]! >>> 8) & 0xff
  return question !== questionKind.copy && question !== questionKind.blockedAccounts
}
