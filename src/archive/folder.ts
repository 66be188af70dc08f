import * as path from 'node:path'
import { attempt, type Disk, isTemporaryName, makeFolder } from '../log/index.js'
import { ArchiveError } from './errors.js'
import { type Manifest, readManifest } from './manifest.js'

const lockName = 'LOCK'
const lookMs = 20
const dayPattern = /^date=\d{4}-\d\d-\d\d$/
const filePattern = /^\d{20}-\d{20}\.parquet$/
const tableNames = ['trades', 'order_events', 'commands', 'factor_values']

/** `00000000000000004096-00000000000000008192.parquet`: the file of a part in the folder of its table and day. */
export function fileName(firstLsn: number, endLsn: number): string {
  return `${lsnText(firstLsn)}-${lsnText(endLsn)}.parquet`
}

function lsnText(lsn: number): string {
  return String(lsn).padStart(20, '0')
}

/**
 * Runs `use` while no other process or thread changes the archive: the archiver and the compaction take turns. The folder is
 * made when it is not there. Blocks the thread while it waits.
 *
 * @throws ArchiveError `TIDEMARK_ARCHIVE_IN_USE` when another still has it after `waitMs`; LogError `TIDEMARK_LOG_IO`.
 */
export async function withArchive<T>(
  disk: Disk,
  archive: string,
  waitMs: number,
  use: (manifest: Manifest | undefined) => Promise<T>,
): Promise<T> {
  makeFolder(disk, archive)
  const lockPath = path.join(archive, lockName)
  const startMs = performance.now()
  for (;;) {
    const lock = attempt('lock', lockPath, () => disk.lock(lockPath))
    if (lock) {
      try {
        const manifest = readManifest(disk, archive)
        // Its writer may have ended, or failed, before its name was on disk. Files are removed, of the archive and of
        // the log, because of what it says.
        if (manifest) attempt('sync', archive, () => disk.syncDirectory(archive))
        removeUnnamed(disk, archive, manifest)
        return await use(manifest)
      } finally {
        lock.release()
      }
    }
    if (performance.now() - startMs >= waitMs) {
      throw new ArchiveError(
        'TIDEMARK_ARCHIVE_IN_USE',
        `Another archiver or compaction has the archive ${archive}: try again when it is done.`,
        { archive },
      )
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
}

/** Removes what a crash left: files that were not finished, and finished ones that no manifest came to name. */
function removeUnnamed(disk: Disk, archive: string, manifest: Manifest | undefined): void {
  const named = new Set(manifest?.parts.flatMap(({ files }) => files.map((file) => file.path)))
  for (const name of list(disk, archive)) {
    if (isTemporaryName(name)) remove(disk, path.join(archive, name))
  }
  for (const table of tableNames) {
    if (!disk.exists(path.join(archive, table))) continue
    for (const day of list(disk, path.join(archive, table))) {
      if (!dayPattern.test(day)) continue
      for (const name of list(disk, path.join(archive, table, day))) {
        const isUnnamed = filePattern.test(name) && !named.has(`${table}/${day}/${name}`)
        if (isUnnamed || isTemporaryName(name)) remove(disk, path.join(archive, table, day, name))
      }
    }
  }
}

function list(disk: Disk, folder: string): string[] {
  return attempt('read', folder, () => disk.list(folder))
}

function remove(disk: Disk, file: string): void {
  attempt('remove', file, () => disk.remove(file))
}
