import { ReplicationError } from '#tidemark/replication/index.js'
import type { MemoryNetwork, WatchSink } from '#tidemark/replication/memory/index.js'

type GateState = 'up' | 'down' | 'silent' | 'denied'

/** A network in front of a `MemoryCluster` that a test cuts: calls fail, are refused, or are kept until it is mended. The client `spared` notices nothing. */
export class GatedNetwork implements MemoryNetwork {
  state: GateState = 'up'
  /** Calls that got to the store. */
  delivered = 0
  #waiting: (() => void)[] = []

  set(state: GateState): void {
    this.state = state
    for (const go of this.#waiting.splice(0)) go()
  }

  async call<T>(client: string, deliver: () => T): Promise<T> {
    if (client === 'spared') return deliver()
    while (this.state === 'silent') await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (this.state === 'down') {
      throw new ReplicationError('TIDEMARK_REPLICATION_UNAVAILABLE', 'The network is down.')
    }
    if (this.state === 'denied')
      throw new ReplicationError('TIDEMARK_REPLICATION_DENIED', 'The user may not do that.')
    this.delivered++
    return deliver()
  }

  watch(_client: string, sink: WatchSink): WatchSink {
    return sink
  }
}
