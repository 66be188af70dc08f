import {
  type InspectedRecord,
  type InspectionVisitor,
  inspectLog,
  type LogInspection,
  losesBytes,
  NodeDisk,
  type SalvageReport,
  type SkippedRange,
  salvageLog,
  segmentBefore,
} from '../../log/index.js'
import { commandKinds, eventKinds } from '../../matching/index.js'
import { commandRecordType } from '../../pool/index.js'
import { LineOutput } from '../lines.js'
import { type DescribedRecord, InstrumentCatalog, type PoolRecord, poolRecordOf } from './pool-records.js'
import { runInspection } from './progress.js'
import { checkSnapshots, snapshotInstruments, usableSnapshot } from './snapshots.js'

import { timeText } from './time-text.js'

/** What `--type` takes: commands, events, `sync-marker`, and `record` for what is no command of the pool. */
export const dumpTypes: readonly string[] = [
  ...Object.keys(commandKinds),
  ...Object.keys(eventKinds),
  'sync-marker',
  'record',
]

/** A bound of a dump: an LSN, or microseconds since 1970. */
export type DumpBound = { readonly lsn: number } | { readonly timeUs: number }

export interface DumpFilter {
  /** Records after this LSN, or from this time on. */
  readonly from: DumpBound | undefined
  /** Records that end at this LSN or before, or were written at this time or before. */
  readonly to: DumpBound | undefined
  readonly types: ReadonlySet<string> | undefined
  readonly symbols: ReadonlySet<string> | undefined
}

/** Prints the records of a log up to the first place that can't be read; returns what the inspection found. */
export async function dumpLog(
  directory: string,
  filter: DumpFilter,
  options: { json: boolean; progress: boolean },
): Promise<LogInspection | undefined> {
  const output = new LineOutput()
  const { catalog, snapshotLsn } = await knownInstruments(directory)
  const printer = new RecordPrinter(output, catalog, filter, options.json)
  // The snapshot knows the instruments up to where it was taken; without one the log is read from its beginning, where they were created.
  const fromLsn = snapshotLsn === undefined ? 0 : Math.min(firstNeeded(directory, filter.from), snapshotLsn)
  let broken = false
  const visitor: InspectionVisitor = {
    record: (record) => void (broken || printer.record(record)),
    syncMarker: (lsn, timestampUs) => void (broken || printer.syncMarker(lsn, timestampUs)),
    skipped: () => {
      broken = true
    },
  }
  const between = async () => (await output.drained()) && !printer.finished
  const steps = inspectLog(new NodeDisk(), directory, visitor, { fromLsn })
  const found = await runInspection(steps, { progress: options.progress, between })
  await output.flush()
  return found
}

/** An LSN before which nothing is asked for. */
function firstNeeded(directory: string, from: DumpBound | undefined): number {
  if (!from) return 0
  return 'lsn' in from ? from.lsn : segmentBefore(new NodeDisk(), directory, from.timeUs)
}

/** Prints every record that can still be read and every gap between them; returns `undefined` when the reader left. */
export async function salvageTo(
  directory: string,
  options: { json: boolean; progress: boolean },
): Promise<SalvageReport | undefined> {
  const output = new LineOutput()
  const none = { from: undefined, to: undefined, types: undefined, symbols: undefined }
  const { catalog } = await knownInstruments(directory)
  const printer = new RecordPrinter(output, catalog, none, options.json)
  const visitor = {
    record: (record: InspectedRecord) => printer.record(record),
    skipped: (range: SkippedRange) => printer.gap(range),
  }
  const steps = salvageLog(new NodeDisk(), directory, visitor)
  const report = await runInspection(steps, { progress: options.progress, between: () => output.drained() })
  await output.flush()
  return report
}

/** The log says how its first damage is called, or nothing when all of it could be printed. */
export function firstLoss(found: LogInspection) {
  return found.damage.find(losesBytes)
}

/**
 * What the newest snapshot knows, for a log whose beginning is gone. A log that begins at 0 holds every instrument's
 * command itself, in its place.
 */
async function knownInstruments(
  directory: string,
): Promise<{ catalog: InstrumentCatalog; snapshotLsn: number | undefined }> {
  const catalog = new InstrumentCatalog()
  for (;;) {
    const snapshot = usableSnapshot(await checkSnapshots(directory), 0)
    if (!snapshot) return { catalog, snapshotLsn: undefined }
    const instruments = snapshotInstruments(snapshot)
    // The pool removed it when a newer one was in place: that is found now.
    if (!instruments) continue
    for (const definition of instruments) catalog.add(definition)
    return { catalog, snapshotLsn: snapshot.header.replayFromLsn }
  }
}

