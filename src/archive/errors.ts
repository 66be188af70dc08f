import { TidemarkError } from '../base/errors.js'

export type ArchiveErrorCode =
  | 'TIDEMARK_ARCHIVE_PACKAGE_MISSING'
  | 'TIDEMARK_ARCHIVE_MISSING'
  | 'TIDEMARK_ARCHIVE_FORMAT'
  | 'TIDEMARK_ARCHIVE_DAMAGED'
  | 'TIDEMARK_ARCHIVE_DIFFERS'
  | 'TIDEMARK_ARCHIVE_IN_USE'
  | 'TIDEMARK_ARCHIVE_OTHER_LOG'
  | 'TIDEMARK_ARCHIVE_GAP'
  | 'TIDEMARK_ARCHIVE_COMPRESSION'
  | 'TIDEMARK_ARCHIVE_QUERY'
  | 'TIDEMARK_ARCHIVE_ENDED'

/** An error of the archive. What was archived before it stays, and the log is not concerned. */
export class ArchiveError extends TidemarkError {
  override readonly name = 'ArchiveError'
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
