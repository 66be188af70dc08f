import * as path from 'node:path'
import { TidemarkError } from '../base/errors.js'
import { attempt, NodeDisk } from '../log/index.js'
import { type BackupReport, backupFolder } from '../pool/index.js'
import { exitCodes, logExitCodes } from './exit-codes.js'
import { CliFailure, usageFailure } from './failure.js'
import { bytes, count } from './number-format.js'
import { BytesProgress } from './progress-bar.js'

/** What `backup --json` prints. */
export interface BackupResult extends BackupReport {
  /** Whether a process had the log open: then the copy ends with the last record that was whole when it began. */
  readonly running: boolean
}

/**
 * Copies a log and its newest snapshot into an empty folder. A folder that no process has open is locked meanwhile; beside
 * a running pool nothing is locked, and nothing is written into its folder.
 *
 * @throws CliFailure when the target is not empty, or the log is corrupt; LogError when a file can't be read or
 *   written.
 */
export async function backupLog(directory: string, target: string, progress: boolean): Promise<BackupResult> {
  requireEmpty(target)
  const disk = new NodeDisk()
  const lockPath = path.join(directory, 'LOCK')
  const lock = attempt('lock', lockPath, () => disk.lock(lockPath))
  const display = progress ? new BytesProgress(process.stderr, 'copied') : undefined
  try {
    const report = await backupFolder(directory, target, {
      // Beside a lock file that was never an owner's, a pool may be running that lost its own.
      closed: lock?.known === true,
      onProgress: (bytesDone, bytesTotal) => display?.show(bytesDone, bytesTotal),
    })
    return { ...report, running: lock === undefined }
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error
    // What it was overtaken at looks like damage: the sentence must not say so.
    if (error.code === 'TIDEMARK_BACKUP_OVERTAKEN')
      throw new CliFailure(error.code, error.message, exitCodes.failed, error.details)
    if (error.code !== 'TIDEMARK_LOG_CORRUPT') throw error
    const advice = '"tidemark log verify" lists all that is wrong.'
    throw new CliFailure(error.code, `${error.message} ${advice}`, logExitCodes.corrupt, error.details)
  } finally {
    display?.stop()
    lock?.release()
  }
}

/** A backup for people. */
export function backupText({
  dir,
  firstLsn,
  endLsn,
  segments,
  snapshot,
  running,
  ...rest
}: BackupResult): string {
  const files = `${count(segments)} ${segments === 1 ? 'segment' : 'segments'}`
  const books = snapshot === undefined ? 'no snapshot' : path.basename(snapshot)
  const end = running ? ', all that was whole when it began: a process has the log open' : ''
  return `Copied to ${dir}: ${files} and ${books}, ${bytes(rest.bytes)}, LSN ${firstLsn} to ${endLsn}${end}.`
}

function requireEmpty(target: string): void {
  const disk = new NodeDisk()
  let names: string[]
  try {
    names = disk.list(target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    attempt('use', target, () => {
      throw error
    })
    return
  }
  if (names.length > 0)
    throw usageFailure(`The folder ${target} is not empty; a backup goes into one of its own.`)
}
