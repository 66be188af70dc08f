import { LogError } from '../log/errors.js'
import { FileReader } from '../log/file-reader.js'
import { GroupAssembler, type LogRecord } from '../log/log-reader.js'
import { NodeDisk } from '../log/node-disk.js'
import { decodeCommand, decodeEvents, GroupBuffer, type MatchingEngine } from '../matching/index.js'

/** Which part of the log a shard replays: the symbols whose number is its own mod the number of shards. */
export interface ReplayRange {
  readonly directory: string
  readonly shard: number
  readonly shards: number
  readonly fromLsn: number
  readonly endLsn: number
}

/**
 * Brings the books of a shard up by executing its logged commands again. Every group that comes of it is compared
 * with the logged one, byte by byte.
 *
 * @throws LogError `TIDEMARK_REPLAY_DIFFERS` with the LSN and the field that differs.
 */
export function replayShard(engine: MatchingEngine, range: ReplayRange): void {
  const files = new FileReader(new NodeDisk(), range.directory, range.fromLsn)
  const groups = new GroupAssembler()
  const group = new GroupBuffer()
  try {
    for (let chunk = files.nextSync(range.endLsn); chunk; chunk = files.nextSync(range.endLsn)) {
      for (const record of groups.add(chunk)) {
        const words = wordsOf(record)
        const instrumentId = words[1]! >>> 0
        if (instrumentId % range.shards !== range.shard) continue
        group.reset()
        engine.apply(words, 0, group)
        if (!sameBytes(group.bytes(), record.payload)) throw difference(record, words, group)
      }
    }
  } finally {
    files.close()
  }
}

export function wordsOf(record: LogRecord): Int32Array {
  const { buffer, byteOffset, byteLength } = record.payload
  if (byteOffset % 4 === 0) return new Int32Array(buffer, byteOffset, byteLength >> 2)
  return new Int32Array(record.payload.slice().buffer)
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function difference(record: LogRecord, logged: Int32Array, replayed: GroupBuffer): LogError {
  const command = decodeCommand(logged, 0)
  const before = decodeEvents(logged, 0, logged.length)
  const now = decodeEvents(replayed.i32, 0, replayed.byteLength >> 2)
  let event = 0
  while (event < before.length && JSON.stringify(before[event]) === JSON.stringify(now[event])) event++
  const [was, is] = [before[event] as object | undefined, now[event] as object | undefined]
  const fields = Object.keys({ ...was, ...is }) as (keyof typeof was)[]
  const field = fields.find((name) => was?.[name] !== is?.[name]) ?? 'event'
  return new LogError(
    'TIDEMARK_REPLAY_DIFFERS',
    `Replaying the ${command?.type ?? 'unknown'} command at LSN ${record.lsn} gives another outcome than the log holds: event ${event}, field ${String(field)}.`,
    { lsn: record.lsn, event, field, logged: was, replayed: is },
  )
}
