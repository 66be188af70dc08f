import * as path from 'node:path'
import { attempt } from '../disk/attempt.js'
import type { Disk } from '../disk/disk.js'
import { LogError } from '../errors.js'
import { isPreallocatedName, segmentNameLsn, segmentPath } from '../format/segment.js'
import { probeHeader, readHeaderBlock } from './header-probe.js'

/** A file that is, or is to become, a segment. */
export interface LogFile {
  readonly path: string
  readonly firstLsn: number
}

/**
 * The segment files of a folder by first LSN; among them files that have the name of a preallocated segment still, because
 * their rename was lost or is under way. Nothing is changed.
 */
export function listLogFiles(disk: Disk, directory: string): LogFile[] {
  const files = new Map<number, string>()
  const preallocated: string[] = []
  for (const name of attempt('read', directory, () => disk.list(directory))) {
    const firstLsn = segmentNameLsn(name)
    if (firstLsn !== undefined) files.set(firstLsn, path.join(directory, name))
    else if (isPreallocatedName(name)) preallocated.push(path.join(directory, name))
  }
  for (const candidate of preallocated) {
    const firstLsn = withFile(
      disk,
      candidate,
      (handle) => probeHeader(readHeaderBlock(disk, candidate, handle)).header,
    )
    if (firstLsn) files.set(firstLsn.firstLsn, candidate)
  }
  return [...files]
    .map(([firstLsn, file]) => ({ path: file, firstLsn }))
    .sort((a, b) => a.firstLsn - b.firstLsn)
}

/** Opens a segment file; one that was only preallocated a moment ago may have its name by now. `undefined`: it is gone. */
export function openLogFile(
  disk: Disk,
  directory: string,
  file: LogFile,
): { handle: number; path: string } | undefined {
  for (const candidate of [file.path, segmentPath(directory, file.firstLsn)]) {
    try {
      return { handle: attempt('open', candidate, () => disk.open(candidate, 'read')), path: candidate }
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }
  return undefined
}

function withFile<T>(disk: Disk, file: string, use: (handle: number) => T): T | undefined {
  let handle: number
  try {
    handle = attempt('open', file, () => disk.open(file, 'read'))
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
  try {
    return use(handle)
  } finally {
    disk.close(handle)
  }
}

function isGone(error: unknown): boolean {
  return error instanceof LogError && error.details['errno'] === 'ENOENT'
}
