import { attempt, type Disk, type SnapshotFile, SnapshotNames } from '../log/index.js'

/** The snapshots of a ledger, in the folder of its pool: each is the state of the accounts as of the LSN in its name. */
const names = new SnapshotNames('ledger-', '.snapshot')

export function ledgerFileName(lsn: number): string {
  return names.nameOf(lsn)
}

/** The snapshots of the folder's ledger, newest first; none when the folder has no ledger. @throws LogError `TIDEMARK_LOG_IO`. */
export function listLedgerFiles(disk: Disk, dir: string): SnapshotFile[] {
  const found = attempt('read', dir, () => disk.list(dir))
  return names.among(dir, found)
}
