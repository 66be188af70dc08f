import { ReplicationError } from '#tidemark/replication/index.js'
import type { MemoryNetwork, WatchSink } from '#tidemark/replication/memory/index.js'

/** A network in front of a `MemoryCluster` that a test cuts: calls are refused, or are kept until it is mended. */
export class GatedNetwork implements MemoryNetwork {
  state: 'up' | 'down' | 'silent' = 'up'
  /** Calls that got to the store. */
  delivered = 0
  #waiting: (() => void)[] = []

  set(state: 'up' | 'down' | 'silent'): void {
    this.state = state
    for (const go of this.#waiting.splice(0)) go()
  }

  async call<T>(_client: string, deliver: () => T): Promise<T> {
    while (this.state === 'silent') await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (this.state === 'down') {
      throw new ReplicationError('TIDEMARK_REPLICATION_UNAVAILABLE', 'The network is down.')
    }
    this.delivered++
    return deliver()
  }

  watch(_client: string, sink: WatchSink): WatchSink {
    return sink
  }
}
