import type { Disk, LogRecord } from '../../log/thread.js'
import { FileReader, LogError, NodeDisk, RecordAssembler, type RecordVisitor } from '../../log/thread.js'
import {
  commandKinds,
  decodeCommand,
  decodeEvents,
  MatchingEngine,
  RecordBuffer,
} from '../../matching/thread.js'
import { commandRecordType } from '../record-type.js'
import { type PoolSnapshot, readPieces } from '../snapshot/snapshot-file.js'

/** Which part of the log a shard replays: the symbols whose number is its own mod the number of shards. */
export interface ReplayRange {
  readonly directory: string
  readonly shard: number
  readonly shards: number
  /** Where to begin: the snapshot's `replayFromLsn`, or the beginning of the log. */
  readonly fromLsn: number
}

/** The books of a shard as a snapshot has them, and for each the LSN up to which it has the log in it. */
export interface RestoredBooks {
  readonly engine: MatchingEngine
  readonly bookLsns: readonly number[]
}

/**
 * Makes the books of a shard from a snapshot; none without one. When the snapshot was taken with as many shards, one
 * section is the shard's own; otherwise every section that may hold books of it is looked through.
 *
 * @throws LogError `TIDEMARK_LOG_CORRUPT` when a piece of the snapshot is damaged, `TIDEMARK_LOG_IO`.
 */
