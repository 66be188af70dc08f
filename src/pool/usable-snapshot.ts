import { LogError } from '../log/errors.js'
import type { DurableLog } from '../log/index.js'
import { rulesVersion } from '../matching/index.js'
import { type Snapshot, soundSnapshots } from './snapshot-file.js'

/** The newest sound snapshot that fits the log. One above the log's end can't be: it waited for the mark. */
export async function usableSnapshot(log: DurableLog): Promise<Snapshot | undefined> {
  const { firstLsn, endLsn } = log.recovery
  const snapshots = await soundSnapshots(log.dir)
  for (const snapshot of snapshots) {
    const { header } = snapshot
    if (header.endLsn > endLsn) {
      throw new LogError(
        'TIDEMARK_LOG_CORRUPT',
        `${snapshot.path} was taken at LSN ${header.endLsn}, but the log ends at ${endLsn}: a part of the log is missing.`,
        { file: snapshot.path, lsn: header.endLsn, endLsn },
      )
    }
    if (header.rulesVersion === rulesVersion && header.replayFromLsn >= firstLsn) return snapshot
  }
  if (firstLsn > 0) {
    throw new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `The log in ${log.dir} begins at LSN ${firstLsn} and no sound snapshot reaches that far back.`,
      { dir: log.dir, firstLsn },
    )
  }
  return undefined
}
