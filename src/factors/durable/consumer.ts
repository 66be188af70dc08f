import * as path from 'node:path'
import {
  checkOptions,
  compareKind,
  DurableLog,
  type LogOptions,
  logOptionNames,
  optionNames,
} from '../../log/index.js'
import type { FactorEngine } from '../engine/engine.js'
import { type EntryCursor, entryKind, factorContentVersion, factorsLogKind } from '../entries.js'
import { FactorError } from '../errors.js'
import { FactorReplay, type ReplayOptions, replayFiles } from './replay.js'
import { type SnapshotInfo, SnapshotStore } from './snapshot-store.js'

/** Values that are on disk: of a tick, of a vector that a caller sent, or the ranks of a barrier. */
export interface FactorUpdate {
  /** A tick with its values, a vector that the application sent, or a barrier. */
  readonly kind: 'tick' | 'vector' | 'barrier'
  /** Where the record ends that holds it. */
  readonly lsn: number
  /** Absent for a barrier. */
  readonly instrument: string | undefined
  /** Its time, in the caller's unit. */
  readonly timestamp: number
  /** By name; `undefined` for what isn't defined. */
  readonly factors: Readonly<Record<string, number | undefined>>
}

/** Which updates are asked for; a field that is left out excludes none. */
export interface FactorFilter {
  /** Only these instruments. Barriers belong to none and always pass. */
  readonly instruments?: readonly string[] | undefined
  /** Only source timestamps from here on, and up to there (inclusive). */
  readonly fromTimestamp?: number | undefined
  /** Only up to this time, in the caller's unit. */
  readonly toTimestamp?: number | undefined
}

/** What `follow` is called with. */
export interface FollowOptions extends FactorFilter {
  /** Ends the loop when it is aborted. */
  readonly signal?: AbortSignal | undefined
}

/** What `history` is called with. */
export interface HistoryOptions extends FactorFilter {
  /** Only what is after this LSN, and up to that one. */
  readonly fromLsn?: number | undefined
  /** Only up to this LSN. */
  readonly toLsn?: number | undefined
}

const openOptions = new Set(['dir', 'log'])
const filterOptions = { instruments: true, fromTimestamp: true, toTimestamp: true } as const
const followOptions = optionNames<FollowOptions>({ ...filterOptions, signal: true })
const historyOptions = optionNames<HistoryOptions>({ ...filterOptions, fromLsn: true, toLsn: true })

const updateKinds = {
  [entryKind.tick]: 'tick',
  [entryKind.vector]: 'vector',
  [entryKind.barrier]: 'barrier',
} as const

/**
 * Reads a log of factors: recovers the values and the running engine from snapshot and log, reads history, follows
 * live. Several may read one log in a process; a folder that no engine has open is opened by the consumer itself.
 */
export class FactorConsumer {
  readonly #log: DurableLog
  readonly #snapshots: SnapshotStore
  readonly #ownsLog: boolean
  #replay: FactorReplay | undefined
  #snapshot: SnapshotInfo | undefined
  #state: Uint8Array | undefined
  #updates: FactorUpdate[] | undefined

  /**
   * Opens a folder and recovers everything in it.
   *
   * @throws LogError as of `DurableLog.open`; FactorError as of `DurableFactorEngine.open`.
   */
  static async open(options: { readonly dir: string; readonly log?: LogOptions }): Promise<FactorConsumer> {
    checkOptions('FactorConsumer.open', options, openOptions)
    if (options.log !== undefined) checkOptions('The option log', options.log, logOptionNames)
    const log = await DurableLog.open({
      ...options.log,
      dir: options.dir,
      kind: factorsLogKind,
      contentVersion: factorContentVersion,
    })
    try {
      const consumer = new FactorConsumer(log, SnapshotStore.open(path.join(log.dir, 'snapshots')), true)
      await consumer.recover()
      return consumer
    } catch (error) {
      await log.close().catch(() => {}) // what failed first says more
      throw error
    }
  }

  /** A reader beside the engine or persister that has `log` open; `recover` is the first thing to call. */
  static attach(
    log: DurableLog,
    snapshots = new SnapshotStore(path.join(log.dir, 'snapshots')),
  ): FactorConsumer {
    compareKind(log.dir, log.kind, factorsLogKind)
    return new FactorConsumer(log, snapshots, false)
  }

  private constructor(log: DurableLog, snapshots: SnapshotStore, ownsLog: boolean) {
    this.#log = log
    this.#snapshots = snapshots
    this.#ownsLog = ownsLog
  }

