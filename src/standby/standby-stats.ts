import type { Holder, ReplicationError } from '../log/index.js'
import type { CheckpointFailure, CheckpointStats, EnginePool } from '../pool/index.js'

/** An answer of a standby: true as of its `lsn`, and maybe no more at the primary. */
export type Stale<T> = T & { readonly stale: true }

/** Where a standby stands. */
export interface StandbyStats {
  /** The standby's name. */
  readonly name: string
  /** What it does now. */
  readonly role: 'standby' | 'seeding' | 'promoting' | 'primary' | 'closed'
  /** Everything before this is on this disk. */
  readonly lsn: number
  /** The epoch of the replicated log that was taken last; 0 before the first. */
  readonly epoch: number
  /** Who holds the log as its primary; `undefined` when no pool does. */
  readonly holder: Holder | undefined
  /** Whether it has read all that the replicated log held when it began to follow it. */
  readonly caughtUp: boolean
  /** The checkpoints that it took; undefined until it has books. */
  readonly checkpoints: CheckpointStats | undefined
}

/** The events of a standby; `Standby` says when each is emitted. */
export interface StandbyEvents {
  rejoined: [{ readonly forkLsn: number; readonly epoch: number; readonly aside: string }]
  caughtUp: [lsn: number]
  holder: [Holder | undefined]
  silent: [ReplicationError]
  checkpointFailed: [CheckpointFailure]
  promoted: [EnginePool]
  fenced: [ReplicationError]
  error: [Error]
}
