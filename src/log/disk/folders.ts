import * as path from 'node:path'
import { errnoOf } from '../../base/errno.js'
import { ioError, LogError } from '../errors.js'
import { namingFile } from './attempt.js'
import type { Disk } from './disk.js'

/**
 * Makes a folder and those above it that are not there, from the top down, each on disk before the next is made: what is
 * written into a folder is only as durable as its name.
 *
 * A folder that is empty may be what a crash left between its creation and the sync, so its name is synced too.
 *
 * @throws LogError `TIDEMARK_LOG_IO`. A folder whose name could not be synced is removed again, because a second sync may
 *   report success for what the first one dropped. So is one below a folder that may be written but not read: what can't be
 *   opened can't be synced.
 */
export function makeFolder(disk: Disk, folder: string): void {
  const parent = path.dirname(folder)
  if (disk.exists(folder)) {
    if (parent !== folder && isEmpty(disk, folder)) syncNameOf(disk, folder)
    return
  }
  if (parent !== folder) makeFolder(disk, parent)
  try {
    disk.makeDirectory(folder)
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw namingFile('create', folder, cause)
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
    disk.syncDirectory(parent)
  } catch (cause) {
    try {
      disk.removeDirectory(folder)
    } catch {
      // The failed sync is what the caller hears of.
    }
    throw isForbidden(cause) ? unreadable(parent, folder, cause) : ioError('sync', parent, cause)
  }
}

/** What can't be read is taken for not empty: it is not this process that made it. */
function isEmpty(disk: Disk, folder: string): boolean {
  try {
    return disk.list(folder).length === 0
  } catch (cause) {
    if (isForbidden(cause)) return false
    throw ioError('read', folder, cause)
  }
}

function unreadable(parent: string, folder: string, cause: unknown): LogError {
  return new LogError(
    'TIDEMARK_LOG_IO',
    `Could not sync ${parent}: it can be written and not read, so the name of ${folder} cannot be made durable. Make ${parent} readable, or make ${folder} beforehand.`,
    { path: parent, errno: errnoOf(cause) },
    { cause },
  )
}

/** Syncs the name of a folder that was there. Where the folder above can't be opened, this is left to its owner. */
function syncNameOf(disk: Disk, folder: string): void {
  const parent = path.dirname(folder)
  try {
    disk.syncDirectory(parent)
  } catch (cause) {
    if (!isForbidden(cause)) throw ioError('sync', parent, cause)
  }
}

function isForbidden(cause: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(errnoOf(cause) ?? '')
}
