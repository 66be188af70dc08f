import type { EventEmitter } from 'node:events'
import type { LogError } from '../errors.js'
import type { ReplicationRest, ReplicationResumption, ReplicationStall } from './replicator-handle.js'

/** What a log reports of its replication, and what has one reports likewise. */
export interface ReplicationEvents {
  /** Another primary took over (`TIDEMARK_FENCED`): this log has ended. */
  fenced: [LogError]
  /** The replicated log takes nothing. The log waits, and continues by itself. */
  replicationStalled: [ReplicationStall]
  /** The replicated log takes entries again. */
  replicationResumed: [ReplicationResumption]
  /** The log was closed before all of it was replicated. */
  replicationIncomplete: [ReplicationRest]
}

const names = Object.keys({
  fenced: true,
  replicationStalled: true,
  replicationResumed: true,
  replicationIncomplete: true,
} satisfies Record<keyof ReplicationEvents, true>)

/** Has an emitter emit what a log reports of its replication. */
export function forwardReplication(log: EventEmitter, to: EventEmitter): void {
  for (const name of names) log.on(name, (report) => to.emit(name, report))
}
