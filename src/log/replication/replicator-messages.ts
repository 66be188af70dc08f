import type { ErrorMessage } from '../errors.js'
import type { ReplicationEpoch, StandbyPosition } from '../replicated/index.js'
import type { LogMemory } from '../ring/memory.js'
import type { ReplicationSettings } from './options.js'

/** What the opener gives to the replicator's thread. */
export interface ReplicatorThreadData extends ReplicationSettings {
  readonly memory: LogMemory
  readonly directory: string
  /** Whom an epoch that is taken now names as its owner. */
  readonly owner: string
  /** The epoch, if the opener took it already, when it was promoted. */
  readonly taken: ReplicationEpoch | undefined
}

/**
 * What the opener posts to the thread, once: the log is recovered and ends at `endLsn`; the thread ships it from now on.
 */
export interface BeginReplication {
  readonly kind: 'begin'
  readonly endLsn: number
}

export type ReplicatorMessage =
  /** The folder may continue the replicated log, which ends at `endLsn`, under the epoch `epoch`. */
  | { readonly kind: 'connected'; readonly endLsn: number; readonly epoch: number }
  /** Shipping has begun; where acknowledgements wait for it, what the log held when it was opened is there. */
  | { readonly kind: 'begun' }
  /** The replicated log takes nothing for now. */
  | { readonly kind: 'stalled'; readonly error: ErrorMessage }
  | { readonly kind: 'resumed'; readonly stalledMs: number }
  | { readonly kind: 'standbys'; readonly standbys: readonly StandbyPosition[] }
  /** The log is closed, and the replicated log did not take all of it in time. */
  | { readonly kind: 'incomplete'; readonly leftBytes: number; readonly error: ErrorMessage }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly error: ErrorMessage }
