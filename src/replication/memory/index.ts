// What users of the package get as `tidemark/replication/memory`: for tests of programs that replicate.
export { MemoryCluster, type MemoryClusterOptions } from './cluster.js'
export type { MemoryNetwork, WatchSink } from './network.js'
