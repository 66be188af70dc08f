import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { readReaderFiles } from './cursor-file.js'

/**
 * `invalidated`: the log that it had yet to read was removed; `beyond-end`: the log that it was in is not there any more;
 * `damaged`: its file can't be read.
 */
export type ReaderState = 'valid' | 'invalidated' | 'beyond-end' | 'damaged'

/** A reader that is no part of the log's owner, such as a store in a process of its own, and its named cursor. */
export interface OutsideReader {
  /** The name of its cursor. */
  readonly name: string
  /** Whether it runs. */
  readonly state: ReaderState
  /** Whether a process that lives has the cursor now. */
  readonly live: boolean
  /** Whether who had the cursor last died: it has ended, and did not say so. */
  readonly lost: boolean
  /** What it needs no more ends here. */
  readonly lsn: number | undefined
  /** Bytes of log from `lsn` to the end. */
  readonly lagBytes: number | undefined
  /** When it was written last, in milliseconds since 1970. */
  readonly writtenMs: number | undefined
  /** What is wrong with a damaged one. */
  readonly reason: string | undefined
}

/** Between which LSNs a log is. */
export interface LogRange {
  readonly firstLsn: number
  readonly durableLsn: number
}

/**
 * The readers outside that have a cursor in a log's folder, by name. Writes nothing.
 *
 * @throws LogError `TIDEMARK_LOG_IO`.
 */
export async function outsideReaders(
  disk: Disk,
  directory: string,
  range: LogRange,
): Promise<OutsideReader[]> {
  const isLocked = (file: string) => attempt('look at', file, () => disk.isLocked(file))
  const before = new Map<string, { readonly live: boolean; readonly sequence: number | undefined }>()
  for (const { path, record } of await readReaderFiles(directory, disk))
    before.set(path, { live: isLocked(path), sequence: record?.sequence })
  const readers: OutsideReader[] = []
  // Who says the same before and after a look that finds its lock free has ended without a word. Who came or went meanwhile
  // has said so.
  for (const { name, path, record, reason, empty } of await readReaderFiles(directory, disk)) {
    const { live, sequence } = before.get(path) ?? { live: isLocked(path), sequence: undefined }
    if (!record) {
      // Its reader died before it had a place in the log.
      if (empty && !live) continue
      const none = { lsn: undefined, lagBytes: undefined, writtenMs: undefined }
      readers.push({ name, state: 'damaged', live, lost: false, ...none, reason })
      continue
    }
    const { lsn } = record
    readers.push({
      name,
      state: lsn < range.firstLsn ? 'invalidated' : lsn > range.durableLsn ? 'beyond-end' : 'valid',
      live,
      lost: !live && record.state === 'held' && record.sequence === sequence,
      lsn,
      lagBytes: Math.max(0, range.durableLsn - lsn),
      writtenMs: record.writtenUs / 1000,
      reason: undefined,
    })
  }
  return readers
}

/**
 * The LSN below which no reader outside needs the log, or not within `keepBytes` of its end: one that is further back loses
 * it. Of a damaged cursor only that is known: it may be as far back as a cursor can be.
 */
export function readersFloorLsn(
  readers: readonly OutsideReader[],
  durableLsn: number,
  keepBytes: number,
): number {
  let floorLsn = Number.POSITIVE_INFINITY
  for (const { state, lsn } of readers) {
    if (state === 'damaged') floorLsn = Math.min(floorLsn, durableLsn - keepBytes)
    else if (state === 'valid' && durableLsn - lsn! <= keepBytes) floorLsn = Math.min(floorLsn, lsn!)
  }
  return floorLsn
}
