import { broken } from '../../base/assert.js'
import type { DurableLog } from '../../log/thread.js'
import { FileReader, NodeDisk, RecordAssembler, type RecordVisitor, readRecords } from '../../log/thread.js'
import { FactorEngine } from '../engine/engine.js'
import type { FactorInstrument } from '../engine/instrument.js'
import { fieldsCell } from '../engine/program.js'
import { EntryCursor, entryKind, factorRecordType, type SeriesText } from '../entries.js'
import { FactorError } from '../errors.js'
import { fields } from '../ticks.js'
import { SeriesTable } from './series-table.js'
import type { FactorSnapshot, SnapshotSeries } from './snapshot-store.js'
import { decodeState } from './state-codec.js'

/** The last values of a series that a caller sent, and no engine computed. */
export interface VectorState {
  readonly series: SnapshotSeries
  readonly values: Float64Array
  timestamp: number
  lsn: number
}

export interface ReplayOptions {
  /** The instruments to bring up; default: all. */
  readonly instruments?: ((name: string) => boolean) | undefined
  /** Called for each tick, vector and barrier, when it was applied. */
  readonly onEntry?: ((replay: FactorReplay, entry: EntryCursor, lsn: number) => void) | undefined
}

/**
 * Brings an engine up from a log: executes the logged ticks again and compares every value with the logged one, bit by
 * bit. Values that others sent are kept as they are.
 */
export class FactorReplay implements RecordVisitor {
  readonly engine = new FactorEngine()
  readonly vectors = new Map<string, VectorState>()
  readonly table: SeriesTable
  lsn: number
  entries = 0
  lastTimestamp = Number.NEGATIVE_INFINITY
  readonly #cursor = new EntryCursor()
  readonly #options: ReplayOptions
  #computed: (FactorInstrument | undefined)[] = []
  #sent: (VectorState | undefined)[] = []
  /** Ticks of an instrument up to here are in its state already. */
  readonly #known: number[] = []

