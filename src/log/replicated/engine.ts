import { checkPoolName } from './names.js'
import type { ReplicatedLog } from './replicated-log.js'

/**
 * Where a replicated log is, in a form that goes to other threads: `etcd({ … })` makes one, and so can anyone who writes an
 * engine of their own.
 */
export interface ReplicationEngine {
  /** What messages call it. */
  readonly name: string
  /** The address (`file:`) of a module that exports `connect`, as `EngineModule` says. Each thread loads it for itself. */
  readonly module: string
  /** What `connect` gets: values that a message between threads can carry. */
  readonly options: unknown
}

/** What the module of an engine exports. */
export interface EngineModule {
  /**
   * Makes the log of a pool. It need not reach the engine: that each call does.
   *
   * @throws ReplicationError `TIDEMARK_BAD_SETTING`, `TIDEMARK_REPLICATION_PACKAGE_MISSING`.
   */
  connect(options: unknown, pool: string): Promise<ReplicatedLog>
}

/**
 * Connects this thread to the log of a pool.
 *
 * @param pool its name: 1 to 64 characters of `a` to `z`, `0` to `9`, `-`, `_` and `.`.
 * @throws ReplicationError `TIDEMARK_BAD_SETTING`, `TIDEMARK_REPLICATION_PACKAGE_MISSING`.
 */
export async function connectReplicatedLog(engine: ReplicationEngine, pool: string): Promise<ReplicatedLog> {
  const { connect } = (await import(engine.module)) as EngineModule
  return connect(engine.options, checkPoolName(pool))
}
