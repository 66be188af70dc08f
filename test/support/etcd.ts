import { afterAll, it } from 'vitest'
import { type EtcdCluster, type EtcdOptions, etcdMissing, startEtcd } from './etcd-cluster.mjs'

/**
 * Starts etcd for a test file, which ends it too; undefined where there is none, which is said on standard error and by a skipped test.
 * To be called while tests are collected.
 */
export async function etcdForTests(options?: EtcdOptions): Promise<EtcdCluster | undefined> {
  const missing = etcdMissing()
  if (missing !== undefined) {
    process.stderr.write(`SKIPPED: replication is not tested on etcd: ${missing}.\n`)
    it.skip('is not tested on etcd: it is not installed', () => {})
    return undefined
  }
  const cluster = await startEtcd(options)
  afterAll(() => cluster.stop())
  return cluster
}
