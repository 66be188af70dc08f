import type { ReplicatedLog } from '../../log/thread.js'
import { KvLog } from '../kv/kv-log.js'
import { EtcdKv } from './etcd-kv.js'
import { type EtcdOptions, resolveEtcdOptions } from './options.js'

/** Connects a thread to the log of a pool on etcd. */
export async function connect(options: unknown, pool: string): Promise<ReplicatedLog> {
  return new KvLog(new EtcdKv(resolveEtcdOptions(options as EtcdOptions)), pool)
}
