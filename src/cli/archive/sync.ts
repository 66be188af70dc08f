import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ArchiveKind,
  type ArchiverReport,
  archiveLog,
  requireArchiveOf,
  snapshotInstruments,
} from '../../archive/index.js'
import { errnoOf } from '../../base/errno.js'
import { TidemarkError } from '../../base/errors.js'
import { kindIn, NodeDisk, ReaderCursor, readerNameOf } from '../../log/index.js'
import { exitCodes } from '../exit-codes.js'
import { CliFailure, sentenceOf, usageFailure } from '../failure.js'
import { requireLog } from '../log-folder.js'
import { bytes, count } from '../number-format.js'
import { BytesProgress } from '../progress-bar.js'

export interface SyncFlags {
  readonly to: string
  readonly follow?: boolean
  readonly begin?: boolean
  /** `false` with --no-cursor. */
  readonly cursor?: string | false
  readonly json?: boolean
  readonly progress: boolean
}

/** How often a log is looked at for segments that were sealed. */
const lookMs = 1000
/** How long to wait for another archiver or a compaction, and after a failure that may pass. */
const waitMs = 60_000
const retryMsMax = 30_000

/** Archives the sealed segments of a log; with `follow` until it is interrupted. Resolves with the exit code. */
export async function syncArchive(dir: string, flags: SyncFlags): Promise<number> {
  requireLog(dir)
  const kind = archiveKind(dir)
  if (flags.begin && kind === 'factors')
    throw usageFailure('--begin is for pools: what factors mean is said at the beginning of their log.')
  const beginWith = flags.begin ? await snapshotInstruments(dir) : undefined
  const stopping = new AbortController()
  const interrupt = () => stopping.abort()
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  const startLsn = requireArchiveOf({ log: dir, archive: flags.to, kind, beginWith })
  const cursor = await openCursor(dir, flags, startLsn)
  const bar = flags.progress ? new BytesProgress(process.stderr, 'archived') : undefined
  let archivedLsn = startLsn
  try {
    const archiveOnce = () =>
      archiveLog({
        log: dir,
        archive: flags.to,
        kind,
        beginWith,
        waitMs,
        stopped: () => stopping.signal.aborted,
        onProgress: ({ endLsn, sealedLsn }) => bar?.show(endLsn - startLsn, sealedLsn - startLsn),
      })
    const archiveAndSay = async () => {
      const report = await archiveOnce()
      archivedLsn = report.endLsn
      await cursor?.advance(archivedLsn)
      return report
    }
    const report = flags.follow ? await follow(archiveAndSay, stopping.signal, flags) : await archiveAndSay()
    bar?.stop()
    if (report) print(report, flags)
    return stopping.signal.aborted ? exitCodes.interrupted : exitCodes.ok
  } finally {
    bar?.stop()
    // On failure the cursor says less than it could, and the one that ended the archiving is the one to report.
    await cursor?.close(archivedLsn).catch(() => {})
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

const denied = new Set(['EACCES', 'EPERM', 'EROFS'])

/** The cursor of an archive on its log: what is not archived yet is kept, as far as the log's settings allow. */
async function openCursor(
  dir: string,
  { to, cursor }: SyncFlags,
  archivedLsn: number,
): Promise<ReaderCursor | undefined> {
  if (cursor === false) return undefined
  const name = cursor ?? readerNameOf('archive', path.basename(path.resolve(to)), path.resolve(to))
  try {
    return await ReaderCursor.open(new NodeDisk(), dir, name, archivedLsn)
  } catch (error) {
    if (!(error instanceof TidemarkError && denied.has(errnoOf(error.cause) ?? ''))) throw error
    throw new CliFailure(
      'TIDEMARK_LOG_IO',
      `The cursor ${name} can't be written into ${dir}, which this process may not write to. Give it the right, or archive without a cursor (--no-cursor); then the log is not kept for the archive.`,
      exitCodes.failed,
      { dir, cursor: name },
    )
  }
}

/** Archives until the signal. A full disk, and whatever else may pass, is waited for: the log waits too. */
async function follow(
  archiveOnce: () => Promise<ArchiverReport>,
  signal: AbortSignal,
  flags: SyncFlags,
): Promise<ArchiverReport | undefined> {
  let last: ArchiverReport | undefined
  let failures = 0
  while (!signal.aborted) {
    let nextMs = lookMs
    try {
      const report = await archiveOnce()
      if (report.parts > 0 && last) print(report, flags)
      last = report
      failures = 0
    } catch (error) {
      if (!mayPass(error)) throw error
      failures++
      nextMs = Math.min(retryMsMax, lookMs * 2 ** failures)
      process.stderr.write(`${sentenceOf(error)} Trying again in ${nextMs / 1000} s.\n`)
    }
    await sleep(nextMs, undefined, { signal }).catch(() => {})
  }
  return last
}

const passing = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EIO'])

function mayPass(error: unknown): boolean {
  if (!(error instanceof TidemarkError)) return false
  return error.code === 'TIDEMARK_ARCHIVE_IN_USE' || passing.has(errnoOf(error.cause) ?? '')
}

function archiveKind(dir: string): ArchiveKind {
  const kind = kindIn(new NodeDisk(), dir)
  if (kind === 'pool' || kind === 'factors') return kind
  throw new CliFailure(
    'TIDEMARK_LOG_KIND',
    `${dir} holds a log of kind "${kind}"; the archive takes those of pools and of factors.`,
    exitCodes.badInput,
    { dir, kind },
  )
}

function print(report: ArchiverReport, { json, to }: SyncFlags): void {
  process.stdout.write(`${json ? JSON.stringify(report) : reportText(report, to)}\n`)
}

function reportText(
  { parts, files, bytes: size, rows, endLsn, records }: ArchiverReport,
  to: string,
): string {
  const rest =
    'What comes after that is in the segment that is being written, and is archived when that is full.'
  if (parts === 0) return `Nothing new in sealed segments; the archive ${to} ends at LSN ${endLsn}. ${rest}`
  const tables = Object.entries(rows).map(([table, n]) => `${count(n)} ${table}`)
  return `Archived ${count(records)} records to ${to}: ${tables.join(', ')} in ${count(files)} files of ${bytes(size)}, up to LSN ${endLsn}. ${rest}`
}
