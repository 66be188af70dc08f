import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ContiguousPrefix,
  isPassing,
  type ReplicatedEntry,
  type ReplicatedLog,
  type ReplicationEpoch,
} from '#tidemark/replication/index.js'
import { takeLog } from './replicated-logs.js'

const entryBytes = 1024
const inFlight = 8

/** A primary that appends entries without a pause, several at once, and repeats those that get no answer. */
export class FlowWriter {
  /** Every entry that was acknowledged, by where it begins: what its bytes are filled with. */
  readonly acknowledged = new Map<number, number>()
  /** The longest time between two acknowledgements. */
  longestGapMs = 0
  refusals = 0
  readonly #log: ReplicatedLog
  readonly #epoch: ReplicationEpoch
  readonly #prefix: ContiguousPrefix
  readonly #working: Promise<unknown>
  #nextLsn: number
  #stopping = false
  #lastMs = performance.now()

  static async begin(log: ReplicatedLog, fromLsn = 0): Promise<FlowWriter> {
    const { epoch, endLsn } = await takeLog(log, randomUUID(), fromLsn)
    return new FlowWriter(log, epoch, endLsn)
  }

  constructor(log: ReplicatedLog, epoch: ReplicationEpoch, endLsn: number) {
    this.#log = log
    this.#epoch = epoch
    this.#nextLsn = endLsn
    this.#prefix = new ContiguousPrefix(endLsn)
    this.#working = Promise.all(Array.from({ length: inFlight }, () => this.#work()))
  }

  /** All before it is acknowledged. */
  get endLsn(): number {
    return this.#prefix.endLsn
  }

  /** Resolves when so many more bytes have been acknowledged. */
  async more(bytes: number): Promise<void> {
    const untilLsn = this.endLsn + bytes
    while (this.endLsn < untilLsn) await sleep(5)
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#working
  }

  async #work(): Promise<void> {
    while (!this.#stopping) {
      const startLsn = this.#nextLsn
      this.#nextLsn += entryBytes
      const fill = 1 + ((startLsn / entryBytes) % 250)
      const entry = { startLsn, bytes: Buffer.alloc(entryBytes, fill) }
      while (!(await this.#attempt(entry))) await sleep(20)
      this.#prefix.add(startLsn, startLsn + entryBytes)
      this.acknowledged.set(startLsn, fill)
      const nowMs = performance.now()
      this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastMs)
      this.#lastMs = nowMs
    }
  }

  async #attempt(entry: { startLsn: number; bytes: Buffer }): Promise<boolean> {
    try {
      await this.#log.append(this.#epoch, entry)
      return true
    } catch (error) {
      if (!isPassing(error)) throw error
      this.refusals++
      return false
    }
  }
}

/** A standby that keeps what it is given. */
export class FlowReader {
  readonly entries = new Map<number, number>()
  endLsn: number
  readonly #abort = new AbortController()
  readonly #reading: Promise<void>

  constructor(log: ReplicatedLog, fromLsn = 0) {
    this.endLsn = fromLsn
    this.#reading = this.#read(log)
  }

  /** Resolves when it has everything up to an LSN. */
  async reached(lsn: number): Promise<void> {
    while (this.endLsn < lsn) await Promise.race([sleep(5), this.#reading])
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#reading
  }

  async #read(log: ReplicatedLog): Promise<void> {
    const { signal } = this.#abort
    for await (const change of log.follow(this.endLsn, { signal })) {
      if (change.kind === 'entry') this.#take(change.entry)
    }
  }

  #take({ startLsn, endLsn, bytes }: ReplicatedEntry): void {
    if (startLsn !== this.endLsn) throw new Error(`an entry at ${startLsn} after ${this.endLsn}`)
    this.entries.set(startLsn, bytes[0]!)
    this.endLsn = endLsn
  }
}