  /** Begins with a snapshot, or with nothing. @throws FactorError `TIDEMARK_BAD_STATE`. */
  constructor(snapshot: FactorSnapshot | undefined, firstLsn: number, options: ReplayOptions = {}) {
    this.#options = options
    this.lsn = snapshot?.info.lsn ?? firstLsn
    this.lastTimestamp = snapshot?.info.timestamp ?? Number.NEGATIVE_INFINITY
    this.table = new SeriesTable(snapshot?.series)
    if (!snapshot) return
    const computed = snapshot.series.some((series) => series.computed)
    const states = computed ? decodeState(snapshot.state).instruments : []
    for (const state of states) {
      if (!this.#wants(state.name)) continue
      const { number } = this.engine.restoreInstrument(state)
      this.#known[number] = state.lsn ?? snapshot.info.lsn
    }
    for (const series of snapshot.series) this.#define(series)
  }

  /** The instrument that a tick entry is of, or `undefined` when that is not to be brought up. */
  instrumentOf(entry: EntryCursor): FactorInstrument | undefined {
    return this.#computed[entry.series]
  }

  /** The series that a vector entry is of, or `undefined` when it is of no instrument to bring up. */
  vectorOf(entry: EntryCursor): VectorState | undefined {
    return this.#sent[entry.series]
  }

  visit(words: Int32Array, from: number, to: number, lsn: number, type: number): void {
    if (lsn <= this.lsn) broken('LSNs rise', { lsn, before: this.lsn })
    if (type === factorRecordType) {
      const cursor = this.#cursor
      cursor.reset(words, from, to, lsn)
      while (cursor.next()) this.#apply(cursor, lsn)
    }
    this.lsn = lsn
  }

  #apply(entry: EntryCursor, lsn: number): void {
    this.entries++
    switch (entry.kind) {
      case entryKind.tick:
        if (!this.#tick(entry, lsn)) return
        break
      case entryKind.vector:
        if (!this.#vector(entry, lsn)) return
        break
      case entryKind.barrier:
        this.engine.barrier(entry.timestamp)
        break
      case entryKind.session:
        this.table.clear()
        this.#computed = []
        this.#sent = []
        return
      case entryKind.series:
        this.#series(entry, lsn)
        return
      default:
        return
    }
    if (entry.timestamp > this.lastTimestamp) this.lastTimestamp = entry.timestamp
    this.#options.onEntry?.(this, entry, lsn)
  }

  #tick(entry: EntryCursor, lsn: number): boolean {
    const instrument = this.#computed[entry.series]
    if (!instrument) {
      this.table.get(entry.series, lsn)
      return false
    }
    if (lsn <= this.#known[instrument.number]!) return false
    const { program } = instrument
    const { cells } = program
    const { float64, data } = entry
    let at = data
    for (let field = 0; field < fields.length; field++) {
      if ((entry.fields & (1 << field)) !== 0) cells[fieldsCell + field] = float64[at++]!
    }
    this.engine.advance(instrument, entry.fields, entry.timestamp)
    const { columns } = program
    if (columns.length !== entry.values)
      throw differs(lsn, instrument, 'factors', entry.values, columns.length)
    for (let i = 0; i < columns.length; i++) {
      const logged = float64[at + i]!
      const value = program.cells[columns[i]!.cell]!
      if (!Object.is(logged, value)) throw differs(lsn, instrument, columns[i]!.name, logged, value)
    }
    return true
  }

  #vector(entry: EntryCursor, lsn: number): boolean {
    const vector = this.#sent[entry.series]
    if (!vector) {
      this.table.get(entry.series, lsn)
      return false
    }
    const { values } = vector
    for (let i = 0; i < values.length; i++) values[i] = entry.float64[entry.data + i]!
    vector.timestamp = entry.timestamp
    vector.lsn = lsn
    return true
  }

  #series(entry: EntryCursor, lsn: number): void {
    const { instrument, factors, definitions } = entry.text<SeriesText>()
    const series = { number: entry.series, instrument, factors, computed: definitions !== undefined }
    this.table.set(series)
    if (definitions !== undefined && this.#wants(instrument)) {
      const { number, program } = this.engine.addInstrument(instrument)
      this.#known[number] ??= 0
      if (definitions.length > 0 && lsn > this.#known[number]!) program.register(definitions)
    }
    this.#define(series)
  }

  #define(series: SnapshotSeries): void {
    const { number, instrument, factors, computed } = series
    if (!this.#wants(instrument)) return
    if (computed) {
      this.#computed[number] = this.engine.addInstrument(instrument)
      return
    }
    const key = JSON.stringify([instrument, ...factors])
    let vector = this.vectors.get(key)
    if (!vector) {
      const values = new Float64Array(factors.length).fill(Number.NaN)
      vector = { series, values, timestamp: Number.NEGATIVE_INFINITY, lsn: 0 }
      if (series.last) {
        vector.timestamp = series.last.timestamp
        Buffer.from(values.buffer).set(
          Buffer.from(series.last.values, 'base64').subarray(0, values.byteLength),
        )
      }
      this.vectors.set(key, vector)
    }
    this.#sent[number] = vector
  }

  #wants(instrument: string): boolean {
    return this.#options.instruments?.(instrument) ?? true
  }
}

function differs(
  lsn: number,
  instrument: FactorInstrument,
  factor: string,
  logged: number,
  replayed: number,
): FactorError {
  return new FactorError(
    'TIDEMARK_REPLAY_DIFFERS',
    `Replaying a tick of ${instrument.name} at LSN ${lsn} gives ${factor} = ${replayed}, the log holds ${logged}; it was written by another build.`,
    { lsn, instrument: instrument.name, factor, logged, replayed },
  )
}

/**
 * Feeds a replay with what is in the files of `log` from where it stands up to `endLsn`, which was verified when the
 * log was opened. Gives the event loop its turn between reads.
 */
export async function replayFiles(replay: FactorReplay, log: DurableLog, endLsn: number): Promise<void> {
  const files = new FileReader(new NodeDisk(), log.dir, replay.lsn, { verify: false })
  await readRecords(files, endLsn, new RecordAssembler(replay))
  replay.lsn = Math.max(replay.lsn, files.position)
}
