import { Emitter } from '../../base/emitter.js'
import { withoutStack } from '../../base/errors.js'
import type { DurableLog } from '../../log/index.js'
import { checkOptions, compareKind } from '../../log/index.js'
import { checkName } from '../engine/engine.js'
import {
  type CheckpointText,
  entryHeadWords,
  entryKind,
  factorRecordType,
  factorsLogKind,
  type SeriesText,
  sessionEntry,
  textEntry,
  textWords,
  valuesMax,
  writeHead,
} from '../entries.js'
import { FactorError } from '../errors.js'
import type { Channel } from './channel.js'
import { ChannelWriter, type Waiter } from './channel-writer.js'
import {
  type PersisterOptions,
  type PersisterSettings,
  persisterOptions,
  resolvePersisterSettings,
} from './persister-settings.js'
import { checkVector, SentSeriesTable, type Series } from './sent-series.js'
import { SeriesTable } from './series-table.js'
import type { SnapshotInfo, SnapshotStore } from './snapshot-store.js'

const ownOptions = new Set([...persisterOptions, 'snapshots'])

/** Counts of messages since the start; every message taken ends in exactly one of durable, superseded, failed. */
export interface PersisterStats {
  /** Taken into the channel. */
  readonly sent: number
  /** How many messages are on disk. */
  readonly durable: number
  /** Not taken because the channel was full: dropped under `drop`, an error under `wait`. */
  readonly dropped: number
  /** How many were refused because the channel was full. */
  readonly refused: number
  /** Replaced by a newer one of its series before it was written. */
  readonly superseded: number
  /** Lost to a poisoned log: they may or may not be in it. */
  readonly failed: number
  /** Waiting in the channel, and written but not durable yet. */
  readonly pending: number
  /** Whether those in the channel wait because the disk is full; none of them is lost. */
  readonly diskFull: boolean
  /** How many wait for the disk. */
  readonly inFlight: number
  /** How many may wait. */
  readonly capacity: number
  /** The size of the channel, in bytes. */
  readonly channelBytes: number
  /** How many batches were written. */
  readonly batches: number
  /** Their size together, in bytes. */
  readonly batchBytes: number
  /** How many snapshots were written. */
  readonly snapshots: number
}

/**
 * Writes factor values into a durable log, opened with `kind: factorsLogKind` and `contentVersion: factorContentVersion`, without ever blocking: messages go into a bounded channel, leave it in
 * batches, one log record a batch, and are durable together. A batch is written when `batchSize` messages wait or the
 * oldest has waited `maxDelayMs`.
 *
 * `send…` hands a message over and forgets it; `persist…` returns a promise of the LSN at which it is on disk.
 *
 * Events: `error`, once, when the log was poisoned: every promise is rejected, and nothing more is taken.
 */
export class FactorPersister extends Emitter<{ error: [Error] }> {
  /** The settings that hold. */
  readonly settings: PersisterSettings
  readonly #writer: ChannelWriter
  readonly #snapshots: SnapshotStore | undefined
  readonly #table = new SeriesTable()
  readonly #series = new SentSeriesTable()
  readonly #room: (() => void)[] = []
  /** Under `latest`: where the message of a series waits, and its number. */
  readonly #places = new Map<number, { place: number; message: number }>()
  #nextSeries = 0
  #lastTimestamp = Number.NEGATIVE_INFINITY
  #closing: Promise<void> | undefined
  #snapshotting: Promise<unknown> = Promise.resolve()
  readonly #count = { sent: 0, dropped: 0, refused: 0, superseded: 0, snapshots: 0 }

