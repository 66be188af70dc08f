import { broken } from '../../base/assert.js'
import { type DurableLog, isShortage, LogError, maxPayloadBytes } from '../../log/index.js'
import { factorRecordType } from '../entries.js'
import { Channel } from './channel.js'
import type { PersisterSettings } from './persister-settings.js'

/** The two ends of a promise that a message will be on disk. */
export interface Waiter {
  readonly resolve: (lsn: number) => void
  readonly reject: (error: Error) => void
}

/** A place in the order of messages that a snapshot is taken at. */
interface Cut {
  readonly before: number
  readonly reached: (lsn: number) => void
  readonly reject: (error: Error) => void
}

/** What the owner of a `ChannelWriter` is notified of. */
export interface ChannelOwner {
  /** Messages have left the channel. */
  roomMade(): void
  /** Once: the log was poisoned or closed, and nothing more is written. */
  failed(error: Error): void
}

/** While the disk is full, room is looked for this often. */
const diskPollMs = 250

/**
 * Takes messages out of a channel in batches and appends each batch to the log as one record, when it is full, when
 * its oldest message has waited long enough, or when a cut is requested.
 */
export class ChannelWriter {
  readonly channel = new Channel()
  readonly batchBytesMax: number
  readonly count = { durable: 0, failed: 0, inFlight: 0, batches: 0, batchBytes: 0 }
  lastLsn: number
  failure: Error | undefined
  readonly #log: DurableLog
  readonly #settings: PersisterSettings
  readonly #owner: ChannelOwner
  readonly #waiters = new Map<number, Waiter>()
  readonly #cuts: Cut[] = []
  #timer: NodeJS.Timeout | undefined
  #blocked = false
  /** The error of the log while its disk is full, and what ends the wait for room. */
  #diskFull: Error | undefined
  #endDiskWait: () => void = () => {}
  #gaveUpDisk = false
  #due = false
  #inFlightBatches = 0
  #nextWaiter: Waiter | undefined
  /** Resolves when every batch written so far is durable or lost. */
  #settling: Promise<unknown> = Promise.resolve()
  readonly #onLogError = (error: Error) => this.#fail(error)
  readonly #onDiskReady = () => this.#endDiskWait()

