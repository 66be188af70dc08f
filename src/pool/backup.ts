import * as path from 'node:path'
import type { Disk } from '../log/disk.js'
import { NodeDisk } from '../log/node-disk.js'
import {
  attempt,
  listSegmentNames,
  requireSegmentHeader,
  segmentHeaderBytes,
  segmentNameLsn,
} from '../log/segment.js'
import { SegmentWindow, scanSegment } from '../log/segment-scan.js'
import { PoolError } from './errors.js'
import { soundSnapshots } from './snapshot-file.js'

/** What a backup holds. */
export interface BackupReport {
  readonly dir: string
  /** LSNs between which the copied log lies; everything that was durable when the copy began is in it. */
  readonly firstLsn: number
  readonly endLsn: number
  readonly segments: number
  readonly bytes: number
  readonly snapshot: string | undefined
}

const chunkBytes = 1024 * 1024

/**
 * Copies a pool's folder, which may be in use, into an empty one: the newest sound snapshot and the log from where its
 * replay begins. The active segment is read frame by frame and copied up to the last whole group, so whatever is being
 * written meanwhile is either whole in the copy or not in it. The copy opens like the original.
 *
 * @throws PoolError `TIDEMARK_BAD_ARGUMENT` when the target is not empty; LogError when a file cannot be read or
 *   written, or is corrupt.
 */
export async function backupFolder(source: string, target: string): Promise<BackupReport> {
  const disk = new NodeDisk()
  attempt('create', target, () => disk.makeDirectory(target))
  if (attempt('read', target, () => disk.list(target)).length > 0) {
    throw new PoolError(
      'TIDEMARK_BAD_ARGUMENT',
      `${target} is not empty; a backup goes into a folder of its own.`,
      { target },
    )
  }
  const snapshot = (await soundSnapshots(source))[0]
  const names = attempt('read', source, () => listSegmentNames(disk, source))
  const fromLsn = snapshot?.header.replayFromLsn ?? 0
  const first = Math.max(
    0,
    names.findLastIndex((name) => segmentNameLsn(name)! <= fromLsn),
  )
  const copied = names.slice(first)
  let bytes = 0
  let endLsn = 0
  for (const [i, name] of copied.entries()) {
    const next = copied[i + 1]
    const file = path.join(source, name)
    endLsn = next === undefined ? wholeGroupsEnd(disk, file, segmentNameLsn(name)!) : segmentNameLsn(next)!
    const length = segmentHeaderBytes + endLsn - segmentNameLsn(name)!
    copyFile(disk, file, path.join(target, name), length)
    bytes += length
  }
  if (snapshot) {
    const name = path.basename(snapshot.path)
    const handle = attempt('open', snapshot.path, () => disk.open(snapshot.path, 'read'))
    let length: number
    try {
      length = attempt('read', snapshot.path, () => disk.size(handle))
    } finally {
      disk.close(handle)
    }
    copyFile(disk, snapshot.path, path.join(target, name), length)
    bytes += length
  }
  attempt('sync', target, () => disk.syncDirectory(target))
  return {
    dir: target,
    firstLsn: copied[0] === undefined ? 0 : segmentNameLsn(copied[0])!,
    endLsn,
    segments: copied.length,
    bytes,
    snapshot: snapshot && path.join(target, path.basename(snapshot.path)),
  }
}

/** Where the last whole group of a segment ends that somebody may be writing. */
function wholeGroupsEnd(disk: Disk, file: string, firstLsn: number): number {
  const segment = { path: file, header: requireSegmentHeader(disk, file, firstLsn) }
  const window = new SegmentWindow(disk, segment)
  const { fileEndLsn } = window
  window.close()
  return scanSegment(disk, segment, fileEndLsn).groupEndLsn
}

function copyFile(disk: Disk, from: string, to: string, bytes: number): void {
  const source = attempt('open', from, () => disk.open(from, 'read'))
  const target = attempt('create', to, () => disk.create(to))
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes)
    for (let done = 0; done < bytes; ) {
      const read = attempt('read', from, () =>
        disk.readSync(source, chunk.subarray(0, Math.min(chunkBytes, bytes - done)), done),
      )
      if (read === 0)
        throw new PoolError('TIDEMARK_BAD_ARGUMENT', `${from} is shorter than it was.`, { file: from })
      const written = attempt('write to', to, () => disk.write(target, [chunk.subarray(0, read)], done))
      if (written === 0)
        throw new PoolError('TIDEMARK_BAD_ARGUMENT', `${to} takes nothing more; is the disk full?`, {
          file: to,
        })
      done += written
    }
    attempt('sync', to, () => disk.syncData(target))
  } finally {
    disk.close(source)
    disk.close(target)
  }
}