  /**
   * Begins a session in `log`, which stays the caller's to close, after `shutdown`. Snapshots need a store.
   *
   * @throws LogError `TIDEMARK_BAD_SETTING`; `TIDEMARK_LOG_KIND` for a log that was opened as another; as of `DurableLog.append`.
   */
  constructor(
    log: DurableLog,
    options: PersisterOptions & { readonly snapshots?: SnapshotStore | undefined } = {},
  ) {
    super()
    checkOptions('FactorPersister', options, ownOptions)
    compareKind(log.dir, log.kind, factorsLogKind)
    this.settings = resolvePersisterSettings(options)
    this.#snapshots = options.snapshots
    const lsn = log.append(sessionEntry(), factorRecordType)
    const owner = {
      roomMade: () => this.#giveRoom(),
      failed: (error: Error) => {
        for (const go of this.#room.splice(0)) go()
        this.emit('error', error)
      },
    }
    this.#writer = new ChannelWriter(log, this.settings, owner, lsn)
  }

  /** The number of a series, with its names logged before it is used. @throws FactorError `TIDEMARK_BAD_NAME`. */
  series(instrument: string, factors: readonly string[]): Series {
    const known = this.#series.get(instrument, factors)
    if (known) return known
    checkName('instrument', instrument)
    for (const factor of factors) checkName('factor', factor)
    if (factors.length < 1 || factors.length > valuesMax) {
      throw this.#tooLarge(`A series of ${factors.length} factors`, factors.length)
    }
    this.#checkUsable()
    const number = this.#nextSeries++
    this.defineSeries(number, { instrument, factors: [...factors] })
    return this.#series.add(number, instrument, factors)
  }

  /** Hands over one value; `undefined` for one that isn't defined. Errors as of `sendVector`. */
  sendUpdate(instrument: string, factor: string, value: number | undefined, timestamp: number): boolean {
    single[0] = value ?? Number.NaN
    return this.sendVector(this.series(instrument, [factor]), single, timestamp)
  }

  /** Like `sendUpdate`, with a promise. */
  persistUpdate(
    instrument: string,
    factor: string,
    value: number | undefined,
    timestamp: number,
  ): Promise<number> {
    return this.persistVector(this.series(instrument, [factor]), [value ?? Number.NaN], timestamp)
  }

  /**
   * Hands over the values of one series at one time, NaN for what isn't defined; they are copied. Returns whether they
   * were taken: false only under `drop`, and then they are counted.
   *
   * @throws FactorError `TIDEMARK_CHANNEL_FULL` under `wait`: await `ready` and send again. `TIDEMARK_BAD_VALUE` for
   *   values that don't fit the series, `TIDEMARK_VECTOR_TOO_LARGE`, `TIDEMARK_PERSISTER_CLOSED`; LogError
   *   `TIDEMARK_LOG_POISONED`.
   */
  sendVector(series: Series, values: ArrayLike<number>, timestamp: number): boolean {
    const count = series.factors.length
    checkVector(series, values, timestamp)
    if (this.settings.whenFull === 'latest' && this.full && this.#supersede(series, values, timestamp))
      return true
    if (!this.#roomFor(entryHeadWords + count)) return false
    return this.#append(series, values, timestamp)
  }

  /**
   * Like `sendVector`, with a promise of the LSN at which the values are on disk; under `wait` it waits for room.
   *
   * @throws as `sendVector`, by rejection; under `drop` `TIDEMARK_CHANNEL_FULL`; under `latest`
   *   `TIDEMARK_SUPERSEDED` when a newer message took its place.
   */
  async persistVector(series: Series, values: ArrayLike<number>, timestamp: number): Promise<number> {
    checkVector(series, values, timestamp)
    this.#checkUsable()
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject }
      if (this.settings.whenFull !== 'wait' || !this.full) {
        this.#sendFor(waiter, () => this.sendVector(series, values, timestamp))
        return
      }
      const kept = Float64Array.from(values)
      this.#room.push(() => this.#sendFor(waiter, () => this.#append(series, kept, timestamp)))
    })
  }

  /**
   * Takes a snapshot of `state` at this point of the order of messages: it is written when everything sent before is
   * durable, and resolves with its LSN when it is in place. The caller gives the state away.
   *
   * @throws FactorError `TIDEMARK_SNAPSHOT_IO`, `TIDEMARK_BAD_NAME`, `TIDEMARK_PERSISTER_CLOSED`; LogError
   *   `TIDEMARK_LOG_POISONED`.
   */
  async sendSnapshot(checkpointId: string, state: Uint8Array): Promise<SnapshotInfo> {
    if (this.#table.list().some(({ computed }) => computed)) {
      throw new FactorError(
        'TIDEMARK_BAD_STATE',
        'An engine computes factors in this log, and only its own snapshots can bring it back; use createSnapshot.',
      )
    }
    return this.snapshot(checkpointId, state)
  }

