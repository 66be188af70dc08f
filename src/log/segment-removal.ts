import * as path from 'node:path'
import type { Disk } from './disk.js'
import {
  attempt,
  isRecycledName,
  listSegmentNames,
  readSegmentHeader,
  recycledName,
  segmentHeaderBytes,
  segmentNameLsn,
  segmentPath,
} from './segment.js'

/** Removed segments whose files are kept for the next ones: what one checkpoint sets free under default settings. */
export const recycledSegmentsMax = 4

/**
 * Removes the segments that are wholly below `limitLsn`, oldest first, never the last one, and none whose
 * successor goes on with a group of it. The files of some, if they
 * have the size of a whole segment, stay under another name, for the preparer to make spares of: their blocks are
 * allocated and written already, so nothing has to be filled with zeros. Returns the first LSN that is still there, or
 * `undefined` when nothing was removed.
 */
export function removeSegments(
  disk: Disk,
  directory: string,
  limitLsn: number,
  segmentBytes: number,
): number | undefined {
  const firstLsns = listSegmentNames(disk, directory).map((name) => segmentNameLsn(name)!)
  let kept = disk.list(directory).filter(isRecycledName).length
  let removable = firstLsns.findLastIndex((lsn, i) => i === 0 || lsn <= limitLsn)
  // What is left must begin with a whole group.
  while (removable > 0 && beginsWithinGroup(disk, directory, firstLsns[removable]!)) removable--
  let removed = 0
  while (removed < removable) {
    const file = segmentPath(directory, firstLsns[removed]!)
    if (kept < recycledSegmentsMax && fileBytes(disk, file) === segmentHeaderBytes + segmentBytes) {
      const old = path.join(directory, recycledName(firstLsns[removed]!))
      attempt('rename', file, () => disk.rename(file, old))
      kept++
    } else {
      attempt('remove', file, () => disk.remove(file))
    }
    removed++
  }
  if (removed === 0) return undefined
  attempt('sync', directory, () => disk.syncDirectory(directory))
  return firstLsns[removed]
}

function fileBytes(disk: Disk, file: string): number {
  const handle = attempt('open', file, () => disk.open(file, 'read'))
  try {
    return disk.size(handle)
  } finally {
    disk.close(handle)
  }
}

function beginsWithinGroup(disk: Disk, directory: string, firstLsn: number): boolean {
  return readSegmentHeader(disk, segmentPath(directory, firstLsn))?.withinGroup === true
}
