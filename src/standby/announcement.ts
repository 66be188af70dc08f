import { setTimeout as sleep } from 'node:timers/promises'
import { type ReplicatedLog, ReplicationError, type StandbyLease } from '../log/index.js'

/** For so many leases a standby waits for its name. */
const announcedLeases = 3
const againMs = 50

/** Makes a standby known. The name may be that of its own process of before, which was killed: then its lease ends soon. */
export async function announce(
  log: ReplicatedLog,
  { name, leaseMs }: { readonly name: string; readonly leaseMs: number },
  lsn: number,
): Promise<StandbyLease> {
  const untilMs = performance.now() + announcedLeases * leaseMs
  for (;;) {
    try {
      return await log.announce(name, lsn, leaseMs)
    } catch (error) {
      const inUse = error instanceof ReplicationError && error.code === 'TIDEMARK_REPLICATION_NAME_IN_USE'
      if (!inUse || performance.now() > untilMs) throw error
      await sleep(againMs)
    }
  }
}
