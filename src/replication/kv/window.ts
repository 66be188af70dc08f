import type { LogWindow, ReplicatedEntry } from '../../log/thread.js'
import { ContiguousPrefix, ReplicationError } from '../../log/thread.js'
import { decodeLineage, decodeWindow, type PoolKeys } from './keys.js'
import { Compacted, type Kv } from './kv.js'
import { type LogPage, readPage, readRest } from './page.js'
import { withPatience } from './patience.js'

const pageBytes = 4 * 1024 * 1024

/** Up to where a connection has seen that the log has no gap: the prefix never becomes shorter. */
export class ProvenPrefix {
  lsn = 0

  /** Notes an entry that was read. One after a gap proves nothing. */
  extend(startLsn: number, endLsn: number): void {
    if (startLsn <= this.lsn && endLsn > this.lsn) this.lsn = endLsn
  }
}

/**
 * Where the contiguous prefix begins and ends. Only what is not known to be in it is read: what comes after `proven`, after `fromLsn`, and after the
 * beginning of the last epoch's part. (That of the first part may be put before what precedes it has landed.)
 */
export async function readWindow(
  kv: Kv,
  keys: PoolKeys,
  proven: ProvenPrefix,
  fromLsn: number,
): Promise<LogWindow> {
  const { beginLsn, epochLsn } = await knownFrom(kv, keys)
  const knownLsn = Math.max(beginLsn, epochLsn, proven.lsn, fromLsn)
  // Where an LSN that was known is after the log's end, the log is another one: its keys were deleted, and it began anew.
  const window = (await scan(kv, keys, knownLsn)) ?? (await scan(kv, keys, beginLsn))
  if (!window)
    throw new ReplicationError(
      'TIDEMARK_LOG_DIVERGED',
      `The keys of ${kv.name} were deleted while they were read.`,
    )
  proven.lsn = window.endLsn
  return window
}

async function knownFrom(kv: Kv, keys: PoolKeys): Promise<{ beginLsn: number; epochLsn: number }> {
  const { epochs: from, epochsEnd: to } = keys
  const reply = await withPatience(kv, () =>
    kv.transact({
      compare: [],
      success: [
        { kind: 'range', from: keys.window },
        { kind: 'range', from, to, limit: 2, descending: true },
      ],
      failure: [],
    }),
  )
  const [window, lineage] = reply.results
  const [last, before] = lineage!.keys
  return {
    beginLsn: decodeWindow(window!.keys[0]),
    epochLsn: last && before ? decodeLineage(last).firstLsn : 0,
  }
}

/** Reads to the end of the prefix from an LSN that is in it; undefined when it can't be. */
async function scan(kv: Kv, keys: PoolKeys, knownLsn: number): Promise<LogWindow | undefined> {
  let endLsn = knownLsn
  for (;;) {
    const page = await pageFrom(kv, keys, endLsn)
    if (page === 'diverged') return undefined
    if (typeof page === 'number') {
      endLsn = page
      continue
    }
    const fromEnd = endLsn
    const prefix = new ContiguousPrefix(endLsn)
    let looseBytes = 0
    for (const { startLsn, endLsn: end, bytes } of page.entries) {
      if (startLsn < prefix.endLsn) prefix.add(prefix.endLsn, end)
      else if (prefix.add(startLsn, end) < end) looseBytes += bytes.length
    }
    endLsn = prefix.endLsn
    if (page.more && endLsn > fromEnd) continue
    if (page.more) {
      const rest = await restOf(kv, keys, page)
      if (!rest) continue
      for (const { bytes } of rest) looseBytes += bytes.length
    }
    return { beginLsn: page.beginLsn, endLsn, looseBytes }
  }
}

/** A page from an LSN of the prefix; where the window begins, if it has moved beyond that meanwhile. */
async function pageFrom(kv: Kv, keys: PoolKeys, lsn: number): Promise<LogPage | number | 'diverged'> {
  try {
    return await withPatience(kv, () => readPage(kv, keys, lsn, pageBytes))
  } catch (error) {
    if (!(error instanceof ReplicationError)) throw error
    if (error.code === 'TIDEMARK_STANDBY_BEHIND') return error.details['beginLsn'] as number
    if (error.code === 'TIDEMARK_LOG_DIVERGED') return 'diverged'
    throw error
  }
}

/** What came after a page at its revision; undefined when the store has forgotten that revision. */
async function restOf(
  kv: Kv,
  keys: PoolKeys,
  { entries, revision }: LogPage,
): Promise<ReplicatedEntry[] | undefined> {
  const { startLsn } = entries.at(-1)!
  try {
    return await withPatience(kv, () => readRest(kv, keys, startLsn, pageBytes, revision))
  } catch (error) {
    if (error instanceof Compacted) return undefined
    throw error
  }
}
