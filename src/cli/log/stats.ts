import * as path from 'node:path'
import type {
  FoundCursor,
  InspectedRecord,
  InspectionVisitor,
  LogInspection,
  OutsideReader,
} from '../../log/index.js'
import { inspectLog, NodeDisk, outsideReaders, readCursorFiles } from '../../log/index.js'
import { eventKinds } from '../../matching/index.js'
import type { CursorState } from '../../pool/index.js'
import { commandRecordType } from '../../pool/index.js'
import { type PoolRecord, poolRecordOf } from './pool-records.js'
import { runInspection } from './progress.js'
import { type CheckedSnapshot, checkSnapshots } from './snapshots.js'
import { timeText } from './time-text.js'

/** The figures of a log, as `stats --json` prints them. */
export interface LogFigures {
  readonly directory: string
  readonly segments: number
  /** From the first to the last LSN. */
  readonly logBytes: number
  /** Of the segment files, zeros made ready included. */
  readonly fileBytes: number
  readonly batches: number
  readonly records: number
  /** How many of each type of record: `command`, `sync marker`, or `type N`. */
  readonly recordTypes: Record<string, number>
  /** Of the pool's records, how many of each command and of each event. */
  readonly commands: Record<string, number>
  readonly events: Record<string, number>
  readonly first: { readonly lsn: number; readonly time: string | undefined }
  readonly last: { readonly lsn: number; readonly time: string | undefined }
  readonly snapshots: readonly SnapshotFigures[]
  readonly cursors: readonly CursorFigures[]
  /** Readers outside, such as stores, and their cursors. */
  readonly readers: readonly OutsideReader[]
  /** Places of the log, and snapshots, that are corrupt. */
  readonly corrupt: number
  readonly tornTail: boolean
}

interface SnapshotFigures {
  readonly file: string
  readonly lsn: number
  readonly valid: boolean
  readonly reason: string | undefined
  readonly replayFromLsn: number | undefined
  readonly books: number | undefined
  readonly bytes: number | undefined
  readonly ageMs: number | undefined
}

interface CursorFigures {
  readonly name: string
  readonly state: CursorState
  /** Where the last acknowledged record ends, as it is on disk, and from there to the end of the log. */
  readonly lsn: number | undefined
  readonly lagBytes: number | undefined
  readonly reason: string | undefined
}

const eventNames: string[] = []
for (const [name, kind] of Object.entries(eventKinds)) eventNames[kind] = name

/** Counts what is in a log. @throws LogError as `inspectLog`. */
export async function logFigures(directory: string, progress: boolean): Promise<LogFigures> {
  const snapshots = await checkSnapshots(directory)
  const cursors = await readCursorFiles(directory)
  const counter = new RecordCounter()
  const steps = inspectLog(new NodeDisk(), directory, counter)
  const found = (await runInspection(steps, { progress })) as LogInspection
  const range = { firstLsn: found.firstLsn, durableLsn: found.endLsn }
  const readers = await outsideReaders(new NodeDisk(), directory, range)
  const corruptSnapshots = snapshots.filter(({ reason }) => reason !== undefined).length
  const time = (timeUs: number | undefined) => (timeUs === undefined ? undefined : timeText(timeUs))
  return {
    directory,
    segments: found.segments.length,
    logBytes: found.endLsn - found.firstLsn,
    fileBytes: found.segments.reduce((sum, segment) => sum + segment.fileBytes, 0),
    batches: found.batches,
    records: found.records,
    recordTypes: counter.recordTypes,
    commands: counter.commands,
    events: counter.events,
    first: { lsn: found.firstLsn, time: time(found.firstTimeUs) },
    last: { lsn: found.endLsn, time: time(found.lastTimeUs) },
    snapshots: snapshots.map(snapshotFigures),
    cursors: cursors.map((cursor) => cursorFigures(cursor, found.endLsn)),
    readers,
    corrupt: found.damage.filter(({ severity }) => severity === 'corrupt').length + corruptSnapshots,
    tornTail: found.damage.some(({ kind }) => kind === 'torn-tail'),
  }
}

function snapshotFigures({ path: file, header, reason }: CheckedSnapshot): SnapshotFigures {
  return {
    file,
    lsn: header?.endLsn ?? Number(/\d{20}/.exec(path.basename(file))?.[0] ?? 0),
    valid: reason === undefined,
    reason,
    replayFromLsn: header?.replayFromLsn,
    books: header?.books,
    bytes: header?.bytes,
    ageMs: header && Math.max(0, Date.now() - header.createdUs / 1000),
  }
}

function cursorFigures({ name, record, reason }: FoundCursor, endLsn: number): CursorFigures {
  if (!record) return { name, state: 'damaged', lsn: undefined, lagBytes: undefined, reason }
  const { state, lsn } = record
  return { name, state, lsn, lagBytes: Math.max(0, endLsn - lsn), reason }
}

/** Tallies records by type, and the pool's by command and event. */
class RecordCounter implements InspectionVisitor {
  readonly recordTypes: Record<string, number> = {}
  readonly commands: Record<string, number> = {}
  readonly events: Record<string, number> = {}

  record(record: InspectedRecord): void {
    const pool = poolRecordOf(record)
    add(this.recordTypes, pool ? 'command' : recordName(record))
    if (pool) this.#count(pool)
  }

  syncMarker(): void {
    add(this.recordTypes, 'sync marker')
  }

  #count({ words, from, to, commandType }: PoolRecord): void {
    add(this.commands, commandType)
    for (let at = from + (words[from]! >>> 18); at < to; at += words[at]! >>> 18) {
      add(this.events, eventNames[words[at]! & 0xff]!)
    }
  }
}

function recordName({ type, lacksBeginning }: InspectedRecord): string {
  if (type === commandRecordType && lacksBeginning) return 'rest of a command'
  return `type ${type}`
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}