  /** `sendSnapshot` for the state of an engine. @internal */
  async snapshot(checkpointId: string, state: Uint8Array): Promise<SnapshotInfo> {
    const store = this.#snapshots
    if (!store) {
      throw new FactorError(
        'TIDEMARK_SNAPSHOT_IO',
        'This persister has no place for snapshots; give it a store.',
      )
    }
    checkName('checkpoint', checkpointId)
    this.#checkUsable()
    const series = this.#table.list().map((one) => this.#series.withLast(one))
    const timestamp = this.#lastTimestamp === Number.NEGATIVE_INFINITY ? undefined : this.#lastTimestamp
    const before = this.#snapshotting
    const written = this.#cut().then(async (lsn) => {
      await this.#writer.synced(lsn)
      await before
      const info: SnapshotInfo = { checkpointId, lsn, timestamp }
      await store.write({ info, series, state })
      this.#count.snapshots++
      if (!this.#closing && !this.#writer.failure) this.#text(entryKind.checkpoint, 0, { checkpointId, lsn })
      return info
    })
    this.#snapshotting = written.catch(() => {})
    return written
  }

  /** Whether a message that is sent now finds no room. */
  get full(): boolean {
    return this.#writer.channel.length >= this.settings.capacity || this.#room.length > 0
  }

  /** Resolves when half of the channel is free. @throws LogError `TIDEMARK_LOG_POISONED`. */
  async ready(): Promise<void> {
    if (this.full) await new Promise<void>((resolve) => this.#room.push(resolve))
    this.#checkUsable()
  }

  /** Writes what waits, without waiting for more; resolves with the LSN at which all of it is durable. */
  async flush(): Promise<number> {
    this.#checkUsable()
    const lsn = await this.#cut()
    await this.#writer.settled()
    return lsn
  }

  /** Takes nothing more; resolves when everything sent is durable. @throws LogError `TIDEMARK_LOG_POISONED`. */
  shutdown(): Promise<void> {
    this.#closing ??= this.#shutdown()
    return this.#closing
  }

  /** Figures of what was sent and what is on disk. */
  stats(): PersisterStats {
    const { length, capacityBytes } = this.#writer.channel
    return {
      ...this.#count,
      ...this.#writer.count,
      pending: length,
      diskFull: this.#writer.diskFull,
      capacity: this.settings.capacity,
      channelBytes: capacityBytes,
    }
  }

  /** Logs what a number stands for, or that factors were added to it. It is never dropped. @internal */
  defineSeries(number: number, text: SeriesText): void {
    this.#checkUsable()
    this.#text(entryKind.series, number, text)
    const { instrument, factors, definitions } = text
    this.#table.set({ number, instrument, factors, computed: definitions !== undefined })
  }

  /**
   * Makes room for an entry of `words` in `channel`, and returns where it is to be written before `endEntry`; -1 when
   * it was dropped. Errors as of `sendVector`. @internal
   */
  beginEntry(words: number): number {
    return this.#roomFor(words) ? this.#writer.channel.reserve(words) : -1
  }

  /** Completes the entry that was begun: `words` 64-bit words of values were written. @internal */
  endEntry(words: number, timestamp: number): void {
    if (timestamp > this.#lastTimestamp) this.#lastTimestamp = timestamp
    this.#count.sent++
    this.#writer.add(words)
  }

  /** Takes over the last values of an earlier session, so that snapshots of this one have them. @internal */
  adopt(instrument: string, factors: readonly string[], values: Float64Array, timestamp: number): void {
    const { number } = this.series(instrument, factors)
    this.#series.keepLast(number, values, timestamp)
  }

  /** A promise for the one message that `send` hands over. @internal */
  promised(send: () => boolean): Promise<number> {
    return new Promise((resolve, reject) => this.#sendFor({ resolve, reject }, send))
  }

  /** A number for a series that `defineSeries` gives its names. @internal */
  nextSeries(): number {
    this.#checkUsable()
    return this.#nextSeries++
  }

  /**
   * Throws where a definition is larger than one record.
   *
   * @throws FactorError `TIDEMARK_VECTOR_TOO_LARGE`.
   * @internal
   */
  checkDefinition(text: SeriesText): void {
    this.#checkUsable()
    const bytes = Buffer.byteLength(JSON.stringify(text))
    if (textWords(bytes) * 8 > this.#writer.batchBytesMax)
      throw this.#tooLarge(`A definition of ${bytes} bytes`, bytes)
  }

  /** Where entries wait. @internal */
  get channel(): Channel {
    return this.#writer.channel
  }

  async #shutdown(): Promise<void> {
    if (this.#writer.failure) throw this.#writer.failure
    this.#writer.giveUpDisk()
    while (this.#writer.channel.length > 0 || this.#room.length > 0) await this.#cut()
    await this.#writer.settled()
    await this.#snapshotting
    this.#writer.stop()
  }

  #append(series: Series, values: ArrayLike<number>, timestamp: number): true {
    const channel = this.#writer.channel
    const count = series.factors.length
    const at = channel.reserve(entryHeadWords + count)
    writeHead(channel.int32, channel.float64, at, entryKind.vector, 0, count, series.number, timestamp)
    const { float64 } = channel
    for (let i = 0; i < count; i++) float64[at + entryHeadWords + i] = values[i]!
    this.#series.keepLast(series.number, values, timestamp)
    if (this.settings.whenFull === 'latest') {
      const message = channel.first + channel.length
      this.#places.set(series.number, { place: channel.nextPlace, message })
    }
    this.endEntry(entryHeadWords + count, timestamp)
    return true
  }

  /** Overwrites the message of this series that waits; false when none does. */
  #supersede(series: Series, values: ArrayLike<number>, timestamp: number): boolean {
    const waiting = this.#places.get(series.number)
    const at = waiting ? this.#writer.channel.wordAt(waiting.place) : -1
    if (!waiting || at < 0) return false
    const { float64 } = this.#writer.channel
    float64[at + 1] = timestamp
    for (let i = 0; i < values.length; i++) float64[at + entryHeadWords + i] = values[i]!
    if (timestamp > this.#lastTimestamp) this.#lastTimestamp = timestamp
    this.#series.keepLast(series.number, values, timestamp)
    this.#count.sent++
    this.#count.superseded++
    this.#writer.replaceWaiter(
      waiting.message,
      () =>
        new FactorError(
          'TIDEMARK_SUPERSEDED',
          `The channel was full, and a newer message of ${series.instrument} took the place of this one.`,
          { instrument: series.instrument },
        ),
    )
    return true
  }

  #text(kind: number, series: number, text: SeriesText | CheckpointText): void {
    const entry = textEntry(kind, series, text)
    const { byteLength: bytes } = entry
    if (bytes > this.#writer.batchBytesMax) throw this.#tooLarge(`A definition of ${bytes} bytes`, bytes)
    const words = this.#writer.channel.write(entry)
    this.endEntry(words, Number.NEGATIVE_INFINITY)
  }

  #roomFor(words: number): boolean {
    this.#checkUsable()
    if (words * 8 > this.#writer.batchBytesMax)
      throw this.#tooLarge(`A message of ${words * 8} bytes`, words * 8)
    if (!this.full || this.settings.whenFull === 'latest') return true
    if (this.settings.whenFull === 'drop') {
      this.#count.dropped++
      return false
    }
    this.#count.refused++
    throw this.#channelFull()
  }

  #cut(): Promise<number> {
    // A message after a cut must not take the place of one before it.
    this.#places.clear()
    return this.#writer.cut()
  }

  #sendFor(waiter: Waiter, send: () => boolean): void {
    this.#writer.sendFor(waiter, send, () => this.#channelFull())
  }

  #giveRoom(): void {
    const { capacity } = this.settings
    if (this.#room.length === 0 || this.#writer.channel.length * 2 > capacity) return
    while (this.#room.length > 0 && this.#writer.channel.length < capacity) this.#room.shift()!()
  }

  #checkUsable(): void {
    if (this.#writer.failure) throw this.#writer.failure
    if (this.#closing) {
      throw new FactorError(
        'TIDEMARK_PERSISTER_CLOSED',
        'The persister was shut down; it takes nothing more.',
      )
    }
  }

  #channelFull(): FactorError {
    const { capacity } = this.settings
    return withoutStack(
      () =>
        new FactorError(
          'TIDEMARK_CHANNEL_FULL',
          `${capacity} messages wait for the disk, and no more fit. Await ready(), then send again.`,
          { capacity },
        ),
    )
  }

  #tooLarge(what: string, bytes: number): FactorError {
    return new FactorError(
      'TIDEMARK_VECTOR_TOO_LARGE',
      `${what} does not fit into one record; nothing is cut short. Split it, or raise maxBatchBytes.`,
      { size: bytes, bytesMax: this.#writer.batchBytesMax },
    )
  }
}

const single = new Float64Array(1)
