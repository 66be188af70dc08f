import * as path from 'node:path'
import { errnoOf } from '../../base/errno.js'
import { ioError, LogError } from '../errors.js'
import { attempt } from '../format/segment.js'
import type { Disk } from './disk.js'

/**
 * Makes a folder and those above it that are not there, from the top down, each on disk before the next is made: what is
 * written into a folder is only as durable as its name.
 *
 * A folder that is empty may be what a crash left between its creation and the sync, so its name is synced too.
 *
 * @throws LogError `TIDEMARK_LOG_IO`. A folder whose name could not be synced is removed again, because a second sync may
 *   report success for what the first one dropped.
 */
export function makeFolder(disk: Disk, folder: string): void {
  const parent = path.dirname(folder)
  if (disk.exists(folder)) {
    if (parent !== folder && attempt('read', folder, () => disk.list(folder)).length === 0) {
      syncNameOf(disk, folder)
    }
    return
  }
  if (parent !== folder) makeFolder(disk, parent)
  try {
    disk.makeDirectory(folder)
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw ioError('create', folder, cause)
    if (!disk.exists(folder)) {
      throw new LogError(
        'TIDEMARK_LOG_IO',
        `Could not create ${folder}: it is a symbolic link to a place that does not exist. Create that place, or remove the link.`,
        { path: folder, errno: 'EEXIST' },
        { cause },
      )
    }
    // Another process made it a moment ago, and may not have synced it yet.
    syncNameOf(disk, folder)
    return
  }
  try {
    attempt('sync', parent, () => disk.syncDirectory(parent))
  } catch (error) {
    try {
      disk.removeDirectory(folder)
    } catch {
      // The failed sync is what the caller hears of.
    }
    throw error
  }
}

/** Syncs the name of a folder that was there. Where the folder above can't be opened, somebody else sees to it. */
function syncNameOf(disk: Disk, folder: string): void {
  const parent = path.dirname(folder)
  try {
    disk.syncDirectory(parent)
  } catch (cause) {
    if (!['EACCES', 'EPERM'].includes(errnoOf(cause) ?? '')) throw ioError('sync', parent, cause)
  }
}
