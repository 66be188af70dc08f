import type { ListedSegment } from '../../log/index.js'
import { ArchiveError } from '../errors.js'
import type { ArchivedSegment, Manifest } from '../manifest.js'

/** Where an archive and its log are on disk, for messages. */
export interface Places {
  readonly log: string
  readonly archive: string
}

/**
 * Checks that an archive continues in a log: the segments that both know have the same epochs, and the first one that the
 * archive does not know follows the last one that it does.
 *
 * @throws ArchiveError `TIDEMARK_ARCHIVE_OTHER_LOG`, `TIDEMARK_ARCHIVE_GAP`.
 */
export function checkLineage(manifest: Manifest, segments: readonly ListedSegment[], places: Places): void {
  const { log, archive } = places
  const first = segments[0]
  const last = manifest.segments.at(-1)
  if (!first) return
  if (first.firstLsn > manifest.endLsn) {
    throw new ArchiveError(
      'TIDEMARK_ARCHIVE_GAP',
      `The log in ${log} begins at LSN ${first.firstLsn}, and the archive ${archive} ends at ${manifest.endLsn}: what was between them is gone. Archive into a new folder.`,
      { log, archive, firstLsn: first.firstLsn, endLsn: manifest.endLsn },
    )
  }
  if (!last) return
  const known = new Map(manifest.segments.map((segment) => [segment.firstLsn, segment]))
  for (const segment of segments) {
    const archived = known.get(segment.firstLsn)
    if (archived) {
      if (epochText(segment.header.epoch) !== archived.epoch)
        throw otherLog(places, segment.firstLsn, 'another epoch')
      if (segment.endLsn !== archived.endLsn)
        throw otherLog(places, segment.firstLsn, 'another end than when it was archived')
    } else if (segment.firstLsn < last.endLsn) {
      throw otherLog(places, segment.firstLsn, 'its beginning within a segment that was archived')
    }
    const { previous } = segment.header
    if (segment.firstLsn !== last.endLsn) continue
    if (previous?.firstLsn === last.firstLsn && epochText(previous.epoch) === last.epoch) continue
    throw otherLog(places, segment.firstLsn, 'another segment before it than the last that was archived')
  }
  // The segment after the last that was archived is there while the log is this one: it was there when that one was sealed.
  if (segments.at(-1)!.firstLsn < last.endLsn)
    throw otherLog(places, segments.at(-1)!.firstLsn, 'no successor any more')
}

function otherLog({ log, archive }: Places, firstLsn: number, reason: string): ArchiveError {
  return new ArchiveError(
    'TIDEMARK_ARCHIVE_OTHER_LOG',
    `The archive ${archive} is not of the log in ${log}: the segment at LSN ${firstLsn} has ${reason}. Archive into a folder of its own.`,
    { log, archive, firstLsn, reason },
  )
}

/** The segments of an archive with those that lie, wholly or in part, below an LSN. */
export function withSegments(
  archived: readonly ArchivedSegment[],
  segments: readonly ListedSegment[],
  endLsn: number,
): ArchivedSegment[] {
  const known = new Set(archived.map(({ firstLsn }) => firstLsn))
  const added = segments.flatMap(({ firstLsn, endLsn: end, header }) =>
    end === undefined || firstLsn >= endLsn || known.has(firstLsn)
      ? []
      : [{ firstLsn, endLsn: end, epoch: epochText(header.epoch) }],
  )
  return [...archived, ...added]
}

function epochText(epoch: bigint): string {
  return epoch.toString(16).padStart(16, '0')
}
