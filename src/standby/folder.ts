import * as path from 'node:path'
import {
  cutLog,
  type Disk,
  firstLsnOf,
  holdsLog,
  LogError,
  makeFolder,
  NodeDisk,
  type ReplicatedLog,
  ReplicationError,
  requireKind,
  type TakenFolder,
  takeFolder,
  tidyLog,
  writtenParts,
} from '../log/index.js'
import { listLedgerFiles, listSnapshots, poolLogKind } from '../pool/index.js'
import { type Fork, forkOf } from './fork.js'
import { beginSeeding, isBeingSeeded, type Seed, type SeedingOptions, seedFolder } from './seed.js'

/** What became of a folder before its log is followed. */
export interface PreparedFolder {
  readonly taken: TakenFolder
  /** Where the log was cut, because it continued without the replicated log from there. */
  readonly fork: (Fork & { readonly aside: string }) | undefined
  readonly seeded: boolean
}

/**
 * Locks a folder and makes what is in it a beginning of the replicated log: seeds it where it is behind the window, and cuts
 * off what another epoch has made untrue.
 *
 * @throws LogError `TIDEMARK_LOG_LOCKED`, `TIDEMARK_LOG_KIND` and others; ReplicationError `TIDEMARK_STANDBY_BEHIND` without a
 *   seed. The folder is released then.
 */
export async function prepareFolder(
  dir: string,
  log: ReplicatedLog,
  seed: Seed | undefined,
  seeding: SeedingOptions,
): Promise<PreparedFolder> {
  const disk = new NodeDisk()
  makeFolder(disk, dir)
  requireKind(disk, dir, poolLogKind)
  const taken = await takeFolder(disk, dir, () => holdsLog(disk, dir))
  if (!taken) {
    throw new LogError(
      'TIDEMARK_LOG_LOCKED',
      `${dir} is in use by another pool or process; close that one first.`,
      { dir },
    )
  }
  try {
    const fork = isBeingSeeded(disk, dir) ? undefined : await rejoin(disk, dir, log)
    const unfinished = isBeingSeeded(disk, dir)
    const { beginLsn } = await log.window()
    const localLsn = unfinished ? undefined : await usableEnd(disk, dir)
    const mustSeed = localLsn === undefined || localLsn < beginLsn
    if (mustSeed) {
      if (!seed) throw isBehind(dir, localLsn, beginLsn)
      await seedFolder(dir, seed, seeding)
    }
    return { taken, fork, seeded: mustSeed }
  } catch (error) {
    taken.release()
    throw error
  }
}

/** Cuts the log where the lineage continued without it. */
async function rejoin(disk: Disk, dir: string, log: ReplicatedLog): Promise<PreparedFolder['fork']> {
  tidyLog(disk, dir)
  const fork = await findFork(disk, dir, log)
  if (!fork) return undefined
  const aside = path.join(dir, `deposed-${fork.lsn}-${fork.n}`)
  const ledger = listLedgerFiles(disk, dir)
  const above = [...(await listSnapshots(dir)), ...ledger].filter(({ lsn }) => lsn > fork.lsn)
  // Without a snapshot of it, a ledger would begin anew.
  if (ledger.length > 0 && ledger.every((file) => above.includes(file))) await beginSeeding(disk, dir)
  cutLog(
    disk,
    dir,
    fork.lsn,
    aside,
    above.map((file) => file.path),
  )
  return { ...fork, aside }
}

/** Where the lineage has gone on without a folder's log. */
export async function findFork(disk: Disk, dir: string, log: ReplicatedLog): Promise<Fork | undefined> {
  return forkOf(writtenParts(disk, dir), await log.lineage())
}

/** Where a log ends that can be opened; `undefined` when what its replay would begin with is not there. */
async function usableEnd(disk: Disk, dir: string): Promise<number | undefined> {
  const firstLsn = firstLsnOf(disk, dir)
  if (firstLsn === undefined) return 0
  if (firstLsn > 0 && (await listSnapshots(dir)).length === 0) return undefined
  return writtenParts(disk, dir).endLsn
}

function isBehind(dir: string, localLsn: number | undefined, beginLsn: number): ReplicationError {
  const has =
    localLsn === undefined
      ? 'has no whole copy of the log'
      : localLsn === 0
        ? 'holds no log'
        : `has the log up to LSN ${localLsn}`
  return new ReplicationError(
    'TIDEMARK_STANDBY_BEHIND',
    `${dir} ${has}, and the replicated log begins at LSN ${beginLsn}: seed the standby from the primary or from a backup (seed).`,
    { dir, lsn: localLsn, beginLsn },
  )
}
