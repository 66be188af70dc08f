import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { reasonOf } from '../../base/errno.js'
import type { ReplicationEngine } from '../../log/index.js'
import { etcd } from '../../replication/etcd/index.js'
import { inputFailure, usageFailure } from '../failure.js'

/** Where the replicated log of a pool is, as the command line says it. */
export interface EtcdFlags {
  readonly etcd: string
  readonly pool: string
  readonly etcdUser?: string
  readonly etcdCa?: string
  readonly etcdCert?: string
  readonly etcdKey?: string
}

const passwordVariable = 'TIDEMARK_ETCD_PASSWORD'

export function addEtcdFlags(command: Command): Command {
  return command
    .requiredOption('--etcd <urls>', 'the nodes of etcd, with commas between them')
    .requiredOption('--pool <name>', "the pool's name in the replicated log")
    .option('--etcd-user <name>', `user of etcd; its password is in ${passwordVariable}`)
    .option('--etcd-ca <file>', 'authorities that the certificates of the nodes are checked with, PEM')
    .option('--etcd-cert <file>', "this client's certificate, PEM")
    .option('--etcd-key <file>', "this client's key, PEM")
}

/** @throws CliFailure for a file that can't be read, or a user without a password; ReplicationError `TIDEMARK_BAD_SETTING`. */
export function engineOf(flags: EtcdFlags): ReplicationEngine {
  const { etcdUser: user } = flags
  const password = process.env[passwordVariable]
  if (user !== undefined && !password) {
    throw usageFailure(`--etcd-user needs the password of ${user} in ${passwordVariable}.`)
  }
  const tls = {
    ...(flags.etcdCa !== undefined && { ca: pem(flags.etcdCa) }),
    ...(flags.etcdCert !== undefined && { cert: pem(flags.etcdCert) }),
    ...(flags.etcdKey !== undefined && { key: pem(flags.etcdKey) }),
  }
  return etcd({
    endpoints: flags.etcd,
    ...(user !== undefined && { user, password: password! }),
    ...(Object.keys(tls).length > 0 && { tls }),
  })
}

function pem(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (cause) {
    throw inputFailure(`Could not read ${file}: ${reasonOf(cause)}.`, cause)
  }
}