  /**
   * Brings values and engine up to what is durable now: the first time from the newest snapshot, later only what is
   * new. Returns the LSN up to which they are; `toLsn`, the LSN of a record, stops earlier.
   */
  async recover(toLsn = this.#log.durableLsn): Promise<number> {
    this.#replay ??= this.#begin({ onEntry: (replay, entry, lsn) => this.#collect(replay, entry, lsn) })
    await replayFiles(this.#replay, this.#log, toLsn)
    return this.#replay.lsn
  }

  /** The running engine: feed it, or let `follow` do so. Its state is that of the one that wrote the log. */
  get engine(): FactorEngine {
    return this.#recovered.engine
  }

  /** The snapshot that recovery began with. */
  get snapshot(): SnapshotInfo | undefined {
    return this.#snapshot
  }

  /** What `sendSnapshot` was given for it. */
  get snapshotState(): Uint8Array | undefined {
    return this.#state
  }

  /** Entries of the log that were read, the snapshot's not among them. */
  get replayedEntries(): number {
    return this.#recovered.entries
  }

  /** The last values of every instrument by factor: those that engines computed and those that were sent. */
  getRecoveredFactors(): Map<string, Record<string, number | undefined>> {
    const { engine, vectors } = this.#recovered
    const all = new Map<string, Record<string, number | undefined>>()
    for (const instrument of engine.instruments) all.set(instrument.name, instrument.getAll())
    for (const { series, values } of vectors.values()) {
      const one = all.get(series.instrument) ?? {}
      for (const [i, factor] of series.factors.entries()) one[factor] = defined(values[i]!)
      all.set(series.instrument, one)
    }
    return all
  }

  /** The last values of one instrument. @throws FactorError `TIDEMARK_UNKNOWN_INSTRUMENT`. */
  getInstrumentFactors(instrument: string): Record<string, number | undefined> {
    const factors = this.getRecoveredFactors().get(instrument)
    if (factors) return factors
    throw new FactorError('TIDEMARK_UNKNOWN_INSTRUMENT', `The log holds nothing of "${instrument}".`, {
      instrument,
    })
  }

  /** The greatest source timestamp read. */
  lastTimestamp(): number | undefined {
    const { lastTimestamp } = this.#recovered
    return lastTimestamp === Number.NEGATIVE_INFINITY ? undefined : lastTimestamp
  }

  /** The LSN up to which the log was read; `history({ fromLsn })` and another consumer continue after it. */
  lastLsn(): number {
    return this.#recovered.lsn
  }

  /**
   * Continues with new entries as they become durable, applying each to values and engine, until the signal or the end
   * of the log. Updates that the filter leaves out are applied all the same.
   */
  async *follow(options: FollowOptions = {}): AsyncGenerator<FactorUpdate, void, undefined> {
    checkOptions('follow', options, followOptions)
    const replay = this.#recovered
    const { signal } = options
    for await (const record of this.#log.reader({ from: replay.lsn, ...(signal && { signal }) })) {
      const updates: FactorUpdate[] = []
      this.#updates = updates
      const { buffer, byteOffset, byteLength } = record.payload
      const words = new Int32Array(buffer, byteOffset, byteLength >> 2)
      replay.visit(words, 0, words.length, record.lsn, record.type)
      this.#updates = undefined
      for (const update of updates) if (passes(update, options)) yield update
    }
  }

  /**
   * What is in the log after an LSN or from a source timestamp on: incremental recovery for a caller that kept the values
   * up to there. Values and engine of this consumer stay as they are.
   *
   * @throws LogError `TIDEMARK_BAD_LSN` when the log was reclaimed so far that it can't be read from there.
   */
  async *history(options: HistoryOptions = {}): AsyncGenerator<FactorUpdate, void, undefined> {
    checkOptions('history', options, historyOptions)
    const { fromLsn = this.#log.firstLsn, toLsn = this.#log.durableLsn } = options
    const updates: FactorUpdate[] = []
    const onEntry: ReplayOptions['onEntry'] = (replay, entry, lsn) => {
      if (lsn > fromLsn && lsn <= toLsn) updates.push(updateOf(replay, entry, lsn))
    }
    const { snapshot } = this.#snapshots.newest(this.#log.durableLsn, fromLsn)
    const replay = new FactorReplay(snapshot, this.#log.firstLsn, { onEntry })
    for await (const record of this.#log.reader({ from: replay.lsn, to: toLsn })) {
      const { buffer, byteOffset, byteLength } = record.payload
      const words = new Int32Array(buffer, byteOffset, byteLength >> 2)
      replay.visit(words, 0, words.length, record.lsn, record.type)
      for (const update of updates.splice(0)) if (passes(update, options)) yield update
    }
  }

  /** Releases the folder, if this consumer opened it. */
  async close(): Promise<void> {
    if (this.#ownsLog) await this.#log.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #recovered(): FactorReplay {
    if (this.#replay) return this.#replay
    throw new FactorError('TIDEMARK_UNKNOWN_INSTRUMENT', 'Nothing is recovered yet; await recover() first.')
  }

  #begin(options: ReplayOptions): FactorReplay {
    const { snapshot } = this.#snapshots.newest(this.#log.durableLsn)
    this.#snapshot = snapshot?.info
    this.#state = snapshot?.state
    return new FactorReplay(snapshot, this.#log.firstLsn, options)
  }

  #collect(replay: FactorReplay, entry: EntryCursor, lsn: number): void {
    this.#updates?.push(updateOf(replay, entry, lsn))
  }
}

function updateOf(replay: FactorReplay, entry: EntryCursor, lsn: number): FactorUpdate {
  const kind = updateKinds[entry.kind as keyof typeof updateKinds]
  const { timestamp } = entry
  if (kind === 'barrier') return { kind, lsn, timestamp, instrument: undefined, factors: {} }
  if (kind === 'tick') {
    const instrument = replay.instrumentOf(entry)!
    return { kind, lsn, timestamp, instrument: instrument.name, factors: instrument.getAll() }
  }
  const { series, values } = replay.vectorOf(entry)!
  const factors: Record<string, number | undefined> = {}
  for (const [i, factor] of series.factors.entries()) factors[factor] = defined(values[i]!)
  return { kind, lsn, timestamp, instrument: series.instrument, factors }
}

function passes({ instrument, timestamp }: FactorUpdate, filter: FactorFilter): boolean {
  const {
    instruments,
    fromTimestamp = Number.NEGATIVE_INFINITY,
    toTimestamp = Number.POSITIVE_INFINITY,
  } = filter
  if (instruments && instrument !== undefined && !instruments.includes(instrument)) return false
  return timestamp >= fromTimestamp && timestamp <= toTimestamp
}

function defined(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value
}
