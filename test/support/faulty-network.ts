import { ReplicationError } from '#tidemark/replication/index.js'
import type { MemoryNetwork, WatchSink } from '#tidemark/replication/memory/index.js'
import type { Random } from './random.js'

/** How likely each is, from 0 to 1, for each message between a client and the store. */
export interface NetworkFaults {
  readonly loseRequest: number
  readonly loseReply: number
  /** The request arrives a second time, at any later time. */
  readonly duplicate: number
  /** The client waits no longer, while the request may still arrive. */
  readonly impatience: number
  readonly endWatch: number
}

export const noFaults: NetworkFaults = {
  loseRequest: 0,
  loseReply: 0,
  duplicate: 0,
  impatience: 0,
  endWatch: 0,
}

export type Direction = 'to-store' | 'from-store'

/** What happens next is drawn from what can: messages overtake each other. */
export interface Later {
  later(event: () => void): void
}

/** A network between clients and a cluster in memory that loses, repeats, delays and reorders messages, as a seed has it, and can be cut. */
export class FaultyNetwork implements MemoryNetwork {
  faults: NetworkFaults
  /** What did not go as it should have, by kind. */
  readonly counts = { lostRequests: 0, lostReplies: 0, duplicates: 0, impatience: 0, endedWatches: 0 }
  readonly #random: Random
  readonly #events: Later
  readonly #cuts = new Map<string, ReadonlySet<Direction>>()

  constructor(random: Random, events: Later, faults: NetworkFaults) {
    this.#random = random
    this.#events = events
    this.faults = faults
  }

  /** Cuts a client off in one direction or both, until it is healed. */
  cut(client: string, ...directions: readonly Direction[]): void {
    this.#cuts.set(client, new Set(directions))
  }

  heal(client: string): void {
    this.#cuts.delete(client)
  }

  call<T>(client: string, deliver: () => T): Promise<T> {
    const { loseRequest, loseReply, duplicate, impatience } = this.faults
    return new Promise((resolve, reject) => {
      const giveUp = () => this.#events.later(() => reject(noAnswer()))
      if (this.#happens(impatience)) {
        this.counts.impatience++
        giveUp()
      }
      const arrive = (answer: boolean) => {
        if (this.#isCut(client, 'to-store') || this.#happens(loseRequest)) {
          this.counts.lostRequests++
          return giveUp()
        }
        const outcome = outcomeOf(deliver)
        if (!answer) return
        if (this.#isCut(client, 'from-store') || this.#happens(loseReply)) {
          this.counts.lostReplies++
          return giveUp()
        }
        this.#events.later(() => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value)))
      }
      this.#events.later(() => arrive(true))
      if (this.#happens(duplicate)) {
        this.counts.duplicates++
        this.#events.later(() => arrive(false))
      }
    })
  }

  watch(client: string, sink: WatchSink): WatchSink {
    const waiting: Parameters<WatchSink['push']>[0][] = []
    let ended = false
    const fail = (error: Error) => {
      if (ended) return
      ended = true
      this.#events.later(() => sink.fail(error))
    }
    return {
      fail,
      push: (changes) => {
        if (ended) return
        if (this.#isCut(client, 'from-store') || this.#happens(this.faults.endWatch)) {
          this.counts.endedWatches++
          return fail(noAnswer())
        }
        waiting.push(changes)
        // In order, but as late as it comes.
        this.#events.later(() => sink.push(waiting.shift()!))
      },
    }
  }

  #isCut(client: string, direction: Direction): boolean {
    return this.#cuts.get(client)?.has(direction) ?? false
  }

  #happens(likelihood: number): boolean {
    return likelihood > 0 && this.#random.next() < likelihood
  }
}

function outcomeOf<T>(deliver: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: deliver() }
  } catch (error) {
    return { error }
  }
}

/** What a client gets instead of a reply. */
export function noAnswer(): ReplicationError {
  return new ReplicationError('TIDEMARK_REPLICATION_UNAVAILABLE', 'The network lost it.')
}
