import type { Holder, ReplicatedEntry, ReplicationEpoch } from '../../log/thread.js'
import { ReplicationError } from '../../log/thread.js'
import { decodeEntry, decodeEpoch, decodeHolder, decodeWindow, type PoolKeys } from './keys.js'
import { Compacted, type KeyValue, type Kv, type Operation } from './kv.js'

/** So many entries are read without knowing how large they are. */
const entriesOfUnknownSize = 16
/** So many keys are read to see how large the entries are: two of them lie as far apart as the first one has bytes. */
const keysMax = 2048

/** What a log held at one revision, from an LSN on. */
export interface LogPage {
  readonly revision: number
  readonly beginLsn: number
  readonly epoch: ReplicationEpoch | undefined
  readonly holder: Holder | undefined
  /** Entries in the order of their keys: the one that holds the LSN asked for, and those after it. Gaps are possible. */
  readonly entries: readonly ReplicatedEntry[]
  /** Whether there are more at that revision. */
  readonly more: boolean
}

/**
 * Reads entries, at least one if there is one and about `maxBytes`, from the one that holds the byte at `fromLsn`.
 *
 * @throws ReplicationError `TIDEMARK_STANDBY_BEHIND`, `TIDEMARK_LOG_DIVERGED`.
 */
export async function readPage(kv: Kv, keys: PoolKeys, fromLsn: number, maxBytes: number): Promise<LogPage> {
  const from = keys.log(fromLsn)
  const operations: Operation[] = [
    { kind: 'range', from: keys.window },
    { kind: 'range', from: keys.epoch },
    { kind: 'range', from: keys.holder },
    { kind: 'range', from: keys.logStart, to: from, limit: 1, descending: true },
    { kind: 'range', from, to: keys.logEnd, limit: entriesOfUnknownSize },
  ]
  const reply = await kv.transact({ compare: [], success: operations, failure: [] })
  const { revision } = reply
  const [window, epoch, holder, before, after] = reply.results
  const beginLsn = decodeWindow(window!.keys[0])
  if (fromLsn < beginLsn) throw windowMoved(kv, fromLsn, beginLsn)
  const entries: ReplicatedEntry[] = []
  const holding = before!.keys[0] && entryOf(keys, before!.keys[0])
  // An entry before the window was put there again by a request that was late: it counts as deleted.
  const heldLsn = Math.max(beginLsn, holding?.endLsn ?? 0)
  if (heldLsn < fromLsn) throw diverged(kv, fromLsn, heldLsn)
  if (holding && heldLsn > fromLsn) entries.push(holding)
  for (const found of after!.keys) entries.push(entryOf(keys, found))
  const more = after!.more && (await readMore(kv, keys, entries, maxBytes, revision))
  return {
    revision,
    beginLsn,
    epoch: epoch!.keys[0] && decodeEpoch(epoch!.keys[0]),
    holder: holder!.keys[0] && decodeHolder(holder!.keys[0]),
    entries,
    more,
  }
}

/** All entries that a log held at a revision, from the key after `afterLsn` on. @throws Compacted. */
export async function readRest(
  kv: Kv,
  keys: PoolKeys,
  afterLsn: number,
  maxBytes: number,
  revision: number,
): Promise<ReplicatedEntry[]> {
  const entries: ReplicatedEntry[] = []
  for (let lsn = afterLsn; ; lsn = entries.at(-1)!.startLsn) {
    const from = keys.log(lsn + 1)
    const range: Operation = { kind: 'range', from, to: keys.logEnd, limit: entriesOfUnknownSize, revision }
    const { results } = await kv.transact({ compare: [], success: [range], failure: [] })
    for (const found of results[0]!.keys) entries.push(entryOf(keys, found))
    if (!results[0]!.more) return entries
    if (!(await readMore(kv, keys, entries, maxBytes, revision))) return entries
  }
}

/**
 * Adds the entries after the last one, as they were at a revision, until there are about `maxBytes`. Returns whether there are still more. Where commands
 * come one by one an entry is as small as one of them, and pages of a few would take for ever.
 */
async function readMore(
  kv: Kv,
  keys: PoolKeys,
  entries: ReplicatedEntry[],
  maxBytes: number,
  revision: number,
): Promise<boolean> {
  const bytesLeft = maxBytes - entries.reduce((bytes, entry) => bytes + entry.bytes.length, 0)
  if (bytesLeft <= 0) return true
  try {
    const from = keys.log(entries.at(-1)!.startLsn + 1)
    const toEnd = { kind: 'range', from, to: keys.logEnd, revision } as const
    const names = await rangeOf(kv, { ...toEnd, limit: keysMax, keysOnly: true })
    const starts = names.keys.map(({ key }) => keys.startLsnOf(key)!)
    const count = starts.findIndex((lsn) => lsn - starts[0]! > bytesLeft)
    const limit = count < 0 ? starts.length - (names.more ? 1 : 0) : count - 1
    if (limit <= 0 && (names.more || count >= 0)) return true
    const { keys: found, more } = await rangeOf(kv, { ...toEnd, limit })
    for (const each of found) entries.push(entryOf(keys, each))
    return more
  } catch (error) {
    // What was read so far is a page too.
    if (error instanceof Compacted) return true
    throw error
  }
}

async function rangeOf(kv: Kv, range: Operation) {
  const { results } = await kv.transact({ compare: [], success: [range], failure: [] })
  return results[0]!
}

function entryOf(keys: PoolKeys, { key, value }: KeyValue): ReplicatedEntry {
  return decodeEntry(key, keys.startLsnOf(key)!, value)
}

export function windowMoved(kv: Kv, lsn: number, beginLsn: number): ReplicationError {
  return new ReplicationError(
    'TIDEMARK_STANDBY_BEHIND',
    `The window of ${kv.name} begins at LSN ${beginLsn}, and what stood at LSN ${lsn} was deleted. Seed anew, from a backup or a snapshot that reaches LSN ${beginLsn}.`,
    { lsn, beginLsn },
  )
}

function diverged(kv: Kv, lsn: number, endLsn: number): ReplicationError {
  return new ReplicationError(
    'TIDEMARK_LOG_DIVERGED',
    `The log in ${kv.name} ends at LSN ${endLsn}, before LSN ${lsn}: a folder that reaches that far holds what the log does not. Let it rejoin, which cuts it where the log's lineage says, or seed it anew.`,
    { lsn, endLsn },
  )
}