  /** `lastLsn` is what was appended before. */
  constructor(log: DurableLog, settings: PersisterSettings, owner: ChannelOwner, lastLsn: number) {
    this.#log = log
    this.#settings = settings
    this.#owner = owner
    this.lastLsn = lastLsn
    this.batchBytesMax = maxPayloadBytes(log.settings.maxBatchBytes) & ~7
    log.on('error', this.#onLogError)
    log.on('diskReady', this.#onDiskReady)
  }

  /** Adds the message that was written where the channel said. */
  add(words: number): void {
    const message = this.channel.add(words)
    if (this.#nextWaiter) {
      this.#waiters.set(message, this.#nextWaiter)
      this.#nextWaiter = undefined
    }
    if (this.channel.length >= this.#settings.batchSize) this.#pump()
    else this.#arm()
  }

  /** The message was overwritten: its waiter is rejected with `error`, and the waiter of the newer message takes its place. */
  replaceWaiter(message: number, error: () => Error): void {
    this.#waiters.get(message)?.reject(error())
    this.#waiters.delete(message)
    if (this.#nextWaiter) this.#waiters.set(message, this.#nextWaiter)
    this.#nextWaiter = undefined
  }

  /** Calls `send`, and settles `waiter` with the one message that it adds. When `send` returns false, with `refused`. */
  sendFor(waiter: Waiter, send: () => boolean, refused: () => Error): void {
    this.#nextWaiter = waiter
    try {
      if (this.failure) throw this.failure
      if (!send()) throw refused()
    } catch (error) {
      waiter.reject(error as Error)
    }
    this.#nextWaiter = undefined
  }

  /** Resolves when every batch written so far is durable. @throws what made the log fail. */
  async settled(): Promise<void> {
    await this.#settling
    if (this.failure) throw this.failure
  }

  /** Resolves when everything up to `lsn` is on disk. */
  durable(lsn: number): Promise<void> {
    return this.#log.waitDurable(lsn)
  }

  /** Resolves when everything up to `lsn` was synced, whatever the durability: for what is stored beside the log. */
  synced(lsn: number): Promise<void> {
    return this.#log.waitSynced(lsn)
  }

  /** Whether messages wait because the disk is full. */
  get diskFull(): boolean {
    return this.#diskFull !== undefined
  }

  /** From now on a full disk is an error: what it has no room for fails with it instead of waiting. */
  giveUpDisk(): void {
    this.#gaveUpDisk = true
    this.#endDiskWait()
  }

  /** Removes the listeners from the log and ends the timer, which would keep the process alive. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#log.off('diskReady', this.#onDiskReady)
    this.#log.off('error', this.#onLogError)
  }

  /** Resolves with the LSN at which everything sent before ends, when it was appended. */
  cut(): Promise<number> {
    if (this.failure) return Promise.reject(this.failure)
    const channel = this.channel
    if (channel.length === 0) return Promise.resolve(this.lastLsn)
    return new Promise((reached, reject) => {
      this.#cuts.push({ before: channel.first + channel.length, reached, reject })
      this.#pump()
    })
  }

  /** Writes whole batches; what is due, up to the next cut too. */
  #pump(): void {
    const channel = this.channel
    const { batchSize, groupCommit } = this.#settings
    while (channel.length > 0 && !this.#blocked && (groupCommit || this.#inFlightBatches === 0)) {
      const cut = this.#cuts[0]
      if (channel.length < batchSize && !this.#due && !cut) break
      const limit = cut ? Math.min(batchSize, cut.before - channel.first) : batchSize
      const { entries, bytes } = channel.peek(limit, this.batchBytesMax)
      let lsn: number
      try {
        lsn = this.#log.append(bytes, factorRecordType)
      } catch (error) {
        if (error instanceof LogError && error.code === 'TIDEMARK_RING_FULL') this.#block()
        else if (isShortage(error) && !this.#gaveUpDisk) this.#blockForDisk(error as Error)
        else this.#fail(error as Error)
        return
      }
      channel.remove(entries, bytes.byteLength)
      this.#written(entries, bytes.byteLength, lsn)
      while (this.#cuts.length > 0 && this.#cuts[0]!.before <= channel.first) this.#cuts.shift()!.reached(lsn)
    }
    if (channel.length === 0) this.#due = false
    else this.#arm()
    this.#owner.roomMade()
  }

  #written(entries: number, bytes: number, lsn: number): void {
    if (lsn <= this.lastLsn) broken('LSNs rise', { lsn, before: this.lastLsn })
    this.lastLsn = lsn
    this.count.batches++
    this.count.batchBytes += bytes
    this.count.inFlight += entries
    this.#inFlightBatches++
    let waiting: Waiter[] | undefined
    for (const [message, waiter] of this.#waiters) {
      if (message < this.channel.first) {
        waiting ??= []
        waiting.push(waiter)
        this.#waiters.delete(message)
      } else if (this.#settings.whenFull !== 'latest') break
    }
    const settled = this.#log.waitDurable(lsn).then(
      () => {
        this.#landed(entries)
        this.count.durable += entries
        if (waiting) for (const waiter of waiting) waiter.resolve(lsn)
        if (this.channel.length > 0) this.#pump()
      },
      (error) => {
        this.#landed(entries)
        this.count.failed += entries
        if (waiting) for (const waiter of waiting) waiter.reject(error)
        this.#fail(error)
      },
    )
    this.#settling = Promise.all([this.#settling, settled])
  }

  #landed(entries: number): void {
    this.#inFlightBatches--
    this.count.inFlight -= entries
  }

  /** The ring is full: the next batch is written when everything in it is on disk. */
  #block(): void {
    this.#blocked = true
    this.#log.waitDurable(this.#log.tailLsn).then(
      () => {
        this.#blocked = false
        this.#pump()
      },
      (error) => this.#fail(error),
    )
  }

  /**
   * The disk is full: messages stay in the channel until it has room. Room is also looked for now and then, because the
   * next batch may be smaller.
   */
  #blockForDisk(error: Error): void {
    this.#blocked = true
    this.#diskFull = error
    const timer = setTimeout(() => this.#endDiskWait(), diskPollMs)
    this.#endDiskWait = () => {
      this.#endDiskWait = () => {}
      clearTimeout(timer)
      this.#blocked = false
      this.#diskFull = undefined
      if (!this.failure) this.#pump()
    }
  }

  #arm(): void {
    if (this.#timer || this.#blocked || this.#due) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.channel.length === 0) return
      this.#due = true
      this.#pump()
    }, this.#settings.maxDelayMs)
  }

  #fail(error: Error): void {
    if (this.failure) return
    this.failure = error
    this.#endDiskWait()
    clearTimeout(this.#timer)
    this.count.failed += this.channel.length
    this.channel.remove(this.channel.length, this.channel.bytes)
    for (const waiter of this.#waiters.values()) waiter.reject(error)
    this.#waiters.clear()
    for (const cut of this.#cuts.splice(0)) cut.reject(error)
    this.#owner.failed(error)
  }
}
