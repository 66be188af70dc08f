import * as path from 'node:path'
import { AtomicFileSync } from '../disk/atomic-file.js'
import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { makeFolder } from '../disk/folders.js'
import { LogError } from '../errors.js'
import { rewriteSegment } from '../recover/first-segment.js'
import { findSegments, listSegments } from '../recover/recovery.js'
import { scanSegment } from '../recover/segment-scan.js'

const copyBytes = 1024 * 1024

/** Which opening wrote which part of a log: each segment from its first LSN on, up to where the next one begins. */
export interface WrittenParts {
  readonly parts: readonly { readonly firstLsn: number; readonly epoch: bigint }[]
  /** Where the last valid batch ends. */
  readonly endLsn: number
}

/**
 * Who wrote which part of the log in a folder. It changes nothing, and may be called while the log is followed; one that a
 * crash has ended is tidied first.
 *
 * @throws LogError `TIDEMARK_LOG_CORRUPT` for a segment whose header is damaged, `TIDEMARK_LOG_IO`.
 */
export function writtenParts(disk: Disk, directory: string): WrittenParts {
  const segments = listSegments(disk, directory)
  const last = segments.at(-1)
  return {
    parts: segments.map(({ header: { firstLsn, epoch } }) => ({ firstLsn, epoch })),
    endLsn: last ? scanSegment(disk, last, Number.POSITIVE_INFINITY).endLsn : 0,
  }
}

/** Gives segments their names and removes what else a crash has left beside them. The folder's lock must be held. */
export function tidyLog(disk: Disk, directory: string): void {
  findSegments(disk, directory)
}

/**
 * Ends a log at `lsn`, where a batch ends, and puts what comes after it into the folder `aside`, as a log that can be read; so
 * are `dependents`, files that cannot stay beside a log that ends there. The folder's lock must be held.
 *
 * Everything goes from the end to the beginning, and the cut comes last: whatever moment a crash interrupts, the log still
 * ends above `lsn`, and the same call completes what is left.
 *
 * @throws LogError `TIDEMARK_LOG_IO`, `TIDEMARK_LOG_CORRUPT`.
 */
export function cutLog(
  disk: Disk,
  directory: string,
  lsn: number,
  aside: string,
  dependents: readonly string[] = [],
): void {
  makeFolder(disk, aside)
  const setAside = (file: string) => {
    const target = path.join(aside, path.basename(file))
    attempt('rename', file, () => disk.rename(file, target))
    // The file is in one of the two folders at every moment, and gone from the first only when it is in the second.
    attempt('sync', aside, () => disk.syncDirectory(aside))
    attempt('sync', directory, () => disk.syncDirectory(directory))
  }
  for (const file of dependents) setAside(file)
  const segments = findSegments(disk, directory)
  const within = segments.findLast(({ header }) => header.firstLsn < lsn)
  if (within) copyFile(disk, within.path, aside)
  for (const { path: file, header } of segments.toReversed()) if (header.firstLsn >= lsn) setAside(file)
  if (within) rewriteSegment({ disk, directory }, within, lsn)
}

/** Copies a file into a folder, whole or not at all. */
function copyFile(disk: Disk, from: string, folder: string): void {
  const source = attempt('open', from, () => disk.open(from, 'read'))
  try {
    const bytes = attempt('read', from, () => disk.size(source))
    const copy = new AtomicFileSync(disk, folder, path.basename(from))
    try {
      const chunk = Buffer.allocUnsafe(Math.min(copyBytes, bytes))
      for (let done = 0; done < bytes; ) {
        const read = attempt('read', from, () => disk.readSync(source, chunk, done))
        if (read === 0)
          throw new LogError('TIDEMARK_LOG_IO', `${from} became shorter while it was copied.`, { path: from })
        copy.write(Uint8Array.from(chunk.subarray(0, read)))
        done += read
      }
      copy.publish(path.basename(from))
    } catch (error) {
      copy.discard()
      throw error
    }
  } finally {
    disk.close(source)
  }
}
