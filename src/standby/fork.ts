import type { LineageEntry, WrittenParts } from '../log/index.js'

/** Where a log left the lineage, and the epoch that continued without it. */
export interface Fork {
  readonly lsn: number
  readonly n: number
}

/**
 * Where a log in a folder is not the replicated log any more: the first LSN at which another opening wrote it than the lineage
 * says. `undefined`: all of it is of the lineage. What was written before there was a lineage is not compared.
 */
export function forkOf({ parts, endLsn }: WrittenParts, lineage: readonly LineageEntry[]): Fork | undefined {
  const epochs = lineage.toSorted((a, b) => a.n - b.n)
  for (const [i, { firstLsn, epoch }] of parts.entries()) {
    const partEndLsn = parts[i + 1]?.firstLsn ?? endLsn
    for (const [k, { n, segmentEpoch, firstLsn: epochFirstLsn }] of epochs.entries()) {
      // An epoch whose primary wrote nothing has an empty part.
      const epochEndLsn = epochs[k + 1]?.firstLsn ?? Number.POSITIVE_INFINITY
      const lsn = Math.max(firstLsn, epochFirstLsn)
      if (lsn < Math.min(partEndLsn, epochEndLsn) && epoch !== segmentEpoch) return { lsn, n }
    }
  }
  return undefined
}
