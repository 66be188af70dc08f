import { TidemarkError } from '../base/errors.js'

/** The codes of an `ArchiveError`. */
export type ArchiveErrorCode =
  /** A package that reads or writes Parquet is not installed. Remedy: Install what the message names. */
  | 'TIDEMARK_ARCHIVE_PACKAGE_MISSING'
  /** The folder holds no archive. Remedy: Check its path, and whether its disk is mounted. */
  | 'TIDEMARK_ARCHIVE_MISSING'
  /** The archive was written by a build with another format. Remedy: Use the build that wrote it. */
  | 'TIDEMARK_ARCHIVE_FORMAT'
  /** A file of the archive, or its manifest, is not what it must be. `details` has `file` and `reason`. Remedy: Restore it from a copy of the archive. */
  | 'TIDEMARK_ARCHIVE_DAMAGED'
  /** A file does not read back as the log says, so it was not taken into the archive. Remedy: Archive again; if it stays, look at disk and memory. */
  | 'TIDEMARK_ARCHIVE_DIFFERS'
  /** Another archiver or compaction has the archive. Remedy: Try again when it is done. */
  | 'TIDEMARK_ARCHIVE_IN_USE'
  /** The archive is of another log, or of a log of another kind. Remedy: Archive into a folder of its own. */
  | 'TIDEMARK_ARCHIVE_OTHER_LOG'
  /** What lies between the end of the archive and the beginning of the log was deleted. Remedy: Give the folder that has it, or archive into a new folder. */
  | 'TIDEMARK_ARCHIVE_GAP'
  /** The archive has files that are compressed with zstd, which this version of Node.js does not know. Remedy: Read it with Node.js 22.15 or later. */
  | 'TIDEMARK_ARCHIVE_COMPRESSION'
  /** An option of a query is not known, or its value is not allowed. Remedy: Correct it; the message says what is allowed. */
  | 'TIDEMARK_ARCHIVE_QUERY'

/** An error of the archive. What was archived before it stays, and the log is not concerned. */
export class ArchiveError extends TidemarkError {
  override readonly name = 'ArchiveError'
  /** What went wrong: one of the codes of docs/errors.md. */
  declare readonly code: ArchiveErrorCode

  constructor(
    code: ArchiveErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
  }
}

/** A file of an archive, or its manifest, that is not what it must be. */
export function damaged(file: string, reason: string, options?: ErrorOptions): ArchiveError {
  return new ArchiveError(
    'TIDEMARK_ARCHIVE_DAMAGED',
    `${file} is damaged: ${reason}. Restore it from a copy of the archive.`,
    { file, reason },
    options,
  )
}
