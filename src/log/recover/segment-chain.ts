import { LogError } from '../errors.js'
import type { Segment } from '../format/segment.js'

/** Checks that each segment is the successor of the one before. @throws LogError `TIDEMARK_LOG_CORRUPT`. */
export function checkChain(segments: readonly Segment[]): void {
  for (const [i, { path: file, header }] of segments.entries()) {
    const before = segments[i - 1]
    if (!before) continue
    const { previous } = header
    if (previous?.firstLsn === before.header.firstLsn && previous.epoch === before.header.epoch) continue
    throw new LogError(
      'TIDEMARK_LOG_CORRUPT',
      `The log is corrupt: ${file} does not go on from ${before.path}; a segment is missing or foreign.`,
      { file, offset: 0, lsn: header.firstLsn },
    )
  }
}
