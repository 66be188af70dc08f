import type { BatchChunk } from '../../log/index.js'
import { RecordAssembler } from '../../log/index.js'
import { groupType, moreGroups } from '../record-type.js'

/** What takes the groups of one shard, in their order. */
interface GroupTaker {
  /** Returns whether a command is settled with the group. `more`: another group of the same command follows. */
  deliver(words: Int32Array, from: number, to: number, lsn: number, more: boolean): boolean
}

/**
 * Walks the durable groups, below the mark by construction, and gives each to the queue of waiters of the shard that
 * wrote it.
 */
export class Publisher {
  readonly #shards: readonly GroupTaker[]
  readonly #walk = new RecordAssembler(this)
  #settled = 0

  constructor(shards: readonly GroupTaker[]) {
    this.#shards = shards
  }

  /** Delivers the groups of a chunk; returns how many commands are settled with it. */
  publish(chunk: BatchChunk): number {
    this.#settled = 0
    this.#walk.walk(chunk)
    return this.#settled
  }

  visit(
    words: Int32Array,
    from: number,
    to: number,
    lsn: number,
    type: number,
    flags: number,
    producer: number,
  ): void {
    if (type !== groupType) return
    if (this.#shards[producer - 1]!.deliver(words, from, to, lsn, (flags & moreGroups) !== 0)) this.#settled++
  }
}
