import * as path from 'node:path'
import type { Disk } from './disk/disk.js'
import { makeFolder } from './disk/folders.js'
import { NodeDisk } from './disk/node-disk.js'
import { type TakenFolder, takeFolder } from './disk/ownership.js'
import { badSetting, LogError } from './errors.js'
import { LogThreads } from './flush/log-threads.js'
import { checkKind, defaultKind, requireKind } from './format/log-kind.js'
import { holdsLog } from './format/segment.js'
import type { RecoveryReport } from './recover/recovery.js'
import { parallelCheckBytes, SealedCheck } from './recover/sealed-check.js'
import type { ReplicationEpoch } from './replicated/index.js'
import {
  type ReplicationOptions,
  type ReplicationSettings,
  resolveReplication,
} from './replication/options.js'
import { ReplicatorHandle } from './replication/replicator-handle.js'
import { createLogMemory, type LogMemory, LogViews, releasedBy } from './ring/memory.js'
import { poisonMemory } from './ring/signals.js'
import { type LogSettingOptions, type LogSettings, logSettingNames, resolveLogSettings } from './settings.js'

const initialSegmentBytesGoal = 4 * 1024 * 1024

/** Options of the log that a pool, a job queue or a factor engine has inside. */
export interface LogOptions extends LogSettingOptions {
  /** Sends the log to a replicated log as well, on other machines. Default: it is on this disk alone. */
  readonly replication?: ReplicationOptions | undefined
}

/** What a log is opened with. */
export interface DurableLogOptions extends LogOptions {
  /** The log's folder; made when it is not there. */
  readonly dir: string
  /**
   * What writes this log: 1 to 16 characters of a-z, 0-9 and "-". It stands in every segment, and a log of another kind is
   * refused, so that no folder is taken for another one. Default `log`.
   */
  readonly kind?: string
  /** Version of what the application writes; a log of another version is refused. Default 1. */
  readonly contentVersion?: number
  /**
   * How many bytes before the durable LSN the cursor of a reader outside (a store, an archiver) may be and still keep what it needs
   * from `removeBefore`. Default 1 GiB.
   */
  readonly cursorKeepBytes?: number | undefined
}

export const logOptionNames: ReadonlySet<string> = new Set([...logSettingNames, 'replication'])
export const durableLogOptions = new Set([
  ...logOptionNames,
  'dir',
  'kind',
  'contentVersion',
  'cursorKeepBytes',
])

/** How far a cursor may be from the end of the log and still keep it. */
export const defaultCursorKeepBytes = 1024 * 1024 * 1024

/** A log whose flusher runs, and what it needs to be closed again. */
export interface OpenedLog {
  readonly dir: string
  readonly kind: string
  readonly settings: LogSettings
  readonly cursorKeepBytes: number
  readonly recovery: RecoveryReport
  readonly memory: LogMemory
  readonly disk: Disk
  readonly threads: LogThreads
  readonly replicator: ReplicatorHandle | undefined
  readonly taken: TakenFolder
}

/**
 * Takes the folder, recovers the log in it, and starts its flusher. `covered`: see `DurableLog.openWithoutPreallocator`.
 *
 * @throws as `DurableLog.open`; then the folder is released again.
 */
export async function openLog(
  options: DurableLogOptions,
  covered?: (directory: string) => Promise<number>,
): Promise<OpenedLog> {
  const settings = resolveLogSettings(options)
  if (typeof options.dir !== 'string' || options.dir === '') {
    throw badSetting('dir', options.dir, 'the path of a folder')
  }
  const { cursorKeepBytes = defaultCursorKeepBytes } = options
  if (!(typeof cursorKeepBytes === 'number' && cursorKeepBytes >= 0)) {
    throw badSetting('cursorKeepBytes', cursorKeepBytes, 'a number of bytes, 0 or more')
  }
  const replication = options.replication && resolveReplication(options.replication, settings)
  const memory = createLogMemory(
    settings.ringBytes,
    settings.maxBatchBytes,
    settings.durability === 'each' ? 1 : undefined,
  )
  const kind = checkKind(options.kind === undefined ? defaultKind : options.kind)
  const dir = path.resolve(options.dir)
  const disk = new NodeDisk()
  makeFolder(disk, dir)
  // Before the lock, which is a file too, and again when the log is recovered under it.
  requireKind(disk, dir, kind)
  const taken = await takeFolder(disk, dir, () => holdsLog(disk, dir))
  if (!taken) {
    throw new LogError(
      'TIDEMARK_LOG_LOCKED',
      `${dir} is in use by another pool or process; close that one first.`,
      { dir },
    )
  }
  const threads = new LogThreads(memory)
  let replicator: ReplicatorHandle | undefined
  try {
    replicator = replication && new ReplicatorHandle(memory, dir, replication, undefined)
    const [replicatedLsn, coveredLsn] = await Promise.all([replicator?.connect(), covered?.(dir)])
    const check = new SealedCheck(disk, dir)
    const starting = threads.start({
      memory,
      directory: dir,
      identity: taken.identity,
      kind,
      contentVersion: options.contentVersion ?? 1,
      coveredLsn,
      copies: replicatedLsn === undefined ? undefined : { endLsn: replicatedLsn },
      releasedBy: whoReleases(replication),
      maxBatchBytes: settings.maxBatchBytes,
      segmentBytes: settings.segmentBytes,
      initialSegmentBytes: initialSegmentBytes(settings),
      flush: settings,
      sealed: check.states,
    })
    const checked = checkSealed(check)
    const recovery = await starting.finally(() => {
      check.stop()
      return checked
    })
    // The caller has no log yet that it could close, or whose events say that it waits.
    await replicator?.begin(recovery.endLsn, { stallMs: replication?.closeMs })
    return { dir, kind, settings, cursorKeepBytes, recovery, memory, disk, threads, replicator, taken }
  } catch (error) {
    await abandon(memory, threads, replicator, taken)
    throw error
  }
}

