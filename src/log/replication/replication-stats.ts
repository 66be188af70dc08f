import type { StandbyPosition } from '../replicated/index.js'
import type { ReplicationAck } from './options.js'

/** How far a log is replicated. */
export interface ReplicationStats {
  readonly role: 'primary'
  /** The epoch of the replicated log under which this one is shipped. */
  readonly epoch: number
  /** What an acknowledgement waits for. */
  readonly ack: ReplicationAck
  /** Everything before this is in the replicated log. */
  readonly replicatedLsn: number
  /** Bytes that are synced here and not replicated. */
  readonly lagBytes: number
  /** Milliseconds since the first of them was appended; 0 when there are none. */
  readonly lagMs: number
  /** Where the replicated log begins by now, or a little after: what comes before is in folders only. */
  readonly windowFirstLsn: number
  /** Whether the replicated log takes nothing for now. */
  readonly stalled: boolean
  /** The standbys that it knows, as of about a second ago. */
  readonly standbys: readonly StandbyPosition[]
}
