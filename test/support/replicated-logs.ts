import {
  type Promotion,
  promote,
  type ReplicatedLog,
  type ReplicationEpoch,
} from '#tidemark/replication/index.js'

/** Takes a log's next epoch and reads to the end; what it read is left where it is. */
export function takeLog(log: ReplicatedLog, owner: string, fromLsn = 0): Promise<Promotion> {
  return promote(log, { owner, fromLsn, segmentEpoch: 7n, keep() {}, sync() {}, again() {} })
}

/** Appends entries of so many bytes, one after the other, from an LSN on; returns where they end. Each byte of one is its number. */
export async function appendEntries(
  log: ReplicatedLog,
  epoch: ReplicationEpoch,
  fromLsn: number,
  sizes: readonly number[],
): Promise<number> {
  let startLsn = fromLsn
  for (const [i, size] of sizes.entries()) {
    await log.append(epoch, { startLsn, bytes: Buffer.alloc(size, i + 1) })
    startLsn += size
  }
  return startLsn
}