/** A folder that this process has followed, with the lock and the memory that it continues with. */
export interface FollowedFolder {
  readonly dir: string
  readonly settings: LogSettings
  readonly memory: LogMemory
  readonly taken: TakenFolder
  readonly firstLsn: number
  readonly endLsn: number
}

/** What a log that was followed is continued with. */
export interface ContinueOptions {
  readonly kind: string
  readonly contentVersion: number
  /** The epoch of the segment in which it continues. */
  readonly epoch: bigint
  /** As in `DurableLogOptions`. */
  readonly cursorKeepBytes: number
  /**
   * How it is replicated from now on, the epoch that was taken of the replicated log, and what ends the wait for that to take what it
   * must have first.
   */
  readonly replication?: {
    readonly options: ReplicationOptions
    readonly epoch: ReplicationEpoch
    readonly signal?: AbortSignal | undefined
  }
}

/**
 * Continues to write a log that this process has followed, in a new segment of this epoch. Nothing of it is read: it was checked
 * and synced when it was appended.
 *
 * @throws LogError `TIDEMARK_LOG_IO`, and as `DurableLog.open` for `replication`; then the folder is released.
 */
export async function continueFollowed(folder: FollowedFolder, options: ContinueOptions): Promise<OpenedLog> {
  const { dir, settings, memory, taken, firstLsn, endLsn } = folder
  const { kind, contentVersion, epoch, cursorKeepBytes, replication } = options
  const threads = new LogThreads(memory)
  let replicator: ReplicatorHandle | undefined
  try {
    const shipping = replication && resolveReplication(replication.options, settings)
    replicator = shipping && new ReplicatorHandle(memory, dir, shipping, replication.epoch)
    const [recovery] = await Promise.all([
      threads.start({
        memory,
        directory: dir,
        identity: taken.identity,
        kind,
        contentVersion,
        coveredLsn: undefined,
        copies: undefined,
        releasedBy: whoReleases(shipping),
        maxBatchBytes: settings.maxBatchBytes,
        segmentBytes: settings.segmentBytes,
        initialSegmentBytes: initialSegmentBytes(settings),
        flush: settings,
        sealed: { firstLsns: [], words: new SharedArrayBuffer(0) },
        continues: { firstLsn, endLsn, epoch },
      }),
      replicator?.connect(),
    ])
    await replicator?.begin(recovery.endLsn, { signal: replication?.signal })
    const disk = new NodeDisk()
    return { dir, kind, settings, cursorKeepBytes, recovery, memory, disk, threads, replicator, taken }
  } catch (error) {
    await abandon(memory, threads, replicator, taken)
    throw error
  }
}

function whoReleases(replication: ReplicationSettings | undefined): number {
  return replication?.ack === 'replicated' ? releasedBy.replicator : releasedBy.flusher
}

/** Ends what was started for a log that could not be opened, and releases its folder. */
async function abandon(
  memory: LogMemory,
  threads: LogThreads,
  replicator: ReplicatorHandle | undefined,
  taken: TakenFolder,
): Promise<void> {
  await replicator?.abandon()
  poisonMemory(new LogViews(memory))
  await threads.ended()
  taken.release()
}

/** What the segment of an opening holds: little, so that opening is not kept waiting for it to be filled with zeros. */
export function initialSegmentBytes({ segmentBytes, maxBatchBytes }: LogSettings): number {
  return Math.min(segmentBytes, Math.max(maxBatchBytes, initialSegmentBytesGoal))
}

/** Checks the sealed segments of a log that is about to be recovered, in threads of its own when they are large. Never rejects. */
export function checkSealed(check: SealedCheck): Promise<void> {
  return check.bytes < parallelCheckBytes ? check.run() : runCheckInParallel(check).catch(() => {})
}

/** Most logs are smaller, and need not load what this takes. */
async function runCheckInParallel(check: SealedCheck): Promise<void> {
  try {
    const { checkInParallel } = await import('./recover/parallel-check.js')
    await checkInParallel(check)
  } finally {
    // Whatever happened, the recovery waits for nothing that does not come.
    check.stop()
  }
}
