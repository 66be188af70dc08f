import {
  dropReaderCursor,
  FolderTailer,
  firstLsnOf,
  NodeDisk,
  type OutsideReader,
  outsideReaders,
} from '../log/index.js'
import { inputFailure } from './failure.js'
import { bytes, count } from './number-format.js'
import { factsTable } from './tables.js'

/** The readers outside that have a cursor on a log, which may be open. @throws LogError `TIDEMARK_LOG_IO`, `TIDEMARK_LOG_CORRUPT`. */
export async function readersOf(dir: string): Promise<OutsideReader[]> {
  const disk = new NodeDisk()
  const firstLsn = firstLsnOf(disk, dir) ?? 0
  const tailer = new FolderTailer(disk, dir, firstLsn)
  try {
    await tailer.look()
    return await outsideReaders(disk, dir, { firstLsn, durableLsn: tailer.writtenLsn })
  } finally {
    tailer.close()
  }
}

/** Prints them: a table for people, or one object with all. */
export async function showReaders(dir: string, json: boolean): Promise<void> {
  const readers = await readersOf(dir)
  if (json) {
    process.stdout.write(`${JSON.stringify({ directory: dir, readers })}\n`)
    return
  }
  const text =
    readers.length === 0
      ? `No reader outside has a cursor on the log in ${dir}.`
      : factsTable(readers.map((reader) => [reader.name, readerText(reader)]))
  process.stdout.write(`${text}\n`)
}

/** What stands with a reader's cursor, in one line. */
export function readerText({ state, live, lost, lsn, lagBytes, writtenMs, reason }: OutsideReader): string {
  if (state === 'damaged') return `DAMAGED: ${reason}`
  const who = live ? 'reading' : lost ? 'DIED' : 'ended'
  const since = `${who}${live ? '' : `, last seen ${new Date(writtenMs!).toISOString()}`}`
  const place = `LSN ${count(lsn!)}, ${bytes(lagBytes!)} before the end`
  return `${place}; ${since}${outcomes[state]}`
}

const outcomes = {
  valid: '',
  invalidated: '; OVERTAKEN: the log that it needs was deleted',
  'beyond-end': '; INVALIDATED: the log ends below it',
} as const

/** @throws CliFailure (bad input) when there is no such reader; LogError `TIDEMARK_CURSOR_IN_USE`. */
export async function dropReader(dir: string, name: string, json: boolean): Promise<void> {
  if (!(await dropReaderCursor(new NodeDisk(), dir, name)))
    throw inputFailure(`No reader outside has a cursor ${JSON.stringify(name)} on the log in ${dir}.`)
  const text = json
    ? JSON.stringify({ directory: dir, dropped: name })
    : `Dropped ${name}; no log is kept for it any more.`
  process.stdout.write(`${text}\n`)
}