/** Prints records as readable text or as JSON lines. */
class RecordPrinter {
  readonly #output: LineOutput
  readonly #catalog: InstrumentCatalog
  readonly #filter: DumpFilter
  readonly #json: boolean
  /** Nothing more can come: the LSN that ends the range was passed. */
  finished = false

  constructor(output: LineOutput, catalog: InstrumentCatalog, filter: DumpFilter, json: boolean) {
    this.#output = output
    this.#catalog = catalog
    this.#filter = filter
    this.#json = json
  }

  record(record: InspectedRecord): void {
    const pool = poolRecordOf(record)
    if (pool) this.#catalog.learn(pool)
    if (!this.#inRange(record.lsn, record.timestampUs)) return
    if (pool) this.#command(record, pool)
    else if (this.#wants('record') && !this.#filter.symbols) this.#other(record)
  }

  syncMarker(lsn: number, timestampUs: number): void {
    // They say nothing about the pool: they are shown when they are asked for.
    if (!this.#filter.types?.has('sync-marker') || !this.#inRange(lsn, timestampUs)) return
    const record = 'sync-marker'
    this.#line(lsn, timestampUs, { record }, record)
  }

  gap({ fromLsn, toLsn, bytes, file }: SkippedRange): void {
    this.#output.line(
      this.#json
        ? JSON.stringify({ skipped: { fromLsn, toLsn, bytes, file } })
        : `---  skipped ${bytes} bytes, LSN ${fromLsn} to ${toLsn}, in ${file}`,
    )
  }

  #command(record: InspectedRecord, pool: PoolRecord): void {
    const { symbols, types } = this.#filter
    if (symbols && !symbols.has(this.#catalog.symbolOf(pool) ?? '')) return
    if (types && !types.has(pool.commandType) && !hasEventOf(pool, types)) return
    const described = this.#catalog.describe(pool, record.lsn)
    this.#line(record.lsn, record.timestampUs, described, readable(described))
  }

  #other({ lsn, timestampUs, type, flags, payload, lacksBeginning }: InspectedRecord): void {
    const rest = type === commandRecordType && lacksBeginning
    const bytes = payload.byteLength
    const base64 = Buffer.from(payload).toString('base64')
    const record = { record: rest ? 'rest of a command' : `type ${type}`, flags, bytes, payload: base64 }
    this.#line(lsn, timestampUs, record, `${record.record} flags=${flags} bytes=${bytes}`)
  }

  #line(lsn: number, timestampUs: number, json: object, text: string): void {
    const time = timeText(timestampUs)
    this.#output.line(this.#json ? JSON.stringify({ lsn, time, ...json }) : `${lsn}  ${time}  ${text}`)
  }

  #wants(type: string): boolean {
    return this.#filter.types?.has(type) ?? true
  }

  #inRange(lsn: number, timeUs: number): boolean {
    const { from, to } = this.#filter
    if (to && 'lsn' in to && lsn >= to.lsn) this.finished = true
    const before = from && ('lsn' in from ? lsn <= from.lsn : timeUs < from.timeUs)
    const after = to && ('lsn' in to ? lsn > to.lsn : timeUs > to.timeUs)
    return !before && !after
  }
}

const eventNames: string[] = []
for (const [name, kind] of Object.entries(eventKinds)) eventNames[kind] = name

function hasEventOf({ words, from, to }: PoolRecord, types: ReadonlySet<string>): boolean {
  for (let at = from + (words[from]! >>> 18); at < to; at += words[at]! >>> 18) {
    if (types.has(eventNames[words[at]! & 0xff]!)) return true
  }
  return false
}

function readable({ symbol, instrumentId, tag, command, events }: DescribedRecord): string {
  const subject = symbol ?? (instrumentId === undefined ? 'all' : `instrument ${instrumentId}`)
  const lines = events.map((event) => `\n    ${fields(event, 'event')}`)
  return `${subject}  ${fields(command, 'type')}  tag=${tag}${lines.join('')}`
}

/** "new orderId=7 side=buy": the name first, then what has a value. */
function fields(record: Record<string, unknown>, name: string): string {
  const rest = Object.entries(record).filter(([key, value]) => key !== name && value !== undefined)
  return [record[name], ...rest.map(([key, value]) => `${key}=${value}`)].join(' ')
}
