import type { KeyChange } from '../kv/kv.js'

/** What lies between the clients and the store of a `MemoryCluster`. Tests put one in that loses, repeats, delays and reorders. */
export interface MemoryNetwork {
  /**
   * Carries a client's call to the store and the outcome back. `deliver` makes it happen there, once for each time that it is called.
   *
   * @throws ReplicationError `TIDEMARK_REPLICATION_UNAVAILABLE` when no reply gets to the client, whatever happened at the store.
   */
  call<T>(client: string, deliver: () => T): Promise<T>

  /** A client begins a watch: what the store pushes into the result gets to `sink`, in this order, or the watch fails. */
  watch(client: string, sink: WatchSink): WatchSink
}

/** Who takes the changes that a watch sees. */
export interface WatchSink {
  /** Takes changes, in their order. */
  push(changes: readonly KeyChange[]): void
  /** Nothing comes after it. */
  fail(error: Error): void
}

/** Loses nothing and takes no time. */
export const directNetwork: MemoryNetwork = {
  call: async (_client, deliver) => deliver(),
  watch: (_client, sink) => sink,
}
