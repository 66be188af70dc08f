import type { BatchChunk } from '../../log/read/batch-walk.js'
import { RecordAssembler } from '../../log/read/record-assembler.js'
import { groupType, moreGroups } from '../record-type.js'
import type { ShardHandle } from '../shard/shard-handle.js'

/**
 * Walks the durable groups, below the mark by construction, and gives each to the queue of waiters of the shard that
 * wrote it.
 */
export class Publisher {
  readonly #shards: readonly ShardHandle[]
  readonly #walk = new RecordAssembler(this)
  #settled = 0

  constructor(shards: readonly ShardHandle[]) {
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
