import { LogError, newestSnapshot } from '../../log/index.js'
import { listSnapshots, type PoolSnapshot, readSnapshotHeader } from './snapshot-file.js'

/**
 * The newest valid snapshot of a folder, whatever the log says to it. `restore` restores the books of one and says
 * whether all its pieces were valid: so every byte is read once, by the shards.
 */
export async function restoreNewest(
  directory: string,
  restore: (snapshot: PoolSnapshot) => Promise<boolean>,
): Promise<PoolSnapshot | undefined> {
  return newestSnapshot(await listSnapshots(directory), async ({ path }) => {
    const header = await readSnapshotHeader(path)
    const isValid = header !== undefined && (await restore({ path, header }))
    return isValid ? { path, header } : undefined
  })
}

/**
 * Checks that the newest valid snapshot fits the log. One above the log's end proves that log is missing, because a
 * snapshot gets its name only when the log is synced up to it. Snapshots of other matching rules are as good: the log has
 * made sure that nothing after the snapshot was logged under them.
 *
 * @throws LogError `TIDEMARK_LOG_CORRUPT`.
 */
export function checkSnapshot(
  snapshot: PoolSnapshot | undefined,
  log: { readonly dir: string; readonly recovery: { readonly firstLsn: number; readonly endLsn: number } },
): void {
  const { firstLsn, endLsn } = log.recovery
  if (snapshot && snapshot.header.endLsn > endLsn) {
    throw new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `${snapshot.path} was taken at LSN ${snapshot.header.endLsn}, but the log ends at ${endLsn}: a part of the log is missing.`,
      { file: snapshot.path, lsn: snapshot.header.endLsn, endLsn },
    )
  }
  if ((snapshot?.header.replayFromLsn ?? 0) >= firstLsn) return
  throw new LogError(
    'TIDEMARK_LOG_CORRUPT',
    `The log in ${log.dir} begins at LSN ${firstLsn} and no valid snapshot reaches that far back.`,
    { dir: log.dir, firstLsn },
  )
}