export function restoreShard(
  snapshot: PoolSnapshot | undefined,
  { shard, shards }: { shard: number; shards: number },
  disk: Disk = new NodeDisk(),
): RestoredBooks {
  const engine = new MatchingEngine()
  const bookLsns: number[] = []
  if (snapshot) {
    const { sections } = snapshot.header
    // Ids of section i are i mod the sections, ids of the shard its number mod the shards.
    const step = greatestCommonDivisor(sections.length, shards)
    for (let i = shard % step; i < sections.length; i += step) {
      const section = sections[i]!
      const restore = engine.restore(section, (instrumentId) => {
        if (instrumentId % shards !== shard) return false
        bookLsns[instrumentId] = section.lsn
        return true
      })
      if (sections.length === shards) restore.reserve()
      for (const { words, length } of readPieces(snapshot, (owner) => owner === i, disk))
        restore.add(words, length)
      restore.finish()
    }
  }
  return { engine, bookLsns }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/**
 * Brings restored books up to date, by executing again the commands that were logged after them. Every record is compared
 * with the logged one, word by word. What opening has just verified, or a standby has just written, is not verified again.
 *
 * An opening replays to the end of the log and is done with it. A standby replays the same way for as long as the log grows.
 */
export class ShardReplay {
  readonly #files: FileReader
  readonly #replayer: Replayer
  readonly #assembler: RecordAssembler

  constructor({ engine, bookLsns }: RestoredBooks, range: ReplayRange, disk: Disk = new NodeDisk()) {
    this.#files = new FileReader(disk, range.directory, range.fromLsn, { verify: false, chunkBytes })
    this.#replayer = new Replayer(engine, range, bookLsns)
    this.#assembler = new RecordAssembler(this.#replayer)
  }

  /** The books stand where this record ends; a record of which only the beginning was read is not in them. */
  get lsn(): number {
    return this.#assembler.unfinishedLsn ?? this.#files.position
  }

  /** Whether an instrument was added or changed since this was asked last. */
  takeInstrumentsChanged(): boolean {
    const changed = this.#replayer.instrumentsChanged
    this.#replayer.instrumentsChanged = false
    return changed
  }

  /** Whether there is anything below `limitLsn` that was not replayed. */
  isBehind(limitLsn: number): boolean {
    return this.#files.position < limitLsn
  }

  /**
   * Replays some of the records below `limitLsn`, which must be in the files; returns whether there were any.
   *
   * @throws LogError `TIDEMARK_REPLAY_DIFFERS` with the LSN and the field that differs.
   */
  step(limitLsn: number): boolean {
    const chunk = this.#files.nextSync(limitLsn)
    if (!chunk) return false
    this.#assembler.walk(chunk)
    return true
  }

  /** Replays everything below `limitLsn`. @throws as `step`. */
  to(limitLsn: number): void {
    while (this.step(limitLsn));
  }

  close(): void {
    this.#files.close()
  }
}

/** A step of a replay ends with the batch that passes so many bytes: a standby answers questions between two steps. */
const chunkBytes = 256 * 1024

/** The first kind of command that can change an instrument; only rare ones come after it. */
const INSTRUMENT = commandKinds.instrument

class Replayer implements RecordVisitor {
  readonly #engine: MatchingEngine
  readonly #shard: number
  readonly #shards: number
  readonly #record = new RecordBuffer()
  /** Up to where a restored book has the log in it. */
  readonly #bookLsns: readonly number[]
  /** Whether a command was replayed that may have added or changed an instrument. */
  instrumentsChanged = false

  constructor(engine: MatchingEngine, range: ReplayRange, bookLsns: readonly number[]) {
    this.#bookLsns = bookLsns
    this.#engine = engine
    this.#shard = range.shard
    this.#shards = range.shards
  }

  visit(words: Int32Array, from: number, to: number, lsn: number, type: number): void {
    const instrumentId = words[from + 1]! >>> 0
    if (type !== commandRecordType || instrumentId % this.#shards !== this.#shard) return
    if (lsn <= (this.#bookLsns[instrumentId] ?? 0)) return
    const record = this.#record
    record.reset()
    this.#engine.apply(words, from, record)
    const replayed = record.i32
    const count = to - from
    let same = record.byteLength === count * 4
    for (let i = 0; same && i < count; i++) same = replayed[i] === words[from + i]
    if (!same) throw difference(lsn, words.slice(from, to), record)
    if ((words[from]! & 0xff) >= INSTRUMENT) this.instrumentsChanged = true
    if (this.#engine.hasRequestId(words, from)) this.#engine.settleRequests(lsn, record.end)
  }
}

export function wordsOf(record: LogRecord): Int32Array {
  const { buffer, byteOffset, byteLength } = record.payload
  if (byteOffset % 4 === 0) return new Int32Array(buffer, byteOffset, byteLength >> 2)
  return new Int32Array(record.payload.slice().buffer)
}

function difference(lsn: number, logged: Int32Array, replayed: RecordBuffer): LogError {
  const command = decodeCommand(logged, 0)
  const again = decodeCommand(replayed.i32, 0)
  if (JSON.stringify(command) !== JSON.stringify(again)) {
    // The books write into a command the id of an order that named none, and the quantity of one that is for an amount.
    const idOf = (found: typeof command) => (found && 'orderId' in found ? found.orderId : undefined)
    const lotsOf = (found: typeof command) => (found?.type === 'new' ? found.quantity : undefined)
    const isQuantity = idOf(command) === idOf(again)
    const [was, is] = [command, again].map(isQuantity ? lotsOf : idOf)
    const [what, field] = isQuantity ? ['quantity', 'quantity'] : ['id', 'orderId']
    return new LogError(
      'TIDEMARK_REPLAY_DIFFERS',
      `Replaying the ${command?.type ?? 'unknown'} command at LSN ${lsn} gives its order another ${what} than the log holds.`,
      { lsn, field, logged: was, replayed: is },
    )
  }
  const before = decodeEvents(logged, 0, logged.length)
  const now = decodeEvents(replayed.i32, 0, replayed.byteLength >> 2)
  let event = 0
  while (event < before.length && JSON.stringify(before[event]) === JSON.stringify(now[event])) event++
  const [was, is] = [before[event] as object | undefined, now[event] as object | undefined]
  const fields = Object.keys({ ...was, ...is }) as (keyof typeof was)[]
  const field = fields.find((name) => was?.[name] !== is?.[name]) ?? 'event'
  return new LogError(
    'TIDEMARK_REPLAY_DIFFERS',
    `Replaying the ${command?.type ?? 'unknown'} command at LSN ${lsn} gives another outcome than the log holds: event ${event}, field ${String(field)}.`,
    { lsn, event, field, logged: was, replayed: is },
  )
}
