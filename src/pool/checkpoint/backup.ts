import type { EndKnowledge } from '../../log/index.js'
import {
  attempt,
  type BackupSnapshots,
  backupLog,
  checkOptions,
  type Disk,
  type LogBackup,
  makeFolder,
  NodeDisk,
  newestSnapshot,
  optionNames,
  requireKind,
} from '../../log/index.js'
import { PoolError } from '../errors.js'
import { listLedgerFiles } from '../ledger-files.js'
import { poolLogKind } from '../record-type.js'
import { listSnapshots, verifySnapshot } from '../snapshot/snapshot-file.js'

/** What a backup holds. */
export interface BackupReport extends LogBackup {}

/** What `backupFolder` is called with. */
export interface BackupOptions extends EndKnowledge {
  /** Called after each piece with how much is copied, and of how much. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void
}

const backupOptions = optionNames<BackupOptions>({ syncedLsn: true, closed: true, onProgress: true })

/**
 * Copies a pool's folder, which may be in use by another process, into an empty one: the newest valid snapshot of its books
 * and the log from where its replay begins. See `backupLog`.
 *
 * @throws PoolError `TIDEMARK_BAD_ARGUMENT` when the target is not empty, `TIDEMARK_BACKUP_OVERTAKEN` when segments are
 *   removed faster than they can be copied; LogError `TIDEMARK_LOG_KIND`, `TIDEMARK_LOG_IO` or `TIDEMARK_LOG_CORRUPT`.
 */
export async function backupFolder(
  source: string,
  target: string,
  options: BackupOptions = {},
): Promise<BackupReport> {
  checkOptions('backupFolder', options, backupOptions)
  const disk = new NodeDisk()
  requireKind(disk, source, poolLogKind)
  makeFolder(disk, target)
  if (attempt('read', target, () => disk.list(target)).length > 0) {
    throw new PoolError(
      'TIDEMARK_BAD_ARGUMENT',
      `${target} is not empty; a backup goes into a folder of its own.`,
      { target },
    )
  }
  return copyPool(source, target, options)
}

/**
 * As `backupFolder`, into a folder that holds no log; other files may be in it.
 *
 * @throws as `backupFolder`.
 */
export async function copyPool(
  source: string,
  target: string,
  options: BackupOptions,
): Promise<BackupReport> {
  const disk = new NodeDisk()
  requireKind(disk, source, poolLogKind)
  const overtaken = (attempts: number, cause: Error) =>
    new PoolError(
      'TIDEMARK_BACKUP_OVERTAKEN',
      `${source} removes segments faster than they are copied: let the pool keep more of its log (keepLogBytes) or copy onto a faster disk.`,
      { source, attempts },
      { cause },
    )
  return backupLog(disk, source, target, snapshotsOf(disk, source), {
    ...options,
    kind: poolLogKind,
    overtaken,
  })
}

function snapshotsOf(disk: Disk, source: string): BackupSnapshots {
  return {
    list: async () =>
      [...(await listSnapshots(source)), ...listLedgerFiles(disk, source)].map(({ path }) => path),
    newest: async () =>
      newestSnapshot(await listSnapshots(source), async ({ path }) => {
        const header = await verifySnapshot(path)
        return header && { path, replayFromLsn: header.replayFromLsn, endLsn: header.endLsn }
      }),
    beside: async () =>
      listLedgerFiles(disk, source)
        .slice(0, 1)
        .map(({ path, lsn }) => ({ path, replayFromLsn: lsn, endLsn: lsn })),
    isValid: async (file) => (await verifySnapshot(file)) !== undefined,
  }
}
