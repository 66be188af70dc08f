// What users of the package get as `tidemark/replication/etcd`.
import type { ReplicationEngine } from '../../log/thread.js'
import { type EtcdOptions, resolveEtcdOptions } from './options.js'

export type { EtcdOptions, EtcdTls } from './options.js'

/**
 * Replicated logs on an etcd cluster (version 3.4 or later), for `replication: { log }` of a pool, for `Standby.open` and for `connectReplicatedLog`. Needs the
 * package `@grpc/grpc-js`. docs/replication.md says which settings the cluster needs.
 *
 * @throws ReplicationError `TIDEMARK_BAD_SETTING`.
 */
export function etcd(options: EtcdOptions): ReplicationEngine {
  const { endpoints } = resolveEtcdOptions(options)
  const module = new URL('./connect.js', import.meta.url).href
  return { name: `etcd at ${endpoints.join(', ')}`, module, options }
}
