import type { FrameChunk } from '../../log/read/file-reader.js'
import { GroupWalk } from '../../log/read/group-walk.js'
import { groupType, moreGroups } from '../shard/records.js'
import type { ShardHandle } from '../shard/shard-handle.js'

/**
 * Walks the durable groups, below the mark by construction, and gives each to the queue of waiters of the shard that
 * wrote it.
 */
export class Publisher {
  readonly #shards: readonly ShardHandle[]
  readonly #walk = new GroupWalk(this)
  #settled = 0

  constructor(shards: readonly ShardHandle[]) {
    this.#shards = shards
  }

  /** Delivers the groups of a chunk; returns how many commands are settled with it. */
  publish(chunk: FrameChunk): number {
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
