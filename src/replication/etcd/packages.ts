import { createRequire } from 'node:module'
import * as path from 'node:path'
import { ReplicationError } from '../../log/thread.js'
import { etcdSchema } from './schema.js'

type Grpc = typeof import('@grpc/grpc-js')

/** The gRPC client, and what it must know of etcd's calls. */
export interface EtcdPackages {
  readonly grpc: Grpc
  readonly services: EtcdServices
}

type Service = InstanceType<Grpc['Client']>['constructor'] & (new (...args: never[]) => object)
type EtcdServices = Record<'KV' | 'Watch' | 'Lease' | 'Auth', Service>

interface ProtoLoader {
  fromJSON(schema: unknown, options: object): never
}

/** Numbers of 64 bits come as texts, since leases use all of them. */
const conversion = { longs: String, bytes: Buffer, defaults: true, arrays: true, oneofs: false }

/**
 * Loads the gRPC client, which is optional: from where tidemark is installed or, for a command line that stands elsewhere, from the
 * folder that it was called in. The package that reads schemas is one that the client itself depends on.
 *
 * @throws ReplicationError `TIDEMARK_REPLICATION_PACKAGE_MISSING` that says what to install.
 */
export function etcdPackages(): EtcdPackages {
  for (const place of [import.meta.url, path.join(process.cwd(), 'package.json')]) {
    const require = createRequire(place)
    let file: string
    try {
      file = require.resolve('@grpc/grpc-js')
    } catch {
      continue
    }
    const grpc = require(file) as Grpc
    const loader = createRequire(file)('@grpc/proto-loader') as ProtoLoader
    const loaded = grpc.loadPackageDefinition(loader.fromJSON(etcdSchema, conversion))
    return { grpc, services: loaded['etcdserverpb'] as unknown as EtcdServices }
  }
  throw new ReplicationError(
    'TIDEMARK_REPLICATION_PACKAGE_MISSING',
    'A log on etcd needs the package @grpc/grpc-js, which is not installed: npm install @grpc/grpc-js@1',
    { package: '@grpc/grpc-js' },
  )
}
